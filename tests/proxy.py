"""A real nginx with the file of deploy/, in front of whatever listens on a port."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.battery.front import front


@contextmanager
def fronted(folder: Path, upstream: int, **changes: str) -> Iterator[httpx.Client]:
    """A client of it; `changes` are directives and their other values."""
    with front(folder, upstream, **changes) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        yield client


def talk(client: httpx.Client, sent: bytes, *, drip: float | None = None) -> bytes:
    """Send, and read until nginx hangs up; `drip`: seconds between single bytes."""
    with socket.create_connection(("127.0.0.1", client.base_url.port or 0), timeout=20) as caller:
        try:
            for piece in [sent] if drip is None else [sent[i : i + 1] for i in range(len(sent))]:
                caller.sendall(piece)
                time.sleep(drip or 0)
        except ConnectionError:
            return b""
        return until_closed(caller)


def until_closed(caller: socket.socket) -> bytes:
    """What still comes."""
    answer = b""
    try:
        while part := caller.recv(65536):
            answer += part
    except ConnectionError:
        return answer
    return answer


@contextmanager
def silence() -> Iterator[int]:
    """A port that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]
