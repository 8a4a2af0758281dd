"""The application, assembled."""

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from service import __version__
from service.catalog import Catalog
from service.context import Context
from service.errors import BY_STATUS, MEDIA_TYPE, Problem, Unexpected
from service.lane import Lane
from service.metrics import Metrics
from service.openapi import complete
from service.page import router as page
from service.pictures.easel import Easel
from service.protocols.routes import router as protocols
from service.request_id import RequestId
from service.routes import router
from service.settings import Settings

log = logging.getLogger(__name__)


def create_app(settings: Settings, catalog: Catalog | None = None) -> FastAPI:
    """The whole service. Without a catalog, the models of `settings.models` are loaded beside the event loop."""
    app = FastAPI(
        title="shapserve",
        version=__version__,
        summary="What does a model predict, and why? Every answer says how far it can be trusted.",
        lifespan=_lifespan,
        middleware=[Middleware(RequestId)],
        exception_handlers={Problem: _problem, HTTPException: _http_problem, Exception: _unexpected},
        redirect_slashes=False,
        docs_url=None,  # the page serves its own
        redoc_url=None,
    )
    app.state.context = Context(settings, catalog or Catalog(require_receipt=settings.require_receipt), Metrics())
    app.state.lane = Lane(settings.threads, settings.max_waiting)
    app.state.drawing, app.state.easel = Lane(1, settings.max_waiting, "draw-queue"), Easel()
    app.state.loads = catalog is None
    app.include_router(router)
    app.include_router(protocols)
    app.include_router(page)
    complete(app)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Models load while `/livez` answers; what computes when the service stops may end."""
    stop = threading.Event()
    if app.state.loads:
        threading.Thread(target=_watch, args=(app, stop), name="loading", daemon=True).start()
    yield
    stop.set()
    app.state.lane.close()
    app.state.drawing.close()
    app.state.easel.close()


def _watch(app: FastAPI, stop: threading.Event) -> None:
    """The models first: they keep every core busy."""
    context = app.state.context
    context.catalog.watch(context.settings.models, context.settings.poll_seconds, stop, app.state.easel.start)


async def _problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    request_id = request.scope["request_id"]
    headers = {"X-Request-ID": request_id, "Vary": "Accept"}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    protocol = request.url.path.split("/")[1] in ("v1", "v2")
    return Response(problem.body(request_id, protocol=protocol), problem.status, headers, MEDIA_TYPE)


async def _http_problem(request: Request, error: Exception) -> Response:
    """What the framework raises: a path or a method that does not exist."""
    assert isinstance(error, HTTPException)
    kind = BY_STATUS.get(error.status_code, Unexpected)
    response = await _problem(request, kind(_DETAILS.get(error.status_code, "the service cannot answer this request")))
    response.headers.update(error.headers or {})
    return response


_DETAILS = {
    404: "see /docs for what there is",
    405: "the header `Allow` says which methods there are",
}


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("request %s failed; the traceback follows", request.scope["request_id"])
    return await _problem(request, Unexpected("this is a fault of the service; its log has the details"))
