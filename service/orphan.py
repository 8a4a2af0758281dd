"""A process does not outlive the one that began it, however that one ends."""

import multiprocessing
import os
import threading
from multiprocessing.connection import wait


def end_with_parent() -> None:
    """From now on this process ends as soon as its parent has, whatever it does: there is nothing to repair, and what it holds,
    such as a port, is needed by the next parent.
    """
    threading.Thread(target=_wait, name="parent", daemon=True).start()


def _wait() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
