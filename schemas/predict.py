"""POST /predict"""

from typing import Annotated, Any

from pydantic import Field

from schemas.wire import Answer, ModelRef, Sent, Warnings

MAX_INSTANCES = 10_000


class ImageFile(Sent):
    """A PNG or JPEG file."""

    b64: Annotated[str, Field(description="The file in standard base64; white space and a `data:` prefix are accepted.")]


Instances = Annotated[
    list[Any],
    Field(
        min_length=1,
        max_length=MAX_INSTANCES,
        description="Records by field name (null means absent), or images `{b64}`.",
        examples=[[{"Pclass": 3, "Sex": "male", "Age": 22, "SibSp": 1, "Parch": 0, "Fare": 7.25, "Embarked": "S"}]],
    ),
]


class PredictRequest(Sent):
    """Instances for one model."""

    model: Annotated[str, Field(examples=["titanic"])]
    instances: Instances


class PredictResponse(Answer):
    """One prediction per instance."""

    model: ModelRef
    output_names: list[str]
    predictions: Annotated[list[list[float]], Field(description="(instances, outputs)")]
    labels: Annotated[list[str] | None, Field(description="The likeliest class per instance; null for regression.")]
    warnings: Warnings
