"""Divided differences in float32, against Keras's own functions in float64."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from explainers.deep.program import Pair, Step
from explainers.deep.rules import ACTIVATIONS, LAYERS
from models.arrays import Array

KINKS = {
    "hard_shrink": (-0.5, 0.5),
    "hard_sigmoid": (-3, 3),
    "hard_silu": (-3, 3),
    "hard_tanh": (-1, 1),
    "relu6": (0, 6),
    "soft_shrink": (-0.5, 0.5),
    "sparse_plus": (-1, 1),
    "sparse_sigmoid": (-1, 1),
}
ONE_KINK = ("relu", "leaky_relu", "elu", "selu", "celu")
ELEMENTWISE = sorted(set(ACTIVATIONS) - {"linear", "softmax", "log_softmax"})


def slope(name: str, x: Array, b: Array) -> Array:
    """What the rule multiplies with, in the precision of x (n,) and b (n,)."""
    rule = (ACTIVATIONS | LAYERS)[name]
    step = Step(name, rule, keras.activations.get(name), None, (0,), (x.shape,))
    (pulled,) = rule.pull(step, [Pair(tf.constant(x), tf.constant(b))], tf.ones_like(x))
    return np.asarray(pulled)


def truth(function: Callable[[Any], Any], x: Array, b: Array, kinks: tuple[float, ...]) -> Array:
    """The quotient in float64; the derivative halfway, where no kink lies between and the quotient would be rounding."""
    x, b = x.astype(np.float64), b.astype(np.float64)
    with tf.GradientTape() as tape:
        middle = tf.constant((x + b) / 2)
        tape.watch(middle)
        made = function(middle)
    derivative = tape.gradient(made, middle).numpy()
    smooth = np.abs(x - b) < 1e-4
    for kink in kinks:
        smooth &= (x > kink) == (b > kink)
    quotient = (np.asarray(function(tf.constant(x))) - np.asarray(function(tf.constant(b)))) / np.where(x == b, 1, x - b)
    return np.where(smooth, derivative, quotient)


def pairs(seed: int = 0, n: int = 20_000, largest: float = 4) -> tuple[Array, Array]:
    """(n,) each, float32: sizes from 1e-3 to 1e4 and distances from 1e-7 to 1e4, both evenly over the decades."""
    rng = np.random.default_rng(seed)
    x, gap = (rng.choice([-1, 1], n) * 10 ** rng.uniform(low, largest, n) for low in (-3, -7))
    return x.astype(np.float32), (x + gap).astype(np.float32)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_slopes_in_float32_are_those_of_keras_in_float64(name: str) -> None:
    """To 4e-6 of the slope, or of 1 where that is larger."""
    x, b = pairs(largest=1.5 if name == "exponential" else 4)
    with np.errstate(all="ignore"):
        exact = truth(keras.activations.get(name), x, b, KINKS.get(name, (0.0,) if name in ONE_KINK else ()))
    ours = slope(name, x, b)
    assert np.isfinite(ours).all()
    np.testing.assert_array_less(np.abs(ours - exact), 4e-6 * np.maximum(np.abs(exact), 1))


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_slopes_are_symmetric_and_continuous_where_both_sides_meet(name: str) -> None:
    """s(x, b) = s(b, x), and s(x, x) is the derivative, or one of the two at a kink."""
    x, b = pairs(1, 2_000, largest=1.5)
    np.testing.assert_allclose(slope(name, x, b), slope(name, b, x), rtol=5e-7)
    with tf.GradientTape() as tape:
        v = tf.constant(x.astype(np.float64))
        tape.watch(v)
        made = keras.activations.get(name)(v)
    np.testing.assert_allclose(slope(name, x, x), tape.gradient(made, v), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["elu", "exponential", "gelu", "mish", "selu", "sigmoid", "silu", "softplus", "tanh_shrink"])
def test_small_slopes_keep_their_digits(name: str) -> None:
    """Where the function is flat: relative error 1e-4, not absolute, away from where the slope changes its sign."""
    rng = np.random.default_rng(0)
    b = (rng.uniform(0.002, 0.02, 500) if name == "tanh_shrink" else rng.uniform(-9, -4, 500)).astype(np.float32)
    for distance in (1e-6, 1e-3, 1e-2, 0.5, 3):
        x = (b + np.sign(b) * np.float32(distance)).astype(np.float32)
        np.testing.assert_allclose(slope(name, x, b), truth(keras.activations.get(name), x, b, ()), rtol=1e-4)
