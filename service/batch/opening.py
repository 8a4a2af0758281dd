"""Sources as bytes and as lines."""

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from service.batch.job import InputFormat

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Source:
    """A file, or standard input (None)."""

    path: Path | None
    format: InputFormat

    @property
    def once(self) -> bool:
        """Whether it can be read only once: standard input, pipes."""
        return self.path is None or not self.path.is_file()

    def __str__(self) -> str:
        return "standard input" if self.path is None else str(self.path)


@contextmanager
def opened(source: Source) -> Iterator[BinaryIO]:
    """Its bytes; what is gzipped is unpacked."""
    with nullcontext(sys.stdin.buffer) if source.path is None else source.path.open("rb") as file:
        if cast(BufferedReader, file).peek(len(_GZIP)).startswith(_GZIP):
            with gzip.open(file) as unpacked:
                yield cast(BinaryIO, unpacked)
        else:
            yield cast(BinaryIO, file)


def lines(file: BinaryIO, limit: int) -> Iterator[bytes | None]:
    """Line by line, without a byte order mark; None in the place of a line of more than `limit` bytes."""
    begin = file.readline(limit + 1).removeprefix(b"\xef\xbb\xbf")
    while begin:
        if len(begin) > limit and not begin.endswith(b"\n"):
            while (rest := file.readline(limit)) and not rest.endswith(b"\n"):
                pass
            yield None
        else:
            yield begin
        begin = file.readline(limit + 1)
