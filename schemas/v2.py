"""The Open Inference Protocol, which KServe calls V2: /v2"""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from schemas.explain import ExplainOptions
from schemas.wire import Answer, Sent

Datatype = Literal[
    "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES"
]
Dimension = Annotated[int, Field(ge=0)]
_MOST = 10_000
"""Tensors. The first wrong one ends the search: pydantic makes an error of each, and nothing else of Python runs meanwhile."""


class Hints(Sent):
    """What clients note about their own encoding; nothing depends on it."""

    content_type: str | None = None


def _boolean(value: object) -> object:
    """0 equals false, and is no boolean."""
    if not isinstance(value, bool | None):
        raise ValueError("expected false")
    return value


_NotBinary = Annotated[
    Literal[False] | None, BeforeValidator(_boolean), Field(description="The extension for binary tensors is not spoken.")
]


class OutputHints(Hints):
    """The same for an output."""

    binary_data: _NotBinary = None


class RequestHints(Hints):
    """The same for a request."""

    binary_data_output: _NotBinary = None


class InputTensor(Sent):
    """A field of every record, or the images."""

    name: Annotated[str, Field(examples=["Age"])]
    shape: Annotated[
        list[Dimension],
        Field(
            min_length=1, max_length=8, description="[n] or [n, 1]; images as FP32 [n, height, width, channels]", examples=[[1]]
        ),
    ]
    datatype: Annotated[Datatype, Field(examples=["FP64"])]
    parameters: Hints | None = None
    data: Annotated[list[Any], Field(description="In row-major order, flat or nested; null: absent.", examples=[[0.92]])]


class RequestedOutput(Sent):
    """An output tensor, by name."""

    name: Annotated[str, Field(examples=["predictions"])]
    parameters: OutputHints | None = None


class V2InferRequest(Sent):
    """Instances, as one tensor per field or one of images."""

    id: Annotated[str | None, Field(max_length=1_000, description="Comes back in the answer.")] = None
    parameters: RequestHints | None = None
    inputs: Annotated[
        list[InputTensor],
        Field(min_length=1, max_length=_MOST, fail_fast=True, description="A field without tensor is absent from every record."),
    ]
    outputs: Annotated[
        Annotated[list[RequestedOutput], Field(max_length=_MOST, fail_fast=True)] | None,
        Field(description="Tensors wanted; null or none: all."),
    ] = None


class V2ExplainParameters(RequestHints, ExplainOptions):
    """The options of /explain."""


class V2ExplainRequest(V2InferRequest):
    """Instances to explain, and how."""

    parameters: V2ExplainParameters | None = None


class OutputTensor(Answer):
    """An array of the answer."""

    name: str
    shape: list[int]
    datatype: Datatype
    data: Annotated[list[float | str | bool], Field(description="Flat, in row-major order.")]


class V2Response(Answer):
    """/infer: `predictions`. /explain: also the arrays of an explanation, and in `parameters` how they were made."""

    model_name: str
    model_version: str
    id: Annotated[str, Field(description="Of the request; left out when it has none.")] = ""
    parameters: Annotated[
        dict[str, str | float | bool], Field(default_factory=dict, description="Left out when there is nothing to say.")
    ]
    outputs: list[OutputTensor]


class ServerMetadata(Answer):
    """Who answers."""

    name: str
    version: str
    extensions: Annotated[list[str], Field(description="`explain`: POST /v2/models/{name}/explain")]


class ServerLive(Answer):
    """The process is up."""

    live: bool


class ServerReady(Answer):
    """Every model serves or is refused, and at least one serves."""

    live: bool
    ready: bool


class TensorMetadata(Answer):
    """A tensor that the model takes or gives."""

    name: str
    datatype: Datatype
    shape: Annotated[list[int], Field(description="-1: any number.")]


class ModelMetadata(Answer):
    """What a model takes and gives."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
