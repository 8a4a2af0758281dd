"""A small model of scikit-learn in a folder of its own, and rows for it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from models.backgrounds import Background, equal_weights
from models.folder import SKOPS, write_folder
from models.manifest import Manifest
from tests.fakes import BACKGROUND, COLOURS, MANIFEST

RECORDS: list[dict[str, Any]] = [
    {"Size": [0.5, 12.25, None, 400.0, -3.0][k % 5], "Count": k % 7, "Colour": [*COLOURS, None][k % 4]} for k in range(40)
]
"""Some values are absent, and some lie outside the training data's range."""
LINEAR = MANIFEST.model_copy(update={"class_names": ["up", "down"], "name": "linear", "max_evaluations": 100_000})


class Saved:
    """An estimator as `write_folder` takes it."""

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator

    def save(self, path: Path) -> None:
        """As a skops file."""
        from models.estimator import write_estimator

        write_estimator(self._estimator, path)


def write_linear(models: Path, *, fit: Callable[[Any, Any], Any] | None = None, manifest: Manifest = LINEAR) -> Path:
    """A logistic regression over the fields of tests.fakes, in models/NAME. fit: makes another estimator of x and y."""
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(0)
    x = np.column_stack([random.normal(size=(200, 2)), np.eye(3)[random.integers(0, 3, 200)]])
    y = x @ [1.0, 0.5, 1.0, 0.0, -1.0] + random.normal(size=200) > 0.5
    estimator = fit(x, y) if fit else LogisticRegression().fit(x, y)
    background = Background(BACKGROUND.x, BACKGROUND.weights)
    first = {"first": Background(BACKGROUND.x[:1], equal_weights(1))}
    write_folder(models / manifest.name, manifest, Saved(estimator), background, "card", force=False, named=first, file=SKOPS)
    return models / manifest.name
