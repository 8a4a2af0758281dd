"""Images as a tensor: of files, or of the numbers that the network sees."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.manifest import ImageSpec
from schemas.v2 import InputTensor
from service.errors import invalid
from service.protocols.tensors import Tensor, whole

IMAGE = "image"
"""The tensor's name."""


class Images:
    """The images of one model. See Kind."""

    def __init__(self, spec: ImageSpec) -> None:
        self.required = [IMAGE]
        self._shape = [spec.height, spec.width, spec.channels]

    def look(self, at: str, sent: InputTensor) -> Tensor:
        """BYTES or FP32. Raises Invalid."""
        if sent.name != IMAGE:
            raise invalid(f"{at}/name", f"unknown tensor; expected `{IMAGE}`")
        if sent.datatype not in ("BYTES", "FP32"):
            raise invalid(f"{at}/datatype", "expected BYTES, files in base64, or FP32, numbers as the model sees them")
        if sent.datatype == "BYTES" and sent.shape[1:] not in ([], [1]):
            raise invalid(f"{at}/shape", "expected [n] or [n, 1]")
        if sent.datatype == "FP32" and sent.shape[1:] != self._shape:
            raise invalid(f"{at}/shape", f"expected [n, {', '.join(map(str, self._shape))}]")
        tensor = whole(at, sent)
        taken = (str,) if sent.datatype == "BYTES" else (int, float)
        if not set(map(type, tensor.values)) <= set(taken):
            bad = (i for i, value in enumerate(tensor.values) if type(value) not in taken)
            raise tensor.refuse(bad, "expected a number" if float in taken else "expected a string: a file in base64")
        return tensor

    def instances(self, tensors: list[Tensor]) -> list[Any]:
        """Files as in JSON, or arrays (height, width, channels). Raises Invalid for what float32 cannot hold."""
        (tensor,) = tensors
        if tensor.datatype == "BYTES":
            return [{"b64": value} for value in tensor.values]
        with np.errstate(over="ignore"):
            x = np.array(tensor.values, np.float64).astype(np.float32)
        if not np.isfinite(x).all():
            raise tensor.refuse(np.flatnonzero(~np.isfinite(x)), "expected a smaller number")
        return list(x.reshape(tensor.shape))

    def places(self, tensors: list[Tensor]) -> Mapping[str, Tensor]:
        """Of files; arrays are whole when they come to the reader."""
        return {"/b64": tensors[0]} if tensors[0].datatype == "BYTES" else {}
