"""Images as clients send them: base64 files, or arrays, read into what the network sees."""

import base64
import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from models.arrays import Array, Inputs
from models.images import InvalidImage, has_light_border, read_image, scale_pixels, to_bytes
from models.manifest import ImageSpec
from models.tabular import MAX_FLAWS, Flaw, Instances, InvalidInstances
from schemas.predict import ImageFile

_FILE = TypeAdapter(ImageFile)
_PREFIX = re.compile(r"\s*data:[^,]*;base64,", re.IGNORECASE)


_LIGHT = "light along the border, unlike the training data: nothing was inverted"
_NEARLY = 1e-6
"""Share of the range by which scaling elsewhere may be off."""


class ImageReader:
    """Reads the images of one model; safe to share between threads."""

    def __init__(self, spec: ImageSpec) -> None:
        self._spec = spec

    def read(self, instances: Sequence[Any], check: Callable[[], None]) -> Instances:
        """Decode and fit. Raises InvalidInstances: one bad image refuses them all.

        instances: files as in JSON; or arrays (height, width, channels), which JSON cannot hold, scaled already.
        """
        images: list[Inputs] = []
        changes: Counter[str] = Counter()
        flaws: list[Flaw] = []
        for i, instance in enumerate(instances):
            check()
            try:
                image, changed = self._scaled(instance) if isinstance(instance, np.ndarray) else self._decoded(instance)
            except ValidationError:
                flaws.append(Flaw((i,), 'expected {"b64": "<a PNG or JPEG file in base64>"}'))
            except InvalidImage as error:
                flaws.append(Flaw((i,) if isinstance(instance, np.ndarray) else (i, "b64"), str(error)))
            if len(flaws) == MAX_FLAWS:
                break
            if flaws:
                continue
            images.append(image)
            changes.update(changed)
        if flaws:
            raise InvalidInstances(flaws)
        warnings = [f"{count} of {len(images)} images: {change}" for change, count in changes.items()]
        return Instances(np.stack(images), None, None, [[] for _ in images], warnings)

    def _decoded(self, instance: Any) -> tuple[Inputs, list[str]]:
        """A file, and what is to be said of it. Raises ValidationError, InvalidImage."""
        pixels, changed = read_image(_decode(_FILE.validate_python(instance).b64), self._spec)
        return scale_pixels(pixels, self._spec), changed + ([_LIGHT] if has_light_border(pixels) else [])

    def _scaled(self, array: Array) -> tuple[Inputs, list[str]]:
        """An array as it is, and what is to be said of it. Raises InvalidImage."""
        spec = self._spec
        if array.shape != (spec.height, spec.width, spec.channels) or array.dtype != np.float32:
            raise InvalidImage(f"expected float32 numbers of shape ({spec.height}, {spec.width}, {spec.channels})")
        if not np.isfinite(array).all():
            raise InvalidImage("expected finite numbers")
        least, most = scale_pixels(np.array([0, 255], np.uint8), spec)
        outside = [f"values outside {least:g} to {most:g}, which bytes are scaled to"] if _outside(array, least, most) else []
        return array, outside + ([_LIGHT] if has_light_border(to_bytes(array, spec)) else [])

    def restore(self, x: Inputs) -> Instances:
        """Images (n, height, width, channels) as the network sees them."""
        return Instances(x, None, None, [[] for _ in x], [])


def _decode(text: str) -> bytes:
    prefix = _PREFIX.match(text)
    try:
        encoded = text[prefix.end() if prefix else 0 :].encode("ascii").translate(None, string.whitespace.encode())
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        raise InvalidImage("expected the file in standard base64 (A-Z a-z 0-9 + / and = at the end)") from None


def _outside(array: Inputs, least: float, most: float) -> bool:
    slack = (most - least) * _NEARLY
    return bool(array.min() < least - slack or array.max() > most + slack)
