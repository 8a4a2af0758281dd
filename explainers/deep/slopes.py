"""Divided differences (f(x) - f(b)) / (x - b), stable in float32, in closed form.

No subtraction of nearly equal results. Differences of inputs are exact where the inputs nearly agree (Sterbenz), so that
for piecewise linear functions the plain quotient is right to the last bit; where x = b it is the derivative.
"""

from typing import Any

import numpy as np
import tensorflow as tf

Tensor = Any
_TINY = 1.1754944e-38
"""The smallest normal float32: 0 / _TINY is 0 without a branch."""
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def relu(x: Tensor, b: Tensor) -> Tensor:
    """Change of the positive part over total change, from the two parts; 0 where neither is positive."""
    up = tf.maximum(tf.maximum(x, b), 0)
    down = tf.minimum(tf.minimum(x, b), 0)
    return up / tf.maximum(up - down, _TINY)


def within(x: Tensor, b: Tensor, start: float, end: float) -> Tensor:
    """The share of the way between b and x that lies in [start, end]: the slope of clip(x, start, end)."""
    high, low = tf.maximum(x, b), tf.minimum(x, b)
    gap = high - low
    at = tf.cast((x > start) & (x < end), gap.dtype)
    return tf.where(gap > 0, (_clip(high, start, end) - _clip(low, start, end)) / tf.maximum(gap, _TINY), at)


def step(x: Tensor, b: Tensor, at: float) -> Tensor:
    """Of the jump 1[x > at]: 1 / |x - b| where it lies between the two, as large as that may be."""
    high, low = tf.maximum(x, b), tf.minimum(x, b)
    crossed = tf.cast((high > at) & (low <= at), high.dtype)
    return crossed / tf.maximum(high - low, _TINY)


def bent(x: Tensor, b: Tensor, below: Any) -> Tensor:
    """Of x where x > 0, else below * x: leaky and parametric ReLU."""
    return relu(x, b) + below * relu(-x, -b)


def cut(x: Tensor, b: Tensor, below: float, end: float | None, start: float) -> Tensor:
    """Of Keras's ReLU layer: min(x, end) where x > start, else below * (x - start). It jumps where start > 0."""
    end = np.inf if end is None else end
    slope = within(x, b, start, max(start, end))
    if start > 0:
        slope += min(start, end) * step(x, b, start)
    return slope + below * within(x, b, -np.inf, start) if below else slope


def elu(x: Tensor, b: Tensor, alpha: Any = 1.0) -> Tensor:
    """Of x where x > 0, else alpha * (exp(x) - 1): chain rule through min(x, 0)."""
    return relu(x, b) + alpha * relu(-x, -b) * exponential(tf.minimum(x, 0), tf.minimum(b, 0))


def selu(x: Tensor, b: Tensor) -> Tensor:
    """Of the scaled ELU (Klambauer et al. 2017)."""
    return SELU_SCALE * elu(x, b, SELU_ALPHA)


def soft_shrink(x: Tensor, b: Tensor) -> Tensor:
    """Of x without what lies in [-1/2, 1/2]."""
    return within(x, b, 0.5, np.inf) + within(x, b, -np.inf, -0.5)


def hard_shrink(x: Tensor, b: Tensor) -> Tensor:
    """Of x where |x| > 1/2, else 0: soft shrink and two jumps."""
    return soft_shrink(x, b) + 0.5 * (step(x, b, 0.5) + step(-x, -b, 0.5))


def hard_silu(x: Tensor, b: Tensor) -> Tensor:
    """Of x clip(x + 3, 0, 6) / 6: a parabola t (t + 3) / 6 between -3 and 3."""
    bow = (_clip(x, -3, 3) + _clip(b, -3, 3) + 3) / 6
    return within(x, b, 3, np.inf) + within(x, b, -3, 3) * bow


def sparse_plus(x: Tensor, b: Tensor) -> Tensor:
    """Of 0 below -1, (x + 1)^2 / 4 up to 1, x above."""
    bow = (_clip(x, -1, 1) + _clip(b, -1, 1) + 2) / 4
    return within(x, b, 1, np.inf) + within(x, b, -1, 1) * bow


def exponential(x: Tensor, b: Tensor) -> Tensor:
    """Of exp, from the larger side."""
    high, low = tf.maximum(x, b), tf.minimum(x, b)
    return tf.exp(high) * decay(high - low)


def sigmoid(x: Tensor, b: Tensor) -> Tensor:
    """Of the logistic function, as its value at hi times that at -lo times the average of exp(-t) over 0 <= t <= hi - lo."""
    high, low = tf.maximum(x, b), tf.minimum(x, b)
    gap = high - low
    return tf.sigmoid(high) * tf.sigmoid(-low) * decay(gap)


def tanh(x: Tensor, b: Tensor) -> Tensor:
    """Of 2 sigmoid(2 x) - 1."""
    return 4 * sigmoid(2 * x, 2 * b)


def softsign(x: Tensor, b: Tensor) -> Tensor:
    """Of x / (1 + |x|): over one denominator, the numerator is x - b, and more only where the signs differ."""
    p, q = tf.abs(x), tf.abs(b)
    more = tf.where(tf.sign(x) * tf.sign(b) < 0, 2 * p * (q / tf.maximum(p + q, _TINY)), tf.zeros_like(p + q))
    return (1 + more) / ((1 + p) * (1 + q))


def squareplus(x: Tensor, b: Tensor) -> Tensor:
    """Of (x + sqrt(x^2 + 4)) / 2 (Barron 2021): f(x) + f(b) over the sum of the roots."""
    roots = [tf.sqrt(side * side + 4) for side in (x, b)]
    sums = [tf.where(side > 0, side + root, 4 / (root + tf.abs(side))) for side, root in zip((x, b), roots, strict=True)]
    return (sums[0] + sums[1]) / (2 * (roots[0] + roots[1]))


def decay(gap: Tensor) -> Tensor:
    """The average of exp(-t) over 0 <= t <= d, (1 - exp(-d)) / d; 1 at d = 0."""
    safe = tf.where(gap > 0, gap, tf.ones_like(gap))
    return tf.where(gap > 0, -tf.math.expm1(-safe) / safe, tf.ones_like(gap))


def _clip(x: Tensor, start: float, end: float) -> Tensor:
    return tf.minimum(tf.maximum(x, start), end)
