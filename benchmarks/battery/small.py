"""A small model whose service starts in a second or two: no TensorFlow in it."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.swaps import NAME, RECORD, write_version
from models.folder import SKOPS

__all__ = ["NAME", "RECORD", "asked", "write_small"]


class _Linear:
    """Adds the columns up."""

    def __init__(self, version: int) -> None:
        from sklearn.linear_model import LinearRegression

        x = np.eye(6, len(RECORD))
        self._model = LinearRegression().fit(x, x.sum(axis=1) + version)

    def save(self, path: Path) -> None:
        """As skops does."""
        from models.estimator import write_estimator

        write_estimator(self._model, path)


def write_small(folder: Path) -> None:
    """Version 1 of the model `NAME`, in a folder of model folders."""
    write_version(folder, 1, _Linear, SKOPS)


def asked(**options: Any) -> dict[str, Any]:
    """The body of a request to it."""
    return {"model": NAME, "instances": [RECORD]} | options
