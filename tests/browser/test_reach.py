"""With the keyboard alone, by ear, in the dark."""

from playwright.sync_api import Locator, Page, Route, expect

from benchmarks.process import Server
from tests.browser.reading import MAN, chart, expect_explained, explained, settled, verdict

RING = """control => {
    const rings = [control, control.parentElement].map(each => getComputedStyle(each))
    const seen = ring => ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 2
    return control.matches(':focus-visible') && rings.some(seen)
}"""


def tab_to(page: Page, control: Locator, most: int = 30) -> None:
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
    expect(page.get_by_test_id("sample").first).to_be_visible()
    tab_to(page, page.get_by_test_id("sample").first)
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


def test_many_samples_are_one_stop(page: Page) -> None:
    """Arrow keys, Home and End move among them; the Tab key goes on from where they were left."""
    page.get_by_text("Samples", exact=True).click()
    centres = page.get_by_role("list", name="Centres of the background").get_by_test_id("sample")
    expect(centres.first).to_be_visible()
    tab_to(page, centres.first)
    page.keyboard.press("ArrowDown")
    expect(centres.nth(1)).to_be_focused()
    page.keyboard.press("End")
    expect(centres.last).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name="3", exact=True)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(centres.last).to_be_focused()


def test_an_answer_that_takes_long_is_seen_to_be_waited_for(page: Page) -> None:
    """The chart of the state before fades, and comes back with the new one."""
    held: list[Route] = []
    page.route("**/explain", lambda route: held.append(route))
    page.get_by_label("Age slider").fill("4")
    expect(chart(page)).to_have_css("opacity", "0.55")
    for route in held:
        route.continue_()
    settled(page)
    expect(chart(page)).to_have_css("opacity", "1")


def test_the_prediction_is_spoken(page: Page, server: Server) -> None:
    """Once things have come to rest, in words."""
    page.get_by_label("Age slider").fill("4")
    truth = explained(server, MAN | {"Age": 4})
    spoken = page.locator("[aria-live=polite]").filter(has_text=verdict(truth.prediction))
    expect(spoken).to_contain_text("on average")


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
