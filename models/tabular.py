"""Records: checked against the manifest's fields, missing values filled in, encoded into columns."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    TypeAdapter,
    ValidationError,
    create_model,
)

from models.arrays import Floats, Inputs
from models.manifest import ColumnSpec, FieldSpec, Manifest, Value

MAX_FLAWS = 20
"""As many as a client is told; reading stops there."""


@dataclass(frozen=True)
class Flaw:
    """What is wrong with one instance: where (path below `instances`), and what would be right."""

    path: tuple[str | int, ...]
    detail: str


class InvalidInstances(ValueError):
    """At least one instance cannot be taken; carries every flaw that was found."""

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__("; ".join(f"{flaw.path}: {flaw.detail}" for flaw in flaws))
        self.flaws = tuple(flaws)


@dataclass(frozen=True)
class Instances:
    """Encoded instances, and what was done to the raw ones on the way."""

    inputs: Inputs
    data: list[list[Value]] | None
    """Field values after imputation, per instance; None for images."""
    columns: Floats | None
    """(n, columns): column values before scaling; None for images."""
    imputed: list[list[str]]
    warnings: list[str]


class RecordReader:
    """Reads the records of one model. Built once per model; safe to share between threads."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._fields = manifest.fields
        self._columns = manifest.columns
        self._record: TypeAdapter[Any] = TypeAdapter(_record_type(manifest))

    def read(self, instances: Sequence[Any], check: Callable[[], None]) -> Instances:
        """Check, impute and encode. Raises InvalidInstances: one bad record refuses them all.

        check: called between records; raises when nobody waits for the answer any more.
        """
        rows: list[list[Any]] = []
        flaws: list[Flaw] = []
        for i, instance in enumerate(instances):
            check()
            try:
                record = self._record.validate_python(instance)
            except ValidationError as error:
                flaws += [self._flaw(i, e) for e in error.errors(include_input=False)[:MAX_FLAWS]]
                if len(flaws) >= MAX_FLAWS:
                    break
            else:
                rows.append([getattr(record, f"f{k}") for k in range(len(self._fields))])
        if flaws:
            raise InvalidInstances(flaws[:MAX_FLAWS])
        imputed = [[field.name for field, value in zip(self._fields, row, strict=True) if value is None] for row in rows]
        data: list[list[Any]] = [
            [field.missing if value is None else value for field, value in zip(self._fields, row, strict=True)] for row in rows
        ]
        raw = _raw(self._columns, {field.name: [row[k] for row in data] for k, field in enumerate(self._fields)})
        inputs = _scaled(self._columns, raw)
        if not np.isfinite(inputs).all():
            bad = np.argwhere(~np.isfinite(inputs))[:MAX_FLAWS]
            raise InvalidInstances([Flaw((int(i), self._columns[k].field), "expected a smaller number") for i, k in bad])
        return Instances(inputs, data, raw, imputed, self._out_of_range(rows))

    def restore(self, x: Inputs) -> Instances:
        """Encoded rows (n, columns), with the values that they are encoded from."""
        data = decode(self._manifest, x)
        raw = _raw(self._columns, {field.name: [row[k] for row in data] for k, field in enumerate(self._fields)})
        return Instances(x, data, raw, [[] for _ in data], [])

    def _out_of_range(self, rows: list[list[Value | None]]) -> list[str]:
        warnings = []
        for i, field in enumerate(self._fields):
            if field.observed is None:
                continue
            low, high = field.observed
            outside = sum(1 for row in rows if isinstance(v := row[i], int | float) and not low <= v <= high)
            if outside:
                seen = f"the training data's {low:g} to {high:g}"
                warnings.append(f"`{field.name}` lies outside {seen} in {outside} of {len(rows)} instances")
        return warnings

    def _flaw(self, i: int, error: Any) -> Flaw:
        path = (i, *error["loc"])
        if error["type"] == "extra_forbidden":
            return Flaw(path, f"unknown field; {meant(str(path[-1]), self._manifest)}")
        if error["type"] == "missing":
            return Flaw(path, "this field is required")
        if error["type"] == "model_type":
            return Flaw(path, "expected an object, one member per field")
        return Flaw(path, expected(error["msg"]))


def meant(name: str, manifest: Manifest) -> str:
    """What a name that is no field's was likely meant to be."""
    fields = [field.name for field in manifest.fields]
    close = difflib.get_close_matches(name[:64], fields + manifest.ignored_fields, n=1)
    return f"did you mean `{close[0]}`?" if close else f"expected {', '.join(fields)}"


