"""Max pooling: the larger side's maximum pays for the change (shap's rule), equal maxima share it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from explainers.deep.program import Pair, Rule, Step, Tensor

_WINDOW = (2, 4)


class _Kept(NamedTuple):
    """Windows stand on axes 2 and 4 of (n, height, down, width, across, channels)."""

    values: Tensor
    top: Tensor  # (n, height, 1, width, 1, channels): the maxima
    share: Tensor  # what each element carries of its window's maximum, summing to 1


def _rule(share: Callable[[Tensor, Tensor], Tensor]) -> Rule:
    def keep(step: Step, value: Tensor) -> _Kept:
        values = _windows(step)(value)
        top = tf.reduce_max(values, _WINDOW, keepdims=True)
        return _Kept(values, top, share(values, top))

    def pull(step: Step, inputs: Sequence[Pair], m: Tensor) -> list[Tensor]:
        """Where x's maximum is the larger one, x's maximal elements carry the change; else the row's. Ratios in [0, 1]."""
        ((x, b),) = inputs
        change = x.top - b.top
        from_x = x.share * tf.math.divide_no_nan(change, x.top - b.values)
        from_b = b.share * tf.math.divide_no_nan(change, x.values - b.top)
        return [_put_back(step, m[:, :, None, :, None] * tf.where(change > 0, from_x, from_b))]

    return Rule(pull, keep)


def _equally(values: Tensor, top: Tensor) -> Tensor:
    """Equal maxima share equally: symmetric players get the same."""
    maximal = tf.cast(values == top, values.dtype)
    return maximal / tf.reduce_sum(maximal, _WINDOW, keepdims=True)


def _first(values: Tensor, _: Tensor) -> Tensor:
    """The first of equal maxima carries all, as TensorFlow's gradient has it."""
    n, height, down, width, across, channels = values.shape
    flat = tf.reshape(tf.transpose(values, (0, 1, 3, 5, 2, 4)), (n, height, width, channels, down * across))
    first = tf.one_hot(tf.argmax(flat, -1), down * across, dtype=values.dtype)
    return tf.transpose(tf.reshape(first, (n, height, width, channels, down, across)), (0, 1, 4, 2, 5, 3))


MAX_POOLING = _rule(_equally)
FIRST_MAX_POOLING = _rule(_first)


def _windows(step: Step) -> Callable[[Tensor], Tensor]:
    """A function that cuts (n, height, width, channels) into windows, which stand on axes 2 and 4.

    Windows that do not overlap are a view; others are copied, all their places along the second of the two axes.
    """
    layer: Any = step.layer
    (high, wide), (down, right) = layer.pool_size, layer.strides
    height, width, channels = step.shapes[0]
    if layer.padding == "valid" and (high, wide) == (down, right):
        rows, columns = height // high, width // wide

        def tile(a: Tensor) -> Tensor:
            return tf.reshape(a[:, : rows * high, : columns * wide], (-1, rows, high, columns, wide, channels))

        return tile
    above, left, rows, columns = 0, 0, (height - high) // down + 1, (width - wide) // right + 1
    below = beside = 0
    if layer.padding == "same":
        rows, columns = -(-height // down), -(-width // right)
        tall, broad = max(0, (rows - 1) * down + high - height), max(0, (columns - 1) * right + wide - width)
        above, below, left, beside = tall // 2, tall - tall // 2, broad // 2, broad - broad // 2

    def slide(a: Tensor) -> Tensor:
        padded = tf.pad(a, ((0, 0), (above, below), (left, beside), (0, 0)), constant_values=a.dtype.min)
        places = [
            padded[:, i : i + (rows - 1) * down + 1 : down, j : j + (columns - 1) * right + 1 : right]
            for i in range(high)
            for j in range(wide)
        ]
        return tf.stack(places, axis=-2)[:, :, None]

    return slide


def _put_back(step: Step, windows: Tensor) -> Tensor:
    """The transpose of `_windows`: what overlaps is added up."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        zeros = tf.zeros((windows.shape[0], *step.shapes[0]), windows.dtype)
        tape.watch(zeros)
        places = _windows(step)(zeros)
    return tape.gradient(places, zeros, windows)
