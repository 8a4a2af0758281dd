"""Calls that come at the same time, answered by one: rows that several requests want computed share compiled blocks.

A call's rows wait in a queue. Whoever finds a core free takes rows from the front of it, a few of every call in turn, runs
them, and hands out the answers. Nobody waits for company: a lone call is run at once. This is flat combining (Hendler et
al. 2010); it needs rows whose answers depend on the row alone, wherever it stands in a block.
"""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from models.arrays import Array
from models.cores import CORES

_RUN_SECONDS = 0.04
"""What one run should take at most, so that work ends soon after nobody waits for it, and short calls do not wait for long."""
_ALONE_SECONDS = 0.001
"""Work that one core does in this time is not worth another one: threads that wake each other for less are a hindrance."""
_ORDERS = 3
"""In which rows are tried."""
_PATIENCE = 0.02
"""Seconds between two looks at whether somebody still wants the answer."""

Run = Callable[[Any, list[Array]], Array]
"""What is the same for all rows (the key), and the rows of each argument, stacked: the answers, stacked."""
Watch = Callable[[int, int], None]
"""Told of every run: how many rows, and of how many calls."""


def nobody_watches(rows: int, calls: int) -> None:
    """A watch that does nothing."""


class _Call:
    """What one thread waits for."""

    def __init__(self, key: Any, rows: list[Array], turn: threading.Event) -> None:
        """turn: set when the answers are there, and when there is something to run."""
        self.key, self.rows, self.size, self.turn = key, rows, len(rows[0]), turn
        self.taken = 0
        self.left = self.size
        self.answers: Array | None = None
        self.error: BaseException | None = None


class _Share(NamedTuple):
    """Some rows of a call, for one run."""

    call: _Call
    begin: int
    end: int


