"""GET /models, GET /models/{name}"""

from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.wire import Answer

State = Literal["loading", "ready", "refused"]


class ModelSummary(Answer):
    """A model folder and what became of it."""

    name: str
    state: State
    version: str | None
    kind: str | None
    description: str
    reason: Annotated[str | None, Field(description="Why a refused model does not serve.")]


class ModelList(Answer):
    """Every model folder."""

    models: list[ModelSummary]


class FieldDescription(Answer):
    """A field of a record."""

    name: str
    type: str
    description: str
    unit: str | None
    categories: list[str] | None
    minimum: float | None
    maximum: float | None
    observed: tuple[float, float] | None
    required: bool
    missing: Annotated[float | str | None, Field(description="What stands in for an absent value.")]


class ImageDescription(Answer):
    """An image input."""

    height: int
    width: int
    channels: int


class OutputDescription(Answer):
    """What the model answers."""

    names: list[str]
    class_names: list[str] | None
    default: str


class ModelDetail(Answer):
    """All there is to know before asking."""

    name: str
    version: str
    kind: str
    description: str
    fields: list[FieldDescription]
    ignored_fields: list[str]
    columns: list[str]
    image: ImageDescription | None
    outputs: OutputDescription
    players: list[str]
    methods: list[str]
    max_evaluations: int
    background: Annotated[dict[str, Any], Field(description="rows, and how it was made.")]
    training: dict[str, Any]
    metrics: dict[str, float]


class Health(Answer):
    """GET /livez, GET /readyz"""

    status: str
    models: Annotated[dict[str, State], Field(description="State by name; `/readyz` only.")]
