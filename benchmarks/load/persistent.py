"""Clients that ask until they are refused, and know of each request how it ended."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.load.wire import Broken, Plain

_PAUSE = 0.002
_PIECES = 12


@dataclass(frozen=True)
class Fate:
    """Of one request."""

    kind: str
    """kept (connection), new, or slow (upload)"""
    sent: float | None
    """When the last byte had been given to the system, by time.monotonic(); None if that could not be done."""
    connected: float
    end: str
    """The status of a whole answer, or: no byte, truncated"""


@dataclass
class _Client:
    """Asks until the connection is refused, or the time is over."""

    port: int
    kind: str
    requests: Sequence[bytes]
    until: float
    fates: list[Fate] = field(default_factory=list)
    refused: float | None = None
    number: int = 0

    def run(self) -> None:
        """In a thread."""
        while self.refused is None and time.monotonic() < self.until:
            try:
                connection = Plain(self.port)
            except ConnectionRefusedError:
                self.refused = time.monotonic()
                return
            except OSError:  # the handshake itself was broken off: nothing was accepted
                continue
            self._use(connection, time.monotonic())
            connection.close()

    def _use(self, connection: Plain, connected: float) -> None:
        """Until it is closed; once, unless it is to be kept."""
        while time.monotonic() < self.until:
            sent: float | None = None
            try:
                self._send(connection)
                sent = time.monotonic()
                answer = connection.answer()
                self.fates.append(Fate(self.kind, sent, connected, str(answer.status)))
                if self.kind != "kept" or answer.closes:
                    return
            except (Broken, OSError) as broken:
                received = broken.received if isinstance(broken, Broken) else 0
                self.fates.append(Fate(self.kind, sent, connected, "truncated" if received else "no byte"))
                return
            time.sleep(_PAUSE)

    def _send(self, connection: Plain) -> None:
        self.number += 1
        data = self.requests[self.number % len(self.requests)]
        if self.kind != "slow":
            return connection.send(data)
        size = -(-len(data) // _PIECES)
        for begin in range(0, len(data), size):
            connection.send(data[begin : begin + size])
            time.sleep(0.05)


def persist(port: int, kinds: Sequence[str], requests: Sequence[bytes], seconds: float) -> tuple[list[Fate], bool]:
    """A client of each kind; every request's fate, and whether all were refused in the end."""
    until = time.monotonic() + seconds
    clients = [_Client(port, kind, requests, until, number=number) for number, kind in enumerate(kinds)]
    threads = [threading.Thread(target=client.run) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [fate for client in clients for fate in client.fates], all(client.refused is not None for client in clients)
