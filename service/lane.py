"""The one place where computation runs: off the event loop, bounded, timed, cancelled."""

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, Protocol, TypeVar

from service.errors import Busy, ClientLeft, DeadlinePassed

T = TypeVar("T")
_TOO_LATE = "the work was stopped; ask for less at once, or allow more time"
_POLITE = 3
"""How far computing stands back: half of the event loop's share of a core. More would starve it beside other processes."""
FULL = "too many requests wait already; try again in a moment"


class Clock:
    """How long one request may take, and how long its phases took. Made when its last byte has arrived."""

    def __init__(self, deadline_ms: int) -> None:
        self._begin = self._last = time.perf_counter()
        self._end = self._begin + deadline_ms / 1000
        self._gone = threading.Event()
        self.phases: list[tuple[str, float]] = []
        """(name, milliseconds) in the order in which they ended."""

    def lower(self, deadline_ms: int | None) -> None:
        """Bring the deadline forward; never back."""
        if deadline_ms is not None:
            self._end = min(self._end, self._begin + deadline_ms / 1000)

    def remaining(self) -> float:
        """Seconds until the deadline; 0 when it has passed."""
        return max(0.0, self._end - time.perf_counter())

    def leave(self) -> None:
        """Nobody waits any more: the next check raises."""
        self._gone.set()

    def over(self) -> bool:
        """Whether the time is over, or nobody waits."""
        return self._gone.is_set() or time.perf_counter() > self._end

    def check(self) -> None:
        """Raises DeadlinePassed when the time is over or nobody waits."""
        if self.over():
            raise DeadlinePassed(_TOO_LATE)

    def note(self, phase: str) -> None:
        """The phase that ends here took the time since the last one."""
        now = time.perf_counter()
        self.phases.append((phase, (now - self._last) * 1000))
        self._last = now

    def mark(self, phase: str) -> None:
        """The same, and a check."""
        self.note(phase)
        self.check()

    def server_timing(self) -> str:
        """The phases as a Server-Timing header (milliseconds)."""
        return ", ".join(f"{name};dur={ms:.2f}" for name, ms in self.phases)


class Crowd(Protocol):
    """Counts who is where."""

    def inc(self) -> None:
        """One more."""

    def dec(self) -> None:
        """One less."""


def step_back() -> None:
    """Let this thread stand back for the event loop, where the system knows priorities of threads."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        with contextlib.suppress(OSError):  # who is polite already stays so; a sandbox may forbid it
            os.setpriority(os.PRIO_PROCESS, thread, max(_POLITE, os.getpriority(os.PRIO_PROCESS, thread)))


class _Job(Generic[T]):
    """What a thread is to do, as long as it has not begun."""

    def __init__(self, work: Callable[[Clock], T]) -> None:
        self.work: Callable[[Clock], T] | None = work
        self.begun = False


class Lane:
    """Threads that compute, and a bounded number of requests that wait for them. Its coroutines run on one event loop."""

    def __init__(self, threads: int, max_waiting: int, *, phases: tuple[str, str], waiting: Crowd, computing: Crowd) -> None:
        """phases: names for the time in the queue, and for what the work has not named itself at its end."""
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="lane", initializer=step_back)
        self._places = threads + max_waiting
        self._taken = 0
        self._lock = threading.Lock()
        self._phases, self._waiting, self._computing = phases, waiting, computing

    @property
    def free(self) -> int:
        """Places, of those that compute and of those that wait."""
        return self._places - self._taken

    async def run(self, work: Callable[[Clock], T], clock: Clock, left: Coroutine[Any, Any, None]) -> T:
        """Do `work` on a thread; it is told to stop when the deadline has passed or `left` ends, which is the client's leaving.

        Raises Busy at once when too many wait, DeadlinePassed, ClientLeft.
        """
        if not self._enter():
            left.close()
            raise Busy(FULL)
        job = _Job(work)
        try:
            future = self._threads.submit(self._begin, job, clock)
        except RuntimeError:  # there is no thread to be had, or the service ends
            left.close()
            self._leave(job)
            raise Busy(FULL) from None
        future.add_done_callback(lambda _: self._leave(job))
        answer, gone = asyncio.wrap_future(future), asyncio.ensure_future(left)
        try:
            first: set[asyncio.Future[Any]] = {answer, gone}
            await asyncio.wait(first, timeout=clock.remaining(), return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                return answer.result()
            raise ClientLeft("nobody waits for the answer") if gone.done() else DeadlinePassed(_TOO_LATE)
        finally:
            if not answer.done():
                clock.leave()
            if answer.done() and not answer.cancelled():
                answer.exception()  # it was looked at: nothing is told of it elsewhere
            answer.cancel()
            gone.cancel()

    def close(self) -> None:
        """Let what has begun end."""
        self._threads.shutdown(wait=True)

    def _enter(self) -> bool:
        with self._lock:
            if self.free <= 0:
                return False
            self._taken += 1
        self._waiting.inc()
        return True

    def _leave(self, job: "_Job[Any]") -> None:
        """Done, failed, or cancelled while it waited: then its place in the pool's queue stays, and holds nothing."""
        (self._computing if job.begun else self._waiting).dec()
        job.work = None
        with self._lock:
            self._taken -= 1

    def _begin(self, job: "_Job[T]", clock: Clock) -> T:
        queue, rest = self._phases
        work, job.begun, job.work = job.work, True, None
        assert work is not None
        self._waiting.dec()
        self._computing.inc()
        clock.mark(queue)
        answer = work(clock)
        clock.note(rest)
        return answer
