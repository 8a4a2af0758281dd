"""Instances to try a model on."""

import base64
from typing import Any

import numpy as np

from models.images import to_bytes, to_png
from schemas.summary import Example, Samples
from schemas.wire import ModelRef
from service.catalog import Model
from service.errors import NotFound
from service.predict import labels_of
from service.settings import Settings


def samples(model: Model, settings: Settings) -> Samples:
    """GET /models/{name}/samples. Raises NotFound."""
    manifest, known = model.manifest, model.backgrounds.named("default")
    shown = is_shown(model, settings)
    if not shown and not manifest.examples:
        raise NotFound("the rows of this model's background are not shown")
    return Samples(
        model=ModelRef(name=manifest.name, version=manifest.version),
        examples=[Example(name=example.name, instance=example.instance) for example in manifest.examples],
        instances=_instances(model) if shown else [],
        weights=known.background.weights.tolist() if shown else [],
        labels=labels_of(manifest, known.predictions.astype(np.float32)) if shown else [],
    )


def is_shown(model: Model, settings: Settings) -> bool:
    """Whether rows of the background may leave the service: only where they are nobody's, and the operator agrees."""
    return model.manifest.samples and settings.show_samples


def _instances(model: Model) -> list[Any]:
    """The rows of the background as a client would send them."""
    x, image = model.backgrounds.named("default").background.x, model.manifest.image
    if image is not None:
        return [{"b64": base64.b64encode(to_png(pixels)).decode()} for pixels in to_bytes(x, image)]
    names = [field.name for field in model.manifest.fields]
    return [dict(zip(names, row, strict=True)) for row in model.reader.restore(x).data or []]
