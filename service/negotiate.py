"""What a request says of its body and of the answer that it takes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import Request
from starlette.requests import ClientDisconnect

from service.errors import BodyTooLarge, BodyTooSlow, Busy, ClientLeft, NotAcceptable, Stopping, UnsupportedMediaType
from service.life import Life


def accept(request: Request, offered: Sequence[str]) -> str:
    """The media type that the client likes best; among equals the first of those offered. Raises NotAcceptable."""
    accepted = ",".join(request.headers.getlist("accept")).lower()
    if not accepted.strip():
        return offered[0]
    weights = {kind.strip(): _weight(parameters) for kind, *parameters in (part.split(";") for part in accepted.split(","))}

    def liking(kind: str) -> float:
        ranges = (kind, kind.partition("/")[0] + "/*", "*/*")  # the most specific one counts
        return next((weights[one] for one in ranges if one in weights), 0.0)

    best = max(offered, key=liking)
    if liking(best) <= 0:
        raise NotAcceptable(f"expected `Accept` to include {' or '.join(offered)}")
    return best


class Bodies:
    """The bodies of all requests that are read and answered at the moment: each has its limit, and so have all together.

    Answers that their clients have not taken count as well.
    """

    def __init__(self, limit: int, limit_of_all: int, seconds: float, life: Life) -> None:
        """Limits in bytes; seconds: how long one may take to arrive."""
        self._limit, self._limit_of_all, self._seconds, self._life = limit, limit_of_all, seconds, life
        self._held = 0

    def hold(self, size: int) -> None:
        """So many bytes more of answers wait; of less than nothing: so many have gone."""
        self._held += size

    @asynccontextmanager
    async def json(self, request: Request) -> AsyncIterator[bytearray]:
        """The body, until its request is answered.

        Raises UnsupportedMediaType unless it is declared as JSON, BodyTooLarge, BodyTooSlow, Busy, Stopping, ClientLeft.
        """
        self._check(request)
        body = bytearray()
        try:
            await self._read(request, body)
            yield body
        finally:
            self._held -= len(body)

    async def _read(self, request: Request, body: bytearray) -> None:
        try:
            async with self._life.body(self._seconds):
                async for part in request.stream():
                    body += part
                    self._held += len(part)
                    if len(body) > self._limit:
                        raise self._too_large()
                    if self._held > self._limit_of_all:
                        raise Busy("bodies, and answers that nobody takes, fill the memory for them; try again in a moment")
        except TimeoutError:
            if self._life.ending:
                raise Stopping("send the request again, to another instance or later") from None
            raise BodyTooSlow(f"expected the whole body within {self._seconds:g} seconds") from None
        except ClientDisconnect:
            raise ClientLeft("the body ended early") from None

    def _check(self, request: Request) -> None:
        """What the headers say already."""
        declared = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if declared != "application/json" and not (declared.startswith("application/") and declared.endswith("+json")):
            raise UnsupportedMediaType("expected the header `Content-Type: application/json`")
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType("expected a body without Content-Encoding")
        length = request.headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > self._limit:
            raise self._too_large()

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(f"expected at most {self._limit} bytes; send fewer instances at once")


async def until_left(request: Request) -> None:
    """Ends when the client closes the connection; for use after the body was read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
