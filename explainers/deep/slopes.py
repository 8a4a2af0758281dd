"""Divided differences (f(x) - f(b)) / (x - b), stable in float32: no subtraction of nearly equal numbers, no threshold."""

from typing import Any

import tensorflow as tf

Tensor = Any
_TINY = 1.1754944e-38
"""The smallest normal float32: 0 / _TINY is 0 without a branch."""


def relu(x: Tensor, b: Tensor) -> Tensor:
    """Change of the positive part over total change, from the two parts; 0 where neither is positive."""
    up = tf.maximum(tf.maximum(x, b), 0)
    down = tf.minimum(tf.minimum(x, b), 0)
    return up / tf.maximum(up - down, _TINY)


def sigmoid(x: Tensor, b: Tensor) -> Tensor:
    """Of the logistic function, as its value at hi times that at -lo times the average of exp(-t) over 0 <= t <= hi - lo."""
    high, low = tf.maximum(x, b), tf.minimum(x, b)
    gap = high - low
    return tf.sigmoid(high) * tf.sigmoid(-low) * decay(gap)


def decay(gap: Tensor) -> Tensor:
    """The average of exp(-t) over 0 <= t <= d, (1 - exp(-d)) / d; 1 at d = 0."""
    safe = tf.where(gap > 0, gap, tf.ones_like(gap))
    return tf.where(gap > 0, -tf.math.expm1(-safe) / safe, tf.ones_like(gap))
