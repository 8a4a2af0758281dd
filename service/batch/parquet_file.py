"""Rows of Parquet: columns have types, which are held against the manifest's before anything is computed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from models.manifest import Manifest
from service.batch.cells import as_instance, from_value
from service.batch.columns import Column, match
from service.batch.job import Unusable
from service.batch.opening import Source, opened
from service.batch.rows import Row

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_ROWS = 1024
"""Read at once."""


def check(source: Source, manifest: Manifest) -> None:
    """See Reader."""
    with _parquet(source) as file:
        _columns(file, source, manifest)


def size(source: Source) -> int:
    """See Reader."""
    with _parquet(source) as file:
        return int(file.metadata.num_rows)


def rows(source: Source, manifest: Manifest, numbers: Iterator[int], limit: int) -> Iterator[Row]:
    """See Reader."""
    with _parquet(source) as file:
        columns = _columns(file, source, manifest)
        names = [column.name for column in columns]
        for batch in file.iter_batches(_ROWS, columns=names):
            read = [batch.column(name).to_pylist() for name in names]
            for cells in zip(*read, strict=True) if read else [()] * batch.num_rows:
                number = next(numbers)
                instance, flaws = as_instance(columns, cells, from_value)
                yield Row(number, f"of {source}", instance, flaws)


@contextmanager
def _parquet(source: Source) -> Iterator["ParquetFile"]:
    """Its end is read first: what can be read only once is kept in a file of its own meanwhile."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with opened(source) if source.once else source.path.open("rb") as file:  # type: ignore[union-attr]
            if not source.once:
                yield ParquetFile(file)
                return
            with tempfile.TemporaryFile() as kept:
                shutil.copyfileobj(file, kept)
                yield ParquetFile(kept)
    except ArrowException:
        raise Unusable(f"{source}: expected a Parquet file; this one cannot be read to its end") from None


def _columns(file: "ParquetFile", source: Source, manifest: Manifest) -> list[Column]:
    """Those that the model reads. Raises Unusable."""
    schema = file.schema_arrow
    columns = [column for column in match(schema.names, manifest, str(source)) if column]
    wrong = [
        f"`{column.name}`: expected {'numbers' if column.numeric else 'text'}, found {schema.field(column.name).type}"
        for column in columns
        if not _fits(column, schema.field(column.name).type)
    ]
    if wrong:
        raise Unusable(f"{source}: {'; '.join(wrong)}")
    return columns


def _fits(column: Column, kind: Any) -> bool:
    """Numbers are integers, floats or decimals; categories text, or whole numbers and booleans as the manifest spells them."""
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    if types.is_null(kind):
        return True
    if column.numeric:
        return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    if not column.categories:
        return bool(text or types.is_binary(kind) or types.is_large_binary(kind))
    return bool(text or types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind))
