"""What goes wrong is said where it arose, and nothing is lost."""

import re

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from benchmarks.process import Server
from tests.browser.conftest import Open
from tests.browser.reading import MAN, expect_explained, explained, settled

REFUSED = r"status of 422"


def flaw(control: Locator) -> Locator:
    """The texts that describe the control, flaw included."""
    ids = control.get_attribute("aria-describedby")
    assert ids
    return control.page.locator(", ".join(f"[id='{each}']" for each in ids.split()))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("Age", "200", "120"), ("SibSp", "21", "20"), ("Fare", "-1", "0"), ("Parch", "1.5", "whole number")],
)
def test_a_refused_value_is_said_at_its_field(
    page: Page, server: Server, expected: list[str], field: str, value: str, said: str
) -> None:
    """The field is marked and described; the last good answer stays, marked as stale; a good value heals everything."""
    expected.append(REFUSED)
    good = page.get_by_test_id("prediction").inner_text()
    control = page.get_by_label(field, exact=True)
    control.fill(value)
    expect(control).to_have_attribute("aria-invalid", "true")
    expect(page.locator("main")).to_have_attribute("data-state", "stale")
    expect(flaw(control).filter(has_text=said)).to_be_visible()
    expect(page.get_by_test_id("prediction")).to_have_text(good)
    expect(page.get_by_test_id("error-banner")).to_have_count(0)
    control.fill(str(MAN[field]))
    expect(control).to_have_attribute("aria-invalid", "false")
    expect_explained(page, explained(server, MAN), MAN)


def test_an_empty_required_field_asks_for_a_number(page: Page) -> None:
    """Without asking the server; an optional one is then missing."""
    siblings = page.get_by_label("SibSp", exact=True)
    siblings.fill("")
    expect(siblings).to_have_attribute("aria-invalid", "true")
    expect(page.locator("main")).to_have_attribute("data-state", "stale")
    siblings.fill("1")
    settled(page)
    page.get_by_label("Fare", exact=True).fill("")
    expect(page.get_by_label("Fare missing", exact=True)).to_be_checked()
    settled(page)


def test_a_refused_option_is_said_at_the_option(page: Page, expected: list[str]) -> None:
    expected.append(REFUSED)
    page.get_by_text("Options", exact=True).click()
    page.get_by_role("combobox", name="Method").select_option("exact")
    settled(page)
    budget = page.get_by_label("Most evaluations")
    budget.fill("3")
    budget.press("Enter")
    expect(budget).to_have_attribute("aria-invalid", "true")
    expect(flaw(budget)).to_be_visible()
    page.get_by_role("button", name="Defaults").click()
    settled(page)


def test_a_fault_without_a_place_is_said_in_a_banner(page: Page, expected: list[str]) -> None:
    """With the request's id, for the log."""
    expected.append("status of 500")
    body = '{"title": "Internal Server Error", "status": 500, "detail": "a fault", "instance": "abc123", "errors": []}'
    page.route("**/explain", lambda route: route.fulfill(status=500, content_type="application/problem+json", body=body))
    page.get_by_label("Age slider").fill("4")
    banner = page.get_by_test_id("error-banner")
    expect(banner).to_contain_text("a fault")
    expect(banner).to_contain_text("abc123")
    page.unroute("**/explain")
    banner.get_by_role("button", name="Try again").click()
    settled(page)
    expect(banner).to_have_count(0)


def test_a_lost_server_is_waited_for(page: Page, server: Server, expected: list[str]) -> None:
    """The form is kept, and asked again by itself when the server is back."""
    expected.append("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    page.get_by_label("Age slider").fill("4")
    page.get_by_role("radiogroup", name="Sex").get_by_text("female").click()
    banner = page.get_by_test_id("offline-banner")
    expect(banner).to_contain_text("trying again")
    expect(page.locator("main")).to_have_attribute("data-state", "stale")
    page.context.set_offline(False)
    expect(banner).to_have_count(0)
    girl = MAN | {"Age": 4, "Sex": "female"}
    expect_explained(page, explained(server, girl), girl)


def test_a_page_that_finds_no_server_opens_when_there_is_one(open_page: Open, expected: list[str]) -> None:
    """Nothing but the files has come; the models are asked for again."""
    expected.append("ERR_FAILED|ERR_CONNECTION")
    page = open_page("/docs")
    page.route(re.compile("/(models|readyz)"), lambda route: route.abort())
    page.goto("/")
    expect(page.get_by_test_id("offline-banner")).to_be_visible()
    page.unroute_all()
    settled(page)
    expect(page.get_by_test_id("prediction")).to_contain_text("died")


def test_a_service_without_models_says_so(open_page: Open) -> None:
    """An empty page would be a riddle."""
    page = open_page("/docs")
    page.route("**/models", lambda route: route.fulfill(json={"models": []}))
    page.goto("/")
    expect(page.locator("main")).to_contain_text(re.compile("no model", re.IGNORECASE))


def test_models_appear_when_they_are_ready_and_refused_ones_say_why(open_page: Open, server: Server) -> None:
    """Opened while the models load, the page needs no reload."""
    models = httpx.get(f"{server.url}/models").json()["models"]
    nothing = {"version": None, "kind": None, "description": "", "reason": None}
    loading = [{**nothing, "name": model["name"], "state": "loading"} for model in models]
    refused = {**nothing, "name": "empty", "state": "refused", "reason": "manifest.json: expected a readable file"}
    page = open_page("/docs")
    page.route("**/models", lambda route: route.fulfill(json={"models": [refused, *loading]}))
    page.goto("/")
    expect(page.locator("main")).to_contain_text("is loading")
    page.unroute_all()
    page.route("**/models", lambda route: route.fulfill(json={"models": [refused, *models]}))
    picker = page.get_by_label("Model", exact=True)
    picker.select_option("titanic")
    expect(page.get_by_test_id("prediction")).to_contain_text("died")
    settled(page)
    picker.select_option("empty")
    expect(page.locator("main")).to_contain_text("expected a readable file")
    picker.select_option("titanic")
    expect_explained(page, explained(server, MAN), MAN)
