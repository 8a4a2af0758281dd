"""Every request is counted, timed and logged: by its route and never by its path, which is the client's own words.

What nobody else has caught ends here: the client learns that there is a fault, the log where.
"""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import Unexpected
from service.metrics import Metrics
from service.problems import problem_response

log = logging.getLogger("service.access")
_QUIET = ("/livez", "/readyz", "/metrics", "/v2/health/live", "/v2/health/ready")
"""Asked again and again by machines."""
_METHODS = ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE")


class Observe:
    """One record of the log, and one request in the metrics."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, status = time.perf_counter(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception:
            log.exception("request %s failed", scope["request_id"])
            if status:
                raise  # the answer has begun: the server ends the connection
            problem = Unexpected("this is a fault of the service; its log has the details")
            await problem_response(problem, scope)(scope, receive, watched)
        finally:
            self._tell(scope, status, time.perf_counter() - begin)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        """Status 0: there was no answer."""
        route = getattr(scope.get("route"), "path", "unmatched")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.answered(route, method, status, seconds)
        quiet = route in _QUIET or status == 503  # however many are turned away, the log says little; metrics count them
        log.log(
            logging.DEBUG if quiet else logging.INFO,
            "%s %s %d",
            method,
            route,
            status,
            extra={
                "request_id": scope["request_id"],
                "client": scope.get("client_name"),
                "method": method,
                "route": route,
                "status": status,
                "milliseconds": round(seconds * 1000, 3),
            },
        )
