"""A small model whose service starts in a second or two: no TensorFlow in it."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.swaps import COLUMNS, NAME, RECORD, write_version
from models.folder import SKOPS

_FAR = dict.fromkeys(RECORD, 2.0)
"""In no field like the background."""


class _Forest:
    """Columns that act together, so that sampling does not end by itself."""

    def __init__(self, version: int) -> None:
        from sklearn.ensemble import RandomForestRegressor

        x = np.random.default_rng(0).normal(size=(200, COLUMNS))
        self._model = RandomForestRegressor(20, random_state=0).fit(x, x.prod(axis=1) + version)

    def save(self, path: Path) -> None:
        """As skops does."""
        from models.estimator import write_estimator

        write_estimator(self._model, path)


def write_small(folder: Path) -> None:
    """Version 1 of the model `NAME`, in a folder of model folders."""
    write_version(folder, 1, _Forest, SKOPS)


def asked(**options: Any) -> dict[str, Any]:
    """The body of a request to it."""
    return {"model": NAME, "instances": [_FAR]} | options
