"""Records as tensors: one per field."""

from collections.abc import Mapping
from typing import Any

from models.manifest import Manifest
from models.tabular import meant
from schemas.v2 import Datatype, InputTensor
from service.errors import invalid, pointer
from service.protocols.tensors import NUMERIC, Tensor, check_numbers, whole

DATATYPES: dict[str, Datatype] = {"number": "FP64", "integer": "INT64", "category": "BYTES"}
"""By a field's type. Numbers may come in any other datatype of numbers that they fit into."""


class Records:
    """The records of one model. See Kind."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._types = {field.name: field.type for field in manifest.fields}
        self.required = [field.name for field in manifest.fields if field.missing is None]

    def look(self, at: str, sent: InputTensor) -> Tensor:
        """A field; one that records may have and models ignore is ignored here too. Raises Invalid."""
        kind = self._types.get(sent.name)
        if kind is None and sent.name not in self._manifest.ignored_fields:
            raise invalid(f"{at}/name", f"unknown tensor; {meant(sent.name, self._manifest)}")
        if sent.shape[1:] not in ([], [1]):
            raise invalid(f"{at}/shape", "expected [n] or [n, 1]")
        if kind == "category" and sent.datatype != "BYTES":
            raise invalid(f"{at}/datatype", f"expected BYTES: `{sent.name}` is a category")
        if kind in ("number", "integer") and sent.datatype not in NUMERIC:
            raise invalid(f"{at}/datatype", f"expected {DATATYPES[kind]}, or another for numbers: `{sent.name}` is a number")
        tensor = whole(at, sent)
        if kind in ("number", "integer"):
            check_numbers(tensor)
        return tensor

    def instances(self, tensors: list[Tensor]) -> list[Any]:
        """Objects by field name."""
        names = [tensor.name for tensor in tensors]
        rows = zip(*(tensor.values for tensor in tensors), strict=True)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def places(self, tensors: list[Tensor]) -> Mapping[str, Tensor]:
        """By field."""
        return {pointer([tensor.name]): tensor for tensor in tensors}
