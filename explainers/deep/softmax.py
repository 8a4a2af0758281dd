"""Multipliers of the softmax: its Jacobian averaged along the straight line between the two logit vectors.

J_kj = integral over t in [0, 1] of p_k (delta_kj - p_j) at p = softmax(b + t (x - b)): Aumann-Shapley values of the softmax
alone. Shift-invariant, bounded by 1/4, additive (sum_j J_kj (x_j - b_j) = p_k(x) - p_k(b)), and sum_k J_kj = 0.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from explainers.deep.slopes import sigmoid

Tensor = Any
POINTS = 64
_NOTHING_LEFT = 1e-9
"""Squared difference of logits far below which the quadrature is exact and what is left is rounding."""


def jacobian(x: Tensor, b: Tensor) -> Tensor:
    """For logits x (1, K) and b (rows, K), any float type: (rows, K, K) in float64."""
    x, b = tf.cast(x, tf.float64), tf.cast(b, tf.float64)
    return _two(x, b) if x.shape[-1] == 2 else _many(x, b)


def _two(x: Tensor, b: Tensor) -> Tensor:
    """Two classes: the sigmoid of the logit difference, in closed form."""
    slope = sigmoid(x[:, 0] - x[:, 1], b[:, 0] - b[:, 1])  # (rows,)
    return slope[:, None, None] * tf.constant([[1.0, -1.0], [-1.0, 1.0]], tf.float64)


def _many(x: Tensor, b: Tensor) -> Tensor:
    """Gauss-Legendre quadrature; what it leaves of additivity is closed along the centred difference of the logits."""
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    t = tf.constant((nodes + 1) / 2)[None, :, None]  # (1, points, 1)
    share = tf.constant(weights / 2)[None, :, None]
    difference = x - b  # (rows, K)
    p = tf.nn.softmax(b[:, None] + t * difference[:, None])  # (rows, points, K)
    product = tf.matmul(p * share, p, transpose_a=True)  # (rows, K, K)
    integral = tf.linalg.diag(tf.reduce_sum(p * share, 1)) - product
    centred = difference - tf.reduce_mean(difference, -1, keepdims=True)
    change = tf.nn.softmax(x) - tf.nn.softmax(b)
    left = change - tf.linalg.matvec(integral, centred)  # (rows, K)
    direction = centred / (tf.reduce_sum(centred**2, -1, keepdims=True) + _NOTHING_LEFT)
    return integral + left[:, :, None] * direction[:, None, :]
