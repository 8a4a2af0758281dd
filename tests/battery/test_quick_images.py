"""Broken image files: some hundred of the battery's, and children that die."""

import os
from typing import Any

import pytest

from benchmarks.battery import images
from benchmarks.battery.images import PART, _child, read_all
from benchmarks.battery.pictures import chunks, mutated, whole


def test_nothing_but_a_refusal_comes_out() -> None:
    figure = PART.figure([tally := PART.run(range(380, 1001))])  # 999 is a bomb
    assert figure.reached, tally
    assert min(tally["outcomes"]["read"], tally["outcomes"]["refused"]) > 50, "files of every kind"


def test_files_are_drawn_from_their_number_alone_and_many_checksums_are_right() -> None:
    files = [mutated(number) for number in range(40)]
    assert files == [mutated(number) for number in range(40)]
    assert len(set(files)) > 35
    for file in whole():
        if file.startswith(b"\x89PNG"):
            assert chunks(file)[0][0] == b"IHDR"
            assert chunks(file)[-1][0] == b"IEND"


def test_a_child_that_dies_is_a_crash_and_the_next_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([(4, {"outcomes": {"crash": 1, "read": 3}, "flaws": [{"case": 3}], "grown": 0.0})])
    rest = {"outcomes": {"refused": 6}, "flaws": [], "grown": 2.0, "at": 7}
    monkeypatch.setattr(images, "_child", lambda cases: next(answers, (cases.stop, rest)))
    tally = PART.run(range(10))
    assert tally["outcomes"] == {"crash": 1, "read": 3, "refused": 6}
    assert not PART.figure([tally]).reached


def test_the_last_words_of_a_child_say_where_it_died(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Any, **__: Any) -> Any:
        return type("Done", (), {"stdout": "0\n1\n2\n", "returncode": -11, "stderr": "Segmentation fault"})()

    monkeypatch.setattr("benchmarks.battery.images.subprocess.run", killed)
    done, tally = _child(range(5))
    assert done == 3
    assert tally["flaws"] == [{"case": 2, "flaw": "the process ended with code -11: Segmentation fault"}]


def test_growth_is_measured(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    peaks = iter([100.0, 100.0, 190.0, 190.0, 190.0, 190.0])
    monkeypatch.setattr(images, "_peak", lambda: next(peaks))
    tally = read_all(range(2))
    assert (tally["grown"], tally["at"]) == (90.0, 1)
    assert not PART.figure([{"cases": 2} | tally]).reached
    assert capfd.readouterr().out == f"0{os.linesep}1{os.linesep}"
