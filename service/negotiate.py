"""What a request says of its body and of the answer that it takes."""

from fastapi import Request
from starlette.requests import ClientDisconnect

from service.errors import BodyTooLarge, ClientLeft, NotAcceptable, UnsupportedMediaType

_TYPES = ("application/json", "application/*", "*/*")


def accept_json(request: Request) -> None:
    """Raises NotAcceptable when JSON is not among what the client takes."""
    accepted = ",".join(request.headers.getlist("accept")).lower()
    weights = {kind.strip(): _weight(parameters) for kind, *parameters in (part.split(";") for part in accepted.split(","))}
    named = [weights[kind] for kind in _TYPES if kind in weights]  # the most specific range counts
    if accepted.strip() and not (named and named[0] > 0):
        raise NotAcceptable("expected `Accept` to include application/json")


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
