"""Models whose answers and Shapley values are known in closed form."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from explainers.exact import Exact
from explainers.game import ELEMENTS, Attribution, Explainer, Question
from explainers.kernel import Kernel
from explainers.monte_carlo import MonteCarlo
from explainers.permutation import Permutation
from models.arrays import Inputs, Outputs
from models.backgrounds import Background, exact_weights
from models.manifest import ColumnSpec, FieldSpec, Manifest
from models.tabular import RecordReader
from service.backgrounds import Backgrounds
from service.catalog import Catalog, Model

COLOURS = ["red", "green", "blue"]
WEIGHTS = np.array([[2.0, -1.0], [0.5, 0.0], [1.0, 3.0], [0.0, -2.0], [-1.0, 0.25]], np.float32)
"""(columns, outputs)"""
OFFSET = np.array([10.0, -3.0], np.float32)

MANIFEST = Manifest(
    name="linear",
    version="7",
    kind="tabular",
    description="w x + c",
    output_names=["up", "down"],
    class_names=None,
    fields=[
        FieldSpec(name="Size", type="number", unit="m", minimum=-1000, maximum=1000, observed=(0, 100), missing=4.0),
        FieldSpec(name="Count", type="integer", minimum=0, maximum=20),
        FieldSpec(name="Colour", type="category", categories=COLOURS, missing="red"),
    ],
    ignored_fields=["Note"],
    columns=[
        ColumnSpec(name="Size", field="Size", mean=4.0, scale=2.0),
        ColumnSpec(name="Count", field="Count"),
        *[ColumnSpec(name=f"Colour_{c}", field="Colour", codes={k: float(k == c) for k in COLOURS}) for c in COLOURS],
    ],
    max_evaluations=10_000,
    background="three rows",
)

BACKGROUND = Background(
    np.array([[0, 1, 1, 0, 0], [1, 5, 0, 1, 0], [-2, 0, 0, 0, 1]], np.float32), np.array([0.5, 0.3, 0.2], np.float32)
)


class LinearExplainer:
    """w (x - mean), the Shapley values of a linear model."""

    players = ELEMENTS
    elementwise = True
    sampling = False

    def attribute(self, question: Question) -> Attribution:
        """See Explainer."""
        question.effort.check()
        background = question.background
        mean = exact_weights(background.weights) @ background.x
        raw = (question.x - mean)[:, :, None] * WEIGHTS[None].astype(np.float64)  # (n, columns, outputs)
        asked = np.take_along_axis(raw, question.outputs[:, None, :], axis=2)
        return Attribution(question.players.add_up(asked), [len(background.x)] * len(asked), exact=True)

    def cost(self, question: Question) -> int:
        """See Explainer."""
        return len(question.background.x)


def predict(x: Inputs, check: Callable[[], None] = lambda: None) -> Outputs:
    """W x + c"""
    return np.asarray(x @ WEIGHTS + OFFSET, np.float32)


class LinearNetwork:
    """What methods run."""

    def evaluate(self, x: Inputs, check: Callable[[], None]) -> Outputs:
        """See Runs."""
        return predict(x, check)


def linear_model() -> Model:
    """Three fields, five columns, two outputs."""
    network = LinearNetwork()
    explainers: dict[str, Explainer] = {
        "exact": Exact(network),
        "permutation": Permutation(network),
        "deep": LinearExplainer(),
        "monte_carlo": MonteCarlo(network),
        "kernel": Kernel(network),
    }
    backgrounds = {"default": BACKGROUND, "first": Background(BACKGROUND.x[:1], np.ones(1, np.float32))}
    known = Backgrounds({name: (b, predict(b.x).astype(np.float64)) for name, b in backgrounds.items()})
    return Model(MANIFEST, RecordReader(MANIFEST), predict, known, explainers, {"deep_shap": "it is not written"})


def linear_catalog() -> Catalog:
    """A catalog with the linear model, and one that answers NaN."""
    good = linear_model()
    named = good.manifest.model_copy(update={"name": "broken"})
    broken = replace(good, manifest=named, predict=lambda x, check: predict(x) * np.float32(np.nan))
    return Catalog({"linear": good, "broken": broken})


class Endless(LinearExplainer):
    """Computes until it is told to stop, and says so."""

    def __init__(self) -> None:
        self.begun, self.stopped = threading.Event(), threading.Event()

    def attribute(self, question: Question) -> Attribution:
        """Never ends by itself."""
        self.begun.set()
        try:
            while True:
                question.effort.check()
                time.sleep(0.005)
        finally:
            self.stopped.set()


class Broken(LinearExplainer):
    """Answers NaN for one value."""

    def attribute(self, question: Question) -> Attribution:
        """See Explainer."""
        attribution = super().attribute(question)
        attribution.values[0, 0, 0] = np.nan
        return attribution


class Full:
    """A lane without a place."""

    free = 0
