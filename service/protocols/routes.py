"""The endpoints of KServe's protocols: they translate HTTP and nothing else."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response

from schemas.picture import JSON
from schemas.problem import ProtocolProblem
from schemas.v1 import ModelReady, V1ExplainRequest, V1ExplainResponse, V1ModelList, V1PredictRequest, V1PredictResponse
from schemas.v2 import ModelMetadata, ServerLive, ServerMetadata, ServerReady, V2ExplainRequest, V2InferRequest, V2Response
from service.errors import MEDIA_TYPE
from service.explain import explain
from service.negotiate import accept
from service.openapi import Responses, reference, takes
from service.predict import predict
from service.protocols.metadata import about_model, about_server, find, readiness
from service.protocols.tell import Speak, Story, tell
from service.protocols.v1 import V1
from service.protocols.v2 import V2
from service.routes import PROBLEMS, ModelName, compute, is_ready

_PROBLEM = {MEDIA_TYPE: {"schema": reference(ProtocolProblem)}}
_PROBLEMS: Responses = {status: said | {"content": _PROBLEM} for status, said in PROBLEMS.items()}
_MISSING: Responses = {status: _PROBLEMS[status] for status in (404, 503)}
_UNREADY: Responses = {404: _PROBLEMS[404], 503: {"model": ModelReady, "description": "it loads, or is refused"}}
router = APIRouter()
v1 = APIRouter(tags=["kserve v1"])
v2 = APIRouter(tags=["open inference v2"])
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


def _versioned(version: Annotated[str, Path(examples=["1"])]) -> None:
    """Declares what `_version` reads."""


def _of_model(path: str, *methods: str, **told: Any) -> Callable[[_Endpoint], _Endpoint]:
    """Below a model's name and again below its version: whole templates, which metrics and log call the route by."""

    def register(endpoint: _Endpoint) -> _Endpoint:
        v2.add_api_route(f"/v2/models/{{name}}{path}", endpoint, methods=[*methods], **told)
        versions = f"/v2/models/{{name}}/versions/{{version}}{path}"
        v2.add_api_route(versions, endpoint, methods=[*methods], dependencies=[Depends(_versioned)], **told)
        return endpoint

    return register


@v1.head("/v1/models", include_in_schema=False)
@v1.get("/v1/models")
async def get_models(request: Request) -> V1ModelList:
    """The names of the models that serve."""
    entries = request.app.state.context.catalog.entries()
    return V1ModelList(models=[name for name, entry in entries.items() if entry.model is not None])


@v1.post(
    "/v1/models/{name}:predict", response_model=V1PredictResponse, responses=_PROBLEMS, openapi_extra=takes(V1PredictRequest)
)
async def post_predict(name: ModelName, request: Request) -> Response:
    """What does the model predict?"""
    return await _told(request, predict, lambda _: V1(name))


@v1.post(
    "/v1/models/{name}:explain", response_model=V1ExplainResponse, responses=_PROBLEMS, openapi_extra=takes(V1ExplainRequest)
)
async def post_explain(name: ModelName, request: Request) -> Response:
    """And why?"""
    return await _told(request, explain, lambda _: V1(name))


@v1.api_route("/v1/models/{name}:predict", methods=["GET", "HEAD"], include_in_schema=False)
@v1.api_route("/v1/models/{name}:explain", methods=["GET", "HEAD"], include_in_schema=False)
async def refuse_reading(name: ModelName) -> None:
    """Otherwise a model of this name would be looked for."""
    raise HTTPException(405, headers={"Allow": "POST"})


@v1.head("/v1/models/{name}", include_in_schema=False)
@v1.get("/v1/models/{name}", responses=_UNREADY)
async def get_model(name: ModelName, request: Request, response: Response) -> ModelReady:
    """Whether the model serves."""
    return _status(response, readiness(request.app.state.context.catalog, name))


@v2.head("/v2", include_in_schema=False)
@v2.api_route("/v2/", methods=["GET", "HEAD"], include_in_schema=False)
@v2.get("/v2")
async def get_server() -> ServerMetadata:
    """Who answers, and what else than the protocol it offers."""
    return about_server()


@v2.head("/v2/health/live", include_in_schema=False)
@v2.get("/v2/health/live")
async def get_live() -> ServerLive:
    """The process is up."""
    return ServerLive(live=True)


@v2.head("/v2/health/ready", include_in_schema=False)
@v2.get("/v2/health/ready", responses={503: {"model": ServerReady}})
async def get_ready(request: Request, response: Response) -> ServerReady:
    """Every model serves or is refused, and at least one serves."""
    ready = is_ready(request)
    response.status_code = 200 if ready else 503
    return ServerReady(live=True, ready=ready)


@_of_model("", "HEAD", include_in_schema=False)
@_of_model("", "GET", responses=_MISSING)
async def get_metadata(name: ModelName, request: Request) -> ModelMetadata:
    """The tensors that the model takes and gives."""
    return about_model(find(request.app.state.context.catalog, name, _version(request)))


@_of_model("/ready", "HEAD", include_in_schema=False)
@_of_model("/ready", "GET", responses=_UNREADY)
async def get_model_ready(name: ModelName, request: Request, response: Response) -> ModelReady:
    """Whether the model serves."""
    return _status(response, readiness(request.app.state.context.catalog, name, _version(request)))


@_of_model("/infer", "POST", response_model=V2Response, responses=_PROBLEMS, openapi_extra=takes(V2InferRequest))
async def post_infer(name: ModelName, request: Request) -> Response:
    """What does the model predict?"""
    return await _told(request, predict, lambda context: V2(name, _version(request), context.catalog))


@_of_model("/explain", "POST", response_model=V2Response, responses=_PROBLEMS, openapi_extra=takes(V2ExplainRequest))
async def post_explain_tensors(name: ModelName, request: Request) -> Response:
    """And why? An extension of the protocol."""
    return await _told(request, explain, lambda context: V2(name, _version(request), context.catalog))


async def _told(request: Request, story: Story, speak: Speak) -> Response:
    return await compute(request, partial(tell, story, speak), accept(request, [JSON]))


def _status(response: Response, model: ModelReady) -> ModelReady:
    response.status_code = 200 if model.ready else 503
    return model


def _version(request: Request) -> str | None:
    return request.path_params.get("version")


router.include_router(v1)
router.include_router(v2)
