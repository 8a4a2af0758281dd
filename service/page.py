"""The page at `/` and the API's documentation at `/docs`: files that ship with the service and ask nobody else for anything."""

import os
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",  # ask whether it has changed
}
_INDEX = {"/": "index.html", "/docs": "docs/index.html"}


class _Files(StaticFiles):
    def file_response(self, *args: object, **options: object) -> Response:
        """With the headers of a page that trusts nobody else."""
        response = super().file_response(*args, **options)  # type: ignore[arg-type]
        response.headers.update(HEADERS)
        return response


router = APIRouter(include_in_schema=False)
_files = _Files(directory=STATIC)


@router.api_route("/", methods=["GET", "HEAD"])
@router.api_route("/docs", methods=["GET", "HEAD"])
@router.api_route("/docs/{name}", methods=["GET", "HEAD"])
@router.api_route("/assets/{name}", methods=["GET", "HEAD"])
@router.api_route("/favicon.svg", methods=["GET", "HEAD"])
async def get_file(request: Request) -> Response:
    """A file that was built, and always all of it: what is said of ranges would be no problem+json."""
    request.scope["headers"] = [header for header in request.scope["headers"] if header[0] != b"range"]
    path = request.url.path
    return await _files.get_response(_INDEX.get(path, os.path.normpath(path.lstrip("/"))), request.scope)
