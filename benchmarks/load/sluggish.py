"""Clients like slowhttptest's: slow headers, slow bodies, slow reading, idle sockets."""

import asyncio
import socket
import time
from collections import Counter
from collections.abc import Sequence

from benchmarks.load.loops import opened
from benchmarks.load.wire import HOST

_TICK = 1.0
"""Seconds between two bytes."""
_SMALL_BUFFER = 2048
KINDS = ("slow headers", "slow body", "slow reading", "idle")


async def crawl(port: int, clients: int, seconds: float, large: bytes) -> Counter[str]:
    """Hold connections for a while; how many of each kind the server closed before the end. `large` has a large answer."""
    until = time.monotonic() + seconds
    cut = await asyncio.gather(*(_hold(port, number, until, large) for number in range(clients)))
    return Counter(kind for kind in cut if kind)


async def _hold(port: int, number: int, until: float, large: bytes) -> str:
    loop, kind = asyncio.get_running_loop(), KINDS[number % len(KINDS)]
    await asyncio.sleep(number * 0.005)
    with socket.socket() as connection:
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
        try:
            await loop.sock_connect(connection, (HOST, port))
            await loop.sock_sendall(connection, _first(kind, large))
            while time.monotonic() < until:
                await _tick(loop, connection, kind)
        except OSError:
            return kind
    return ""


def _first(kind: str, large: bytes) -> bytes:
    head = f"POST /explain HTTP/1.1\r\nHost: {HOST}\r\n".encode()
    return {
        "slow headers": head,
        "slow body": head + b'Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"model": "',
        "slow reading": large,
        "idle": b"",
    }[kind]


async def _tick(loop: asyncio.AbstractEventLoop, connection: socket.socket, kind: str) -> None:
    """One step. Raises OSError once the server has closed the connection."""
    if kind in ("slow headers", "slow body"):
        await loop.sock_sendall(connection, b"X-A: b\r\n" if kind == "slow headers" else b"a")
    if kind == "slow reading":
        await asyncio.sleep(_TICK)
        await _read(loop, connection, 16, _TICK)
    else:
        await _read(loop, connection, 1 << 16, _TICK)


async def _read(loop: asyncio.AbstractEventLoop, connection: socket.socket, size: int, seconds: float) -> None:
    """What comes within `seconds`, which may be nothing; the end is an error."""
    begin = time.monotonic()
    try:
        if not await asyncio.wait_for(loop.sock_recv(connection, size), seconds):
            raise ConnectionResetError
    except TimeoutError:
        return
    await asyncio.sleep(max(0.0, begin + seconds - time.monotonic()))


async def steady(port: int, requests: Sequence[bytes], rate: float, seconds: float) -> tuple[list[float], int]:
    """Good clients: `rate` requests a second at fixed times; how long each good answer took, and how many were not good."""
    seen = await opened(port, requests, rate, seconds)
    return seen.seconds.get(200, []), sum(count for status, count in seen.counts.items() if status != 200)
