"""Input tensors of V2: shape and datatype are believed once the data agrees with them."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from math import prod
from typing import Any

import numpy as np

from schemas.predict import MAX_INSTANCES
from schemas.problem import ProblemError
from schemas.v2 import InputTensor
from service.errors import MAX_ERRORS, Invalid, invalid, several

NUMERIC: dict[str, tuple[float, float]] = {
    "UINT8": (0, 2**8 - 1),
    "UINT16": (0, 2**16 - 1),
    "UINT32": (0, 2**32 - 1),
    "UINT64": (0, 2**64 - 1),
    "INT8": (-(2**7), 2**7 - 1),
    "INT16": (-(2**15), 2**15 - 1),
    "INT32": (-(2**31), 2**31 - 1),
    "INT64": (-(2**63), 2**63 - 1),
    "FP16": (-65504, 65504),
    "FP32": (-(2 - 2.0**-23) * 2.0**127, (2 - 2.0**-23) * 2.0**127),
    "FP64": (-(2 - 2.0**-52) * 2.0**1023, (2 - 2.0**-52) * 2.0**1023),
}
"""The datatypes that numbers may have, and the least and greatest that fit."""


@dataclass(frozen=True)
class Tensor:
    """An input tensor whose data has the shape that it says."""

    at: str
    """Where it stands in the body, as a JSON pointer."""
    name: str
    datatype: str
    shape: tuple[int, ...]
    values: list[Any]
    """Flat, in row-major order."""
    nested: bool
    """Whether the body has them as lists in lists."""

    def place(self, i: int) -> str:
        """Where the value `i` stands in the body."""
        path = np.unravel_index(i, self.shape) if self.nested else (i,)
        return f"{self.at}/data/" + "/".join(str(k) for k in path)

    def refuse(self, bad: Iterable[int], detail: str) -> Invalid:
        """Of the values `bad` the first few, in their places."""
        return several([ProblemError(pointer=self.place(int(i)), detail=detail) for i in islice(bad, MAX_ERRORS)])


def whole(at: str, sent: InputTensor) -> Tensor:
    """The tensor that stands at the pointer `at`. Raises Invalid where data and shape disagree."""
    if not 1 <= sent.shape[0] <= MAX_INSTANCES:
        raise invalid(f"{at}/shape/0", f"expected 1 to {MAX_INSTANCES} instances")
    nested = len(sent.shape) > 1 and any(isinstance(part, list) for part in sent.data)
    values = _flat(sent.data, sent.shape, f"{at}/data") if nested else sent.data
    if len(values) != (size := prod(sent.shape)):
        raise invalid(f"{at}/data", f"expected {size} values, as `shape` says")
    return Tensor(at, sent.name, sent.datatype, tuple(sent.shape), values, nested)


def check_numbers(tensor: Tensor) -> None:
    """Raises Invalid for numbers that the datatype cannot hold; what is no number at all is for the model's reader to refuse."""
    low, high = NUMERIC[tensor.datatype]
    integer = "INT" in tensor.datatype

    def fits(value: float) -> bool:
        return low <= value <= high and (not integer or value == int(value))

    bad = [i for i, value in enumerate(tensor.values) if type(value) in (int, float) and not fits(value)]
    if bad:
        kind = "a whole number" if integer else "a number"
        raise tensor.refuse(bad, f"expected {kind} from {low:.6g} to {high:.6g}, as the datatype {tensor.datatype} says")


def _flat(data: list[Any], shape: list[int], at: str) -> list[Any]:
    """Lists in lists as one list. Raises Invalid."""
    if len(data) != shape[0]:
        raise invalid(at, f"expected {shape[0]} items, as `shape` says")
    if len(shape) == 1:
        return data
    values = []
    for i, part in enumerate(data):
        if not isinstance(part, list):
            raise invalid(f"{at}/{i}", "expected a list, as `shape` says")
        values += _flat(part, shape[1:], f"{at}/{i}")
    return values
