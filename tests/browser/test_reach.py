"""For everybody: with the keyboard alone, on a phone, with a screen reader, in the dark."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from benchmarks.process import Server
from tests.browser.conftest import Open
from tests.browser.reading import MAN, chart, expect_explained, explained, settled, verdict

PHONES = {"tall": {"width": 390, "height": 844}, "small": {"width": 320, "height": 700}}
RING = """control => {
    const rings = [control, control.parentElement].map(each => getComputedStyle(each))
    return control.matches(':focus-visible') && rings.some(ring => ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 2)
}"""


def tab_to(page: Page, control: Locator, most: int = 100) -> None:
    """Press Tab until the control has the focus, and see that it shows."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if control.evaluate("control => control === document.activeElement"):
            assert control.evaluate(RING), f"no ring of focus around {control}"
            return
    raise AssertionError(f"{most} times Tab do not reach {control}")


def test_everything_can_be_done_with_the_keyboard(page: Page, server: Server) -> None:
    """From top to bottom: the model, the view, a sample, a slider, the plots, the link."""
    tab_to(page, page.get_by_label("Model", exact=True))
    tab_to(page, page.get_by_role("tab", name="What if", exact=True))
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Global", exact=True)).to_be_focused()
    expect(page.get_by_test_id("importance")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    settled(page)
    tab_to(page, page.locator("summary", has_text="Samples"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_test_id("sample").nth(0))
    page.keyboard.press("Enter")
    settled(page)
    tab_to(page, page.get_by_label("Age slider"))
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    boy = MAN | {"Age": 19}
    expect_explained(page, explained(server, boy), boy)
    tab_to(page, page.get_by_role("tab", name="Waterfall", exact=True))
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Force", exact=True)).to_be_focused()
    expect(chart(page).get_by_role("img", name="Force")).to_be_visible()
    tab_to(page, page.get_by_test_id("share"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Link copied")).to_be_visible()


def test_pictures_can_be_chosen_with_the_keyboard(pictures: Page) -> None:
    """The file and the samples; the canvas is a stop of the Tab key as well."""
    tab_to(pictures, pictures.get_by_label("Picture file"))
    tab_to(pictures, pictures.get_by_test_id("draw-canvas"))
    sample = pictures.get_by_test_id("sample").first
    tab_to(pictures, sample)
    name = (sample.get_attribute("aria-label") or "").split(" ")[0]
    pictures.keyboard.press("Enter")
    expect(pictures.get_by_test_id("prediction")).to_contain_text(name)


def test_the_prediction_is_spoken(page: Page, server: Server) -> None:
    """Once things have come to rest, in words."""
    page.get_by_label("Age slider").fill("4")
    truth = explained(server, MAN | {"Age": 4})
    spoken = page.locator("[aria-live=polite]").filter(has_text=verdict(truth.prediction))
    expect(spoken).to_contain_text("on average")


WAYS: dict[str, Callable[[Page], None]] = {
    "what if": lambda page: expect(chart(page).get_by_role("img")).to_be_visible(),
    "interactions": lambda page: shown(page, page.get_by_role("tab", name="Interactions", exact=True), chart(page).get_by_role("img")),
    "compare": lambda page: shown(page, page.get_by_role("tab", name="Compare", exact=True), page.get_by_role("region", name="Differences")),
    "global": lambda page: shown(page, page.get_by_role("tab", name="Global", exact=True), page.get_by_test_id("beeswarm")),
    "samples and options": lambda page: (page.get_by_text("Samples", exact=True).click(), page.get_by_text("Options", exact=True).click()),  # type: ignore[dict-item, return-value, func-returns-value]
    "pictures": lambda page: to_pictures(page),
    "global pictures": lambda page: (to_pictures(page), shown(page, page.get_by_role("tab", name="Global", exact=True), page.get_by_test_id("importance"))),  # type: ignore[dict-item, return-value, func-returns-value]
}
"""How to come to each part of the page."""


def shown(page: Page, control: Locator, goal: Locator) -> None:
    control.click()
    expect(goal).to_be_visible(timeout=60_000)
    settled(page)


def to_pictures(page: Page) -> None:
    page.get_by_label("Model", exact=True).select_option("fashion-mnist")
    expect(page.get_by_test_id("draw-canvas")).to_be_visible()
    settled(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("way", WAYS)
def test_axe_finds_nothing_serious(open_page: Open, way: str, scheme: str) -> None:
    """No violation whose impact is serious or critical, by the rules of axe-core."""
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    settled(page)
    WAYS[way](page)
    found = Axe().run(page).response["violations"]
    serious = [(each["id"], [node["target"] for node in each["nodes"]]) for each in found if each["impact"] in ("serious", "critical")]
    assert serious == []


@pytest.mark.parametrize("phone", PHONES)
@pytest.mark.parametrize("way", WAYS)
def test_a_phone_has_room_for_it(open_page: Open, way: str, phone: str) -> None:
    """Nothing scrolls sideways, and what is touched is 40 pixels high."""
    page = open_page(viewport=PHONES[phone], has_touch=True, is_mobile=True)
    settled(page)
    WAYS[way](page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONES[phone]["width"]
    wide = page.evaluate(
        """() => [...document.querySelectorAll('main *, header *')].filter(each => each.checkVisibility())
            .filter(each => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest('.scrolls, [role=tablist], svg'))
            .map(each => each.outerHTML.slice(0, 80))"""
    )
    assert wide == []
    controls = page.locator("button:visible, [role=tab]:visible, select:visible, a.button:visible, main input[type=number]:visible").all()
    assert len(controls) > 5
    low = [control.evaluate("each => each.outerHTML.slice(0, 80)") for control in controls if box_height(control) < 39.5]
    assert low == []


def box_height(control: Locator) -> float:
    box = control.bounding_box()
    return box["height"] if box else 0.0


SHIFTS = """() => new Promise(done => {
    let sum = 0
    new PerformanceObserver(list => { for (const shift of list.getEntries()) sum += shift.value })
        .observe({type: 'layout-shift', buffered: true})
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum))))
})"""


@pytest.mark.parametrize("size", [{"width": 1280, "height": 900}, *PHONES.values()])
@pytest.mark.parametrize("address", ["/", "/#model=fashion-mnist"])
def test_nothing_jumps_while_the_page_opens(open_page: Open, size: dict[str, int], address: str) -> None:
    """The cumulative layout shift is "good" by the measure of Web Vitals: below 0.1."""
    page = open_page(address, viewport=size)
    settled(page)
    assert page.evaluate(SHIFTS) < 0.1


def test_the_theme_and_the_palette_are_chosen_and_kept(page: Page) -> None:
    ground = "() => getComputedStyle(document.body).backgroundColor"
    bar = "() => getComputedStyle(document.querySelector('[data-testid=chart] path.up, [data-testid=chart] path')).fill"
    light, red = page.evaluate(ground), page.evaluate(bar)
    page.get_by_label("Theme", exact=True).select_option("dark")
    page.get_by_label("Colour-blind-safe").check()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate(ground) != light
    assert page.evaluate(bar) != red
    page.reload()
    settled(page)
    expect(page.get_by_label("Theme", exact=True)).to_have_value("dark")
    expect(page.get_by_label("Colour-blind-safe")).to_be_checked()
