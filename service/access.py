"""Who may ask: the name that the service is called by, a key, and how often that key asks."""

import hashlib
import hmac
import math
import re
import secrets
import time

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import Misdirected, Problem, TooMany, Unauthorized
from service.problems import problem_response
from service.settings import Settings

_HEALTH = re.compile(r"/livez|/readyz|/v2/health/(live|ready)")
"""What probes ask by whatever address they know; it tells nothing of the models but their names."""
_FREE = re.compile(rf"{_HEALTH.pattern}|/|/docs|/docs/[^/]*|/assets/[^/]*|/favicon\.svg|/openapi\.json")
"""What needs no key: health, and files that ship with the service."""
_NOTHING = 1e-6
"""Seconds: what rounding may make of none."""


def new_key() -> tuple[str, str]:
    """A key for a client, and the sha256 of it for the settings: it has 256 random bits, so a slow hash adds nothing."""
    key = secrets.token_urlsafe(32)
    return key, hashlib.sha256(key.encode()).hexdigest()


def is_free(path: str) -> bool:
    """Whether the path needs no key."""
    return _FREE.fullmatch(path) is not None


class Rate:
    """So many requests a second on average, and `burst` at once: the generic cell rate algorithm (ITU-T I.371).

    One number per key; nothing to clean up. Used by the event loop alone.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._interval, self._ahead = 1 / per_second, burst / per_second
        self._due: dict[str, float] = {}
        """When the requests so far would all have been due, had they come evenly."""

    def wait(self, name: str) -> float:
        """Seconds until the key may ask again; 0: it may now, and has."""
        now = time.monotonic()
        due = max(now, self._due.get(name, now)) + self._interval
        if (late := due - now - self._ahead) > _NOTHING:
            return late
        self._due[name] = due
        return 0.0


class Access:
    """Refuses strangers before anything of their request is read. Leaves scope["client_name"]."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._hosts = app, settings.hosts
        self._keys = {name: bytes.fromhex(digest) for name, _, digest in (key.partition(":") for key in settings.api_keys)}
        per_second = settings.rate_per_second
        self._rate = None if per_second is None else Rate(per_second, settings.rate_burst)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            try:
                self._admit(Request(scope))
            except Problem as problem:
                await problem_response(problem, scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _admit(self, request: Request) -> None:
        """Raises Misdirected, Unauthorized, TooMany."""
        if "*" not in self._hosts and _host(request) not in self._hosts and not _HEALTH.fullmatch(request.url.path):
            raise Misdirected("expected a host of SHAPSERVE_TRUSTED_HOSTS; by default those of the machine itself")
        if not self._keys or is_free(request.url.path):
            return
        name = self._name(_key(request))
        request.scope["client_name"] = name
        if self._rate is not None and (seconds := self._rate.wait(name)) > 0:
            raise TooMany("this key has asked too often; Retry-After says when to come again", retry_after=math.ceil(seconds))

    def _name(self, key: str) -> str:
        """Whose key it is; compares with all of them, each in constant time. Raises Unauthorized."""
        digest = hashlib.sha256(key.encode("utf-8", "replace")).digest()
        found = [name for name, kept in self._keys.items() if hmac.compare_digest(kept, digest)]
        if not found:
            raise Unauthorized(
                "expected the header `Authorization: Bearer <key>` or `X-API-Key: <key>` with a key of the service"
            )
        return found[0]


def _key(request: Request) -> str:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")


def _host(request: Request) -> str:
    """Without the port, in lower case."""
    return re.sub(r":\d*$", "", request.headers.get("host", "")).lower()
