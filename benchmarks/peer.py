"""shap.DeepExplainer in a process of its own: it rewrites TensorFlow's gradient registry."""

import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from models.arrays import Array, Inputs


class Peer:
    """Explains on request, and says how long it took."""

    def __init__(self, network: Path, background: Inputs) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, network, background), daemon=True)
        self._process.start()

    def seconds(self, x: Inputs) -> float:
        """One call of shap_values."""
        self._pipe.send(x)
        return float(self._pipe.recv())

    def close(self) -> None:
        """End the process."""
        self._pipe.send(None)
        self._process.join()


def _work(pipe: Connection, network: Path, background: Array) -> None:
    import time
    import warnings

    import keras
    import shap

    warnings.simplefilter("ignore")
    model: Any = keras.models.load_model(network, compile=False)
    explainer = shap.DeepExplainer(model, background)
    while (x := pipe.recv()) is not None:
        begin = time.perf_counter()
        explainer.shap_values(x, check_additivity=False)
        pipe.send(time.perf_counter() - begin)
