"""Where rows come from: files, folders, standard input; a format is one file, and here a line."""

import zlib
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

from models.manifest import Manifest
from service.batch import csv_file, image_file, jsonl_file, parquet_file
from service.batch.job import INPUT_ENDINGS, InputFormat, Unusable, format_of
from service.batch.opening import Source
from service.batch.rows import Row


class Reader(NamedTuple):
    """How a format is read."""

    check: Callable[[Source, Manifest], None]
    """Looks at the header. Raises Unusable, OSError."""
    rows: Callable[[Source, Manifest, Iterator[int], int], Iterator[Row]]
    """All rows, numbered; none larger than so many bytes. Raises Unusable, OSError."""
    size: Callable[[Source], int | None]
    """How many rows there are, where that is known beforehand."""


READERS: dict[InputFormat, Reader] = {
    "csv": Reader(csv_file.check, csv_file.rows, lambda _: None),
    "jsonl": Reader(lambda source, manifest: None, jsonl_file.rows, lambda _: None),
    "parquet": Reader(parquet_file.check, parquet_file.rows, parquet_file.size),
    "images": Reader(image_file.check, image_file.rows, lambda _: 1),
}


def find_sources(inputs: list[str], given: InputFormat | None) -> list[Source]:
    """In the order in which they were named, folders by path. Raises Unusable."""
    return [source for text in inputs for source in _found(text, given)]


def check_sources(sources: list[Source], manifest: Manifest) -> int | None:
    """All headers, before anything is computed; how many rows there are, if that is known. Raises Unusable."""
    sizes: list[int | None] = []
    for source in sources:
        if source.once:  # it is looked at while it is read
            sizes.append(None)
            continue
        try:
            READERS[source.format].check(source, manifest)
            sizes.append(READERS[source.format].size(source))
        except (OSError, EOFError, zlib.error) as error:
            raise _unreadable(source, error) from None
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def read_sources(sources: list[Source], manifest: Manifest, limit: int) -> Iterator[Row]:
    """Their rows, numbered through. limit: bytes that one may have. Raises Unusable."""
    numbers = count(1)
    for source in sources:
        try:
            yield from READERS[source.format].rows(source, manifest, numbers, limit)
        except (OSError, EOFError, zlib.error) as error:
            raise _unreadable(source, error) from None


def _found(text: str, given: InputFormat | None) -> list[Source]:
    path = Path(text)
    if text == "-":
        if given in (None, "images"):
            raise Unusable("standard input: expected --input-format csv, jsonl or parquet")
        return [Source(None, given)]
    if path.is_dir():
        return _inside(path, given or "images")
    if not path.exists():
        raise Unusable(f"{path}: No such file or directory")
    if (kind := given or format_of(path, INPUT_ENDINGS)) is None:
        raise Unusable(f"{path}: expected a name that ends in {', '.join(INPUT_ENDINGS)}, or --input-format")
    return [Source(path, kind)]


def _inside(folder: Path, kind: InputFormat) -> list[Source]:
    """The files of this format, by path; hidden ones left out."""
    inside = (path for path in folder.rglob("*") if not any(part.startswith(".") for part in path.relative_to(folder).parts))
    found = sorted(path for path in inside if format_of(path, INPUT_ENDINGS) == kind and path.is_file())
    if not found:
        raise Unusable(f"{folder}: expected {', '.join(e for e, k in INPUT_ENDINGS.items() if k == kind)} files in this folder")
    return [Source(path, kind) for path in found]


def _unreadable(source: Source, error: Exception) -> Unusable:
    return Unusable(f"{source}: cannot be read ({getattr(error, 'strerror', None) or error})")