class Fusion:
    """A compiled function, shared by the threads that call it."""

    def __init__(self, run: Run, *, block: int, most: int, cores: int = CORES, mixes: bool = True) -> None:
        """block: rows that cost as much as one; most: rows that one run takes; cores: runs at the same time.

        mixes: False where an answer depends on the row's place in a block; then a run has rows of one call.
        """
        self._run, self._block, self._most, self._cores, self._mixes = run, block, most, cores, mixes
        self.watch: Watch = nobody_watches
        self._lock = threading.Lock()
        self._queue: deque[_Call] = deque()
        """Calls with rows that nobody has taken."""
        self._running = 0
        self._seconds = 0.0
        """What a block takes, lately. How many of them are in a run changes no answer."""

    def __call__(self, key: Any, rows: list[Array], check: Callable[[], None]) -> Array:
        """The answers to rows, arrays (n, ...) with n > 0; check is called now and then and may raise.

        key: rows of calls with the same one may stand in one run.
        """
        (answers,) = self.several([(key, rows)], check)
        return answers

    def several(self, parts: Iterable[tuple[Any, list[Array]]], check: Callable[[], None]) -> list[Array]:
        """The same for several keys and their rows, which run beside each other where cores are free."""
        turn = threading.Event()
        calls = [_Call(key, rows, turn) for key, rows in parts]
        with self._lock:
            self._queue.extend(calls)
        try:
            while any(call.left for call in calls) and all(call.error is None for call in calls):
                check()
                if not self._take_a_turn():
                    turn.wait(_PATIENCE)
                    turn.clear()
        finally:
            self._leave(calls)
        for call in calls:
            if call.error is not None:
                raise call.error
        return [call.answers for call in calls if call.answers is not None]

    def _take_a_turn(self) -> bool:
        """Run some rows, of whichever calls; False when there are none or every core is busy."""
        with self._lock:
            if self._running >= self._cores or not self._queue:
                return False
            shares = self._shares()
            self._running += 1
            more = self._running < self._cores and self._blocks_of(self._queue) > self._blocks_in(_ALONE_SECONDS, 0)
        if more:
            with contextlib.suppress(RuntimeError):  # no thread to be had: this one does it all
                _others().submit(self._help)
        self._answer(shares)
        return True

    def _help(self) -> None:
        """Another core: go on as long as there is something to run."""
        while self._take_a_turn():
            pass

    def _shares(self) -> list[_Share]:
        """Rows for one run: of the calls that go with the first one, a block of each in turn, as much as one core's part."""
        first = self._queue[0]
        blocks = self._blocks_of(call for call in self._queue if self._together(call, first))
        part = max(-(-blocks // (self._cores - self._running)), self._blocks_in(_ALONE_SECONDS, 0))
        room = min(self._most, self._block * max(1, min(part, self._blocks_in(_RUN_SECONDS, blocks))))
        shares: list[_Share] = []
        others = deque(call for call in self._queue if not self._together(call, first))
        own = deque(call for call in self._queue if self._together(call, first))
        while room and own:
            call = own.popleft()
            n = min(room, self._block, call.size - call.taken)
            shares.append(_Share(call, call.taken, call.taken + n))
            call.taken += n
            room -= n
            if call.taken < call.size:
                own.append(call)
        self._queue = others + own  # another key has the next turn
        return shares

    def _blocks_of(self, calls: Iterable[_Call]) -> int:
        """That nobody has taken."""
        return -(-sum(call.size - call.taken for call in calls) // self._block)

    def _blocks_in(self, seconds: float, unknown: int) -> int:
        """That one core does in this time; unknown: before the first one was run."""
        return int(seconds / self._seconds) if self._seconds else unknown

    def _together(self, call: _Call, other: _Call) -> bool:
        return call is other or (self._mixes and call.key is other.key)

    def _answer(self, shares: list[_Share]) -> None:
        calls = {id(share.call): share.call for share in shares}
        try:
            begin = time.perf_counter()
            try:
                self._run_shares(shares)
            except Exception:
                if len(calls) == 1:
                    raise
                self._run_apart(shares, calls.values())
            blocks = -(-sum(share.end - share.begin for share in shares) // self._block)
            took = (time.perf_counter() - begin) / blocks
            self._seconds = took if not self._seconds else 0.8 * self._seconds + 0.2 * took
        except BaseException as error:
            for call in calls.values():
                call.error = error
        with self._lock:
            self._running -= 1
            for call, first, end in shares:
                call.left = 0 if call.error else call.left - (end - first)
            for call in calls.values():
                if not call.left:
                    call.turn.set()
            self._wake_one()

    def _run_apart(self, shares: list[_Share], calls: Iterable[_Call]) -> None:
        """Each call by itself, because of one: whose rows cannot be run is the only one to hear of it."""
        for call in calls:
            try:
                self._run_shares([share for share in shares if share.call is call])
            except Exception as error:
                call.error = error

    def _run_shares(self, shares: list[_Share]) -> None:
        rows = [
            np.concatenate(parts) if len(parts) > 1 else parts[0]
            for parts in zip(*([array[begin:end] for array in call.rows] for call, begin, end in shares), strict=True)
        ]
        self.watch(len(rows[0]), len({id(share.call) for share in shares}))
        self._hand_out(shares, self._run(shares[0].call.key, rows))

    def _hand_out(self, shares: list[_Share], answers: Array) -> None:
        place = 0
        for call, begin, end in shares:
            if call.answers is None:
                with self._lock:  # two runs may have rows of one call
                    if call.answers is None:
                        call.answers = np.empty((call.size, *answers.shape[1:]), answers.dtype)
            call.answers[begin:end] = answers[place : place + end - begin]
            place += end - begin

    def _leave(self, calls: list[_Call]) -> None:
        """Whether they were answered or given up: their other rows are not run, and the next one gets a turn."""
        with self._lock:
            for call in calls:
                if call in self._queue:
                    self._queue.remove(call)
            self._wake_one()

    def _wake_one(self) -> None:
        if self._queue and self._running < self._cores:
            self._queue[0].turn.set()


@cache
def _others() -> ThreadPoolExecutor:
    """Threads for the other cores; made when first needed. What runs here never waits for other work here."""
    return ThreadPoolExecutor(CORES, thread_name_prefix="fusion")


def is_blind(compiled: Callable[[Array], Array], row: Array, shape: Sequence[int]) -> bool:
    """Whether a row's answer depends neither on its place in a block nor on its company: the same bytes everywhere.

    Tried with a block of the row alone, with other rows around it, and with all of these in other places. Where other rows
    cannot be answered, nothing is known, and it counts as no. row: (...); shape: of the block, (..., *row.shape).
    """

    def answers(x: Array) -> Array:
        made = compiled(np.ascontiguousarray(x.reshape(shape)))
        return made.reshape(-1, made.shape[-1])

    random = np.random.default_rng(0)
    alone = answers(np.broadcast_to(row, shape))
    company = row + random.normal(size=shape).astype(row.dtype).reshape(-1, *row.shape)
    places = [0, len(company) // 2, len(company) - 1]
    company[places] = row
    orders = [random.permutation(len(company)) for _ in range(_ORDERS)]
    try:
        among, *elsewhere = (answers(company[order]) for order in [np.arange(len(company)), *orders])
    except Exception:  # a model of categories takes no other numbers
        return False
    same = [(alone == alone[0]).all(), (among[places] == alone[0]).all()]
    same += [(moved == among[order]).all() for order, moved in zip(orders, elsewhere, strict=True)]
    return all(map(bool, same))
