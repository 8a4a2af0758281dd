"""Divided differences (f(x) - f(b)) / (x - b), stable in float32: no subtraction of nearly equal numbers, no threshold."""

from typing import Any

import tensorflow as tf

Tensor = Any


def relu(x: Tensor, b: Tensor) -> Tensor:
    """Change of the positive part over total change, from the two parts; 0 where neither is positive."""
    up = tf.nn.relu(tf.maximum(x, b))
    down = tf.nn.relu(-tf.minimum(x, b))
    return tf.math.divide_no_nan(up, up + down)


def sigmoid(x: Tensor, b: Tensor) -> Tensor:
    """Of the logistic function, as its value at hi times that at -lo times the average of exp(-t) over 0 <= t <= hi - lo."""
    high, low = tf.maximum(x, b), tf.minimum(x, b)
    gap = high - low
    return tf.sigmoid(high) * tf.sigmoid(-low) * decay(gap)


def decay(gap: Tensor) -> Tensor:
    """The average of exp(-t) over 0 <= t <= d, (1 - exp(-d)) / d; 1 at d = 0."""
    safe = tf.where(gap > 0, gap, tf.ones_like(gap))
    return tf.where(gap > 0, -tf.math.expm1(-safe) / safe, tf.ones_like(gap))
