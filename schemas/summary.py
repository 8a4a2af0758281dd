"""POST /summary, GET /models/{name}/samples"""

from typing import Annotated, Any

from pydantic import Field

from schemas.explain import ExplainRequest, ExplainResponse
from schemas.predict import MAX_INSTANCES
from schemas.wire import Answer, ModelRef, Nested


class SummaryRequest(ExplainRequest):
    """Many instances to explain, and to add up. Without instances, those of the background."""

    instances: list[Any] = Field(
        default_factory=list,
        min_length=1,
        max_length=MAX_INSTANCES,
        description="As for /explain; left out: the rows of the model's background.",
    )


class SummaryResponse(ExplainResponse):
    """How much each player matters, over all instances; and their explanations.

    None of the background's rows where these may be somebody's: values would tell what they are.
    """

    outputs: Annotated[list[str], Field(description="What the last axis of mean_abs_shap_values stands for.")]
    mean_abs_shap_values: Annotated[
        Nested,
        Field(
            description="(players..., outputs): the mean of |Shapley value|, by the weights of the background where its rows are"
            " explained; with `predicted` over the instances for which the output is the likeliest."
        ),
    ]


class Example(Answer):
    """An instance worth a look."""

    name: str
    instance: Any


class Samples(Answer):
    """Instances to try a model on."""

    model: ModelRef
    examples: Annotated[list[Example], Field(description="Those that the model's manifest names.")]
    instances: Annotated[list[Any], Field(description="The centres of the background, as /predict takes them.")]
    weights: Annotated[list[float], Field(description="Share of the training data that each centre stands for.")]
    labels: Annotated[list[str] | None, Field(description="The likeliest class of each centre; null for regression.")]
