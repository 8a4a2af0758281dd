"""Models of every shape: odd names, one output, a thousand, tiny numbers; and answers that fail."""

import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from service.app import create_app
from service.settings import Settings
from tests.browser.conftest import Open
from tests.browser.reading import MAN, chart, settled
from tests.browser.shapes import ODD, catalog
from tests.conftest import serving

REFUSED = r"status of 4\d\d"
FULL = r"status of 503"
MINUS = "\N{MINUS SIGN}"


@pytest.fixture(scope="module")
def home() -> Iterator[str]:
    """The address of a service with these models."""
    with serving(create_app(Settings(), catalog())) as client:
        yield str(client.base_url).rstrip("/")


Visit = Callable[[str], Page]


@pytest.fixture
def visit(open_page: Open, home: str) -> Visit:
    """The page with one of these models."""

    def visit(name: str) -> Page:
        page = open_page(f"/#model={name}", home=home)
        settled(page)
        return page

    return visit


def refuse(status: int, asked: list[str], **headers: str) -> Callable[[Route], None]:
    """Answers every request with a problem, and counts them."""

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        body = json.dumps({"title": "No", "status": status, "detail": "the answer is no", "instance": "abc", "errors": []})
        route.fulfill(status=status, content_type="application/problem+json", body=body, headers=headers)

    return answer


def test_a_summary_that_is_refused_is_asked_once(page: Page, expected: list[str]) -> None:
    """And said."""
    expected.append(REFUSED)
    asked: list[str] = []
    page.route("**/summary", refuse(422, asked))
    page.get_by_role("tab", name="Global", exact=True).click()
    expect(page.get_by_test_id("error-banner")).to_contain_text("the answer is no")
    page.wait_for_timeout(700)
    assert len(asked) == 1


def test_what_only_one_address_does_not_answer_is_asked_ever_more_rarely(page: Page, expected: list[str]) -> None:
    """The service is there, /summary is not."""
    expected.append("ERR_FAILED")
    asked: list[str] = []

    def lose(route: Route) -> None:
        asked.append(route.request.url)
        route.abort()

    page.route("**/summary", lose)
    page.get_by_role("tab", name="Global", exact=True).click()
    page.wait_for_timeout(5_000)
    assert 2 <= len(asked) <= 5


def test_a_busy_service_is_asked_again_once_and_not_for_a_model_that_is_gone(visit: Visit, expected: list[str]) -> None:
    """However many edits were refused meanwhile."""
    expected.append(FULL)
    page = visit("rent")
    asked: list[str] = []
    page.route("**/explain", refuse(503, asked, **{"Retry-After": "1"}))
    for value in ("1", "2", "3", "4"):
        with page.expect_response("**/explain"):
            page.get_by_label("size", exact=True).fill(value)
        expect(page.get_by_test_id("error-banner")).to_be_visible()
    expect(page.locator("main")).to_have_attribute("data-state", "stale")
    before, begin = len(asked), time.monotonic()
    while len(asked) == before and time.monotonic() < begin + 20:
        page.wait_for_timeout(100)
    page.wait_for_timeout(1_600)
    assert 1 <= len(asked) - before <= 1 + time.monotonic() - begin

    def pass_on(route: Route) -> None:
        asked.append(route.request.post_data or "")
        route.continue_()

    page.route("**/explain", pass_on)
    asked.clear()
    page.get_by_label("Model", exact=True).select_option("tiny")
    settled(page)
    page.wait_for_timeout(1_400)
    assert asked
    assert all('"model":"tiny"' in body for body in asked)


def test_a_cleared_field_is_filled_by_a_sample_of_the_same_value(page: Page) -> None:
    """What stands in the form is what is explained."""
    page.get_by_label("SibSp", exact=True).fill("")
    page.get_by_text("Samples", exact=True).click()
    page.get_by_test_id("sample").first.click()
    settled(page)
    expect(page.get_by_label("SibSp", exact=True)).to_have_value(str(MAN["SibSp"]))


def test_whole_numbers_stand_in_full(visit: Visit) -> None:
    """In the chart, in the table, and where something stands in."""
    page = visit("rent")
    expect(chart(page)).to_contain_text("income = 48213")
    page.get_by_text("Numbers", exact=True).click()
    expect(page.get_by_role("region", name="Shapley values")).to_contain_text("48213")
    page.get_by_label("income missing", exact=True).check()
    expect(page.get_by_role("form", name="Instance")).to_contain_text("missing: 48213 stands in")


def test_pictures_of_two_classes_with_one_probability_name_the_likelier(visit: Visit) -> None:
    """Black is a dog."""
    page = visit("cat")
    page.get_by_role("button", name="Clear").click()
    settled(page)
    expect(page.get_by_test_id("prediction")).to_have_text("dog 73.1 %")
    bars = page.get_by_test_id("class-bars")
    expect(bars.get_by_role("button", name="dog 73.1 %, explain")).to_be_visible()
    expect(bars.get_by_role("button", name="cat 26.9 %, explain")).to_be_visible()
    expect(page.get_by_role("heading", name="Why cat?")).to_be_visible()


def test_pictures_with_a_number_have_no_points_and_no_percent(visit: Visit) -> None:
    """Black weighs minus 15; a white pixel, ten more."""
    page = visit("weight")
    page.get_by_role("button", name="Clear").click()
    settled(page)
    expect(page.get_by_test_id("prediction")).to_have_text(f"out {MINUS}15.0")
    page.get_by_test_id("draw-canvas").click(position={"x": 5, "y": 5})
    expect(page.get_by_test_id("prediction")).not_to_have_text(f"out {MINUS}15.0")
    settled(page)
    expect(page.locator("main")).to_contain_text("since the last stroke")
    expect(page.locator(".change")).not_to_contain_text("points")
    expect(page.locator("main")).not_to_contain_text(re.compile(r"\d %"))


