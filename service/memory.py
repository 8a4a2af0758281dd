"""Memory that large requests held goes back to the system: glibc keeps it for later, and in an arena for every thread."""

import ctypes
import sys
import threading
from collections.abc import Callable

_M_ARENA_MAX, _ARENAS = -8, 2
"""As in malloc.h; threads that hold Python's lock do not allocate at the same time anyhow."""
_EVERY = 30.0
"""Seconds between two tidyings, which take 10 ms beside everything else."""


def keep_tidy() -> Callable[[], None]:
    """Begin before there are threads; goes on until the returned function is called. Does nothing where glibc is not."""
    stop = threading.Event()
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.mallopt(_M_ARENA_MAX, _ARENAS)
        threading.Thread(target=_go_on, args=(libc.malloc_trim, stop), name="memory", daemon=True).start()
    return stop.set


def _go_on(trim: Callable[[int], int], stop: threading.Event) -> None:
    while not stop.wait(_EVERY):
        trim(0)
