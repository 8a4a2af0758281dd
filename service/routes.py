"""The endpoints: they translate HTTP and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import PlainTextResponse

from schemas.catalog import Health, ModelDetail, ModelList
from schemas.compare import CompareRequest, CompareResponse
from schemas.explain import ExplainRequest, ExplainResponse
from schemas.picture import JSON, MEDIA_TYPES
from schemas.predict import PredictRequest, PredictResponse
from schemas.summary import Samples, SummaryRequest, SummaryResponse
from service import metrics
from service.compare import compare
from service.context import Context
from service.describe import describe, summarise
from service.errors import MEDIA_TYPE
from service.explain import explain
from service.gate import TICKET
from service.lane import Clock
from service.negotiate import accept, until_left
from service.openapi import Responses, drawn, takes
from service.pictures.sketch import Sketch
from service.predict import predict
from service.samples import samples
from service.summary import summary

router = APIRouter()
ModelName = Annotated[str, Path(examples=["titanic"])]

PROBLEMS: Responses = {
    status: {"description": description, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for status, description in {
        400: "not JSON, a key twice, or a number that is not finite",
        401: "a key is needed",
        404: "no such model",
        406: "nothing that can be made is accepted",
        408: "the head or the body took too long",
        413: "the body is too large",
        415: "the body is not declared as JSON",
        421: "the service is not called by this name",
        422: "the schema or the model refuses the request",
        429: "the key has asked too often; Retry-After says when to come again",
        431: "the request line and the headers are too large",
        500: "the model's answer is not finite, or a fault of the service",
        503: "loading, or full; Retry-After says when to come again",
        504: "the deadline passed",
    }.items()
}


EVERYWHERE: Responses = {status: PROBLEMS[status] for status in (401, 408, 421, 429, 431)}
"""Decided before it is looked at where a request goes."""


@router.post("/predict", tags=["ask"], response_model=PredictResponse, responses=PROBLEMS, openapi_extra=takes(PredictRequest))
async def post_predict(request: Request) -> Response:
    """What does the model predict?"""
    return await compute(request, predict, accept(request, [JSON]))


@router.post(
    "/explain", tags=["ask"], response_model=ExplainResponse, responses=PROBLEMS | drawn(), openapi_extra=takes(ExplainRequest)
)
async def post_explain(request: Request) -> Response:
    """And why?"""
    media = accept(request, MEDIA_TYPES)
    return await compute(request, partial(explain, media=media), media)


@router.post(
    "/summary", tags=["ask"], response_model=SummaryResponse, responses=PROBLEMS | drawn(), openapi_extra=takes(SummaryRequest)
)
async def post_summary(request: Request) -> Response:
    """What matters to the model over all?"""
    media = accept(request, MEDIA_TYPES)
    return await compute(request, partial(summary, media=media), media)


@router.post("/compare", tags=["ask"], response_model=CompareResponse, responses=PROBLEMS, openapi_extra=takes(CompareRequest))
async def post_compare(request: Request) -> Response:
    """What do several methods say?"""
    return await compute(request, compare, accept(request, [JSON]))


@router.head("/models", include_in_schema=False)
@router.get("/models", tags=["models"])
async def get_models(request: Request) -> ModelList:
    """Every model, and whether it serves."""
    return summarise(request.app.state.context.catalog)


@router.head("/models/{name}", include_in_schema=False)
@router.get("/models/{name}", tags=["models"], responses={404: PROBLEMS[404], 503: PROBLEMS[503]})
async def get_model(name: ModelName, request: Request) -> ModelDetail:
    """All there is to know about one model before asking it."""
    return describe(request.app.state.context.catalog.get(name))


@router.head("/models/{name}/samples", include_in_schema=False)
@router.get("/models/{name}/samples", tags=["models"], responses={404: PROBLEMS[404], 503: PROBLEMS[503]})
def get_samples(name: ModelName, request: Request) -> Samples:
    """Instances to try: those that the manifest names, and the centres of its background where they are nobody's record."""
    context = request.app.state.context
    return samples(context.catalog.get(name), context.settings)


@router.head("/livez", include_in_schema=False)
@router.get("/livez", tags=["operations"])
async def get_livez() -> Health:
    """The process is up."""
    return Health(status="alive", models={})


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", tags=["operations"], responses={503: {"model": Health}})
async def get_readyz(request: Request, response: Response) -> Health:
    """Every model serves or is refused, and at least one serves."""
    ready = is_ready(request)
    response.status_code = 200 if ready else 503
    models = {name: entry.state for name, entry in request.app.state.context.catalog.entries().items()}
    return Health(status="ready" if ready else "not ready", models=models)


@router.head("/metrics", include_in_schema=False)
@router.get("/metrics", tags=["operations"], response_class=PlainTextResponse)
def get_metrics(request: Request) -> Response:
    """What was counted, in Prometheus's format."""
    return Response(request.app.state.context.metrics.text(), media_type=metrics.MEDIA_TYPE)


def is_ready(request: Request) -> bool:
    """Whether requests are welcome: models serve, and the service goes on."""
    app = request.app.state
    return app.context.catalog.ready() and not app.life.stopping


async def compute(request: Request, work: Callable[[bytes | bytearray, Context, Clock], bytes | Sketch], media: str) -> Response:
    """Compute in one lane; what is to be drawn goes on to another."""
    app = request.app.state
    async with app.bodies.json(request) as body:
        clock = Clock(app.context.settings.deadline_ms)
        context = replace(app.context, catalog=app.context.catalog.snapshot())
        app.gate.seat(request.scope.get(TICKET))
        answer = await app.lane.run(lambda clock: work(body, context, clock), clock, until_left(request))
    if isinstance(answer, Sketch):
        answer = await app.drawing.run(partial(app.easel.draw, answer), clock, until_left(request))
    app.context.metrics.timed(clock.phases)
    return Response(answer, media_type=media, headers={"Server-Timing": clock.server_timing(), "Vary": "Accept"})
