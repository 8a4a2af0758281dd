"""Small nets with random weights, and questions about them."""

from typing import Any

import keras
import numpy as np

from explainers.game import Effort, Explainer, Question, players_of
from explainers.methods import METHODS
from models.arrays import Array, Floats
from models.backgrounds import Background, equal_weights
from models.manifest import ColumnSpec, FieldSpec, ImageSpec, Manifest
from models.network import Network


def randomised(model: Any, seed: int, scale: float = 1.0) -> Any:
    """Weights and biases drawn anew, so that nothing is zero or symmetric by accident."""
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(size=w.shape) * scale / np.sqrt(max(1, w.shape[0])) for w in model.get_weights()])
    return model


def dense_net(columns: int, widths: list[int], outputs: int, last: str, seed: int = 0, scale: float = 1.5) -> Any:
    """ReLU layers, then `last`."""
    layers: list[Any] = [keras.Input((columns,))]
    layers += [keras.layers.Dense(width, activation="relu") for width in widths]
    layers += [keras.layers.Dropout(0.5), keras.layers.Dense(outputs, activation=last)]
    return randomised(keras.Sequential(layers), seed, scale)


def image_net(seed: int = 0, pool: Any = None, channels: int = 1, last: str = "softmax", scale: float = 2.0) -> Any:
    """The shape of the notebook's CNN, small."""
    layers = [
        keras.Input((10, 9, channels)),
        keras.layers.Conv2D(9, 3, activation="relu"),
        keras.layers.Conv2D(6, 3, activation="relu"),
        pool or keras.layers.MaxPooling2D(2),
        keras.layers.Dropout(0.25),
        keras.layers.Flatten(),
        keras.layers.Dense(12, activation="relu"),
        keras.layers.Dense(4, activation=last),
    ]
    return randomised(keras.Sequential(layers), seed, scale)


def manifest_for(model: Any) -> Manifest:
    """Field c0 is columns 0 and 1, the other fields one column each; or an image."""
    shape, outputs = model.inputs[0].shape[1:], model.outputs[0].shape[-1]
    names = [f"y{k}" for k in range(outputs)]
    if len(shape) == 3:
        height, width, channels = shape
        image = ImageSpec(height=height, width=width, channels=channels, scale=1.0)
        return Manifest(name="m", version="1", kind="image", output_names=names, class_names=None, image=image)
    fields = [FieldSpec(name=f"c{max(i, 1) - 1}", type="number") for i in range(1, max(2, shape[0]))]
    columns = [ColumnSpec(name=f"x{i}", field=f"c{max(i, 1) - 1}") for i in range(shape[0])]
    return Manifest(name="m", version="1", kind="tabular", output_names=names, class_names=None, fields=fields, columns=columns)


def unequal(n: int, seed: int = 5) -> Array:
    """(n,) strongly unequal weights."""
    weights = np.random.default_rng(seed).exponential(size=n) ** 3
    return (weights / weights.sum()).astype(np.float32)


class Case:
    """A net with a background and instances."""

    def __init__(
        self,
        model: Any,
        rows: int = 12,
        n: int = 3,
        seed: int = 1,
        weights: Array | None = None,
        manifest: Manifest | None = None,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.model = model
        self.manifest = manifest or manifest_for(model)
        self.network = Network(model, self.manifest)
        shape = self.manifest.input_shape
        self.background = Background(
            rng.normal(size=(rows, *shape)).astype(np.float32), equal_weights(rows) if weights is None else weights
        )
        self.x = rng.normal(size=(n, *shape)).astype(np.float32)
        self._built: dict[str, Explainer] = {}

    def explainer(self, method: str) -> Explainer:
        """Compiled for this net and background, when it is first asked for."""
        if method not in self._built:
            self._built[method] = METHODS[method].build(self.network, self.background)
        return self._built[method]

    def question(self, players: str, outputs: Any = None, background: Background | None = None, **effort: Any) -> Question:
        """About all outputs by default."""
        asked = np.tile(np.arange(self.network.outputs), (len(self.x), 1)) if outputs is None else np.array(outputs)
        background = background or self.background
        answers = self.network.predict(self.x).astype(np.float64), self.network.predict(background.x).astype(np.float64)
        return Question(self.x, asked, players_of(self.manifest, players, 3), background, *answers, Effort(**effort))

    def values(self, method: str, players: str = "") -> Floats:
        """(n, players..., outputs)"""
        default = "pixels" if self.manifest.kind == "image" else "columns"
        return self.explainer(method).attribute(self.question(players or default)).values

    def change(self) -> Floats:
        """v(everybody) - v(nobody), (n, outputs), by plain forward passes."""
        base = self.background.weights.astype(np.float64) @ self.network.predict(self.background.x)
        return self.network.predict(self.x).astype(np.float64) - base
