"""A connection on an event loop: one request at a time, as little work as can be for each."""

import asyncio
from typing import cast

from benchmarks.load.wire import HOST, Answer, Broken, whole


class Connection(asyncio.Protocol):
    """`ask` sends a request and waits for its answer; the connection stays open between."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._waits: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport | None = None
        self.open = False

    @classmethod
    async def to(cls, port: int) -> "Connection":
        """Raises OSError."""
        _, made = await asyncio.get_running_loop().create_connection(cls, HOST, port)
        return made

    async def ask(self, data: bytes) -> Answer:
        """Raises Broken when the connection ends before."""
        return await self.begin(data)

    def begin(self, data: bytes) -> "asyncio.Future[Answer]":
        """Send it; the answer comes, or Broken when the connection ends before."""
        self._buffer.clear()
        self._waits = waits = asyncio.get_running_loop().create_future()
        if self.open and self._transport is not None:
            self._transport.write(data)
        else:
            waits.set_exception(Broken(0, "closed"))
        return waits

    def close(self) -> None:
        """Leave."""
        self.open = False
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport, self.open = cast(asyncio.Transport, transport), True  # uvloop's are not derived from it

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._buffer += data
        waits = self._waits
        if waits is not None and not waits.done() and (answer := whole(self._buffer)) is not None:
            if answer.closes:
                self.close()
            waits.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol."""
        self.open = False
        if self._waits is not None and not self._waits.done():
            self._waits.set_exception(Broken(len(self._buffer), type(exc).__name__ if exc else "closed"))
