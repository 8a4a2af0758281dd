"""Broken bodies: some thousand of the battery's million, and what its eye would not miss."""

import pytest

from benchmarks.battery import json_bodies
from benchmarks.battery.json_bodies import PART, case, wrong
from benchmarks.battery.mutate import CANARY
from schemas.predict import PredictRequest
from service import body
from service.errors import NotJson, invalid


def test_nothing_but_problems_comes_out() -> None:
    tally = PART.run(range(2000))
    assert not tally["flaws"]
    assert tally["slow"] <= 5, "on a machine that others use too"
    assert set(tally["outcomes"]) == {"200", "400", "422"}
    assert min(tally["outcomes"].values()) > 100, "bodies of every kind"


def test_a_case_is_drawn_from_its_number_alone() -> None:
    assert [case(number) for number in (5, 6)] == [case(5), case(6)]
    assert case(5) != case(6)


def test_other_exceptions_echoes_and_large_problems_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: bytes) -> None:
        raise TypeError("an integer is too large")

    monkeypatch.setattr(body, "strict", fails)
    assert wrong(PredictRequest, b"{}") == ("exception", "TypeError: an integer is too large")
    monkeypatch.setattr(json_bodies, "read", lambda *_: (_ for _ in ()).throw(invalid("/model", f"no {CANARY}")))
    assert wrong(PredictRequest, b"{}") == ("422", "a value of the body stands in the problem")
    monkeypatch.setattr(json_bodies, "read", lambda *_: (_ for _ in ()).throw(NotJson("no")))
    monkeypatch.setattr(NotJson, "body", lambda *_, **__: b"x" * 20_000)
    assert wrong(PredictRequest, b"{}") == ("400", "a problem of 20000 bytes")


def test_one_exception_or_a_slow_share_misses_the_goal() -> None:
    good = {"cases": 10_000, "outcomes": {"422": 10_000}, "slow": 1, "worst": 0.06, "at": 1, "flaws": []}
    assert PART.figure([good]).reached
    assert not PART.figure([good | {"slow": 2}]).reached
    assert not PART.figure([good | {"outcomes": {"422": 9999, "exception": 1, "flaw": 1}}]).reached
