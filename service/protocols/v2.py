"""V2: tensors in, tensors out; the model and perhaps its version in the path."""

from typing import TypeVar

import numpy as np
from pydantic import BaseModel

from models.arrays import Outputs
from schemas.explain import ExplainRequest
from schemas.predict import PredictRequest
from schemas.v2 import V2ExplainParameters, V2ExplainRequest, V2InferRequest
from service.body import parse
from service.catalog import Catalog, Snapshot
from service.protocols.inputs import Received, receive
from service.protocols.metadata import find
from service.protocols.outputs import EXPLAINED, PREDICTED, Offered, parameters, tensors, wanted
from service.protocols.tell import native
from service.respond import Json, rounded, to_json

S = TypeVar("S", bound=BaseModel)
_BODIES: dict[type[BaseModel], type[V2InferRequest]] = {PredictRequest: V2InferRequest, ExplainRequest: V2ExplainRequest}
_TENSORS: dict[type[BaseModel], Offered] = {PredictRequest: PREDICTED, ExplainRequest: EXPLAINED}


class V2:
    """One request to a model, and its answer."""

    def __init__(self, model: str, version: str | None, catalog: Catalog | Snapshot) -> None:
        self._model, self._version, self._catalog = model, version, catalog
        self._received: Received | None = None

    def read(self, schema: type[S], body: bytes | bytearray) -> S:
        """Raises NotJson, Invalid, UnknownModel, UnknownVersion, Loading."""
        sent = parse(_BODIES[schema], body)
        manifest = find(self._catalog, self._model, self._version).manifest
        self._offered = _TENSORS[schema]
        self._wanted = wanted(sent.outputs, self._offered)
        self._id = sent.id
        self._fields = [field.name for field in manifest.fields]
        self._received = receive(sent.inputs, manifest)
        options = sent.parameters if isinstance(sent.parameters, V2ExplainParameters) else None
        return native(schema, self._model, self._received.instances, options)

    def point(self, pointer: str) -> str:
        """Instances stand in tensors, options in `parameters`."""
        if self._received is None:
            return pointer
        return self._received.point(pointer) if pointer.startswith("/instances") else f"/parameters{pointer}"

    def write(self, content: Json, predictions: Outputs) -> bytes:
        """Tensors, and the request's id."""
        content = content | {"predictions": rounded(predictions.astype(np.float64)), "fields": self._fields}
        said = parameters(content)
        return to_json(
            {
                "model_name": content["model"]["name"],
                "model_version": content["model"]["version"],
                **({} if self._id is None else {"id": self._id}),
                **({"parameters": said} if said else {}),
                "outputs": tensors(self._wanted, self._offered, content),
            }
        )
