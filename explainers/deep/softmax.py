"""Multipliers of the softmax: its Jacobian averaged along the straight line between the two logit vectors.

J_kj = integral over t in [0, 1] of p_k (delta_kj - p_j) at p = softmax(b + t (x - b)): Aumann-Shapley values of the softmax
alone. Shift-invariant, bounded by 1/4, additive (sum_j J_kj (x_j - b_j) = p_k(x) - p_k(b)), and sum_k J_kj = 0.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from explainers.deep.slopes import sigmoid

Tensor = Any
POINTS, PANELS = 24, 5
_NOTHING_LEFT = 1e-9
"""Squared difference of logits far below which the quadrature is exact and what is left is rounding."""


def pull(x: Tensor, b: Tensor, m: Tensor) -> Tensor:
    """Multipliers m (rows, K) of the probabilities to those of the logits x (1, K) and b (rows, K), in float64: m J."""
    x, b, m = (tf.cast(values, tf.float64) for values in (x, b, m))
    return _two(x, b, m) if x.shape[-1] == 2 else _many(x, b, m)


def _two(x: Tensor, b: Tensor, m: Tensor) -> Tensor:
    """Two classes: the sigmoid of the logit difference, in closed form."""
    first = (m[:, 0] - m[:, 1]) * sigmoid(x[:, 0] - x[:, 1], b[:, 0] - b[:, 1])  # (rows,)
    return tf.stack([first, -first], axis=1)


def _many(x: Tensor, b: Tensor, m: Tensor) -> Tensor:
    """Quadrature along the line; what it leaves of additivity is closed."""
    p, share = _line(x, b)
    mean = tf.reduce_sum(p * m[:, None], -1, keepdims=True)
    pulled = tf.reduce_sum(share * p * (m[:, None] - mean), 1)  # (rows, K)
    change = tf.nn.softmax(x) - tf.nn.softmax(b)
    return _closed(pulled, x - b, tf.reduce_sum(change * m, -1, keepdims=True))


def pull_log(x: Tensor, b: Tensor, m: Tensor) -> Tensor:
    """As `pull`, of the log-softmax: y_k = x_k - log sum_j exp(x_j), whose Jacobian is delta_kj - p_j."""
    x, b, m = (tf.cast(values, tf.float64) for values in (x, b, m))
    p, share = _line(x, b)
    total = tf.reduce_sum(m, -1, keepdims=True)
    pulled = m - total * tf.reduce_sum(share * p, 1)  # (rows, K)
    change = tf.nn.log_softmax(x) - tf.nn.log_softmax(b)
    return _closed(pulled, x - b, tf.reduce_sum(change * m, -1, keepdims=True))


def along(axes: Sequence[int], pulled: Callable[[Tensor, Tensor, Tensor], Tensor], x: Tensor, b: Tensor, m: Tensor) -> Tensor:
    """`pull` or `pull_log` over some axes of x (1, ...), b and m (rows, ...): vector after vector, to bound memory."""
    rank = len(m.shape)
    if rank == 2:
        return pulled(x, b, m)
    others = [axis for axis in range(1, rank) if axis not in axes]
    order = [*others, 0, *axes]
    sorted_shape = [m.shape[axis] for axis in order]
    size = math.prod(m.shape[axis] for axis in axes)
    vectors = [tf.reshape(tf.transpose(a, order), (-1, a.shape[0], size)) for a in (x, b, m)]  # (positions, rows, K)
    made = tf.map_fn(lambda at: pulled(*at), tuple(vectors), fn_output_signature=tf.float64)
    return tf.transpose(tf.reshape(made, sorted_shape), np.argsort(order))


def _line(x: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """The softmax at points of the line from b to x (rows, points, K), and each point's share of it (rows, points, 1).

    Quadrature on panels between which the leading class changes.
    """
    difference = x - b  # (rows, K)
    nodes, weights = _clustered()
    edges = _edges(b, difference)  # (rows, panels + 1)
    widths = edges[:, 1:] - edges[:, :-1]
    t = tf.reshape(edges[:, :-1, None] + widths[:, :, None] * nodes, (b.shape[0], -1, 1))  # (rows, points, 1)
    share = tf.reshape(widths[:, :, None] * weights, t.shape)
    return tf.nn.softmax(b[:, None] + t * difference[:, None]), share


def _closed(pulled: Tensor, difference: Tensor, change: Tensor) -> Tensor:
    """Multipliers (rows, K) with what they leave of the change (rows, 1) put along the centred difference of the logits."""
    centred = difference - tf.reduce_mean(difference, -1, keepdims=True)
    left = change - tf.reduce_sum(pulled * centred, -1, keepdims=True)
    return pulled + left * centred / (tf.reduce_sum(centred**2, -1, keepdims=True) + _NOTHING_LEFT)


def _edges(b: Tensor, slope: Tensor) -> Tensor:
    """Where on [0, 1] the largest of the K lines b + t slope changes: (rows, panels + 1), 0 first, 1 last and repeated.

    There the softmax turns, the more sharply the larger the logits; between these places it is flat.
    """
    t = tf.zeros((b.shape[0], 1), b.dtype)
    lead = tf.argmax(b, -1)[:, None]
    edges = [t]
    for _ in range(min(PANELS, b.shape[-1]) - 1):
        steeper = slope - tf.gather(slope, lead, batch_dims=1)
        meets = (tf.gather(b, lead, batch_dims=1) - b) / tf.where(steeper > 0, steeper, tf.ones_like(steeper))
        meets = tf.where((steeper > 0) & (meets >= t), meets, tf.ones_like(meets))
        t = tf.minimum(tf.reduce_min(meets, -1, keepdims=True), 1)
        lead = tf.where(t < 1, tf.argmin(meets, -1)[:, None], lead)
        edges.append(t)
    return tf.concat([*edges, tf.ones_like(t)], axis=1)


def _clustered() -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on [0, 1], drawn to both ends by t^2 / (t^2 + (1 - t)^2)."""
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    t = (nodes + 1) / 2
    norm = t**2 + (1 - t) ** 2
    return t**2 / norm, weights / 2 * 2 * t * (1 - t) / norm**2
