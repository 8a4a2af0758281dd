"""A full service says so before it looks at a request: whoever asks for computing is turned away at the door.

This is the cheapest answer there is, as bytes and without a task of its own. The more come, the more time is left for those
who are in.
"""

import time
from collections.abc import Iterable

from service.errors import MEDIA_TYPE, Busy
from service.headers import SAFE
from service.lane import FULL, Lane
from service.life import Life
from service.metrics import Metrics
from service.request_id import new_id

_OURS = frozenset(("/predict", "/explain", "/summary", "/compare"))
_HEAD = {**SAFE, "Content-Type": MEDIA_TYPE, "Retry-After": str(Busy.retry_after)}


class Gate:
    """Every POST is for computing."""

    def __init__(self, lane: Lane, metrics: Metrics, life: Life, origins: Iterable[str]) -> None:
        """origins: whose pages may read why they were turned away."""
        self._lane, self._metrics, self._life, self._origins = lane, metrics, life, frozenset(origins)
        lines = ["HTTP/1.1 503 Service Unavailable", *(f"{name.lower()}: {value}" for name, value in _HEAD.items())]
        self._head = "\r\n".join(lines)

    @property
    def is_shut(self) -> bool:
        """Whether there is no place for one more."""
        return self._lane.is_full

    def turn_away(self, path: str, origin: str, *, keep: bool) -> tuple[bytes, bool]:
        """The whole response to a POST, and whether another request may follow it.

        keep: whether the client would like that. While the service stops nothing follows.
        """
        begin, request_id, keep = time.perf_counter(), new_id(), keep and not self._life.stopping
        body = Busy(FULL).body(request_id, protocol=path.startswith(("/v1/", "/v2/")))
        lines = [self._head, f"x-request-id: {request_id}", f"content-length: {len(body)}"]
        if origin and (origin in self._origins or "*" in self._origins):
            lines += [f"access-control-allow-origin: {origin}", "vary: Origin"]
        if not keep:
            lines.append("connection: close")
        self._metrics.answered(path if path in _OURS else "other", "POST", Busy.status, time.perf_counter() - begin)
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1") + body, keep
