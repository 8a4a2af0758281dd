"""Clients that ask through everything that happens, a new connection for each request."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.load.wire import Broken, Plain

_PAUSE = 0.1


@dataclass(frozen=True)
class Moment:
    """When a request began, by time.monotonic(), which one it was, and how it ended: a status, refused or broken."""

    begin: float
    end: float
    kind: int
    what: str


def ask_through(port: int, requests: Sequence[bytes], clients: int, seconds: float, enough: int = 0) -> list[Moment]:
    """All requests of all clients, in the order of their ends; until so many in a row were good after some were refused."""
    until, moments = time.monotonic() + seconds, list[Moment]()

    def client(kind: int) -> None:
        while (begin := time.monotonic()) < until and not (enough and _well(moments, enough)):
            what = _ask(port, requests[kind % len(requests)])
            moments.append(Moment(begin, time.monotonic(), kind % len(requests), what))
            kind += 1
            time.sleep(_PAUSE)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(moments, key=lambda moment: moment.end)


def _well(moments: Sequence[Moment], enough: int) -> bool:
    said = [moment.what for moment in moments]
    return "refused" in said and said[-enough:] == ["200"] * enough


def _ask(port: int, request: bytes) -> str:
    try:
        connection = Plain(port)
    except OSError:
        return "refused"
    try:
        return str(connection.ask(request).status)
    except (OSError, Broken):
        return "broken"
    finally:
        connection.close()
