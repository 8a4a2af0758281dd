"""A full service says so before it looks at a request: whoever asks for computing is turned away at the door.

This is the cheapest answer there is. The more come, the more time is left for those who are in.
"""

import time

from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import MEDIA_TYPE, Busy
from service.headers import SAFE
from service.lane import Lane
from service.life import Life
from service.metrics import Metrics
from service.request_id import new_id

_OURS = frozenset(("/predict", "/explain", "/summary", "/compare"))


class Gate:
    """Every POST is for computing."""

    def __init__(self, app: ASGIApp, lane: Lane, metrics: Metrics, life: Life) -> None:
        self._app, self._lane, self._metrics, self._life = app, lane, metrics, life
        said = {**SAFE, "Content-Type": MEDIA_TYPE, "Retry-After": str(Busy.retry_after)}
        self._headers = [(name.lower().encode(), value.encode()) for name, value in said.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and scope["method"] == "POST":
            begin = time.perf_counter()
            try:
                self._lane.check_room()
            except Busy as busy:
                await self._turn_away(busy, scope, send)
                route = scope["path"] if scope["path"] in _OURS else "other"
                self._metrics.answered(route, "POST", Busy.status, time.perf_counter() - begin)
                return
        await self._app(scope, receive, send)

    async def _turn_away(self, busy: Busy, scope: Scope, send: Send) -> None:
        request_id = new_id()
        body = busy.body(request_id, protocol=scope["path"].startswith(("/v1/", "/v2/")))
        own = [(b"x-request-id", request_id.encode()), (b"content-length", str(len(body)).encode())]
        last = [(b"connection", b"close")] if self._life.stopping else []
        await send({"type": "http.response.start", "status": Busy.status, "headers": [*self._headers, *own, *last]})
        await send({"type": "http.response.body", "body": body})
