"""Divided differences of smooth functions without a stable closed form, stable in float32.

Near (|x - b| < 1): the average of the derivative by Gauss-Legendre quadrature, whose relative error is 1e-9 there: the
nearest poles of these functions lie farther than 3 / 2 from the real line. Far: the change of relu in closed form, and the
quotient of what the function has more than relu, which is bounded and small.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from explainers.deep import slopes

Tensor = Any
Function = Callable[[Tensor], Tensor]
_POINTS = 6


def softplus(x: Tensor, b: Tensor) -> Tensor:
    """Of log(1 + exp(x)) = relu(x) + log(1 + exp(-|x|))."""
    return _near_or_far(x, b, tf.sigmoid, _beside_relu(x, b, lambda v: tf.math.log1p(tf.exp(-tf.abs(v)))))


def log_sigmoid(x: Tensor, b: Tensor) -> Tensor:
    """log(sigmoid(x)) = -softplus(-x)."""
    return softplus(-x, -b)


def silu(x: Tensor, b: Tensor) -> Tensor:
    """Of x sigmoid(x) = relu(x) - |x| sigmoid(-|x|)."""
    far = _beside_relu(x, b, lambda v: -tf.abs(v) * tf.sigmoid(-tf.abs(v)))
    return _near_or_far(x, b, lambda v: tf.sigmoid(v) * (1 + v * tf.sigmoid(-v)), far)


def gelu(x: Tensor, b: Tensor) -> Tensor:
    """Of x Phi(x) = relu(x) - |x| Phi(-|x|) (Hendrycks and Gimpel 2016), Phi the normal distribution function."""
    far = _beside_relu(x, b, lambda v: -tf.abs(v) * _normal(-tf.abs(v)))
    return _near_or_far(x, b, lambda v: _normal(v) + v * tf.exp(-v * v / 2) / np.sqrt(2 * np.pi), far)


def mish(x: Tensor, b: Tensor) -> Tensor:
    """Of x g(x), g = tanh(softplus) (Misra 2019): relu(x) - x (1 - g) where x > 0, relu(x) + x g below."""

    def gate(v: Tensor) -> tuple[Tensor, Tensor]:
        """G and 1 - g, from exp(-|v|)."""
        e = tf.exp(-tf.abs(v))
        over = tf.where(v > 0, 1 + 2 * e, e * (e + 2))
        rest = tf.where(v > 0, 2 * e * e, 2 * tf.ones_like(e))
        return over / (over + rest), rest / (over + rest)

    def derivative(v: Tensor) -> Tensor:
        g, less = gate(v)
        return g + v * less * (1 + g) * tf.sigmoid(v)

    far = _beside_relu(x, b, lambda v: tf.where(v > 0, -v * gate(v)[1], v * gate(v)[0]))
    return _near_or_far(x, b, derivative, far)


def tanh_shrink(x: Tensor, b: Tensor) -> Tensor:
    """Of x - tanh(x), whose derivative is tanh^2."""
    return _near_or_far(x, b, lambda v: tf.tanh(v) ** 2, 1 - slopes.tanh(x, b))


def _near_or_far(x: Tensor, b: Tensor, derivative: Function, far: Tensor) -> Tensor:
    low = tf.minimum(x, b)
    gap = tf.maximum(x, b) - low
    near = tf.minimum(gap, 1)
    nodes, weights = np.polynomial.legendre.leggauss(_POINTS)
    average = sum(w / 2 * derivative(low + (t + 1) / 2 * near) for t, w in zip(nodes.tolist(), weights.tolist(), strict=True))
    return tf.where(gap < 1, average, far)


def _beside_relu(x: Tensor, b: Tensor, rest: Function) -> Tensor:
    """Of relu + rest, where |x - b| >= 1."""
    high, low = tf.maximum(x, b), tf.minimum(x, b)
    return slopes.relu(x, b) + (rest(high) - rest(low)) / tf.maximum(high - low, 1)


def _normal(x: Tensor) -> Tensor:
    return tf.math.erfc(-x / np.sqrt(2)) / 2
