"""What a loaded model is, whichever library it comes from."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from models.archive import InvalidArchive
from models.arrays import Inputs, Outputs
from models.folder import KERAS, SKOPS, InvalidFolder, ModelFolder
from models.fusion import Fusion
from models.keras_file import check_keras_file
from models.skops_file import check_skops_file

Engine = Literal["keras", "sklearn"]


def nobody_left() -> None:
    """A check that never raises."""


class Predictor(Protocol):
    """A model in memory, warmed. Safe to share between threads; an input's answer depends on the input alone."""

    @property
    def engine(self) -> Engine:
        """The library that runs it."""

    @property
    def model(self) -> Any:
        """What that library made of the file."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one encoded instance."""

    @property
    def outputs(self) -> int:
        """How many numbers it answers."""

    @property
    def fusions(self) -> Mapping[str, Fusion]:
        """What runs the rows of several requests together, by what it is for."""

    def predict(self, x: Inputs, check: Callable[[], None] = nobody_left) -> Outputs:
        """(n, ...) to (n, outputs), any n; check is called between blocks and raises when nobody waits any more."""

    def evaluate(self, x: Inputs, check: Callable[[], None] = nobody_left) -> Outputs:
        """The same for many inputs at once."""


_CHECKS: dict[str, Callable[[Path], object]] = {KERAS: check_keras_file, SKOPS: check_skops_file}


def load_predictor(folder: ModelFolder) -> Predictor:
    """The model itself, by the library that its file is for; imported once the file was looked at. Raises InvalidFolder."""
    name = folder.model_path.name
    try:
        _CHECKS[name](folder.model_path)
    except InvalidArchive as error:
        raise InvalidFolder(f"{name}: {error}") from error
    if name == KERAS:
        from models.network import Network

        return Network.load(folder)
    from models.estimator import Estimator

    return Estimator.load(folder)
