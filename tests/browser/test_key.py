"""A service that wants keys: the page asks for one, once, and goes on."""

import hashlib
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from fastapi import FastAPI
from playwright.sync_api import Locator, Page, expect

from service.app import create_app
from service.catalog import Catalog
from service.settings import Settings
from tests.browser.conftest import Open
from tests.browser.reading import settled
from tests.conftest import serving
from tests.fakes import linear_model

KEY = "correct-horse"


def locked_app() -> FastAPI:
    """A service that one visitor has a key for."""
    return create_app(
        Settings(api_keys=f"visitor:{hashlib.sha256(KEY.encode()).hexdigest()}"), Catalog({"linear": linear_model()})
    )


@pytest.fixture(scope="module")
def locked() -> Iterator[str]:
    """Its address."""
    with serving(locked_app()) as client:
        yield str(client.base_url).rstrip("/")


@pytest.fixture
def visit(open_page: Open, locked: str, expected: list[str]) -> Open:
    """Opens pages of it; the browser says of each 401 that there was one, and the model has no samples."""
    expected.extend(["status of 401", "status of 404"])
    return lambda address="/", **options: open_page(address, home=locked, **options)


def give(page: Page, key: str) -> None:
    """Type the key and press Enter."""
    field = page.get_by_label("Key", exact=True)
    expect(field).to_be_focused()
    field.fill(key)
    field.press("Enter")


def dialog(page: Page) -> Locator:
    return page.get_by_test_id("key-dialog")


def test_the_page_asks_for_a_key_and_goes_on(visit: Open) -> None:
    """A wrong one is said to be so; the right one opens the page, and serves everything after it, a reload too."""
    page = visit()
    expect(dialog(page)).to_contain_text("shapserve key NAME")
    give(page, "wrong")
    expect(page.get_by_role("alert").filter(has_text="does not know this key")).to_be_visible()
    give(page, KEY)
    expect(dialog(page)).to_be_hidden()
    settled(page)
    page.get_by_label("Count", exact=True).fill("5")
    settled(page)
    page.get_by_role("tab", name="Global").click()
    settled(page)
    page.reload()
    settled(page)
    expect(dialog(page)).to_be_hidden()


def test_the_key_goes_nowhere_but_to_the_service(visit: Open, locked: str) -> None:
    """Neither into what is copied nor into the address; another tab has to ask for it."""
    page = visit()
    give(page, KEY)
    settled(page)
    for name in ("Copy as curl", "Copy as Python", "Copy link", "Copy as JSON"):
        page.get_by_role("button", name=name).click()
        expect(page.get_by_text("copied", exact=False)).to_be_visible()
        said = page.evaluate("navigator.clipboard.readText()")
        assert KEY not in said
        assert ("SHAPSERVE_KEY" in said) == (name in ("Copy as curl", "Copy as Python"))
    assert KEY not in page.url
    other = page.context.new_page()
    other.goto(locked)
    expect(dialog(other)).to_be_visible()


def test_who_has_no_key_is_told_so_and_may_ask_again(visit: Open) -> None:
    page = visit()
    expect(dialog(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    banner = page.get_by_test_id("error-banner")
    banner.get_by_role("button", name="Try again").click()
    give(page, KEY)
    settled(page)
    expect(banner).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dialog_is_accessible_and_fits_a_phone(visit: Open, scheme: str) -> None:
    page = visit(color_scheme=scheme, viewport={"width": 320, "height": 560})
    give(page, "wrong")
    expect(page.get_by_role("alert").filter(has_text="does not know")).to_be_visible()
    expect(dialog(page).get_by_role("button", name="Use this key")).to_be_in_viewport(ratio=1)
    found = Axe().run(page, context="dialog")
    assert found.response["violations"] == []


def test_an_example_is_tried_out_with_the_key_of_the_page(visit: Open) -> None:
    """The documentation asks for it too, and shows it nowhere."""
    page = visit("/docs")
    block = page.locator(".opblock", has=page.locator("[data-path='/models']"))
    block.locator(".opblock-summary-control").first.click()
    block.get_by_role("button", name="Execute").click()
    field = page.get_by_label("This service asks for a key")
    expect(field).to_be_focused()
    field.fill(KEY)
    page.get_by_role("button", name="Use this key").click()
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")
    assert KEY not in block.inner_text()
    page.goto("/")
    settled(page)
