"""Change a value and see what the model makes of it."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import Error, Page, Route, expect

from benchmarks.process import Server
from tests.browser.reading import MAN, beside, chart, expect_explained, explained, number, says, settled, verdict


def test_the_page_begins_with_the_notebooks_first_passenger(page: Page, server: Server) -> None:
    """Every number of the waterfall is the service's, without a click."""
    expect_explained(page, explained(server, MAN), MAN)


def test_the_age_slider_moves_prediction_bars_and_number(page: Page, server: Server) -> None:
    """What a direct POST /explain says of the new age is what the page shows."""
    bars = chart(page).locator("path").first.get_attribute("d")
    page.get_by_label("Age slider").fill("4")
    child = MAN | {"Age": 4}
    expect_explained(page, explained(server, child), child)
    expect(page.get_by_label("Age", exact=True)).to_have_value("4")
    assert chart(page).locator("path").first.get_attribute("d") != bars


def test_a_ghost_of_the_state_before_the_drag_stays(page: Page, server: Server) -> None:
    """However many steps a drag has, the difference and the outline are to where it began."""
    expect(chart(page).get_by_test_id("ghost")).to_have_count(0)
    slider = page.get_by_label("Age slider")
    box = slider.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 22 / 80, middle)
    page.mouse.down()
    for step in range(20, 4, -1):
        page.mouse.move(box["x"] + box["width"] * step / 80, middle)
    page.mouse.up()
    age = float(slider.input_value())
    assert age < 10
    before, after = explained(server, MAN).prediction, explained(server, MAN | {"Age": age}).prediction
    best = max(after, key=lambda name: after[name])
    expect(page.get_by_test_id("prediction")).to_have_text(verdict(after))
    change = page.get_by_test_id("ghost").filter(has_text="points")
    expect(change).to_be_visible()
    assert says(change.inner_text(), 100 * (after[best] - before[best]))
    ghosts = chart(page).get_by_test_id("ghost").locator("path")
    expect(ghosts).to_have_count(len(MAN))
    expect(ghosts.first).to_be_visible()


def test_an_age_may_be_missing(page: Page, server: Server) -> None:
    """The mean stands in, and is said to; unticked, the age from before is back."""
    page.get_by_label("Age missing", exact=True).check()
    expect(page.get_by_test_id("prediction")).to_have_text(verdict(explained(server, MAN | {"Age": None}).prediction))
    settled(page)
    assert says(beside(page, "Age missing"), explained(server, MAN | {"Age": None}).values["survived"]["Age"])
    expect(page.get_by_role("form", name="Instance")).to_contain_text("missing: 29.69912 stands in")
    page.get_by_label("Age missing", exact=True).uncheck()
    expect(page.get_by_label("Age", exact=True)).to_have_value("22")
    expect_explained(page, explained(server, MAN), MAN)


def test_categories_and_small_numbers_are_chosen(page: Page, server: Server) -> None:
    """A woman in the first class from Cherbourg."""
    page.get_by_role("radiogroup", name="Sex").get_by_text("female").click()
    page.get_by_role("radiogroup", name="Pclass").get_by_text("1").click()
    page.get_by_role("radiogroup", name="Embarked").get_by_text("C").click()
    lady = MAN | {"Sex": "female", "Pclass": 1, "Embarked": "C"}
    expect_explained(page, explained(server, lady), lady)
    expect(page.get_by_role("radio", name="female")).to_be_checked()


def test_the_other_output_is_explained(page: Page, server: Server) -> None:
    page.get_by_role("radiogroup", name="Explain").get_by_text("died").click()
    expect(chart(page)).to_contain_text("died")
    expect_explained(page, explained(server, MAN), MAN, "died")


def test_a_sample_fills_the_form(page: Page, server: Server) -> None:
    """The notebook's second passenger."""
    page.get_by_text("Samples", exact=True).click()
    page.get_by_test_id("sample").nth(1).click()
    lady = {"Pclass": 1, "Sex": "female", "Age": 38, "SibSp": 1, "Parch": 0, "Fare": 71.2833, "Embarked": "C"}
    expect_explained(page, explained(server, lady), lady)
    expect(page.get_by_label("Fare", exact=True)).to_have_value("71.2833")


