"""POST /compare"""

from typing import Annotated, get_args

from pydantic import Field

from schemas.explain import ExplainResponse, Method, Question
from schemas.wire import Answer


class CompareRequest(Question):
    """Instances to explain by several methods."""

    methods: Annotated[list[Method], Field(min_length=2, max_length=len(get_args(Method)), description="Each at most once.")]


class Difference(Answer):
    """How far two methods are apart, over all instances, players and outputs."""

    a: str
    b: str
    mean: Annotated[float, Field(description="Mean absolute difference of the values, in output units.")]
    max: Annotated[float, Field(description="The largest.")]
    sign_flips: Annotated[int, Field(description="Values that are positive for one and negative for the other.")]
    rank_correlation: Annotated[
        float | None,
        Field(description="Spearman's, of the players of one explanation; the mean of all. Null: no explanation has two ranks."),
    ]


class CompareResponse(Answer):
    """The explanations of every method, and how they differ."""

    explanations: Annotated[dict[str, ExplainResponse], Field(description="By method as named in the request.")]
    differences: list[Difference]
