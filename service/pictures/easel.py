"""The process that draws, one picture after the other: pyplot is not thread-safe, and drawing would hold up other answers."""

import contextlib
import gc
import logging
import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from service.errors import DeadlinePassed, Unexpected
from service.lane import Clock
from service.logs import places
from service.memory import keep_tidy, use_few_arenas
from service.orphan import end_with_parent
from service.pictures.sketch import Sketch

log = logging.getLogger(__name__)
_TICK = 0.1
_GRACE = 2.0
"""Seconds that a drawing may go on when nobody waits for it any more: to begin another process takes longer."""
_IMPORTS = 60.0
"""The same before the first drawing."""
_POLITE = 5
"""How far answers that wait for numbers go before those that wait for pictures."""


class Easel:
    """Begun with the first picture or by `start`, and again when it has ended. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._patience = _IMPORTS

    def start(self) -> None:
        """Begin to import what draws, which takes some seconds; does not wait for it. If it cannot begin, `draw` tries again."""
        with self._lock, contextlib.suppress(OSError):
            self._connect()

    def draw(self, sketch: Sketch, clock: Clock) -> bytes:
        """The picture. Raises DeadlinePassed, Unexpected."""
        with self._lock:
            pipe = self._connect()
            try:
                pipe.send(sketch)
                self._wait(pipe, clock)
                drawn = pipe.recv()
                self._patience = _GRACE
            except (EOFError, OSError):
                self._end()
                raise Unexpected("the process that draws has ended; ask again") from None
        if isinstance(drawn, bytes):
            return drawn
        log.error("a picture could not be drawn: %s", drawn)
        raise Unexpected("the picture could not be drawn; the log says why")

    def _wait(self, pipe: Connection, clock: Clock) -> None:
        """Until the picture is there. Raises DeadlinePassed."""
        left = self._patience
        while not pipe.poll(_TICK):
            left -= _TICK if clock.over() else 0
            if left <= 0:
                self._end()
                raise DeadlinePassed("drawing was given up; ask for a picture of less")

    def close(self) -> None:
        """End the process, and with it whatever it draws."""
        if (process := self._process) is not None:
            process.kill()
        with self._lock:
            self._end()

    def _connect(self) -> Connection:
        if self._pipe is None or self._process is None or not self._process.is_alive():
            self._end()
            spawn = multiprocessing.get_context("spawn")
            self._pipe, other = spawn.Pipe()
            process = spawn.Process(target=_serve, args=(other,), name="easel", daemon=True)
            process.start()
            self._process = process
            self._patience = _IMPORTS
            other.close()
        return self._pipe

    def _end(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = self._pipe = None


def _serve(pipe: Connection) -> None:
    """Draw what comes until nobody is at the other end."""
    use_few_arenas()
    end_with_parent()
    keep_tidy()
    for sig in (signal.SIGINT, signal.SIGTERM):  # sent to all processes at once; the service says when this one ends
        signal.signal(sig, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(max(0, _POLITE - os.nice(0)))  # it begins as its parent's thread does
    import matplotlib as mpl

    mpl.use("agg")
    from service.pictures.plots import draw

    gc.freeze()  # what is imported stays, and need not be looked at each time
    with contextlib.suppress(EOFError, OSError):
        while True:
            sketch = pipe.recv()
            try:
                pipe.send(draw(sketch))
            except Exception as error:
                pipe.send(places(error))
            gc.collect()  # a figure is full of cycles, and would wait for many others
