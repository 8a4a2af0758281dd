"""The backgrounds of one model: those of its folder by name, and the latest that clients sent."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from cachetools import LRUCache

from models.arrays import Floats, Inputs
from models.backgrounds import Background, equal_weights

_KEPT_BYTES = 2**26


@dataclass(frozen=True)
class Known:
    """A background, and what the model answers for it."""

    name: str
    background: Background
    predictions: Floats
    """(rows, outputs)"""


class Backgrounds:
    """Safe to share between threads. What clients sent is kept in 64 MiB, so that asking again costs less."""

    def __init__(self, named: Mapping[str, tuple[Background, Floats]]) -> None:
        self._named = {name: Known(name, *both) for name, both in named.items()}
        self._sent: LRUCache[bytes, Known] = LRUCache(_KEPT_BYTES, getsizeof=_size)
        self._lock = Lock()

    def names(self) -> list[str]:
        """Of those in the folder; `default` first."""
        return list(self._named)

    def named(self, name: str) -> Known:
        """Raises KeyError."""
        return self._named[name]

    def sent(self, x: Inputs, predict: Callable[[], Floats]) -> Known:
        """The instances x (n, ...) with equal weights. predict: their predictions, if they are not known yet."""
        key = hashlib.sha256(x.tobytes()).digest()
        with self._lock:
            known = self._sent.get(key)
        if known is None:
            known = Known("instances", Background(x, equal_weights(len(x))), predict())
            with self._lock:
                if _size(known) <= _KEPT_BYTES:
                    known = self._sent.setdefault(key, known)
        return known


def _size(known: Known) -> int:
    return known.background.x.nbytes + known.predictions.nbytes
