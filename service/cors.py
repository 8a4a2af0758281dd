"""Pages of other origins, where the settings name any: what they may ask, and a problem for what they may not."""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from service.errors import MEDIA_TYPE, OriginRefused
from service.request_id import new_id

EXPOSED = ("X-Request-ID", "Server-Timing", "Retry-After")
"""Headers that pages may read."""


class Cors(CORSMiddleware):
    """Starlette's, whose refusals are plain text."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """What the browser asks before it asks."""
        response = super().preflight_response(request_headers)
        if response.status_code == OriginRefused.status:
            request_id, words = new_id(), bytes(response.body).decode()
            response.body = OriginRefused(f"{words}; expected what SHAPSERVE_CORS_ORIGINS and this service allow").body(
                request_id
            )
            response.headers.update(
                {"Content-Length": str(len(response.body)), "Content-Type": MEDIA_TYPE, "X-Request-ID": request_id}
            )
        return response