def test_a_model_that_does_not_come_is_not_mixed_with_the_one_before(visit: Visit, expected: list[str]) -> None:
    """Neither its form nor its name in a link."""
    expected.append(REFUSED)
    page = visit("rent")
    page.route("**/models/tiny", refuse(404, []))
    page.get_by_label("Model", exact=True).select_option("tiny")
    expect(page.get_by_test_id("error-banner")).to_contain_text("the answer is no")
    expect(page.get_by_test_id("prediction")).to_have_count(0)
    page.wait_for_timeout(400)
    assert "model=tiny" not in page.url
    page.get_by_label("Model", exact=True).select_option("rent")
    settled(page)
    expect(page.get_by_test_id("error-banner")).to_have_count(0)


def test_a_link_names_the_model_that_it_shows(visit: Visit) -> None:
    """While the next one is on its way, that is the one before."""
    page = visit("rent")
    page.route("**/models/tiny", lambda route: None)
    page.get_by_label("Model", exact=True).select_option("tiny")
    page.get_by_label("size", exact=True).fill("7")
    expect(page).to_have_url(re.compile("model=rent.*%22size%22%3A7"))


def test_tiny_numbers_are_said_and_so_are_their_changes(visit: Visit) -> None:
    """A dose of billionths is not nothing."""
    page = visit("tiny")
    slider = page.get_by_label("size", exact=True)
    slider.fill("4")
    settled(page)
    slider.press("Tab")
    page.get_by_label("income", exact=True).fill("5")
    slider.fill("9")
    settled(page)
    expect(chart(page)).to_contain_text(f"{MINUS}7.00e{MINUS}9")
    label = chart(page).get_by_role("img").get_attribute("aria-label") or ""
    assert f"takes away 7.00e{MINUS}9" in label
    expect(page.locator("p[aria-live]")).to_contain_text(f"dose is {MINUS}9.00e{MINUS}9")
    change = page.get_by_test_id("prediction").locator("xpath=following-sibling::p[1]")
    expect(change).to_contain_text(f"{MINUS}5.00e{MINUS}9 since the last edit")


@pytest.mark.parametrize("name", ODD)
def test_a_flaw_is_said_at_its_field_whatever_its_name(visit: Visit, expected: list[str], name: str) -> None:
    """Slashes, tildes, two hundred letters, words of JavaScript."""
    expected.append(REFUSED)
    page = visit("odd")
    control = page.get_by_label(name, exact=True)
    expect(control).to_have_attribute("aria-invalid", "false")
    control.fill("11")
    expect(control).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_test_id("error-banner")).to_have_count(0)
    control.fill("")
    expect(page.get_by_role("form", name="Instance")).to_contain_text("expected a number")
    control.fill("2")
    settled(page)
    expect(control).to_have_attribute("aria-invalid", "false")


@pytest.mark.parametrize("width", [390, 1280])
def test_long_names_do_not_push_the_page_aside(visit: Visit, width: int) -> None:
    """In either view."""
    page = visit("odd")
    page.set_viewport_size({"width": width, "height": 900})
    page.get_by_text("Samples", exact=True).click()
    for name in ("Decision", "Interactions", "Waterfall"):
        page.get_by_role("tab", name=name, exact=True).click()
        settled(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("tab", name="Global", exact=True).click()
    expect(page.get_by_test_id("beeswarm")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_many_outputs_are_a_list(visit: Visit) -> None:
    """Not a thousand buttons."""
    page = visit("many")
    page.get_by_role("tab", name="Global", exact=True).click()
    outputs = page.get_by_label("Output", exact=True)
    expect(outputs.locator("option")).to_have_count(1001)
    outputs.select_option("class 7")
    expect(page.get_by_text("To the right: pushes class 7 up.")).to_be_visible()
    expect(page.get_by_role("radio")).to_have_count(0)


def test_a_comparison_is_downloaded_as_one(page: Page) -> None:
    """A row per method, player and output."""
    page.get_by_role("tab", name="Compare", exact=True).click()
    settled(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text(encoding="utf-8"))))
    methods = {row["method"] for row in rows}
    assert len(methods) > 1
    assert len(rows) == len(methods) * len(MAN) * 2


def test_background_rows_that_are_not_shown(visit: Visit, expected: list[str]) -> None:
    """The importance is; and whoever asks shap for a picture gets its bars."""
    expected.append(REFUSED)  # it has no samples
    page = visit("private")

    def without_rows(route: Route) -> None:
        answer = route.fetch()
        if "application/json" in answer.headers["content-type"]:
            route.fulfill(response=answer, json={**answer.json(), "explanations": []})
        else:
            route.fulfill(response=answer)

    page.route("**/summary", without_rows)
    page.get_by_role("tab", name="Global", exact=True).click()
    expect(page.get_by_test_id("importance").locator("svg")).to_be_visible()
    expect(page.get_by_text(re.compile("The rows of this model.s background are not shown"))).to_be_visible()
    expect(page.get_by_test_id("beeswarm")).to_have_count(0)
    with page.expect_request(lambda request: "plot" in (request.post_data or "")) as asked, page.expect_download():
        page.get_by_role("button", name="Drawn by shap").click()
    assert (asked.value.post_data_json or {})["plot"] == "bar"
