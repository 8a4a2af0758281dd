"""What a request says of its body and of the answer that it takes."""

from fastapi import Request

from service.errors import BodyTooLarge, NotAcceptable, UnsupportedMediaType

_TYPES = ("application/json", "application/*", "*/*")


def accept_json(request: Request) -> None:
    """Raises NotAcceptable when JSON is not among what the client takes."""
    accepted = request.headers.get("accept", "*/*")
    ranges = [part.split(";") for part in accepted.lower().split(",")]
    taken = [kind.strip() for kind, *parameters in ranges if not any(p.replace(" ", "") in ("q=0", "q=0.0") for p in parameters)]
    if not any(kind in _TYPES for kind in taken):
        raise NotAcceptable("expected `Accept` to include application/json")


async def read_json(request: Request, limit: int) -> bytes:
    """The body. Raises UnsupportedMediaType unless it is declared as JSON, BodyTooLarge beyond `limit` bytes."""
    declared = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if declared != "application/json" and not (declared.startswith("application/") and declared.endswith("+json")):
        raise UnsupportedMediaType("expected the header `Content-Type: application/json`")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaType("expected a body without Content-Encoding")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > limit:
            raise BodyTooLarge(f"expected at most {limit} bytes; send fewer instances at once")
    return bytes(body)
