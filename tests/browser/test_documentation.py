"""The API's documentation at /docs, and the headers that everything of the page has."""

import re

import httpx
import pytest
from playwright.sync_api import expect

from benchmarks.process import Server
from tests.browser.conftest import Open

POLICY = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("path", ["/", "/docs", "/docs/swagger-ui.css", "/docs/init.js", "/favicon.svg"])
def test_the_page_trusts_nobody_else(server: Server, path: str) -> None:
    """The policy of content security is sent with each file, word for word."""
    response = httpx.get(server.url + path)
    assert response.status_code == 200
    assert response.headers["content-security-policy"] == POLICY
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("path", "wanted"), [("/predict", "survived"), ("/explain", "shap_values")])
def test_an_example_is_tried_out(open_page: Open, path: str, wanted: str) -> None:
    """Swagger UI comes from the service alone, and its Execute answers 200 with the example as it stands."""
    page = open_page("/docs")
    block = page.locator(".opblock", has=page.locator(f"[data-path='{path}']"))
    block.locator(".opblock-summary-control").first.click()
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table")
    expect(answer.locator("tbody .response-col_status").first).to_contain_text("200")
    expect(answer).to_contain_text(wanted)


def test_the_page_leads_to_the_documentation(open_page: Open) -> None:
    page = open_page("/")
    page.get_by_role("link", name="API").click()
    expect(page).to_have_url(re.compile("/docs$"))
    expect(page.locator(".opblock").first).to_be_visible()