def test_the_proof_is_shown(page: Page, server: Server) -> None:
    """Exact, by how little the sum is off, and how much was run for it; sampled methods show their errors."""
    proof = page.get_by_test_id("proof")
    truth = explained(server, MAN).proof
    assert truth["exact"]
    expect(proof).to_contain_text("✓ exact")
    expect(proof).to_contain_text("residual")
    expect(proof).to_contain_text(re.compile(r"tolerance\s*1\.0 . 10⁻⁴"))
    expect(proof).to_contain_text(re.compile(r"model inputs run\s*" + r"\s?".join(str(truth["evaluations"]))))
    page.get_by_text("Options", exact=True).click()
    page.get_by_role("combobox", name="Method").select_option("permutation")
    expect(proof).to_contain_text("sampled")
    expect(proof).to_contain_text("largest standard error")


def test_interactions_are_the_services(page: Page, server: Server) -> None:
    """The matrix is symmetric, and its rows add up to the Shapley values."""
    page.get_by_role("tab", name="Interactions", exact=True).click()
    settled(page)
    cells = [number(text) for text in chart(page).locator("svg text").all_text_contents() if text[-1].isdigit()]
    n = len(MAN)
    assert len(cells) == n * n
    rows = [cells[i * n : (i + 1) * n] for i in range(n)]
    assert rows == [list(column) for column in zip(*rows, strict=True)]
    values = explained(server, MAN).values["survived"].values()
    assert [sum(row) for row in rows] == pytest.approx(list(values), abs=0.0005 * n)


def test_methods_are_compared(page: Page, server: Server) -> None:
    """Side by side, with a table of how far they are from each other."""
    page.get_by_role("tab", name="Compare", exact=True).click()
    table = page.get_by_role("region", name="Differences of the methods")
    expect(table).to_be_visible()
    assert table.locator("tbody tr").count() == 3
    page.get_by_role("checkbox", name="deep_shap", exact=True).check()
    expect(table.locator("tbody tr")).to_have_count(6)
    settled(page)
    drawn = chart(page).locator("svg text").all_text_contents()
    exact = explained(server, MAN).values["survived"]["Sex"]
    assert says(drawn[drawn.index("Sex = male") + 1], exact)


class Held:
    """Questions whose answers wait until the test lets them go."""

    def __init__(self, page: Page) -> None:
        self.routes: list[Route] = []
        self._page = page
        page.route("**/explain", lambda route: self.routes.append(route))

    def __getitem__(self, k: int) -> Route:
        """Wait for the question."""
        while len(self.routes) <= k:
            self._page.evaluate("() => new Promise(requestAnimationFrame)")
        return self.routes[k]

    def age(self, k: int) -> int:
        """Which is asked about."""
        body = self[k].request.post_data_json
        assert body
        age: int = body["instances"][0]["Age"]
        return age

    def let_go(self, k: int) -> None:
        """The answer comes, if anybody still waits for it."""
        with suppress(Error):
            self[k].continue_()


def slide(page: Page, age: int) -> None:
    """An input event, as a drag sends many."""
    move = "(slider, age) => { slider.value = age; slider.dispatchEvent(new Event('input', {bubbles: true})) }"
    page.get_by_label("Age slider").evaluate(move, age)


def test_an_older_answer_never_overwrites_a_newer_one(page: Page, server: Server) -> None:
    """The first question takes too long and is given up; when its answer comes at last, the newer one stays."""
    held = Held(page)
    slide(page, 70)
    assert held.age(0) == 70
    slide(page, 4)
    assert held.age(1) == 4
    child = MAN | {"Age": 4}
    held.let_go(1)
    expect_explained(page, explained(server, child), child)
    held.let_go(0)
    page.evaluate("fetch('/livez')")  # what comes late has come
    expect_explained(page, explained(server, child), child)


def test_a_fast_drag_asks_only_as_fast_as_the_server_answers(page: Page, server: Server) -> None:
    """While one question is open, the newest of the others waits alone."""
    held = Held(page)
    for age in (70, 60, 50, 40, 30, 4):
        slide(page, age)
    held.let_go(0)
    assert held.age(1) == 4
    held.let_go(1)
    child = MAN | {"Age": 4}
    expect_explained(page, explained(server, child), child)
    assert len(held.routes) == 2


NEXT_MEASURE = """() => new Promise(done => new PerformanceObserver(list => {
    for (const entry of list.getEntriesByName('what-if')) done(entry.duration)
}).observe({type: 'measure', buffered: true}))"""


def test_how_long_a_change_takes_can_be_read(page: Page) -> None:
    """From the slider to the screen, as the browser's performance timeline has it."""
    page.get_by_label("Age slider").fill("50")
    assert 0 < page.evaluate(NEXT_MEASURE) < 10_000
