"""The application, assembled."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from service import __version__
from service.access import Access
from service.catalog import Catalog
from service.context import Context
from service.cors import EXPOSED, Cors
from service.errors import BY_STATUS, Problem, Unexpected
from service.gate import Gate
from service.headers import SafeHeaders
from service.lane import Lane
from service.life import Life
from service.memory import keep_tidy, use_few_arenas
from service.metrics import Metrics
from service.negotiate import Bodies
from service.observe import Observe
from service.openapi import complete
from service.page import router as page
from service.pictures.easel import Easel
from service.problems import problem_response
from service.protocols.routes import router as protocols
from service.request_id import RequestId
from service.routes import EVERYWHERE, router
from service.settings import Settings
from service.watcher import Watcher


def create_app(settings: Settings, catalog: Catalog | None = None) -> FastAPI:
    """The whole service. Without a catalog, the models of `settings.models` are loaded beside the event loop."""
    use_few_arenas()
    life, metrics = Life(), Metrics()
    crowd = {"waiting": metrics.waiting, "computing": metrics.computing}
    lane = Lane(settings.threads, settings.max_waiting, phases=("queue", "respond"), **crowd)
    app = FastAPI(
        title="shapserve",
        version=__version__,
        summary="What does a model predict, and why? Every answer says how far it can be trusted.",
        lifespan=_lifespan,
        middleware=[
            *_cors(settings),
            Middleware(RequestId),
            Middleware(SafeHeaders, life),
            Middleware(Observe, metrics),
            Middleware(Access, settings),
        ],
        exception_handlers={Problem: _problem, HTTPException: _http_problem},
        redirect_slashes=False,
        docs_url=None,  # the page serves its own
        redoc_url=None,
        telemetry={"logs": False},  # they would quote exceptions
    )
    easel, found = Easel(), catalog or Catalog(require_receipt=settings.require_receipt, longest=settings.deadline_ms / 1000)
    found.count(metrics)
    app.state.context = Context(settings, found, metrics)
    app.state.watcher = Watcher(found, settings, easel.start) if catalog is None else None
    app.state.lane = lane
    app.state.gate = Gate(lane, metrics, life, settings.cors_origins)
    app.state.drawing = Lane(1, settings.max_waiting, phases=("draw-queue", "draw"), **crowd)
    app.state.easel, app.state.life = easel, life
    app.state.bodies = Bodies(settings.max_body_bytes, settings.max_bodies_bytes, settings.body_seconds, life)
    app.include_router(router)
    app.include_router(protocols)
    app.include_router(page)
    complete(app, EVERYWHERE, keys=bool(settings.api_keys))
    return app


def _cors(settings: Settings) -> list[Middleware]:
    """Nothing unless origins are named: then browsers refuse what other pages ask."""
    if not settings.cors_origins:
        return []
    return [
        Middleware(
            Cors,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "HEAD", "POST"],
            allow_headers=["Content-Type", "Authorization", "X-API-Key"],
            expose_headers=EXPOSED,
        )
    ]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Models load while `/livez` answers; what computes when the service stops may end."""
    end_tidying = keep_tidy()
    if app.state.watcher is not None:
        app.state.watcher.start()
    yield
    end_tidying()
    if app.state.watcher is not None:
        app.state.watcher.stop()
    app.state.lane.close()
    app.state.easel.close()  # first: what still draws is not waited for
    app.state.drawing.close()


async def _problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, Problem)
    return problem_response(problem, request.scope)


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
