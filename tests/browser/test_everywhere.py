"""Every part of the page, on phones, in both themes, by the rules of axe-core."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.browser.reading import chart, settled

PHONES = ({"width": 390, "height": 844}, {"width": 320, "height": 700})


def show(page: Page, tab: str, goal: Locator) -> None:
    """Choose a tab and wait for what it shows."""
    page.get_by_role("tab", name=tab, exact=True).click()
    expect(goal).to_be_visible(timeout=60_000)
    settled(page)


def waterfall(page: Page) -> None:
    expect(chart(page).get_by_role("img", name="Waterfall")).to_be_visible()


def interactions(page: Page) -> None:
    show(page, "Interactions", chart(page).get_by_role("img", name="Interactions"))


def compare(page: Page) -> None:
    show(page, "Compare", page.get_by_role("region", name="Differences of the methods"))


def samples_and_options(page: Page) -> None:
    page.get_by_text("Samples", exact=True).click()
    page.get_by_text("Options", exact=True).click()
    expect(page.get_by_role("combobox", name="Players")).to_be_visible()


def overview(page: Page) -> None:
    show(page, "Global", page.get_by_test_id("beeswarm"))


def about(page: Page) -> None:
    page.get_by_role("button", name="About", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def pictures(page: Page) -> None:
    page.get_by_label("Model", exact=True).select_option("fashion-mnist")
    expect(page.get_by_test_id("draw-canvas")).to_be_visible()
    settled(page)


def all_classes(page: Page) -> None:
    pictures(page)
    page.get_by_text("All classes").click()
    expect(page.get_by_test_id("small-multiples").locator("image")).to_have_count(20)


def overview_of_pictures(page: Page) -> None:
    pictures(page)
    show(page, "Global", page.get_by_test_id("importance"))


WAYS: dict[str, Callable[[Page], None]] = {
    way.__name__.replace("_", " "): way
    for way in (
        waterfall,
        interactions,
        compare,
        samples_and_options,
        overview,
        about,
        pictures,
        all_classes,
        overview_of_pictures,
    )
}
"""How to come to each part of the page."""


@pytest.mark.parametrize("way", WAYS)
def test_axe_finds_nothing_serious(open_page: Open, way: str) -> None:
    """No violation whose impact is serious or critical, in light and in dark."""
    page = open_page(reduced_motion="reduce")
    settled(page)
    WAYS[way](page)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page).response["violations"]
        serious = [each for each in found if each["impact"] in ("serious", "critical")]
        assert [(scheme, each["id"], node["target"]) for each in serious for node in each["nodes"]] == []


TOO_WIDE = """async () => {
    const outside = each => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest('.scrolls, [role=tablist], svg')
    const wide = () => [...document.querySelectorAll('main *, header *, dialog[open] *')]
        .filter(each => each.checkVisibility() && outside(each)).map(each => each.outerHTML.slice(0, 90))
        .concat(document.documentElement.scrollWidth > innerWidth ? ['the page'] : [])
    for (let frame = 0; frame < 60 && wide().length; frame++) await new Promise(requestAnimationFrame)
    return wide()
}"""
"""What stands out to the right; charts are drawn anew a few frames after the page has another width."""

TOO_LOW = """() => [...document.querySelectorAll('button, select, a.button, [role=radiogroup] label, input[type=number]')]
    .filter(each => each.checkVisibility() && each.getBoundingClientRect().height < 39.5)
    .map(each => each.outerHTML.slice(0, 90))"""


@pytest.mark.parametrize("way", WAYS)
def test_phones_have_room_for_it(open_page: Open, way: str) -> None:
    """Nothing scrolls sideways, and what is touched is 40 pixels high."""
    page = open_page(viewport=PHONES[0], has_touch=True, is_mobile=True)
    settled(page)
    WAYS[way](page)
    for phone in PHONES:
        page.set_viewport_size(phone)  # type: ignore[arg-type]
        assert page.evaluate(TOO_WIDE) == []
        assert page.evaluate(TOO_LOW) == []


SHIFTS = """() => new Promise(done => {
    let sum = 0
    new PerformanceObserver(list => { for (const shift of list.getEntries()) sum += shift.value })
        .observe({type: 'layout-shift', buffered: true})
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum))))
})"""


@pytest.mark.parametrize("width", [1280, 390, 320])
@pytest.mark.parametrize("model", ["titanic", "fashion-mnist"])
def test_nothing_jumps_while_the_page_opens(open_page: Open, model: str, width: int) -> None:
    """The cumulative layout shift is good by the measure of Web Vitals: below 0.1."""
    page = open_page(f"/#model={model}", viewport={"width": width, "height": 800})
    settled(page)
    assert page.evaluate(SHIFTS) < 0.1
