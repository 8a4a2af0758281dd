"""What every training has in common: what it returns, its progress bar, and how a net is fitted."""

import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from models.arrays import Array, Floats
from models.backgrounds import Background
from models.folder import write_folder
from models.manifest import Manifest


class DataUnavailable(RuntimeError):
    """The training data could not be read; the message says what to do."""


@dataclass(frozen=True)
class Trained:
    """A trained model, ready to be written as a folder."""

    manifest: Manifest
    network: Any
    background: Background
    card: str

    def write(self, path: Path, *, force: bool = False) -> None:
        """Write the model folder. Raises FileExistsError."""
        write_folder(path, self.manifest, self.network, self.background, self.card, force=force)


class Recipe(Protocol):
    """Train one model."""

    def __call__(self, data: Path | None, *, background: str | None, seed: int) -> Trained:
        """Read `data` (None: download it) and train.

        background: `all`, `N`, `kmeans:N`, or None for the recipe's own. Raises DataUnavailable, ValueError.
        """


def begin(seed: int) -> None:
    """Make this process deterministic: for a training command, not for a service."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def fit(network: Any, x: Array, y: Array, *, epochs: int, batch_size: int, title: str, **options: Any) -> dict[str, float]:
    """Fit with one progress bar over the epochs; returns the last epoch's metrics."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(title, total=epochs)

        def report(_: int, logs: dict[str, float]) -> None:
            shown = " ".join(f"{name} {value:.4f}" for name, value in logs.items())
            progress.update(task, advance=1, description=f"{title}: {shown}")

        bar = keras.callbacks.LambdaCallback(on_epoch_end=report)
        history = network.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0, callbacks=[bar], **options)
    return {name: float(values[-1]) for name, values in history.history.items()}


def for_inference(network: Any) -> Any:
    """The same layers and weights without optimizer and loss."""
    clean = type(network).from_config(network.get_config())
    clean.set_weights(network.get_weights())
    return clean


def probabilities(network: Any, x: Array) -> Floats:
    """The network's outputs for all of x (n, outputs)."""
    forward = tf.function(lambda batch: network(batch, training=False))
    return np.concatenate([forward(batch).numpy() for batch in np.array_split(x, max(1, len(x) // 500))]).astype(np.float64)


def versions() -> dict[str, str]:
    """What a training depends on to be repeated."""
    return {"python": platform.python_version(), "keras": keras.__version__, "tensorflow": tf.__version__}
