"""Rows of CSV: RFC 4180 with a header, UTF-8, commas."""

import csv
from collections.abc import Iterator
from typing import Any

from models.manifest import Manifest
from service.batch.cells import as_instance, from_text
from service.batch.columns import Column, match
from service.batch.job import Unusable
from service.batch.opening import Source, lines, opened
from service.batch.rows import Row

_HEADER_LIMIT = 2**20
_CELL_LIMIT = 2**17
"""Characters; a quote that is never closed ends here."""


def check(source: Source, manifest: Manifest) -> None:
    """See Reader."""
    with opened(source) as file:
        match(_header(csv.reader(_decoded(lines(file, _HEADER_LIMIT), source)), source), manifest, str(source))


def rows(source: Source, manifest: Manifest, numbers: Iterator[int], limit: int) -> Iterator[Row]:
    """See Reader. A line that is broken, or has another number of cells than the header, is one bad row."""
    csv.field_size_limit(limit if manifest.kind == "image" else _CELL_LIMIT)
    with opened(source) as file:
        table = csv.reader(_decoded(lines(file, limit), source), strict=True)
        columns = match(_header(table, source), manifest, str(source))
        while True:
            begin = table.line_num + 1
            try:
                cells = next(table, None)
            except csv.Error as error:
                yield Row(next(numbers), _place(begin, table.line_num, source), flaws=(f"expected a line of CSV: {error}",))
                continue
            if cells is None:
                return
            if cells:
                yield _row(next(numbers), _place(begin, table.line_num, source), columns, cells)


def _row(number: int, place: str, columns: list[Column | None], cells: list[str]) -> Row:
    if len(cells) != len(columns):
        return Row(number, place, flaws=(f"expected {len(columns)} cells, as in the header, and found {len(cells)}",))
    instance, flaws = as_instance(columns, cells, from_text)
    return Row(number, place, instance, flaws)


def _header(table: Any, source: Source) -> list[str]:
    """The first line that is not blank."""
    try:
        header = next((cells for cells in table if cells), None)
    except csv.Error:
        raise Unusable(f"{source}: expected CSV, with the names of the columns in its first line") from None
    if header is None:
        raise Unusable(f"{source}: expected CSV, with the names of the columns in its first line; it is empty")
    for other, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and other in header[0]:
            raise Unusable(f"{source}: expected commas between the cells, not {name}")
    return header


def _decoded(read: Iterator[bytes | None], source: Source) -> Iterator[str]:
    """Bytes that are no UTF-8 become surrogates, which the row is told of."""
    for line in read:
        if line is None:
            raise Unusable(f"{source}: expected shorter lines; is this a CSV file?")
        yield line.decode("utf-8", "surrogateescape")


def _place(begin: int, end: int, source: Source) -> str:
    return f"{f'lines {begin} to {end}' if end > begin else f'line {begin}'} of {source}"
