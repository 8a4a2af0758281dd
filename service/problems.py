"""A problem as a response: of the application, or as bytes for who writes to a connection."""

from collections.abc import Iterable
from http import HTTPStatus

from starlette.responses import Response
from starlette.types import Scope

from service.errors import MEDIA_TYPE, Problem
from service.headers import SAFE
from service.request_id import new_id


def problem_response(problem: Problem, scope: Scope) -> Response:
    """What the client gets instead of an answer; below /v1 and /v2 in the form that these protocols look for."""
    request_id = scope["request_id"]
    headers = {"X-Request-ID": request_id, "Vary": "Accept", **problem.headers}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    protocol = scope["path"].startswith(("/v1/", "/v2/")) or scope["path"] in ("/v1", "/v2")
    return Response(problem.body(request_id, protocol=protocol), problem.status, headers, MEDIA_TYPE)


def head_of(kind: type[Problem]) -> str:
    """The lines with which every response begins that says such a problem, without the last line's end."""
    headers = {**SAFE, "Content-Type": MEDIA_TYPE, **kind.headers}
    if kind.retry_after is not None:
        headers["Retry-After"] = str(kind.retry_after)
    first = f"HTTP/1.1 {kind.status} {HTTPStatus(kind.status).phrase}"
    return "\r\n".join([first, *(f"{name.lower()}: {value}" for name, value in headers.items())])


def problem_bytes(head: str, problem: Problem, lines: Iterable[str] = (), *, protocol: bool = False) -> bytes:
    """The whole response under a name of its own; head: see `head_of`; lines: further headers."""
    request_id = new_id()
    body = problem.body(request_id, protocol=protocol)
    own = (f"x-request-id: {request_id}", f"content-length: {len(body)}")
    return "\r\n".join([head, *own, *lines, "\r\n"]).encode("latin-1") + body
