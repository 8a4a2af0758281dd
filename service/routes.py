"""The endpoints: they translate HTTP and nothing else."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from schemas.catalog import Health, ModelDetail, ModelList
from schemas.compare import CompareRequest, CompareResponse
from schemas.explain import ExplainRequest, ExplainResponse
from schemas.predict import PredictRequest, PredictResponse
from service import metrics
from service.compare import compare
from service.context import Context
from service.describe import describe, summarise
from service.errors import MEDIA_TYPE
from service.explain import explain
from service.lane import Clock
from service.negotiate import accept_json, read_json, until_left
from service.openapi import takes
from service.predict import predict

router = APIRouter()

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": description, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for status, description in {
        400: "not JSON, a key twice, or a number that is not finite",
        404: "no such model",
        406: "JSON is not accepted",
        413: "the body is too large",
        415: "the body is not declared as JSON",
        422: "the schema or the model refuses the request",
        500: "the model's answer is not finite, or a fault of the service",
        503: "loading, or full; Retry-After says when to come again",
        504: "the deadline passed",
    }.items()
}


@router.post("/predict", response_model=PredictResponse, responses=_PROBLEMS, openapi_extra=takes(PredictRequest))
async def post_predict(request: Request) -> Response:
    """What does the model predict?"""
    return await _compute(request, predict)


@router.post("/explain", response_model=ExplainResponse, responses=_PROBLEMS, openapi_extra=takes(ExplainRequest))
async def post_explain(request: Request) -> Response:
    """And why?"""
    return await _compute(request, explain)


@router.post("/compare", response_model=CompareResponse, responses=_PROBLEMS, openapi_extra=takes(CompareRequest))
async def post_compare(request: Request) -> Response:
    """What do several methods say?"""
    return await _compute(request, compare)


@router.head("/models", include_in_schema=False)
@router.get("/models")
async def get_models(request: Request) -> ModelList:
    """Every model, and whether it serves."""
    return summarise(request.app.state.context.catalog)


@router.get("/models/{name}", responses={404: _PROBLEMS[404], 503: _PROBLEMS[503]})
async def get_model(name: str, request: Request) -> ModelDetail:
    """All there is to know about one model before asking it."""
    return describe(request.app.state.context.catalog.get(name))


@router.head("/livez", include_in_schema=False)
@router.get("/livez")
async def get_livez() -> Health:
    """The process is up."""
    return Health(status="alive", models={})


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses={503: {"model": Health}})
async def get_readyz(request: Request, response: Response) -> Health:
    """Every model serves or is refused, and at least one serves."""
    catalog = request.app.state.context.catalog
    ready = catalog.ready()
    response.status_code = 200 if ready else 503
    models = {name: entry.state for name, entry in catalog.entries().items()}
    return Health(status="ready" if ready else "not ready", models=models)


@router.head("/metrics", include_in_schema=False)
@router.get("/metrics", response_class=PlainTextResponse)
async def get_metrics(request: Request) -> Response:
    """What was counted, in Prometheus's format."""
    return Response(request.app.state.context.metrics.text(), media_type=metrics.MEDIA_TYPE)


async def _compute(request: Request, work: Callable[[bytes | bytearray, Context, Clock], bytes]) -> Response:
    accept_json(request)
    context = request.app.state.context
    body = await read_json(request, context.settings.max_body_bytes)
    clock = Clock(context.settings.deadline_ms)
    answer = await request.app.state.lane.run(lambda clock: work(body, context, clock), clock, until_left(request))
    return Response(answer, media_type="application/json", headers={"Server-Timing": clock.server_timing()})
