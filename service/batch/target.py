"""The file that a run writes: the whole of it or nothing appears under its name."""

import gzip
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from service.batch.job import OUTPUT_ENDINGS, OutputFormat, Unusable, format_of
from service.batch.opening import Source


def output_format(path: Path | None, given: OutputFormat | None) -> OutputFormat:
    """What was given, otherwise by the ending, for standard output JSONL. Raises Unusable."""
    if path is None:
        if given == "parquet" and sys.stdout.isatty():
            raise Unusable("standard output: Parquet is not for terminals; expected --output, or a pipe")
        return given or "jsonl"
    if (found := given or format_of(path, OUTPUT_ENDINGS)) is None:
        raise Unusable(f"{path}: expected a name that ends in {', '.join(OUTPUT_ENDINGS)}, or --output-format")
    return found


def check_target(path: Path | None, sources: list[Source]) -> None:
    """Whether something can be written there that is not read. Raises Unusable."""
    if path is None:
        return
    if path.is_dir():
        raise Unusable(f"{path} is a folder; expected --output to name a file")
    if not path.parent.is_dir():
        raise Unusable(f"{path.parent} is not a folder; expected --output in one that exists")
    if any(source.path is not None and not source.once and path.exists() and path.samefile(source.path) for source in sources):
        raise Unusable(f"{path}: expected --output to be another file than the input")


@contextmanager
def target(path: Path | None) -> Iterator[BinaryIO]:
    """To write to; None: standard output. What is left with an exception is removed. Raises OSError."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    elif path.exists() and not path.is_file():  # a pipe, /dev/null
        with path.open("wb") as as_it_is:
            yield as_it_is
    else:
        with _replacing(path.resolve()) as file, _zipped(file, path) as packed:
            yield packed


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    handle, work = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(handle)
        os.chmod(work, 0o644)
        os.replace(work, path)
    except BaseException:
        os.unlink(work)
        raise


@contextmanager
def _zipped(file: BinaryIO, path: Path) -> Iterator[BinaryIO]:
    if path.suffix.lower() != ".gz":
        yield file
        return
    with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
        yield cast(BinaryIO, packed)
