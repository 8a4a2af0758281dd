"""Fusion: calls that come at the same time share runs, and nobody pays for the company."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from models.arrays import Array
from models.folder import TRAINED, read_folder
from models.fusion import Fusion, is_blind
from models.predictor import load_predictor


class Gate:
    """Doubles its rows, once it is open."""

    def __init__(self) -> None:
        self.open, self.entered = threading.Event(), threading.Event()
        self.runs: list[tuple[Any, list[float]]] = []

    def __call__(self, key: Any, rows: list[Array]) -> Array:
        """See Run."""
        self.runs.append((key, rows[0][:, 0].tolist()))
        self.entered.set()
        assert self.open.wait(20)
        return 2 * rows[0]


def column(*values: float) -> list[Array]:
    return [np.array(values, np.float64)[:, None]]


def nothing() -> None:
    """Somebody waits."""


@contextmanager
def asking(gate: Gate, fusion: Fusion, calls: list[tuple[Any, list[Array]]]) -> Iterator[list[Future[Array]]]:
    """The calls, each on a thread of its own: the first stands at the gate, the others wait in their order."""
    with ThreadPoolExecutor(len(calls)) as threads:
        futures = [threads.submit(fusion, *calls[0], nothing)]
        assert gate.entered.wait(20)
        for key, rows in calls[1:]:
            before, end = len(fusion._queue), time.monotonic() + 20
            futures.append(threads.submit(fusion, key, rows, nothing))
            while len(fusion._queue) == before:
                assert time.monotonic() < end
                time.sleep(0.001)
        yield futures


def test_a_lone_call_runs_at_once_and_whole() -> None:
    gate = Gate()
    gate.open.set()
    assert Fusion(gate, block=2, most=8, cores=1)(None, column(1, 2, 3), nothing).ravel().tolist() == [2, 4, 6]
    assert gate.runs == [(None, [1, 2, 3])]


def test_calls_that_wait_share_a_run() -> None:
    """While the first one runs four come; they are answered together, and the watch is told."""
    gate, seen = Gate(), list[tuple[int, int]]()
    fusion = Fusion(gate, block=8, most=8, cores=1)
    fusion.watch = lambda rows, calls: seen.append((rows, calls))
    with asking(gate, fusion, [(None, column(k, k + 0.5)) for k in range(5)]) as futures:
        gate.open.set()
    assert [future.result().ravel().tolist() for future in futures] == [[2 * k, 2 * k + 1] for k in range(5)]
    assert seen == [(2, 1), (8, 4)]


def test_calls_with_another_key_or_in_a_place_that_matters_run_apart() -> None:
    for mixes, keys in ((True, "aabb"), (False, "aaaa")):
        gate = Gate()
        with asking(gate, Fusion(gate, block=8, most=8, cores=1, mixes=mixes), [(key, column(1)) for key in "x" + keys]):
            gate.open.set()
        assert [len(rows) for _, rows in gate.runs] == ([1, 2, 2] if mixes else [1, 1, 1, 1, 1])


def test_a_short_call_does_not_wait_for_a_long_one() -> None:
    """Blocks of both are run in turn."""
    gate = Gate()
    with asking(gate, Fusion(gate, block=2, most=4, cores=1), [(None, column(*range(40))), (None, column(-1))]) as (_, short):
        gate.open.set()
        assert short.result().ravel().tolist() == [-2]
    assert any(-1 in rows for _, rows in gate.runs[:3])


def test_a_run_is_short_however_much_there_is_to_do() -> None:
    """Who has left is noticed soon."""
    sizes = list[int]()

    def run(_: Any, rows: list[Array]) -> Array:
        sizes.append(len(rows[0]))
        time.sleep(0.005 * len(rows[0]))
        return rows[0]

    fusion = Fusion(run, block=1, most=1000, cores=1)
    fusion(None, column(1, 2), nothing)
    fusion(None, column(*range(40)), nothing)
    assert max(sizes) <= 8


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system binds no processes to cores")
def test_cores_are_those_that_the_process_may_use() -> None:
    code = "import os; os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1]); from models.cores import CORES; print(CORES)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1\n"


@pytest.mark.parametrize(("seconds", "parts"), [(0.00005, [100]), (0.002, [50, 50])])
def test_what_one_core_does_at_once_wakes_no_other(monkeypatch: pytest.MonkeyPatch, seconds: float, parts: list[int]) -> None:
    """seconds: of a block, by a clock that only work moves."""
    sizes, clock, together = list[int](), [0.0], threading.Barrier(1)

    def run(_: Any, rows: list[Array]) -> Array:
        sizes.append(len(rows[0]))
        together.wait(20)
        clock[0] += seconds * len(rows[0]) / 10
        return rows[0]

    monkeypatch.setattr("models.fusion.time", SimpleNamespace(perf_counter=lambda: clock[0]))
    fusion = Fusion(run, block=10, most=1000, cores=2)
    fusion(None, column(*range(10)), nothing)  # it learns how long they take
    sizes.clear()
    together = threading.Barrier(len(parts))
    fusion(None, column(*range(100)), nothing)
    assert sizes == parts


def test_who_gives_up_leaves_no_work_behind() -> None:
    gate, gone = Gate(), threading.Event()

    def left() -> None:
        if gone.is_set():
            raise TimeoutError

    fusion = Fusion(gate, block=2, most=2, cores=1)
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(fusion, None, column(1), nothing)
        assert gate.entered.wait(20)
        leaving = threads.submit(fusion, None, column(*range(100)), left)
        gone.set()
        with pytest.raises(TimeoutError):
            leaving.result(20)
        gate.open.set()
        assert first.result(20).tolist() == [[2]]
        assert threads.submit(fusion, None, column(3), nothing).result(20).tolist() == [[6]]
    assert len(gate.runs) == 2


def test_a_fault_reaches_those_whose_rows_ran_and_nobody_else() -> None:
    def run(_: Any, rows: list[Array]) -> Array:
        if (rows[0] < 0).any():
            raise ZeroDivisionError
        return rows[0]

    fusion = Fusion(run, block=4, most=4, cores=1)
    with pytest.raises(ZeroDivisionError):
        fusion(None, column(-1), nothing)
    assert fusion(None, column(1), nothing).tolist() == [[1]]


def test_many_threads_and_every_core() -> None:
    """Each gets its own answers, whatever ran together."""
    fusion = Fusion(lambda _, rows: 2 * rows[0], block=7, most=21, cores=3)

    def ask(k: int) -> bool:
        rows = column(*range(k, k + k % 50 + 1))
        return bool((fusion(None, rows, nothing) == 2 * rows[0]).all())

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(ask, range(2000)))


def test_a_place_that_matters_is_noticed() -> None:
    shape = (4, 2)
    assert is_blind(lambda x: x + 1, np.ones(2), shape)
    assert not is_blind(lambda x: np.cumsum(x, axis=0), np.ones(2), shape)
    assert not is_blind(lambda x: x + ((np.arange(len(x)) == 5)[:, None] & (x != 1)), np.ones(2), (8, 2))  # to other rows


@pytest.mark.parametrize("name", ["titanic", "fashion-mnist"])
def test_the_shipped_models_do_not_care_where_a_row_stands(name: str) -> None:
    """Other rows beside it, another place: the same bytes, or it shares no block."""
    folder = read_folder(TRAINED / name)
    predictor = load_predictor(folder)
    x = folder.background.x[:50]
    for call, ask in (("predict", predictor.predict), ("evaluate", predictor.evaluate)):
        alone = ask(x)
        for begin in (1, 7, 31):
            elsewhere = ask(np.concatenate([x[::-1][:begin], x]))[begin:]
            assert (elsewhere == alone).all() or not predictor.fusions[call]._mixes


def test_only_whose_rows_cannot_be_run_hears_of_it() -> None:
    """Others had theirs in the same run."""
    gate = Gate()

    def run(key: Any, rows: list[Array]) -> Array:
        made = gate(key, rows)
        if (rows[0] > 100).any():
            raise ValueError("too large")
        return made

    fusion = Fusion(run, block=8, most=8, cores=1)
    with asking(gate, fusion, [(None, column(k)) for k in (0, 1, 200, 2)]) as futures:
        gate.open.set()
        assert [future.result(20).tolist() for future in (futures[0], futures[1], futures[3])] == [[[0]], [[2]], [[4]]]
        with pytest.raises(ValueError, match="too large"):
            futures[2].result(20)
    assert fusion(None, column(7), nothing).tolist() == [[14]]


def test_rows_that_cannot_be_put_together_hold_up_nobody() -> None:
    """As when memory ends: the core is free again."""
    gate = Gate()
    fusion = Fusion(gate, block=8, most=8, cores=1)
    wide = [np.zeros((1, 2))]
    with asking(gate, fusion, [(None, column(0)), (None, column(1)), (None, wide)]) as futures:
        gate.open.set()
        assert futures[1].result(20).tolist() == [[2]]
        futures[2].result(20)
    assert fusion(None, column(7), nothing).tolist() == [[14]]


def test_without_a_thread_for_another_core_one_does_it_all(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        """No thread to be had."""

        def submit(self, *_: object) -> None:
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr("models.fusion._others", Full)
    fusion = Fusion(lambda _, rows: 2 * rows[0], block=1, most=2, cores=4)
    for _ in range(3):
        assert fusion(None, column(1, 2, 3, 4, 5), nothing).ravel().tolist() == [2, 4, 6, 8, 10]


def test_another_key_has_the_next_turn() -> None:
    """However much there is of the first one."""
    gate = Gate()
    calls = [("x", column(0)), ("a", column(*range(40))), ("b", column(-1)), ("a", column(*range(40)))]
    with asking(gate, Fusion(gate, block=1, most=2, cores=1), calls) as futures:
        gate.open.set()
        futures[2].result(20)
    assert "b" in [key for key, _ in gate.runs[:3]]


def test_company_that_matters_is_noticed() -> None:
    """Answers that look at the whole block, the same in every place."""
    assert not is_blind(lambda x: x - x.mean(axis=0), np.ones(2), (8, 2))
    assert is_blind(lambda x: 2 * x[..., 0], np.ones((2, 2)), (2, 4, 2, 2))


def test_several_keys_run_beside_each_other_and_are_answered_in_order() -> None:
    """Two cores have a key each at the same time; who waits for both gets both."""
    together = threading.Barrier(2)

    def run(key: int, rows: list[Array]) -> Array:
        together.wait(20)
        return key * rows[0]

    fusion = Fusion(run, block=4, most=4, cores=2)
    answers = fusion.several([(2, column(1, 2)), (3, column(3))], nothing)
    assert [answer.ravel().tolist() for answer in answers] == [[2, 4], [9]]


def test_a_fault_of_one_key_ends_the_others() -> None:
    ran = list[str]()

    def run(key: str, rows: list[Array]) -> Array:
        ran.append(key)
        if key == "bad":
            raise ZeroDivisionError
        return rows[0]

    fusion = Fusion(run, block=1, most=1, cores=1)
    with pytest.raises(ZeroDivisionError):
        fusion.several([("bad", column(1)), ("good", column(*range(9)))], nothing)
    assert ran == ["bad"]
    assert fusion("good", column(1), nothing).tolist() == [[1]]


def test_a_fault_that_another_thread_runs_into_is_never_missed() -> None:
    """Whenever it comes to be known."""

    def run(_: Any, rows: list[Array]) -> Array:
        raise ZeroDivisionError

    fusion, before = Fusion(run, block=1, most=8, cores=2), sys.getswitchinterval()

    def ask(_: int) -> str:
        try:
            fusion(None, column(1), nothing)
        except Exception as error:
            return type(error).__name__
        return "nothing"

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(ask, range(10_000))) == {"ZeroDivisionError"}
    finally:
        sys.setswitchinterval(before)
