"""Nets of many layers: grown at random, nested, shared, with one output and without columns."""

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from explainers.deep.program import program
from explainers.deep.rules import ACTIVATIONS, LAYERS
from tests.explainers.layers import ALL, precision, puller, residual, shaken
from tests.explainers.nets import Case, manifest_for, unequal

L = keras.layers
SHAPES = [(5,), (5, 4), (6, 5, 4)]
LEFT_OUT = ("exponential-0", "UpSampling2D-1")
"""What grows without bound, and what XLA has in float32 only."""
RULED = [(name, len(shape), make) for name, shape, make in ALL if "3D" not in name and name not in LEFT_OUT]


WAYS = st.sampled_from(["chain", "chain", "inner", "twice", "residual"])
PLANS = st.lists(st.tuples(st.integers(0, 999), WAYS), min_size=1, max_size=5)


def net(shape: tuple[int, ...], plan: list[tuple[int, str]], outputs: int, seed: int) -> Any:
    """A chain of ruled layers, some in an inner model, used twice or around a residual; last, the first value is merged in."""
    x = h = keras.Input(shape, dtype="float64")
    for number, way in plan:
        fitting = [make for _, rank, make in RULED if rank == len(h.shape) - 1]
        try:
            made = wrapped(fitting[number % len(fitting)], way, h)
        except (ValueError, AssertionError, tf.errors.InvalidArgumentError):  # too small for it, or of another size
            continue
        if 0 < np.prod(made.shape[1:]) <= 400 and len(made.shape) <= 4:
            h = made
    return shaken(keras.Model(x, L.Dense(outputs)(L.Concatenate()([L.Flatten()(h), L.Flatten()(x)]))), seed)


def wrapped(make: Any, way: str, h: Any) -> Any:
    if way == "chain":
        return make()(h)
    if way == "residual":
        made = make()(h)
        return L.Add()([made, L.Reshape(made.shape[1:])(L.Dense(int(np.prod(made.shape[1:])))(L.Flatten()(h)))])
    inner = keras.Input(h.shape[1:], dtype="float64")
    model = keras.Model(inner, make()(inner))
    return model(h) if way == "inner" else L.Subtract()([model(h), model(L.Rescaling(0.5)(h))])


@pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`")
@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(shape=st.sampled_from(SHAPES), plan=PLANS, outputs=st.integers(1, 3), seed=st.integers(0, 99))
def test_random_nets_are_additive(shape: tuple[int, ...], plan: list[tuple[int, str]], outputs: int, seed: int) -> None:
    """In float64, one layer's rule after the other's."""
    with precision("float64"):
        model = net(shape, plan, outputs, seed)
    rng = np.random.default_rng(seed)
    x, b = rng.normal(size=(1, *shape)), rng.normal(size=(3, *shape))
    m = rng.normal(size=(3, outputs))
    try:
        expected = tf.function(lambda v: model(v, training=False), autograph=False)(b)
    except (ValueError, tf.errors.InvalidArgumentError):  # Keras builds some nets that it cannot run
        assume(False)
    made = puller(model)(x, b, m)
    assume(np.isfinite(made[0]).all() and np.abs(made[2]).max() < 1e6)
    np.testing.assert_allclose(made[2], expected, rtol=1e-6, atol=1e-6)
    assert residual(x, b, m, *made).max() < 1e-6


def test_inner_models_and_shared_layers() -> None:
    """A Sequential without a fixed length, a model with two outputs, and one layer and one model used twice."""
    pooled = keras.Sequential([keras.Input((None, 3)), L.Conv1D(4, 2, activation="silu"), L.GlobalMaxPooling1D()])
    a = keras.Input((4,))
    two = keras.Model(a, [L.Dense(4, activation="tanh")(a), L.Dense(5, activation="relu")(a)])
    x = keras.Input((9,))
    shared = L.Dense(9, activation="gelu")
    h = L.LayerNormalization()(L.Add()([x, shared(shared(x))]))
    h = L.Multiply()([pooled(L.Reshape((3, 3))(h)), pooled(L.Reshape((3, 3))(x))])
    first, second = two(h)
    model = keras.Model(x, L.Dense(3, activation="softmax")(L.Concatenate()([second, first, two(first)[0]])))
    case = Case(shaken(model, 0), rows=7, weights=unequal(7))
    np.testing.assert_allclose(case.values("deep").sum(axis=1), case.change(), atol=2e-6)


def test_an_output_without_columns() -> None:
    """(n,) is answered as (n, 1), with the values that (n, 1) has."""
    x = keras.Input((5,))
    column = L.Dense(1, activation="sigmoid")(L.Dense(6, activation="relu")(x))
    plain, flat = Case(shaken(keras.Model(x, column), 1)), keras.Model(x, L.Reshape(())(column))
    case = Case(flat, manifest=manifest_for(plain.model))
    assert flat.outputs[0].shape == (None,)
    np.testing.assert_array_equal(case.network.predict(case.x), plain.network.predict(plain.x))
    np.testing.assert_allclose(case.values("deep"), plain.values("deep"), atol=1e-7)


def test_the_softmax_may_be_a_layer_and_need_not_come_last() -> None:
    """The pass that the engine spares is right: each output alone has the values that it has among all."""
    x = keras.Input((5,))
    logits = L.Dense(3)(x)
    for last in (L.Softmax()(logits), L.Dropout(0.5)(L.Activation("softmax")(logits)), L.Activation("log_softmax")(logits)):
        case = Case(shaken(keras.Model(x, last), 0), n=2)
        explainer = case.explainer("deep")
        together = explainer.attribute(case.question("columns")).values
        np.testing.assert_allclose(together.sum(axis=1), case.change(), atol=2e-6)
        for k in range(3):
            alone = explainer.attribute(case.question("columns", [[k], [k]])).values
            np.testing.assert_allclose(alone[..., 0], together[..., k], atol=1e-6)


def test_a_model_that_returns_its_input() -> None:
    """No step at all."""
    x = keras.Input((3,))
    case = Case(keras.Model(x, x))
    np.testing.assert_allclose(case.values("deep").sum(axis=1), case.change(), atol=1e-6)


def test_a_net_of_six_hundred_layers() -> None:
    """Python's stack holds a thousand calls, and Keras takes one per layer."""
    model = keras.Sequential([keras.Input((2,)), *[L.Identity() for _ in range(600)]])
    assert len(program(model, LAYERS, ACTIVATIONS)) == 600


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_predictions_are_those_of_keras_where_xla_has_others(interpolation: str) -> None:
    """XLA resizes wrongly, or not at all."""
    x = keras.Input((3, 4, 1))
    model = keras.Model(x, L.Dense(2)(L.Flatten()(L.UpSampling2D(3, interpolation=interpolation)(x))))
    case = Case(shaken(model, 0))
    np.testing.assert_allclose(case.network.predict(case.x), model(case.x), rtol=1e-5, atol=1e-5)
