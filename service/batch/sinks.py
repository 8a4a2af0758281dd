"""Where answers go: JSONL as the API words them, or tables. A format is a class, and here a line."""

import csv
import io
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

import orjson

from service.batch.asking import Answered
from service.batch.job import OutputFormat
from service.batch.tables import Table, table_of


class Sink(Protocol):
    """Takes answers one after the other."""

    def write(self, part: Answered) -> None:
        """All of its rows. Raises OSError."""

    def close(self) -> None:
        """What was written is complete then. Raises OSError."""


class JsonLines:
    """A line per row: its number, and its part of the body that the service answers."""

    def __init__(self, file: BinaryIO, files: bool, empty: Callable[[], Table]) -> None:
        self._file, self._files = file, files

    def write(self, part: Answered) -> None:
        """See Sink."""
        lines = []
        for i, row in enumerate(part.rows):
            named = {"file": row.file} if self._files else {}
            lines.append(orjson.dumps({"row": row.number} | named | _answer(part.content, i), option=orjson.OPT_APPEND_NEWLINE))
        self._file.write(b"".join(lines))
        self._file.flush()

    def close(self) -> None:
        """See Sink."""


class Csv:
    """A header, then lines; numbers in full, `true` and `false`, nothing for what there is not."""

    def __init__(self, file: BinaryIO, files: bool, empty: Callable[[], Table]) -> None:
        self._file, self._files, self._empty, self._begun = file, files, empty, False

    def write(self, part: Answered) -> None:
        """See Sink."""
        self._write(table_of(part, files=self._files))

    def close(self) -> None:
        """See Sink."""
        if not self._begun:
            self._write(self._empty())

    def _write(self, table: Table) -> None:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self._begun:
            writer.writerow([column.name for column in table])
            self._begun = True
        columns = [[str(v).lower() for v in c.values] if c.kind == "truth" else c.values for c in table]
        writer.writerows(zip(*columns, strict=True))
        self._file.write(text.getvalue().encode())
        self._file.flush()


class Parquet:
    """Columns with their types, in row groups of a sensible size."""

    _VALUES = 2**20
    """In a row group."""

    def __init__(self, file: BinaryIO, files: bool, empty: Callable[[], Table]) -> None:
        self._file, self._files, self._empty = file, files, empty
        self._writer: Any = None
        self._waiting: list[Any] = []

    def write(self, part: Answered) -> None:
        """See Sink."""
        self._add(table_of(part, files=self._files))
        if sum(batch.num_rows * batch.num_columns for batch in self._waiting) >= self._VALUES:
            self._flush()

    def close(self) -> None:
        """See Sink."""
        if self._writer is None and not self._waiting:
            self._add(self._empty())
        self._flush()
        self._writer.close()
        self._file.flush()

    def _add(self, table: Table) -> None:
        import pyarrow as pa

        kinds = {"whole": pa.int64(), "number": pa.float64(), "text": pa.string(), "truth": pa.bool_()}
        schema = pa.schema([(column.name, kinds[column.kind]) for column in table])
        arrays = [pa.array(column.values, kinds[column.kind]) for column in table]
        self._waiting.append(pa.RecordBatch.from_arrays(arrays, schema=schema))

    def _flush(self) -> None:
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter

        if self._waiting:
            if self._writer is None:
                self._writer = ParquetWriter(self._file, self._waiting[0].schema)
            self._writer.write_table(pa.Table.from_batches(self._waiting))
            self._waiting = []


SINKS: dict[OutputFormat, Callable[[BinaryIO, bool, Callable[[], Table]], Sink]] = {
    "jsonl": JsonLines,
    "csv": Csv,
    "parquet": Parquet,
}
"""From a file, whether rows are named by files, and the columns for when nothing is written."""


def _answer(content: dict[str, Any], i: int) -> dict[str, Any]:
    if "explanations" in content:
        return dict(content["explanations"][i])
    return {"predictions": content["predictions"][i], "label": content["labels"] and content["labels"][i]}