def expected(message: str) -> str:
    """Pydantic's words in ours: what would be right."""
    return re.sub("^(Input|List) should (be |have )?", "expected ", message.removeprefix("Value error, "))


def encode(columns: Sequence[ColumnSpec], values: Mapping[str, Sequence[Value]]) -> Inputs:
    """Complete field values, by field name, to the encoded columns (n, columns) in the order of `columns`."""
    return _scaled(columns, _raw(columns, values))


def decode(manifest: Manifest, x: Inputs) -> list[list[Value]]:
    """Encoded rows (n, columns) back to field values: the shortest number, the nearest category, that is encoded so."""
    own = {
        field.name: [k for k, column in enumerate(manifest.columns) if column.field == field.name] for field in manifest.fields
    }
    fields = [_decoded(field, [manifest.columns[k] for k in own[field.name]], x[:, own[field.name]]) for field in manifest.fields]
    return [list(row) for row in zip(*fields, strict=True)]


def _decoded(field: FieldSpec, columns: list[ColumnSpec], x: Inputs) -> list[Value]:
    """One field of every row, from the columns made of it."""
    if field.categories:
        codes = encode(columns, {field.name: field.categories})
        return [field.categories[k] for k in np.abs(x[:, None] - codes).sum(axis=2).argmin(axis=1)]
    column = columns[0]
    values = x[:, 0].astype(np.float64) * column.scale + column.mean
    rounded = np.round(values)
    if field.type == "integer" and (encode([column], {field.name: rounded.tolist()})[:, 0] == x[:, 0]).all():
        return [int(value) for value in rounded]
    shortest = [np.array([float(f"{value:.{digits}g}") for value in values]) for digits in range(1, 18)]
    same = np.array([encode([column], {field.name: list(tried)})[:, 0] == x[:, 0] for tried in shortest])
    return [float(shortest[k if same[k, i] else -1][i]) for i, k in enumerate(same.argmax(axis=0))]


def _raw(columns: Sequence[ColumnSpec], values: Mapping[str, Sequence[Value]]) -> Floats:
    """(n, columns): numbers as they are, categories as their codes."""
    coded = [
        values[column.field] if column.codes is None else [column.codes[str(value)] for value in values[column.field]]
        for column in columns
    ]
    return np.stack([np.asarray(column, np.float64) for column in coded], axis=-1)


def _scaled(columns: Sequence[ColumnSpec], raw: Floats) -> Inputs:
    mean = np.array([column.mean for column in columns])
    scale = np.array([column.scale for column in columns])
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite
        return np.asarray((raw - mean) / scale, np.float32)


_LARGEST = 10**40
_LEAST, _MOST = -(2**63), 2**64
"""What JSON's readers and writers take for an integer."""


def category_text(value: Any) -> Any:
    """A category's name: numbers and booleans as JSON writes them, whole numbers without a point; the rest as it is."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(value) if abs(int(value)) < _LARGEST else None  # no text of thousands of digits
    if isinstance(value, float | np.floating):
        return str(int(value)) if np.isfinite(value) and value == int(value) else repr(float(value))
    return str(value) if isinstance(value, str) else value


def _whole(value: float) -> float:
    if value != int(value):
        raise ValueError("expected a whole number")
    if not _LEAST <= value < _MOST:
        raise ValueError("expected a whole number of at most 64 bits")
    return int(value)


def _value_type(field: FieldSpec) -> Any:
    if field.categories:
        return Annotated[Literal[tuple(field.categories)], BeforeValidator(category_text)]
    whole = [AfterValidator(_whole)] if field.type == "integer" else []
    limits = Field(ge=field.minimum, le=field.maximum, allow_inf_nan=False)
    return Annotated[(float, Strict(), limits, *whole)]


def _record_type(manifest: Manifest) -> type[BaseModel]:
    """The pydantic model of one record: attributes f0, f1, ... because a field's name may be no Python name."""
    definitions: dict[str, Any] = {}
    for i, field in enumerate(manifest.fields):
        value = _value_type(field)
        optional = (value, Field(alias=field.name)) if field.missing is None else (value | None, Field(None, alias=field.name))
        definitions[f"f{i}"] = optional
    for i, name in enumerate(manifest.ignored_fields):
        definitions[f"ignored{i}"] = (Any, Field(None, alias=name))
    return create_model("Record", __config__=ConfigDict(extra="forbid", hide_input_in_errors=True), **definitions)
