"""Fields as they are read from the data and from what the transformer has learned."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types
from pydantic import ValidationError

from models.manifest import ColumnSpec, FieldSpec
from models.packing.transformers import Source, Unpackable
from models.tabular import category_text

Given = Mapping[str, Mapping[str, Any]]
"""What is said by hand, by field: description, unit, minimum, maximum, missing, type."""
_BY_HAND = {"description", "unit", "minimum", "maximum", "missing", "type"}


def fields_of(frame: pd.DataFrame, sources: Sequence[Source], given: Given) -> list[FieldSpec]:
    """One per column of the frame that the model's columns are made of, in the frame's order. Raises Unpackable."""
    own = {name: [source for source in sources if source.field == name] for name in frame.columns}
    if unknown := sorted(given.keys() - {name for name, made in own.items() if made}):
        raise Unpackable(f"{', '.join(unknown)}: described by hand, but no field of the model")
    return [_field(frame[name], made, given.get(name, {})) for name, made in own.items() if made]


def _field(seen: pd.Series, sources: list[Source], given: Mapping[str, Any]) -> FieldSpec:
    name = str(seen.name)
    if wrong := sorted(given.keys() - _BY_HAND):
        raise Unpackable(f"{name}: {', '.join(wrong)} cannot be said by hand; expected {', '.join(sorted(_BY_HAND))}")
    categories = _categories(name, sources)
    missing = {source.missing for source in sources}
    if len(missing - {None}) > 1:
        raise Unpackable(f"{name}: an absent value is replaced by different values on its way to different columns")
    learned: dict[str, Any] = {"type": "category", "categories": categories} if categories else _numbers(seen)
    if None not in missing:
        learned["missing"] = missing.pop()
    try:
        return FieldSpec.model_validate({"name": name, **learned, **given})
    except ValidationError as error:
        raise Unpackable(f"field {name}: {flaws(error)}") from error


def flaws(error: ValidationError) -> str:
    """What is wrong, in a line."""
    parts = [": ".join([*map(str, e["loc"]), e["msg"].removeprefix("Value error, ")]) for e in error.errors()[:5]]
    return "; ".join(parts)


def _categories(name: str, sources: list[Source]) -> list[str] | None:
    """Those that every column of the field has a code for."""
    coded = [list(source.codes) for source in sources if source.codes is not None]
    if coded and len(coded) < len(sources):
        raise Unpackable(f"{name} is taken as a number and as a category; expected one of them")
    if any(set(names) != set(coded[0]) for names in coded):
        raise Unpackable(f"{name} is encoded twice, with different categories")
    return coded[0] if coded else None


def _numbers(seen: pd.Series) -> dict[str, Any]:
    if not types.is_numeric_dtype(seen):
        raise Unpackable(f"{seen.name} holds text and reaches the model as it is; expected a transformer that encodes it")
    known = seen.dropna().astype(float)
    if not np.isfinite(known).all():
        raise Unpackable(f"{seen.name} holds infinity; expected finite numbers")
    whole = types.is_integer_dtype(seen) or types.is_bool_dtype(seen)
    learned: dict[str, Any] = {"type": "integer" if whole else "number"}
    return learned | ({"observed": (float(known.min()), float(known.max()))} if len(known) else {})


def complete_rows(frame: pd.DataFrame, fields: Sequence[FieldSpec]) -> pd.Series:
    """(n,): the rows that a client could send: nothing absent that may not be, every category known."""
    fits = pd.Series(True, index=frame.index)
    for field in fields:
        absent = frame[field.name].isna()
        if field.missing is None:
            fits &= ~absent
        if field.categories:
            fits &= absent | frame[field.name].map(category_text, na_action="ignore").isin(field.categories)
    return fits


def complete_values(frame: pd.DataFrame, fields: Sequence[FieldSpec]) -> dict[str, list[Any]]:
    """Field values by name, as a client would send them, with what is missing filled in. Of complete rows."""
    values: dict[str, list[Any]] = {}
    for field in fields:
        seen, absent = frame[field.name], frame[field.name].isna()
        if field.categories:
            told = seen.map(category_text, na_action="ignore")
            values[field.name] = [field.missing if gone else value for value, gone in zip(told, absent, strict=True)]
        else:
            values[field.name] = [
                field.missing if gone else (int(value) if field.type == "integer" and value == int(value) else float(value))
                for value, gone in zip(seen, absent, strict=True)
            ]
    return values


def table(fields: Sequence[FieldSpec], columns: Sequence[ColumnSpec]) -> list[tuple[str, ...]]:
    """For review: name, type, values, what stands in for an absent one, columns."""
    return [
        (
            field.name,
            field.type + (f", {field.unit}" if field.unit else ""),
            ", ".join(field.categories) if field.categories else _range(field),
            "may not be absent" if field.missing is None else f"absent: {field.missing}",
            ", ".join(column.name for column in columns if column.field == field.name),
        )
        for field in fields
    ]


def _range(field: FieldSpec) -> str:
    seen = f"{field.observed[0]:g} to {field.observed[1]:g}" if field.observed else "any"
    low, high = field.minimum, field.maximum
    limits = f"{'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}" if (low, high) != (None, None) else ""
    return f"{seen} (limits {limits})" if limits else seen
