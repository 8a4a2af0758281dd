"""Cells of tables as the values that the API takes: by the manifest's types, never by a guess."""

import base64
import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, TypeVar

import orjson

from service.batch.columns import Column

V = TypeVar("V")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class Misfit(ValueError):
    """The cell is not what the column takes; the message says what would be."""


def from_text(column: Column, text: str) -> Any:
    """A cell of CSV; None where it is empty. Raises Misfit."""
    if column.numeric:
        text = text.strip()
        if text and not _NUMBER.fullmatch(text):
            raise Misfit("expected a number" if column.required else "expected a number, or an empty cell where it is absent")
        return _finite(float(text)) if text else None
    return None if text == "" and "" not in column.categories else text


def from_value(column: Column, value: Any) -> Any:
    """A cell that has a type already; None where it is null. Raises Misfit."""
    if value is None:
        return None
    if column.numeric:
        return _finite(float(value)) if isinstance(value, float | Decimal) else value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value if isinstance(value, str) else _category(column, value)


def as_instance(
    columns: Iterable[Column | None], cells: Iterable[V], read: Callable[[Column, V], Any]
) -> tuple[bytes, tuple[str, ...]]:
    """The row as JSON, and its flaws. Absent and ignored cells are left out."""
    instance, flaws = {}, []
    for column, cell in zip(columns, cells, strict=True):
        try:
            if column is not None and (value := read(column, cell)) is not None:
                instance[column.name] = value
        except Misfit as misfit:
            flaws.append(f"{column.name if column else ''}: {misfit}")
    try:
        return orjson.dumps(instance), tuple(flaws)
    except TypeError:  # bytes that are no UTF-8 were kept as surrogates
        return b"", (*flaws, "expected text in UTF-8")


def _finite(number: float) -> float:
    """JSON knows no other; orjson would write null."""
    if not math.isfinite(number):
        raise Misfit("expected a finite number; nothing (null) stands for what is absent")
    return number


def _category(column: Column, value: Any) -> str:
    """A category that was stored as a number or a boolean: its text, as the manifest spells it."""
    whole = isinstance(value, float) and value.is_integer()
    spelled = [str(int(value))] if whole else [str(value), str(value).lower()]
    return next((text for text in [str(value), *spelled] if text in column.categories), spelled[0])
