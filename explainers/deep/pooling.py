"""Max pooling: the larger side's maximum pays for the change (shap's rule), equal maxima share it.

Values are cut into windows one axis after another: each spatial axis becomes two, the outputs and the places of a window,
(n, height, down, width, across, channels) in two dimensions.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from explainers.deep.program import Pair, Rule, Step, Tensor
from models.arrays import Array


class _Kept(NamedTuple):
    """In windows, which stand on axes 2, 4, ..."""

    values: Tensor
    top: Tensor  # (n, height, 1, width, 1, channels): the maxima
    share: Tensor  # what each element carries of its window's maximum, summing to 1


def _rule(share: Callable[[Tensor, Tensor], Tensor]) -> Rule:
    def keep(step: Step, value: Tensor) -> _Kept:
        if len(step.shapes[0]) < 4:
            return cut(step, value)
        # TensorFlow broadcasts no more than five axes, XLA does
        return tf.function(lambda v: cut(step, v), jit_compile=True, autograph=False)(value)

    def cut(step: Step, value: Tensor) -> _Kept:
        values = _channels_last(step.layer, value)
        for axis, places in reversed(list(enumerate(_places(step), 1))):
            values = _cut(values, axis, places)
        top = tf.reduce_max(values, _window(values), keepdims=True)
        return _Kept(values, top, share(values, top))

    def pull(step: Step, inputs: Sequence[Pair], m: Tensor) -> list[Tensor]:
        """Where x's maximum is the larger one, x's maximal elements carry the change; else the row's. Ratios in [0, 1]."""
        ((x, b),) = inputs
        change = x.top - b.top
        from_x = x.share * tf.math.divide_no_nan(change, x.top - b.values)
        from_b = b.share * tf.math.divide_no_nan(change, x.values - b.top)
        m = tf.reshape(_channels_last(step.layer, m), b.top.shape)
        pulled = m * tf.where(change > 0, from_x, from_b)
        for axis, places in enumerate(_places(step), 1):
            pulled = _sum_up(pulled, axis, places, _sizes(step)[axis - 1])
        return [_channels_back(step.layer, pulled)]

    return Rule(pull, keep)


def _equally(values: Tensor, top: Tensor) -> Tensor:
    """Equal maxima share equally: symmetric players get the same."""
    maximal = tf.cast(values == top, values.dtype)
    return maximal / tf.reduce_sum(maximal, _window(values), keepdims=True)


def _first(values: Tensor, _: Tensor) -> Tensor:
    """The first of equal maxima carries all, as TensorFlow's gradient has it."""
    window = _window(values)
    order = [axis for axis in range(len(values.shape)) if axis not in window] + window
    sorted_values = tf.transpose(values, order)
    flat = tf.reshape(sorted_values, (*sorted_values.shape[: -len(window)], -1))
    first = tf.one_hot(tf.argmax(flat, -1), flat.shape[-1], dtype=values.dtype)
    return tf.transpose(tf.reshape(first, sorted_values.shape), np.argsort(order))


MAX_POOLING = _rule(_equally)
FIRST_MAX_POOLING = _rule(_first)


def _window(values: Tensor) -> list[int]:
    return list(range(2, len(values.shape) - 1, 2))


def _sizes(step: Step) -> tuple[int, ...]:
    """Of the spatial axes."""
    return step.shapes[0][1:] if step.layer.data_format == "channels_first" else step.shapes[0][:-1]


def _places(step: Step) -> list[Array]:
    """Per spatial axis the positions (outputs, places) that each window holds; a position beyond the end is outside."""
    layer: Any = step.layer
    sizes = _sizes(step)
    if hasattr(layer, "pool_size"):
        options = zip(sizes, layer.pool_size, layer.strides, strict=True)
        return [_sliding(*option, same=layer.padding == "same") for option in options]
    if hasattr(layer, "output_size"):
        asked = [layer.output_size] if isinstance(layer.output_size, int) else layer.output_size
        return [_adaptive(size, outputs) for size, outputs in zip(sizes, asked, strict=True)]
    return [np.arange(size)[None] for size in sizes]  # global


def _sliding(size: int, window: int, stride: int, same: bool) -> Array:
    outputs = -(-size // stride) if same else (size - window) // stride + 1
    before = max(0, (outputs - 1) * stride + window - size) // 2 if same else 0
    places = np.arange(outputs)[:, None] * stride + np.arange(window) - before
    return np.where((places >= 0) & (places < size), places, size)


def _adaptive(size: int, outputs: int) -> Array:
    """From floor(i size / outputs) to ceil((i + 1) size / outputs)."""
    k = np.arange(outputs)[:, None]
    start, end = k * size // outputs, -(-(k + 1) * size // outputs)
    places = start + np.arange((end - start).max())
    return np.where(places < end, places, size)


def _cut(a: Tensor, axis: int, places: Array) -> Tensor:
    """One axis into two; windows that stand side by side are a view, others are copied."""
    shape = a.shape
    if not _side_by_side(places, shape[axis]):
        padding = [(0, int(k == axis)) for k in range(len(shape))]
        return tf.gather(tf.pad(a, padding, constant_values=a.dtype.min), places, axis=axis)
    held = a[(slice(None),) * axis + (slice(places.size),)] if places.size < shape[axis] else a
    return tf.reshape(held, (*shape[:axis], *places.shape, *shape[axis + 1 :]))


def _sum_up(windows: Tensor, axis: int, places: Array, size: int) -> Tensor:
    """The transpose of `_cut`: two axes into one, and what overlaps is added up."""
    shape = windows.shape
    flat = tf.reshape(windows, (*shape[:axis], places.size, *shape[axis + 2 :]))
    aligned = _side_by_side(places, size)
    missing = size - places.size if aligned else 1
    padded = tf.pad(flat, [(0, missing * (k == axis)) for k in range(len(flat.shape))]) if missing else flat
    if aligned:
        return padded
    holders = [np.flatnonzero(places.ravel() == position) for position in range(size)]
    most = max(map(len, holders))
    table = np.array([[*held, *[places.size] * (most - len(held))] for held in holders])  # (size, most)
    return tf.reduce_sum(tf.gather(padded, table, axis=axis), axis + 1)


def _side_by_side(places: Array, size: int) -> bool:
    return places.size <= size and np.array_equal(places.ravel(), np.arange(places.size))


def _channels_last(layer: Any, a: Tensor) -> Tensor:
    """What has spatial axes."""
    if layer.data_format == "channels_last" or len(a.shape) < 3:
        return a
    return tf.transpose(a, (0, *range(2, len(a.shape)), 1))


def _channels_back(layer: Any, a: Tensor) -> Tensor:
    if layer.data_format == "channels_last":
        return a
    return tf.transpose(a, (0, len(a.shape) - 1, *range(1, len(a.shape) - 1)))
