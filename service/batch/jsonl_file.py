"""Rows of JSONL: an instance per line, in the words of the API."""

import json
from collections.abc import Iterator

from models.manifest import Manifest
from service.batch.opening import Source, lines, opened
from service.batch.rows import Row
from service.body import strict


def rows(source: Source, manifest: Manifest, numbers: Iterator[int], limit: int) -> Iterator[Row]:
    """See Reader. A broken line is one bad row."""
    with opened(source) as file:
        for n, line in enumerate(lines(file, limit), 1):
            place = f"line {n} of {source}"
            if line is None:
                yield Row(next(numbers), place, flaws=(f"expected a line of at most {limit} bytes",))
            elif text := line.strip():
                yield _row(next(numbers), place, text)


def _row(number: int, place: str, text: bytes) -> Row:
    try:
        strict(text)
    except (ValueError, RecursionError) as error:
        return Row(number, place, flaws=(f"expected one JSON object: {_said(error)}",))
    return Row(number, place, text)


def _said(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (column {error.colno})"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)
