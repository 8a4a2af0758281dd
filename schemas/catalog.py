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
    reason: Annotated[
        str | None,
        Field(description="Why a refused model does not serve; of one that does, why what is in its folder now does not."),
    ]
    checked: Annotated[bool, Field(description="Whether `shapserve check` has passed it as it is.")]


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


class Audit(Answer):
    """What `shapserve audit` measured of a method, on instances of the background."""

    players: str
    instances: int
    truth: Annotated[str, Field(description="What it was compared with.")]
    mean_value: Annotated[float, Field(description="Mean absolute value of the truth, in output units.")]
    mean_error: Annotated[float, Field(description="Mean absolute difference from the truth.")]
    worst_error: float
    sign_errors: Annotated[float, Field(description="Share of wrong signs among the values of at least the mean size.")]
    top_errors: Annotated[float, Field(description="Share of explanations whose largest value is another player's.")]
    largest_residual: float
    evaluations: Annotated[float, Field(description="Per instance, on average.")]
    milliseconds: Annotated[float, Field(description="Per instance, on the machine of the audit.")]


class MethodDescription(Answer):
    """A way to explain."""

    name: str
    players: Annotated[list[str], Field(description="What it gives values to.")]
    available: bool
    reason: Annotated[str | None, Field(description="Why it cannot explain this model.")]
    audit: Annotated[Audit | None, Field(description="Its error and cost as measured; null: not measured.")]


class OutputDescription(Answer):
    """What the model answers."""

    names: list[str]
    class_names: list[str] | None
    probabilities: Annotated[bool, Field(description="Whether they are probabilities of classes, not margins or other numbers.")]
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
    methods: list[MethodDescription]
    max_evaluations: int
    background: Annotated[dict[str, Any], Field(description="Rows of `default`, and how it was made.")]
    backgrounds: Annotated[list[str], Field(description="Names that `background` takes.")]
    training: dict[str, Any]
    metrics: dict[str, float]


class Health(Answer):
    """GET /livez, GET /readyz"""

    status: str
    models: Annotated[dict[str, State], Field(description="State by name; `/readyz` only.")]
