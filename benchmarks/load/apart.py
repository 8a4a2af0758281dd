"""Load in a process of its own: what it takes is not what the measuring process takes, and it imports only what it needs."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from typing import Any, Generic, TypeVar

from benchmarks.process import ROOT

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
        self._other, theirs = Pipe()
        with theirs:
            number = theirs.fileno()
            command = [sys.executable, "-m", "benchmarks.load.child", str(number)]
            self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=2, cwd=ROOT, pass_fds=[number])
        self._pool = ThreadPoolExecutor(1)
        self.run(time.time)  # it is there before anything is measured
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()
        self._other.close()
        self._child.wait()

    def begin(self, work: Callable[..., Any], *arguments: Any) -> "Future[Done[Any]]":
        """Go on meanwhile. A coroutine function runs on a loop of its own."""
        return self._pool.submit(self._ask, work, arguments)

    def run(self, work: Callable[..., Any], *arguments: Any) -> Done[Any]:
        """Wait for it. Raises RuntimeError if it fails there; its traceback is on standard error."""
        return self.begin(work, *arguments).result()

    def _ask(self, *task: Any) -> Done[Any]:
        self._other.send(task)
        try:
            done: Done[Any] = self._other.recv()
            return done
        except (EOFError, ConnectionError):
            raise RuntimeError(f"{task[0].__name__} failed") from None


def timed(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Done[Any]:
    """In the child."""
    begin, spent = time.perf_counter(), time.process_time()
    result = _loop(work, arguments) if asyncio.iscoroutinefunction(work) else work(*arguments)
    return Done(result, time.perf_counter() - begin, time.process_time() - spent)


def _loop(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    factory: Any = None
    with suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work(*arguments))
