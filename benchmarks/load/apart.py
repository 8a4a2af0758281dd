"""Load in a process of its own: what it takes is not what the measuring process takes."""

import asyncio
import multiprocessing
import os
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Done(Generic[T]):
    """What came out, and what it took."""

    result: T
    seconds: float
    cpu_seconds: float


class Apart:
    """A context with one child process; what runs there is named at the top of a module."""

    def __enter__(self) -> "Apart":
        self._pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        self._pool.submit(os.getpid).result()  # it is there before anything is measured
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def begin(self, work: Callable[..., Any], *arguments: Any) -> "Future[Done[Any]]":
        """Go on meanwhile. A coroutine function runs on a loop of its own."""
        return self._pool.submit(_timed, work, arguments)

    def run(self, work: Callable[..., Any], *arguments: Any) -> Done[Any]:
        """Wait for it."""
        return self.begin(work, *arguments).result()


def _timed(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Done[Any]:
    begin, spent = time.perf_counter(), time.process_time()
    result = _loop(work(*arguments)) if asyncio.iscoroutinefunction(work) else work(*arguments)
    return Done(result, time.perf_counter() - begin, time.process_time() - spent)


def _loop(work: Coroutine[Any, Any, Any]) -> Any:
    factory: Any = None
    with suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)
