"""POST /explain"""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from schemas.picture import Palette, Plot
from schemas.predict import PredictRequest
from schemas.wire import Answer, ModelRef, Nested, Sent, Warnings

Method = Literal[
    "auto", "exact", "permutation", "tree", "deep", "deep_paths", "deep_shap", "monte_carlo", "kernel", "gradient", "partition"
]
PlayersName = Literal["fields", "columns", "pixels", "patches"]


class BackgroundInstances(Sent):
    """A background of the client's own: instances like those to explain, with equal weights."""

    instances: Annotated[list[object], Field(min_length=1, max_length=1_000)]


_WORD, _NAMES, _NAME, _OWN = TAGS = ("<word>", "<names>", "<name>", "<own>")
"""The branches of the two unions below, as they stand in the paths of pydantic's errors."""

_Outputs = Annotated[
    Annotated[Literal["all", "predicted"], Tag(_WORD)] | Annotated[list[str], Tag(_NAMES), Field(max_length=10_000)],
    Discriminator(lambda value: _WORD if isinstance(value, str) else _NAMES),
]
_Background = Annotated[
    Annotated[str, Tag(_NAME)] | Annotated[BackgroundInstances, Tag(_OWN)],
    Discriminator(lambda value: _NAME if isinstance(value, str) else _OWN),
]


class Options(Sent):
    """What is asked about instances, and what the answer may cost."""

    outputs: Annotated[
        _Outputs | None,
        Field(description="Which outputs to explain: all, the likeliest per instance, or names. Null: the model's default."),
    ] = None
    players: Annotated[PlayersName | None, Field(description="What a Shapley value is given to. Null: the default.")] = None
    patches: Annotated[
        int | None, Field(ge=1, le=64, description="Patches per side of an image; implies the players `patches`. Null: 4.")
    ] = None
    background: Annotated[_Background, Field(description="A background of the model by name, or instances.")] = "default"
    seed: Annotated[int, Field(ge=0, lt=2**32, description="For methods that draw at random.")] = 0
    max_evaluations: Annotated[
        int | None, Field(ge=1, description="Model inputs per instance that the method may spend. Null: the model's default.")
    ] = None
    max_stderr: Annotated[
        float | None,
        Field(gt=0, description="Sampling methods go on until no standard error is larger. Null: their minimum is enough."),
    ] = None
    deadline_ms: Annotated[
        int | None, Field(ge=1, description="Answer within this time of the last byte of the body; only lowers the setting.")
    ] = None


class Question(Options, PredictRequest):
    """Instances to explain, and what is asked about them."""


class ExplainOptions(Options):
    """How to explain, and what about."""

    method: Annotated[Method, Field(description="`auto` chooses; the answer says which and why.")] = "auto"
    interactions: Annotated[bool, Field(description="With `exact`: the values of pairs of players too.")] = False


class ExplainRequest(ExplainOptions, Question):
    """Instances to explain, and how."""

    plot: Annotated[
        Plot | None,
        Field(
            description="What to draw when `Accept` asks for image/svg+xml or image/png; waterfall and force: one instance;"
            " decision: any number; image: 1 to 8 images; bar, beeswarm: several records. Null: what suits the instances."
        ),
    ] = None
    palette: Annotated[Palette, Field(description="Colours of the picture: shap's red and blue, or orange and blue.")] = "shap"


class BackgroundRef(Answer):
    """What stood in for unknown features."""

    name: str
    rows: int


class Proof(Answer):
    """How far the values can be trusted."""

    exact: Annotated[bool, Field(description="Whether these are the Shapley values themselves, up to rounding.")]
    residual: Annotated[list[float], Field(description="Prediction - base value - sum of Shapley values, per output.")]
    tolerance: Annotated[float, Field(description="What |residual| may be.")]
    ok: Annotated[bool, Field(description="Whether every |residual| is within the tolerance.")]
    stderr: Annotated[Nested | None, Field(description="Standard errors, in the shape of shap_values; null: none.")]
    converged: Annotated[bool | None, Field(description="Whether `max_stderr` was reached; null unless it was given.")]
    stopped_by: Annotated[str | None, Field(description="What ended sampling early: `max_evaluations` or `deadline`.")]
    evaluations: Annotated[int, Field(description="Model inputs run for this instance (deep: pairs).")]
    seed: Annotated[int | None, Field(description="Null when nothing was drawn at random.")]


class Explanation(Answer):
    """Why the model answered so, for one instance."""

    outputs: Annotated[list[str], Field(description="What the last axis of every array stands for.")]
    prediction: list[float]
    base_values: list[float]
    shap_values: Annotated[
        Nested,
        Field(description="(players, outputs); pixels (height, width, channels, outputs); patches (rows, columns, outputs)"),
    ]
    shap_interaction_values: Annotated[
        Nested | None,
        Field(
            description="(players, players, outputs) if `interactions` were asked for: off the diagonal half of a pair's Shapley"
            " interaction index, on it the rest; rows add up to the Shapley values."
        ),
    ]
    data: Annotated[list[float | str] | None, Field(description="What feature_names stood at; null for images.")]
    imputed: Annotated[list[str], Field(description="The fields that were absent and filled in.")]
    proof: Proof


class ExplainResponse(Answer):
    """One explanation per instance."""

    model: ModelRef
    method: str
    why: Annotated[str, Field(description="Why this method.")]
    players: PlayersName
    background: BackgroundRef
    feature_names: list[str] | None
    output_names: list[str]
    explanations: list[Explanation]
    warnings: Warnings
