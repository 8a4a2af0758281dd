"""The model over its background, not over one instance."""

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from benchmarks.process import Server
from tests.browser.reading import MAN, beside, expect_explained, explained, number, says, settled


@pytest.fixture
def summary(server: Server) -> dict[str, Any]:
    """POST /summary of Titanic, all outputs."""
    answer = httpx.post(f"{server.url}/summary", json={"model": "titanic", "outputs": "all"}, timeout=60)
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


@pytest.fixture
def overview(page: Page) -> Page:
    """The global view of Titanic."""
    page.get_by_role("tab", name="Global", exact=True).click()
    expect(page.get_by_test_id("beeswarm")).to_be_visible()
    return page


def test_importance_is_the_services(overview: Page, summary: dict[str, Any]) -> None:
    """The mean sizes of `survived`, the largest on top."""
    at = summary["outputs"].index("survived")
    truth = {name: row[at] for name, row in zip(summary["feature_names"], summary["mean_abs_shap_values"], strict=True)}
    texts = overview.get_by_test_id("importance").locator("svg text").all_text_contents()
    shown = {name: texts[texts.index(name) + 1] for name in truth}
    assert all(says(shown[name], truth[name]) for name in truth), shown
    names = [text for text in texts if text in truth]
    assert names == sorted(truth, key=lambda name: -truth[name])


def test_importance_of_all_outputs_is_stacked(overview: Page, summary: dict[str, Any]) -> None:
    overview.get_by_role("radiogroup", name="Output").get_by_text("all", exact=True).click()
    importance = overview.get_by_test_id("importance")
    expect(importance).to_contain_text("died")
    texts = importance.locator("svg text").all_text_contents()
    sex = summary["mean_abs_shap_values"][summary["feature_names"].index("Sex")]
    assert says(texts[texts.index("Sex") + 1], sum(sex))


def test_every_instance_is_a_point_of_every_field(overview: Page, summary: dict[str, Any]) -> None:
    """With its value in words for whoever does not see colours."""
    points = overview.get_by_test_id("beeswarm").get_by_role("button")
    assert points.count() == len(summary["explanations"]) * len(summary["feature_names"])
    at = summary["explanations"][0]["outputs"].index("survived")
    column = summary["feature_names"].index("Sex")
    values = sorted(each["shap_values"][column][at] for each in summary["explanations"])
    spoken = overview.get_by_test_id("beeswarm").get_by_role("button", name=re.compile("^Sex = "))
    shown = sorted(number((each.get_attribute("aria-label") or "").split(", ")[1]) for each in spoken.all())
    assert shown == pytest.approx(values, abs=0.0006)


def test_a_point_opens_its_instance(overview: Page, server: Server, summary: dict[str, Any]) -> None:
    """Its values stand in the form, explained."""
    youngest = min(summary["explanations"], key=lambda each: each["data"][2])
    instance = dict(zip(summary["feature_names"], youngest["data"], strict=True))
    age = re.escape(f"{instance['Age']:.6g}")
    name = re.compile(f"^Age = {age}, ")
    point = overview.get_by_test_id("beeswarm").get_by_role("button", name=name).first
    point.hover()
    expect(overview.get_by_test_id("beeswarm")).to_contain_text("Age = ")
    point.click()
    expect(overview.get_by_role("tab", name="What if", exact=True)).to_have_attribute("aria-selected", "true")
    settled(overview)
    assert float(overview.get_by_label("Age", exact=True).input_value()) == instance["Age"]
    assert float(overview.get_by_label("Fare", exact=True).input_value()) == instance["Fare"]
    truth = explained(server, instance)
    assert says(beside(overview, "survived"), truth.prediction["survived"])


def test_points_are_walked_with_arrows_and_opened_with_enter(overview: Page) -> None:
    """All points are one stop of the Tab key."""
    swarm = overview.get_by_test_id("beeswarm")
    assert swarm.locator("[tabindex='0']").count() == 1
    swarm.locator("[tabindex='0']").focus()
    overview.keyboard.press("ArrowDown")
    assert swarm.locator("[tabindex='0']").evaluate("each => each === document.activeElement")
    overview.keyboard.press("Enter")
    expect(overview.get_by_role("tab", name="What if", exact=True)).to_have_attribute("aria-selected", "true")
    settled(overview)


def test_what_was_being_tried_is_kept(page: Page, server: Server) -> None:
    """There and back again."""
    page.get_by_label("Age", exact=True).fill("4")
    settled(page)
    page.get_by_role("tab", name="Global", exact=True).click()
    expect(page.get_by_test_id("beeswarm")).to_be_visible()
    page.get_by_role("tab", name="What if", exact=True).click()
    child = MAN | {"Age": 4}
    expect_explained(page, explained(server, child), child)


def test_pictures_have_a_map_per_class_and_open(pictures: Page) -> None:
    """A class lists its pictures; a click opens one of them."""
    page = pictures
    page.get_by_role("tab", name="Global", exact=True).click()
    maps = page.get_by_test_id("importance").get_by_role("listitem")
    expect(maps).to_have_count(10, timeout=60_000)
    maps.filter(has_text="Trouser").click()
    expect(page.get_by_role("heading", name="Trouser")).to_be_visible()
    page.get_by_role("button", name=re.compile("^Open Trouser ")).first.click()
    expect(page.get_by_test_id("prediction")).to_contain_text("Trouser")
    settled(page)
