"""Models of every shape: odd names, one output, a thousand, tiny numbers, pictures of a number."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from explainers.exact import Exact
from explainers.game import Explainer
from explainers.monte_carlo import MonteCarlo
from explainers.permutation import Permutation
from models.arrays import Inputs, Outputs
from models.backgrounds import Background, equal_weights
from models.manifest import ColumnSpec, Example, FieldSpec, ImageSpec, Manifest
from models.tabular import RecordReader
from service.backgrounds import Backgrounds
from service.catalog import Catalog, Model
from service.image_reader import ImageReader

ODD = ["a/b~c", "x" * 200, "__proto__", "constructor", "=1+1"]


class Net:
    """What methods run."""

    def __init__(self, weights: ArrayLike, act: Callable[[Outputs], Outputs]) -> None:
        self._weights, self._act = np.asarray(weights, np.float64), act

    def __call__(self, x: Inputs, check: Callable[[], None] = lambda: None) -> Outputs:
        """(n, outputs)"""
        return np.asarray(self._act(self._linear(x)), np.float32)

    def _linear(self, x: Inputs) -> Outputs:
        return np.asarray(x.reshape(len(x), -1) @ self._weights)

    evaluate = __call__


def same(y: Outputs) -> Outputs:
    """A regression."""
    return y


def sigmoid(y: Outputs) -> Outputs:
    """One probability of two classes."""
    return np.asarray(1 / (1 + np.exp(-y)))


def softmax(y: Outputs) -> Outputs:
    """A probability for each class."""
    e = np.exp(y - y.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def model(manifest: Manifest, net: Net, background: ArrayLike) -> Model:
    """Explained by what needs nothing but predictions."""
    x = np.asarray(background, np.float32)
    known = Backgrounds({"default": (Background(x, equal_weights(len(x)).astype(np.float32)), net(x).astype(np.float64))})
    methods: dict[str, Explainer] = {"exact": Exact(net), "permutation": Permutation(net), "monte_carlo": MonteCarlo(net)}
    reader = ImageReader(manifest.image) if manifest.image else RecordReader(manifest)
    return Model(manifest, reader, net, known, methods, {})


def tabular(name: str, fields: list[FieldSpec], net: Net, background: ArrayLike, **manifest: object) -> Model:
    """Each field is a column; categories are their own codes."""
    columns = [
        ColumnSpec(name=f.name, field=f.name, codes={c: float(i) for i, c in enumerate(f.categories)} if f.categories else None)
        for f in fields
    ]
    parts = {"version": "1", "kind": "tabular", "samples": True, "class_names": None, "fields": fields, "columns": columns}
    return model(Manifest.model_validate({"name": name, **parts, **manifest}), net, background)


def picture(name: str, net: Net, classes: list[str] | None) -> Model:
    """Four by four grey pixels, one output."""
    image = ImageSpec(height=4, width=4, channels=1, scale=1 / 255)
    parts = {"version": "1", "kind": "image", "samples": True, "image": image, "class_names": classes, "output_names": ["out"]}
    return model(Manifest.model_validate({"name": name, **parts}), net, np.zeros((2, 4, 4, 1)))


def catalog() -> Catalog:
    """The models of these tests."""
    odd = [FieldSpec(name=name, type="number", minimum=0, maximum=10) for name in ODD]
    income = FieldSpec(name="income", type="integer", observed=(0, 100_000), missing=48213)
    size = FieldSpec(name="size", type="number", observed=(0, 9))
    flats = [Example(name=f"a flat of {n}", instance={"income": n, "size": 1.0}) for n in (48213, 3)]
    rows = [[0.0, 0.0], [20_000.0, 4.0]]
    per_size = np.array([[0.0], [1.0]])
    models = [
        tabular("odd", odd, Net(np.eye(5, 2) / 9, softmax), np.eye(3, 5), output_names=["no", "yes"], class_names=["no", "yes"]),
        tabular("rent", [income, size], Net(per_size, same), rows, output_names=["rent"], examples=flats),
        tabular("tiny", [income, size], Net(per_size * -1e-9, same), rows, output_names=["dose"]),
        tabular(
            "many",
            [income, size],
            Net(np.zeros((2, 1000)), softmax),
            rows,
            output_names=[f"class {k}" for k in range(1000)],
            class_names=[f"class {k}" for k in range(1000)],
        ),
        tabular("private", [income, size], Net(per_size, same), rows, output_names=["rent"], samples=False),
        picture("cat", Net(np.full((16, 1), 1.0), lambda y: sigmoid(y - 1.0)), ["dog", "cat"]),
        picture("weight", Net(np.full((16, 1), 10.0), lambda y: same(y - 15.0)), None),
    ]
    return Catalog({each.manifest.name: each for each in models})
