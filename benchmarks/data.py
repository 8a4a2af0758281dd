"""What is measured on: the full data where it is given, otherwise rows drawn per field and the shipped centres."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from explainers.game import Effort, Question, player_names, players_of
from models.arrays import Inputs
from models.backgrounds import Background, equal_weights
from models.folder import TRAINED, ModelFolder, read_folder
from models.images import scale_pixels
from models.network import Network
from models.tabular import encode
from models.training import fashion_mnist, titanic


@dataclass(frozen=True)
class Subject:
    """A shipped model with a background and instances to explain."""

    folder: ModelFolder
    background: Background
    x: Inputs
    source: str

    def question(self, network: Network, n: int, outputs: str, players: str = "") -> Question:
        """About the first n instances; outputs: all or predicted."""
        manifest, x = self.folder.manifest, self.x[:n]
        who = players_of(manifest, players or player_names(manifest.kind)[0], 4)
        everything = np.tile(np.arange(network.outputs), (n, 1))
        predictions, rows = network.predict(x).astype(np.float64), network.predict(self.background.x).astype(np.float64)
        asked = everything if outputs == "all" else predictions.argmax(axis=1)[:, None]
        return Question(x, asked, who, self.background, predictions, rows, Effort(manifest.max_evaluations))


def passengers(data: Path) -> Subject:
    """The 891 training passengers as background, 100 test passengers to explain."""
    folder = read_folder(TRAINED / "titanic")
    columns, fields = folder.manifest.columns, folder.manifest.fields
    path = data / "titanic"
    if path.is_dir():
        frame, _ = titanic.read_passengers(path / "train.csv")
        test = pd.read_csv(path / "test.csv")
        rows, x = encode(columns, titanic.complete(frame, fields)), encode(columns, titanic.complete(test, fields))
        return Subject(folder, Background(rows, equal_weights(len(rows))), x[:100], "the full data")
    rng = np.random.default_rng(0)
    centres = folder.background.x
    drawn = np.stack([rng.choice(centres[:, i], 991) for i in range(centres.shape[1])], axis=1)
    ports = rng.integers(0, len(centres), 991)
    drawn[:, 6:] = centres[ports, 6:]
    return Subject(folder, Background(drawn[:891], equal_weights(891)), drawn[891:], "rows drawn per field")


def images(data: Path) -> Subject:
    """100 training images as background, 40 test images to explain."""
    folder = read_folder(TRAINED / "fashion-mnist")
    path = data / "fashion-mnist"
    if path.is_dir():
        (train, _), (test, _), _ = fashion_mnist.read_images(path)
        chosen = np.random.default_rng(0).choice(len(train), 100, replace=False)
        rows = scale_pixels(train[chosen], fashion_mnist.IMAGE)
        return Subject(
            folder, Background(rows, equal_weights(100)), scale_pixels(test[:40], fashion_mnist.IMAGE), "the full data"
        )
    centres = folder.background.x
    return Subject(
        folder, Background(centres, equal_weights(len(centres))), centres[::3] * np.float32(0.9), "the shipped centres"
    )
