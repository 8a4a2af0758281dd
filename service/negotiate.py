"""What a request says of its body and of the answer that it takes."""

from collections.abc import Sequence

from fastapi import Request
from starlette.requests import ClientDisconnect

from service.errors import BodyTooLarge, ClientLeft, NotAcceptable, UnsupportedMediaType


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


async def read_json(request: Request, limit: int) -> bytes | bytearray:
    """The body. Raises UnsupportedMediaType unless it is declared as JSON, BodyTooLarge beyond `limit` bytes."""
    declared = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if declared != "application/json" and not (declared.startswith("application/") and declared.endswith("+json")):
        raise UnsupportedMediaType("expected the header `Content-Type: application/json`")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("expected a body without Content-Encoding")
    too_large = BodyTooLarge(f"expected at most {limit} bytes; send fewer instances at once")
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length[:20]) > limit:
        raise too_large
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > limit:
                raise too_large
    except ClientDisconnect:
        raise ClientLeft("the body ended early") from None
    return body


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
