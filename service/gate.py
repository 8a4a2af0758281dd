"""A full service says so before it looks at a request: whoever asks for computing is turned away at the door.

This is the cheapest answer there is, as bytes and without a task of its own. The more come, the more time is left for those
who are in.
"""

import asyncio
import time
from collections.abc import Iterable

from service.cors import EXPOSED
from service.errors import Busy
from service.lane import FULL, Lane
from service.life import Life
from service.metrics import Metrics
from service.problems import head_of, problem_bytes

_OURS = frozenset(("/predict", "/explain", "/summary", "/compare"))
_HEAD = head_of(Busy)
TICKET = "ticket"
"""In a request's scope: what stands for it."""
_REST = 0.008
"""Seconds; those who come meanwhile are turned away together."""
_TURNS = 3
"""Of the event loop, from a knock to the first request, which may be the next to be turned away."""
_READABLE = f"access-control-expose-headers: {', '.join(EXPOSED)}"


class Gate:
    """Every POST is for computing."""

    def __init__(self, lane: Lane, metrics: Metrics, life: Life, origins: Iterable[str]) -> None:
        """origins: whose pages may read why they were turned away."""
        self._lane, self._metrics, self._origins = lane, metrics, frozenset(origins)
        self.life = life
        self._rests = False
        """Whether a rest is to come, or on."""
        self._knocked = 0
        """More may stand at the door, and the event loop lets in one at a time: for so many of its turns there is no rest."""
        self._coming: set[object] = set()
        """Tickets of those who are in, whole, and have not taken their places yet."""

    @property
    def is_shut(self) -> bool:
        """Whether there is no place for one more."""
        return self._lane.free <= len(self._coming)

    def knock(self) -> None:
        """A connection was made."""
        self._knocked = _TURNS

    def expect(self, ticket: object) -> None:
        """A request that was let in is there, whole: the next place is its own."""
        self._coming.add(ticket)

    def seat(self, ticket: object) -> None:
        """It takes a place of the lane now, or none at all."""
        self._coming.discard(ticket)

    def turn_away(self, path: str, origin: str, lines: Iterable[str]) -> bytes:
        """The whole response to a POST; lines: headers that are the connection's."""
        begin, more = time.perf_counter(), list(lines)
        if not self._rests:
            self._rests = True
            asyncio.get_running_loop().call_soon(self._rest)
        if origin and (origin in self._origins or "*" in self._origins):
            more += [f"access-control-allow-origin: {origin}", _READABLE, "vary: Origin"]
        response = problem_bytes(_HEAD, Busy(FULL), more, protocol=path.startswith(("/v1/", "/v2/")))
        self._metrics.answered(path if path in _OURS else "other", "POST", Busy.status, time.perf_counter() - begin)
        return response

    def _rest(self) -> None:
        """Sleep on the event loop: whenever it wakes it interrupts those who compute, so it does not wake for every arrival."""
        if self._knocked:
            self._knocked -= 1
            asyncio.get_running_loop().call_soon(self._rest)
            return
        if self.is_shut:
            time.sleep(_REST)
        self._rests = False
