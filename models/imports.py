"""Imports that leave out what is not needed."""

import sys
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _Absent(MetaPathFinder):
    """Some packages, as if they were not installed, for one thread."""

    def __init__(self, packages: Collection[str]) -> None:
        self._packages, self._thread = packages, threading.get_ident()

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name in self._packages and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{name} is left out here", name=name)
        return None


@contextmanager
def without(*packages: str) -> Iterator[None]:
    """What this thread imports inside does not find these packages, unless they are imported already; other threads do."""
    absent = _Absent(packages)
    sys.meta_path = [absent, *sys.meta_path]  # a new list each time: another thread may be in the middle of the old one
    try:
        yield
    finally:
        sys.meta_path = [finder for finder in sys.meta_path if finder is not absent]
