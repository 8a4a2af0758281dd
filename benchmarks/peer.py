"""shap's explainers, each in a process of its own: DeepExplainer rewrites TensorFlow's gradient registry."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from models.arrays import Array, Inputs

Call = Callable[[Array], Any]


class Peer:
    """Explains on request, and says how long it took."""

    def __init__(self, explainer: str, network: Path, background: Inputs, groups: Array | None = None) -> None:
        """explainer: a name in EXPLAINERS; groups: the player of each column, None for one each."""
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, explainer, network, background, groups), daemon=True)
        self._process.start()

    def seconds(self, x: Inputs) -> float:
        """One call."""
        self._pipe.send(x)
        return float(self._pipe.recv()[0])

    def values(self, x: Inputs) -> Array:
        """(n, players, outputs), or elements instead of players."""
        self._pipe.send(x)
        return self._pipe.recv()[1]

    def close(self) -> None:
        """End the process."""
        self._pipe.send(None)
        self._process.join()


def _deep(model: Any, background: Array, _: Array | None) -> Call:
    import shap

    explainer = shap.DeepExplainer(model, background)
    return lambda x: explainer.shap_values(x, check_additivity=False)


def _exact(model: Any, background: Array, groups: Array | None) -> Call:
    import shap

    return _masked(shap.ExactExplainer, model, background, groups)


def _permutation(model: Any, background: Array, groups: Array | None) -> Call:
    import shap

    return _masked(shap.PermutationExplainer, model, background, groups)


EXPLAINERS: dict[str, Callable[[Any, Array, Array | None], Call]] = {
    "DeepExplainer": _deep,
    "ExactExplainer": _exact,
    "PermutationExplainer": _permutation,
}


def _masked(explainer: Any, model: Any, background: Array, groups: Array | None) -> Call:
    """On the network as a compiled function, with every row of the background."""
    import numpy as np
    import shap
    import tensorflow as tf

    signature = [tf.TensorSpec((None, background.shape[1]), tf.float32)]
    compiled = tf.function(lambda x: model(x, training=False), input_signature=signature, autograph=False)

    def predict(x: Array) -> Array:
        return compiled(tf.constant(x, tf.float32)).numpy()

    if groups is None:
        masker = shap.maskers.Independent(background, max_samples=len(background))
        explain = explainer(predict, masker)
        return lambda x: explain(x).values
    count = int(groups.max()) + 1
    asked: list[Array] = []

    def grouped(mask: Array, i: Array) -> tuple[Array]:
        return (np.where(np.asarray(mask, bool)[groups], asked[0][int(i[0])], background),)

    grouped.shape = lambda i: (len(background), count)  # type: ignore[attr-defined]
    explain = explainer(predict, grouped)

    def call(x: Array) -> Array:
        asked[:] = [x]
        return explain(np.tile(np.arange(len(x))[:, None], count)).values

    return call


def _work(pipe: Connection, explainer: str, network: Path, background: Array, groups: Array | None) -> None:
    import time
    import warnings

    import keras

    warnings.simplefilter("ignore")
    explain = EXPLAINERS[explainer](keras.models.load_model(network, compile=False), background, groups)
    while (x := pipe.recv()) is not None:
        begin = time.perf_counter()
        values = explain(x)
        pipe.send((time.perf_counter() - begin, values))
