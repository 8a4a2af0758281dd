"""The frame of the battery: what was done is kept, what was measured is published, a goal that is missed is told."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.battery.__main__ import PARTS, main
from benchmarks.battery.kept import commit, go_on, kept
from benchmarks.battery.part import Figure, Part, Tally
from benchmarks.battery.published import PAGE, renew

PAGE_BEFORE = "# Head\n\n<!-- battery -->\nold\n<!-- end -->\n\ntail\n"


class Counting:
    """A part that adds up the numbers of its cases, and is stopped where a test says so."""

    def __init__(self, limit: int = 45) -> None:
        self.done: list[range] = []
        self.stop_at: int | None = None
        self.part = Part("adds | numbers", f"at most {limit}", 10, 4, self._run, lambda tallies: self._figure(tallies, limit))

    def _run(self, cases: range) -> Tally:
        if self.stop_at in cases:
            raise KeyboardInterrupt
        self.done.append(cases)
        return {"sum": sum(cases)}

    @staticmethod
    def _figure(tallies: Sequence[Tally], limit: int) -> Figure:
        total = sum(tally["sum"] for tally in tallies)
        return Figure(f"{total}", total <= limit)


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    page = tmp_path / "reliability.md"
    page.write_text(PAGE_BEFORE)
    return {"work": tmp_path / "work", "figures": tmp_path / "figures", "page": page}


def test_a_stopped_run_goes_on_with_the_first_missing_step(places: dict[str, Any]) -> None:
    counting = Counting()
    counting.stop_at = 5
    with pytest.raises(KeyboardInterrupt):
        main([], parts={"sum": counting.part}, **places)
    assert not (places["figures"] / "sum.json").exists()
    counting.stop_at = None
    assert main(["sum"], parts={"sum": counting.part}, **places) == 0
    assert counting.done == [range(4), range(4, 8), range(8, 10)]
    main([], parts={"sum": counting.part}, **places)
    assert len(counting.done) == 3, "what is done is done"
    main(["--fresh"], parts={"sum": counting.part}, **places)
    assert len(counting.done) == 6


def test_a_line_that_was_cut_is_done_again(tmp_path: Path) -> None:
    counting, file = Counting(), tmp_path / "sum.jsonl"
    go_on(counting.part, file)
    file.write_text(file.read_text()[:-10])
    assert list(kept(file)) == [range(4), range(4, 8)]
    assert [step.tally["sum"] for step in go_on(counting.part, file)] == [6, 22, 17]
    assert list(kept(file)) == [range(4), range(4, 8), range(8, 10)]


def test_steps_of_other_sizes_do_not_count(tmp_path: Path) -> None:
    counting, file = Counting(), tmp_path / "sum.jsonl"
    file.write_text('{"from": 0, "to": 3, "commit": "x", "tally": {"sum": 99}}\n')
    assert [step.cases for step in go_on(counting.part, file)] == [range(4), range(4, 8), range(8, 10)]


def test_a_goal_that_is_missed_ends_with_1_and_is_published(places: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    parts = {"bad": Counting(44).part, "good": Counting(45).part}
    assert main([], parts=parts, **places) == 1
    assert "NOT REACHED: 45 (goal: at most 44)" in capsys.readouterr().out
    published = json.loads((places["figures"] / "bad.json").read_text())
    assert published.pop("date").count("-") == 2
    assert "TensorFlow" in published.pop("machine")
    expected = {"title": "adds | numbers", "goal": "at most 44", "measured": "45", "reached": False, "cases": 10}
    assert published == expected | {"commit": commit()}
    assert main(["good"], parts=parts, **places) == 0


def test_the_table_holds_every_figure_that_there_is(places: dict[str, Any]) -> None:
    main(["good"], parts={"bad": Counting(44).part, "good": Counting(45).part}, **places)
    main(["bad"], parts={"bad": Counting(44).part, "good": Counting(45).part}, **places)
    text = places["page"].read_text()
    head, table, tail = (
        text.partition("<!-- battery -->\n")[0],
        text.split("-->\n")[1].splitlines(),
        text.rpartition("<!-- end -->")[2],
    )
    assert (head, tail) == ("# Head\n\n", "\n\ntail\n")
    rows = [line.split(" | ")[:5] for line in table[2:-1]]
    assert rows == [
        ["| `bad`", "adds \\| numbers", "at most 44", "45", "**no**"],
        ["| `good`", "adds \\| numbers", "at most 45", "45", "yes"],
    ]


def test_a_page_without_a_place_for_the_table_is_told(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("nothing")
    with pytest.raises(ValueError, match="battery"):
        renew([], page, tmp_path)


def test_the_documentation_names_every_part() -> None:
    text = PAGE.read_text()
    for name in PARTS:
        assert f"* `{name}`:" in text
