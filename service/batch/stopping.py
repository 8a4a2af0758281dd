"""Ctrl-C and SIGTERM: at once while rows are read and computed, afterwards while they are written."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Stopped(BaseException):
    """The run shall end with what it has."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Stopping:
    """Raises Stopped when a signal arrives, until `hold`."""

    def __init__(self) -> None:
        self._held = False
        self._asked: int | None = None

    @contextmanager
    def listening(self) -> Iterator["Stopping"]:
        """While this lasts, the signals come here."""
        before: dict[int, Any] = {number: signal.signal(number, self._arrives) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextmanager
    def held(self) -> Iterator[None]:
        """What is begun in here is ended. Raises Stopped after it."""
        self._held = True
        yield
        self._held = False
        if self._asked is not None:
            raise Stopped(self._asked)

    def hold(self) -> None:
        """From here on all is ended that is begun."""
        self._held = True

    def _arrives(self, number: int, frame: FrameType | None) -> None:
        self._asked = self._asked or number
        if not self._held:
            raise Stopped(number)
