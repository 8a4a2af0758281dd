"""Whether the service goes on: who asks while it stops is told so, and what was accepted is finished."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_HURRY = 1.0
"""Seconds that a body has left to arrive once the service stops; with the deadline after it, all ends in time."""


class Life:
    """Of one application; used by its event loop alone, but for `stopping`, which a signal sets."""

    def __init__(self) -> None:
        self.stopping = False
        """From the first signal on: not ready any more, and connections are closed after their answer."""
        self.ending = False
        """Once the drain is over: nothing more is accepted."""
        self._bodies: set[asyncio.Timeout] = set()

    def stop(self) -> None:
        """No new requests: bodies that still arrive have to hurry."""
        self.stopping = self.ending = True
        soon = asyncio.get_running_loop().time() + _HURRY
        for timeout in self._bodies:
            if not timeout.expired():  # its task may not have had its turn yet
                timeout.reschedule(min(soon, timeout.when() or soon))

    @asynccontextmanager
    async def body(self, seconds: float) -> AsyncIterator[None]:
        """While a body arrives. Raises TimeoutError."""
        async with asyncio.timeout(min(seconds, _HURRY) if self.ending else seconds) as timeout:
            self._bodies.add(timeout)
            try:
                yield
            finally:
                self._bodies.discard(timeout)
