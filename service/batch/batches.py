"""Rows in batches, as large as keeps the progress moving."""

from collections.abc import Iterable, Iterator

from service.batch.job import Task
from service.batch.rows import Batch, Row

_QUICK, _SLOW = 0.5, 2.0
"""Seconds: batches that take less grow, those that take more shrink."""
_MOST_BYTES = 2**24
"""Of the instances of a batch; one instance may have more."""
_SIZES: dict[tuple[Task, str], tuple[int, int]] = {
    ("predict", "tabular"): (1024, 4096),
    ("predict", "image"): (64, 512),
    ("explain", "tabular"): (16, 256),
    ("explain", "image"): (1, 64),
}
"""First and largest. How rows are batched changes no value."""


class Pace:
    """How many rows the next batch has."""

    def __init__(self, task: Task, kind: str) -> None:
        self.size, self._most = _SIZES[task, kind]

    def took(self, seconds: float) -> None:
        """Of the last batch."""
        if seconds < _QUICK:
            self.size = min(2 * self.size, self._most)
        elif seconds > _SLOW:
            self.size = max(self.size // 2, 1)


def batched(rows: Iterable[Row], pace: Pace) -> Iterator[Batch]:
    """Reads no further than the end of the batch."""
    good: list[Row] = []
    bad: list[Row] = []
    size = 0
    for row in rows:
        (bad if row.flaws else good).append(row)
        size += len(row.instance)
        if len(good) + len(bad) >= pace.size or size >= _MOST_BYTES:
            yield Batch(good, bad)
            good, bad, size = [], [], 0
    if good or bad:
        yield Batch(good, bad)
