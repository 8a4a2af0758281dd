"""Clients that leave: before they ask, while they send, while they wait, while they receive."""

import asyncio
import socket
import struct
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.load.wire import HOST

MOMENTS = ("before", "sending", "waiting", "receiving")
_PATIENCE = 10.0
"""Seconds that those who want to receive something wait for it."""
_SMALL_BUFFER = 4096
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: the connection is reset, not closed in order."""


@dataclass(frozen=True)
class Left:
    """When the last one had left, by time.monotonic(), and how many at which moment."""

    last: float
    moments: Counter[str]


async def leave(port: int, endless: Sequence[bytes], large: Sequence[bytes], cases: Sequence[int], spread: float) -> Left:
    """They come within `spread` seconds, each drawn from its number; who leaves while receiving asks for a large answer."""
    left = await asyncio.gather(*(_leave(port, endless, large, spread, np.random.default_rng([8, case])) for case in cases))
    return Left(time.monotonic(), Counter(left))


async def _leave(port: int, endless: Sequence[bytes], large: Sequence[bytes], spread: float, rng: np.random.Generator) -> str:
    moment = MOMENTS[int(rng.integers(len(MOMENTS)))]
    requests = large if moment == "receiving" else endless
    data = requests[int(rng.integers(len(requests)))]
    pause, part, resets = rng.uniform(0, 0.5), int(rng.integers(1, len(data))), bool(rng.integers(2))
    await asyncio.sleep(rng.uniform(0, spread))
    loop, connection = asyncio.get_running_loop(), socket.socket()
    with connection:
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL_BUFFER)
        await loop.sock_connect(connection, (HOST, port))
        if moment != "before":
            await loop.sock_sendall(connection, data[:part] if moment == "sending" else data)
        if moment == "receiving":
            moment = await _receive(loop, connection)
        await asyncio.sleep(pause)
        if resets:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    return moment


async def _receive(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> str:
    """The first bytes, if they come."""
    try:
        await asyncio.wait_for(loop.sock_recv(connection, _SMALL_BUFFER // 4), _PATIENCE)
    except TimeoutError:
        return "waiting"
    return "receiving"
