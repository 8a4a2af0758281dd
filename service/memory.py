"""Memory that large requests held goes back to the system: glibc keeps it for later, and in an arena for every thread."""

import ctypes
import sys
import threading
from collections.abc import Callable

_M_ARENA_MAX, _ARENAS = -8, 2
"""As in malloc.h; threads that hold Python's lock do not allocate at the same time anyhow."""
_EVERY = 30.0
"""Seconds between two tidyings."""
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def use_few_arenas() -> None:
    """Before there are threads: each would get its own. Does nothing where there is no glibc."""
    if _LIBC is not None and hasattr(_LIBC, "malloc_trim"):
        _LIBC.mallopt(_M_ARENA_MAX, _ARENAS)


def keep_tidy() -> Callable[[], None]:
    """Give back what is free, again and again until the returned function is called. Does nothing where there is no glibc."""
    stop = threading.Event()
    if _LIBC is not None and hasattr(_LIBC, "malloc_trim"):
        threading.Thread(target=_go_on, args=(_LIBC.malloc_trim, stop), name="memory", daemon=True).start()
    return stop.set


def _go_on(trim: Callable[[int], int], stop: threading.Event) -> None:
    while not stop.wait(_EVERY):
        trim(0)
