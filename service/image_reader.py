"""Images as clients send them: base64 files, read into what the network sees."""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from pydantic import TypeAdapter, ValidationError

from models.arrays import Bytes, Inputs
from models.images import InvalidImage, has_light_border, read_image, scale_pixels
from models.manifest import ImageSpec
from models.tabular import MAX_FLAWS, Flaw, Instances, InvalidInstances
from schemas.predict import ImageFile

_FILE = TypeAdapter(ImageFile)
_PREFIX = re.compile(r"\s*data:[^,]*;base64,", re.IGNORECASE)


class ImageReader:
    """Reads the images of one model; safe to share between threads."""

    def __init__(self, spec: ImageSpec) -> None:
        self._spec = spec

    def read(self, instances: Sequence[Any], check: Callable[[], None]) -> Instances:
        """Decode and fit. Raises InvalidInstances: one bad image refuses them all."""
        images: list[Bytes] = []
        changes: Counter[str] = Counter()
        flaws: list[Flaw] = []
        for i, instance in enumerate(instances):
            check()
            try:
                image, changed = read_image(_decode(_FILE.validate_python(instance).b64), self._spec)
            except ValidationError:
                flaws.append(Flaw((i,), 'expected {"b64": "<a PNG or JPEG file in base64>"}'))
            except InvalidImage as error:
                flaws.append(Flaw((i, "b64"), str(error)))
            if len(flaws) == MAX_FLAWS:
                break
            if flaws:
                continue
            images.append(image)
            changes.update(changed)
            if has_light_border(image):
                changes["light along the border, unlike the training data: nothing was inverted"] += 1
        if flaws:
            raise InvalidInstances(flaws)
        warnings = [f"{count} of {len(images)} images: {change}" for change, count in changes.items()]
        return Instances(scale_pixels(np.stack(images), self._spec), None, None, [[] for _ in images], warnings)

    def restore(self, x: Inputs) -> Instances:
        """Images (n, height, width, channels) as the network sees them."""
        return Instances(x, None, None, [[] for _ in x], [])


def _decode(text: str) -> bytes:
    prefix = _PREFIX.match(text)
    try:
        return base64.b64decode("".join(text[prefix.end() if prefix else 0 :].split()), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidImage("expected the file in standard base64 (A-Z a-z 0-9 + / and = at the end)") from None
