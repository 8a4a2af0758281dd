"""KServe's V1 protocol: /v1/models"""

from typing import Annotated

from pydantic import Field

from schemas.explain import BackgroundRef, ExplainOptions, Explanation, PlayersName
from schemas.predict import Instances
from schemas.wire import Answer, ModelRef, Sent

_Predictions = Annotated[list[list[float]], Field(description="(instances, outputs)")]
_Warnings = Annotated[
    list[str],
    Field(default_factory=list, description="What the client should know about its input; left out when there is nothing."),
]


class V1PredictRequest(Sent):
    """Instances for the model of the path."""

    instances: Instances


class V1ExplainRequest(Sent):
    """Instances to explain, and how."""

    instances: Instances
    parameters: Annotated[ExplainOptions, Field(description="The options of /explain.")] = ExplainOptions()


class V1PredictResponse(Answer):
    """One prediction per instance."""

    predictions: _Predictions
    warnings: _Warnings


class V1Explanation(Explanation):
    """Why the model answered so, for one instance; with what /explain says once for all of them."""

    model: ModelRef
    method: str
    why: Annotated[str, Field(description="Why this method.")]
    players: PlayersName
    background: BackgroundRef
    feature_names: list[str] | None
    output_names: Annotated[list[str], Field(description="What the last axis of the predictions stands for.")]


class V1ExplainResponse(Answer):
    """One prediction and one explanation per instance."""

    predictions: _Predictions
    explanations: list[V1Explanation]
    warnings: _Warnings


class V1ModelList(Answer):
    """The models that serve."""

    models: Annotated[list[str], Field(examples=[["fashion-mnist", "titanic"]])]


class ModelReady(Answer):
    """Whether a model serves; both protocols say it so."""

    name: str
    ready: bool
