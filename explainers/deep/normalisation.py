"""Normalisation over the values of one instance: y = gain * u * r, u centred or not, r one over the root of a mean square.

The product is split as (r_x + r_b) / 2 for u and (u_x + u_b) / 2 for r (Shapley values of a product of two). r follows from
the mean square v by r_x - r_b = -(v_x - v_b) / (s_x s_b (s_x + s_b)), s = 1 / r, and v from u by the difference of squares:
no quotient of differences anywhere. Batch normalisation is affine and stands elsewhere.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from explainers.deep import slopes
from explainers.deep.program import Pair, Rule, Step, Tensor


class _Form(NamedTuple):
    """What one layer does, in these terms."""

    shape: tuple[int, ...]
    """Of the input as the layer sees it, without the batch."""
    axes: list[int]
    """Over which the mean square is taken; the batch is axis 0."""
    size: float
    """What the sum of squares is divided by."""
    gain: Any = 1.0
    """Broadcasts to (n, *shape)."""
    epsilon: float = 0.0
    floor: float = 0.0
    """What the mean square is at least."""
    centred: bool = False
    """Whether u is the input less its mean."""
    spread: bool = False
    """Whether the mean square is of the input less its mean."""


class _Kept(NamedTuple):
    value: Tensor  # (n, *shape)
    mean: Tensor  # (n, ..., 1), or 0
    square: Tensor  # (n, ..., 1): the mean square and epsilon, before the floor


def _rule(form_of: Callable[[Any, tuple[int, ...]], _Form], lacks: Callable[[Step], str] = lambda step: "") -> Rule:
    """form_of: from the layer and the shape of its input without the batch."""

    def keep(step: Step, value: Tensor) -> _Kept:
        form = form_of(step.layer, step.shapes[0])
        value = tf.reshape(value, (-1, *form.shape))
        mean = tf.reduce_mean(value, form.axes, keepdims=True) if form.spread else tf.zeros((1,) * len(value.shape), value.dtype)
        square = tf.reduce_sum((value - mean) ** 2, form.axes, keepdims=True) / form.size
        return _Kept(value, mean, square + form.epsilon)

    def pull(step: Step, inputs: Sequence[Pair], m: Tensor) -> list[Tensor]:
        ((x, b),) = inputs
        form = form_of(step.layer, step.shapes[0])
        m = tf.reshape(m, (-1, *form.shape)) * form.gain
        root_x, root_b = (tf.sqrt(tf.maximum(side.square, form.floor)) for side in (x, b))
        r_x, r_b = 1 / root_x, 1 / root_b
        measured = (x.value - x.mean) + (b.value - b.mean)
        u = measured if form.centred else x.value + b.value
        by_r = tf.reduce_sum(m * u, form.axes, keepdims=True) / 2
        by_square = by_r * (-r_x * r_b / (root_x + root_b)) * slopes.within(x.square, b.square, form.floor, np.inf)
        pulled = m * ((r_x + r_b) / 2) + by_square / form.size * measured
        if form.centred:
            pulled -= tf.reduce_mean(pulled, form.axes, keepdims=True)
        return [tf.reshape(pulled, (-1, *step.shapes[0]))]

    return Rule(pull, keep, lacks)


def _layer(layer: Any, shape: tuple[int, ...]) -> _Form:
    axes = _axes(layer.axis, shape)
    gain = 1.0 if layer.gamma is None else _along(layer.gamma, axes, shape)
    return _Form(shape, axes, _size(axes, shape), gain, layer.epsilon, centred=not layer.rms_scaling, spread=True)


def _rms(layer: Any, shape: tuple[int, ...]) -> _Form:
    axes = _axes(layer.axis, shape)
    return _Form(shape, axes, _size(axes, shape), _along(layer.scale, axes, shape), layer.epsilon)


def _unit(layer: Any, shape: tuple[int, ...]) -> _Form:
    return _Form(shape, _axes(layer.axis, shape), 1.0, floor=1e-24)


def _group(layer: Any, shape: tuple[int, ...]) -> _Form:
    """The axis of the channels is cut into groups; each group is normalised over all else."""
    (axis,) = _axes(layer.axis, shape)
    grouped = (*shape[: axis - 1], layer.groups, shape[axis - 1] // layer.groups, *shape[axis:])
    axes = [k for k in range(1, len(grouped) + 1) if k != axis]
    gain = 1.0 if layer.gamma is None else _along(layer.gamma, [axis, axis + 1], grouped)
    return _Form(grouped, axes, _size(axes, grouped), gain, layer.epsilon, centred=True, spread=True)


def _axes(axis: int | list[int], shape: tuple[int, ...]) -> list[int]:
    """From 1, in order."""
    return sorted(k % (len(shape) + 1) for k in ([axis] if isinstance(axis, int) else axis))


def _size(axes: list[int], shape: tuple[int, ...]) -> float:
    return float(np.prod([shape[axis - 1] for axis in axes]))


def _along(weights: Any, axes: list[int], shape: tuple[int, ...]) -> Tensor:
    """A layer's weights on these axes: (1, ...)."""
    return tf.reshape(tf.convert_to_tensor(weights), [1, *(size if axis in axes else 1 for axis, size in enumerate(shape, 1))])


def _over_the_batch(step: Step) -> str:
    return f"axis={step.layer.axis}" if 0 in _axes(step.layer.axis, step.shapes[0]) else ""


LAYER_NORMALISATION = _rule(_layer)
"""Ba, Kiros and Hinton 2016."""
RMS_NORMALISATION = _rule(_rms)
"""Zhang and Sennrich 2019."""
UNIT_NORMALISATION = _rule(_unit, _over_the_batch)
GROUP_NORMALISATION = _rule(_group)
"""Wu and He 2018."""
