"""An image file is a row."""

import base64
from collections.abc import Iterator

from models.manifest import Manifest
from service.batch.job import Unusable
from service.batch.opening import Source
from service.batch.rows import Row


def check(source: Source, manifest: Manifest) -> None:
    """See Reader."""
    if manifest.kind != "image":
        raise Unusable(f"{source}: expected CSV, JSONL or Parquet; `{manifest.name}` takes records, not images")


def rows(source: Source, manifest: Manifest, numbers: Iterator[int], limit: int) -> Iterator[Row]:
    """See Reader. A file that cannot be read is a bad row."""
    number, name = next(numbers), str(source)
    try:
        with open(name, "rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        yield Row(number, name, flaws=(f"expected a file that can be read ({error.strerror})",), file=name)
        return
    if len(content) > limit:
        yield Row(number, name, flaws=(f"expected a file of at most {limit} bytes",), file=name)
        return
    yield Row(number, name, b'{"b64":"' + base64.b64encode(content) + b'"}', file=name)
