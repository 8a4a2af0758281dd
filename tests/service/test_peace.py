"""Peace: threads explain while another takes gradients; every answer is the serial one, and nothing is compiled any more."""

import json
import random
import shutil
import threading
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.framework.func_graph import FuncGraph

from benchmarks.process import ROOT
from models.backgrounds import Background, equal_weights
from models.folder import TRAINED, write_folder
from service.catalog import Catalog
from service.compare import compare
from service.context import Context
from service.explain import explain
from service.lane import Clock
from service.metrics import Metrics
from service.predict import predict
from service.settings import Settings
from tests.explainers.nets import manifest_for, randomised

WORK: dict[str, Any] = {"predict": predict, "explain": explain, "compare": compare}
PASSENGERS = json.loads((ROOT / "examples" / "passengers.json").read_text())["instances"]
IMAGE = json.loads((ROOT / "examples" / "image.json").read_text())["instances"][0]
Request = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """The two models that ship, and one with branches and another activation."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("titanic", "fashion-mnist"):
        shutil.copytree(TRAINED / name, folder / name)
    x = keras.Input((6,))
    h = keras.layers.Dense(9, activation="tanh")(x)
    h = keras.layers.Add()([h, keras.layers.Dense(9, activation="relu")(h)])
    network = randomised(keras.Model(x, keras.layers.Dense(3, activation="softmax")(h)), seed=0)
    rows = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
    write_folder(folder / "m", manifest_for(network), network, Background(rows, equal_weights(20)), "", force=False)
    catalog = Catalog()
    catalog.load(folder)
    assert catalog.ready()
    return Context(Settings(), catalog, Metrics())


def requests() -> list[Request]:
    """Over three models: methods, players, backgrounds, outputs, and one instance or several."""
    some: list[Request] = [("predict", {"model": "titanic", "instances": PASSENGERS})]
    record = {f"c{k}": float(k) for k in range(5)}
    for method in ("auto", "exact", "permutation", "deep", "deep_shap", "kernel", "gradient"):
        some.append(("explain", {"model": "titanic", "instances": PASSENGERS[:1], "method": method}))
        own = {"instances": PASSENGERS[2:4]}
        some.append(("explain", {"model": "titanic", "instances": PASSENGERS[:2], "method": method, "background": own}))
        if method != "deep_shap":
            some.append(("explain", {"model": "m", "instances": [record] * 3, "method": method, "players": "columns"}))
    for options in ({}, {"outputs": ["Bag"]}, {"patches": 2}, {"method": "deep_shap"}, {"background": {"instances": [IMAGE]}}):
        some.append(("explain", {"model": "fashion-mnist", "instances": [IMAGE], **options}))
    some.append(("compare", {"model": "m", "instances": [record], "methods": ["exact", "deep"]}))
    return some


def answer(request: Request, context: Context) -> bytes:
    kind, body = request
    return WORK[kind](json.dumps(body).encode(), context, Clock(60_000))


def test_eight_threads_three_models_two_hundred_requests_each(context: Context) -> None:
    """Byte for byte the serial answers, while another thread takes gradients of its own."""
    some = requests()
    serial = [answer(request, context) for request in some]
    wrong: list[Request] = []
    gradients: list[float] = []
    done = threading.Event()

    def work(seed: int) -> None:
        order = random.Random(seed)
        light = [k for k, (_, body) in enumerate(some) if body["model"] != "fashion-mnist"]
        for turn in range(200):
            k = order.randrange(len(some)) if turn % 5 == 0 else order.choice(light)
            if answer(some[k], context) != serial[k]:
                wrong.append(some[k])

    def differentiate() -> None:
        while not done.is_set():
            x = tf.constant([[0.5, -1.0, 2.0]])
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf.reduce_sum(tf.nn.relu(x) ** 2 + tf.nn.softmax(x)[:, 0])
            gradients.append(float(tape.gradient(y, x).numpy()[0, 2]))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    tape_thread = threading.Thread(target=differentiate)
    for thread in [tape_thread, *threads]:
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    tape_thread.join()
    assert wrong == []
    assert len(gradients) > 10
    assert len(set(gradients)) == 1


def test_nothing_is_traced_once_a_model_serves(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the number of instances, the rows of the background, the players and the outputs."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a function is traced")

    monkeypatch.setattr(FuncGraph, "__init__", refuse)
    with pytest.raises(AssertionError):
        tf.function(lambda: tf.constant(1))()
    methods = ("exact", "permutation", "deep", "deep_shap", "monte_carlo", "kernel", "gradient")
    for method in methods:
        for n, rows, players in ((1, 1, "fields"), (3, 50, "columns"), (20, 2, "fields")):
            own = {"instances": [PASSENGERS[k % 6] | {"Age": k} for k in range(rows)]}
            body = {"model": "titanic", "instances": (PASSENGERS * 12)[:n], "method": method, "players": players}
            if not (method in ("monte_carlo", "gradient") and n > 3):
                answer(("explain", body | {"background": own}), context)
    for method in (*methods, "deep_paths", "partition"):
        body = {"model": "fashion-mnist", "instances": [IMAGE], "method": method, "patches": 2}
        for background in ("default", {"instances": [IMAGE] * 3}):
            answer(("explain", body | {"background": background}), context)
