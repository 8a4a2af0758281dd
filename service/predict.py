"""The life of a predict request, top to bottom."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.arrays import Inputs, Outputs
from models.manifest import Manifest
from models.tabular import Instances, InvalidInstances
from schemas.predict import PredictRequest
from schemas.problem import ProblemError
from service.catalog import Model
from service.context import Context
from service.errors import MAX_ERRORS, Invalid, NotFinite, pointer
from service.lane import Clock
from service.respond import rounded
from service.wire import NATIVE, Wire


def predict(body: bytes | bytearray, context: Context, clock: Clock, *, wire: Wire = NATIVE) -> bytes:
    """Parse, look up, encode, predict, respond. Raises Problem."""
    request = wire.read(PredictRequest, body)
    model = context.catalog.get(request.model)
    instances = read_instances(model, request.instances, clock)
    clock.mark("parse")
    predictions = predict_finite(model, instances.inputs, clock)
    clock.mark("predict")
    return wire.write(
        {
            "model": {"name": model.manifest.name, "version": model.manifest.version},
            "output_names": model.manifest.output_names,
            "predictions": rounded(predictions.astype(np.float64)),
            "labels": labels_of(model.manifest, predictions),
            "warnings": instances.warnings,
        },
        predictions,
    )


def read_instances(model: Model, instances: Sequence[Any], clock: Clock, where: str = "/instances") -> Instances:
    """Encode what the client sent under `where`. Raises Invalid."""
    try:
        return model.reader.read(instances, clock.check)
    except InvalidInstances as error:
        errors = [ProblemError(pointer=where + pointer(flaw.path), detail=flaw.detail) for flaw in error.flaws]
        raise Invalid(errors[0].detail if len(errors) == 1 else _several(errors), errors) from None


def _several(errors: list[ProblemError]) -> str:
    count = f"{len(errors)} or more" if len(errors) == MAX_ERRORS else str(len(errors))
    return f"{count} values are not as the model expects them; `errors` says where"


def predict_finite(model: Model, inputs: Inputs, clock: Clock) -> Outputs:
    """The model's answers (n, outputs). Raises NotFinite."""
    predictions = model.predict(inputs, clock.check)
    if not np.isfinite(predictions).all():
        raise NotFinite("the model answered NaN or infinity for at least one instance")
    return predictions


def labels_of(manifest: Manifest, predictions: Outputs) -> list[str] | None:
    """The likeliest class; with a single output the second class from the threshold on."""
    if manifest.class_names is None:
        return None
    single = predictions.shape[1] == 1
    best = (predictions[:, 0] >= manifest.threshold).astype(int) if single else predictions.argmax(axis=1)
    return [manifest.class_names[k] for k in best]
