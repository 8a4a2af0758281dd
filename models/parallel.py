"""Blocks of work on every core of the machine."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

T = TypeVar("T")
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def parallel(work: Callable[[int], T], items: Sequence[int]) -> Iterable[T]:
    """`work` of every item, in their order. No more are begun at once than there are cores, so that others get their turn."""
    return map(work, items) if len(items) == 1 else _in_turns(work, items)


def _in_turns(work: Callable[[int], T], items: Sequence[int]) -> Iterator[T]:
    for begin in range(0, len(items), CORES):
        yield from _threads().map(work, items[begin : begin + CORES])


@cache
def _threads() -> ThreadPoolExecutor:
    """Made when first needed; work that runs here never waits for other work here."""
    return ThreadPoolExecutor(CORES, thread_name_prefix="parallel")
