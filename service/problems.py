"""A problem as a response."""

from starlette.responses import Response
from starlette.types import Scope

from service.errors import MEDIA_TYPE, Problem


def problem_response(problem: Problem, scope: Scope) -> Response:
    """What the client gets instead of an answer; below /v1 and /v2 in the form that these protocols look for."""
    request_id = scope["request_id"]
    headers = {"X-Request-ID": request_id, "Vary": "Accept", **problem.headers}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    protocol = scope["path"].startswith(("/v1/", "/v2/")) or scope["path"] in ("/v1", "/v2")
    return Response(problem.body(request_id, protocol=protocol), problem.status, headers, MEDIA_TYPE)
