"""Closed and open loops: clients that wait for their answers, and arrivals that wait for nobody."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks.load.connection import Connection
from benchmarks.load.wire import Answer, Broken, Plain, request

_MOST_CONNECTIONS = 1000
_PAUSE = 0.01
"""Seconds after a broken connection."""
_LAST = 60.0
"""Seconds that the last answers are waited for."""


@dataclass
class Seen:
    """Answers by status; 0 stands for a connection that broke, -1 for an arrival that found no connection to be had."""

    counts: Counter[int] = field(default_factory=Counter)
    seconds: dict[int, list[float]] = field(default_factory=dict)
    took: float = 0.0

    def add(self, status: int, seconds: float) -> None:
        """One more."""
        self.counts[status] += 1
        self.seconds.setdefault(status, []).append(seconds)

    @property
    def rate(self) -> float:
        """Good answers per second."""
        return self.counts[200] / self.took


async def closed(port: int, requests: Sequence[bytes], clients: int, seconds: float) -> Seen:
    """Each client asks again once it was answered; they begin at different places of `requests`."""
    seen, begin = Seen(), time.perf_counter()

    async def client(number: int) -> None:
        connection = await Connection.to(port)
        while (now := time.perf_counter()) < begin + seconds:
            number += 1
            try:
                status = (await connection.ask(requests[number % len(requests)])).status
            except Broken:
                status = 0
                await asyncio.sleep(_PAUSE)
            seen.add(status, time.perf_counter() - now)
            connection = connection if connection.open else await Connection.to(port)
        connection.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    seen.took = time.perf_counter() - begin
    return seen


async def opened(port: int, requests: Sequence[bytes], rate: float, seconds: float) -> Seen:
    """`rate` arrivals a second at fixed times, on a connection that is free or on a new one; timed from the planned arrival."""
    seen, begin = Seen(), time.perf_counter()
    free: list[Connection] = []
    under_way: set[asyncio.Future[Any]] = set()

    def send(number: int, connection: Connection) -> None:
        answer = connection.begin(requests[number % len(requests)])
        under_way.add(answer)
        answer.add_done_callback(partial(done, number, connection))

    def done(number: int, connection: Connection, answer: asyncio.Future[Answer]) -> None:
        under_way.discard(answer)
        seen.add(0 if answer.exception() else answer.result().status, time.perf_counter() - begin - number / rate)
        if connection.open:
            free.append(connection)

    async def connect(number: int) -> None:
        try:
            send(number, await Connection.to(port))
        except OSError:
            seen.add(0, time.perf_counter() - begin - number / rate)

    for number in range(int(rate * seconds)):
        if (early := begin + number / rate - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        if len(under_way) >= _MOST_CONNECTIONS:
            seen.add(-1, 0.0)
        elif (connection := _take(free)) is not None:
            send(number, connection)
        else:
            task = asyncio.ensure_future(connect(number))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
    seen.took = time.perf_counter() - begin
    last = time.perf_counter() + _LAST
    while under_way and (left := last - time.perf_counter()) > 0:
        await asyncio.wait(under_way, timeout=left)
    for connection in free:
        connection.close()
    return seen


def _take(free: list[Connection]) -> Connection | None:
    while free:
        if (connection := free.pop()).open:
            return connection
    return None


def probe(port: int, path: str, seconds: float, rate: float = 10.0) -> list[float]:
    """Ask for a path again and again on one connection of its own; how long each answer took. Raises Broken, OSError."""
    begin, took = time.perf_counter(), []
    connection, asked = Plain(port), request(path)
    for number in range(int(seconds * rate)):
        time.sleep(max(0.0, begin + number / rate - time.perf_counter()))
        now = time.perf_counter()
        if connection.ask(asked).status != 200:
            raise Broken(0, f"{path} is not well")
        took.append(time.perf_counter() - now)
    connection.close()
    return took


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of them does not exceed; 0 without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
