"""A browser, and pages of it that are watched: they may not complain, and may not ask anybody but the server."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from benchmarks.page import FLAGS, executable
from benchmarks.process import Server
from tests.browser.reading import settled

PATIENCE = 15_000  # ms
expect.set_options(timeout=PATIENCE)

Open = Callable[..., Page]
"""(address, *, home: the server's address, **options of the browser's context)"""


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Closed after the last test here: while it is open, this thread has a running event loop."""
    path = executable()
    if path is None:
        pytest.skip("no Chromium on this machine: install one, or say with SHAPSERVE_CHROMIUM where it is")
    try:
        playwright = sync_playwright().start()
    except (Error, OSError) as error:
        pytest.skip(f"Playwright's driver does not start here: {error}")
    browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
    yield browser
    browser.close()
    playwright.stop()


@pytest.fixture
def expected() -> list[str]:
    """Patterns of console messages that the test provokes."""
    return []


@pytest.fixture
def open_page(browser: Browser, server: Server, expected: list[str]) -> Iterator[Open]:
    """Opens watched pages, each in a context of its own; at the end, none may have complained or asked elsewhere."""
    contexts, abroad, complaints = [], [], []

    def open_page(address: str = "/", *, home: str = server.url, **options: Any) -> Page:
        context = browser.new_context(**{"base_url": home, "viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.grant_permissions(["clipboard-read", "clipboard-write"], origin=home)
        own = (f"{home}/", f"blob:{home}/", "data:")
        page = context.new_page()
        page.on("request", lambda request: None if request.url.startswith(own) else abroad.append(request.url))
        page.on("pageerror", lambda error: complaints.append(f"thrown: {error}"))
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert abroad == []
    assert [each for each in complaints if not any(re.search(pattern, each) for pattern in expected)] == []


@pytest.fixture
def page(open_page: Open) -> Page:
    """The page as it opens: the first passenger of the notebook, explained."""
    page = open_page()
    settled(page)
    return page


@pytest.fixture
def pictures(page: Page) -> Page:
    """The page with the model of pictures chosen."""
    page.get_by_label("Model", exact=True).select_option("fashion-mnist")
    expect(page.get_by_test_id("draw-canvas")).to_be_visible()
    settled(page)
    return page
