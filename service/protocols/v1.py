"""V1: the instances in the body, the model in the path, options in `parameters`."""

from typing import TypeVar

import numpy as np
from pydantic import BaseModel

from models.arrays import Outputs
from schemas.explain import ExplainRequest
from schemas.predict import PredictRequest
from schemas.v1 import V1ExplainRequest, V1PredictRequest
from service.body import parse
from service.protocols.tell import native
from service.respond import Json, rounded, to_json

S = TypeVar("S", bound=BaseModel)
_BODIES: dict[type[BaseModel], type[V1PredictRequest | V1ExplainRequest]] = {
    PredictRequest: V1PredictRequest,
    ExplainRequest: V1ExplainRequest,
}
_OF_ALL = ("explanations", "warnings")
"""What an answer says of all instances and no explanation repeats."""


class V1:
    """One request to a model, and its answer."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._is_read = False

    def read(self, schema: type[S], body: bytes | bytearray) -> S:
        """Raises NotJson, Invalid."""
        sent = parse(_BODIES[schema], body)
        self._is_read = True
        options = sent.parameters if isinstance(sent, V1ExplainRequest) else None
        return native(schema, self._model, sent.instances, options)

    def point(self, pointer: str) -> str:
        """Options stand in `parameters`."""
        return f"/parameters{pointer}" if self._is_read and not pointer.startswith("/instances") else pointer

    def write(self, content: Json, predictions: Outputs) -> bytes:
        """`predictions`, `explanations` that each say how they were made, and `warnings` if there are any."""
        answer: Json = {"predictions": rounded(predictions.astype(np.float64))}
        if "explanations" in content:
            made = {name: value for name, value in content.items() if name not in _OF_ALL}
            answer["explanations"] = [made | explanation for explanation in content["explanations"]]
        if content["warnings"]:
            answer["warnings"] = content["warnings"]
        return to_json(answer)
