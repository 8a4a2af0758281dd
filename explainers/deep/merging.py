"""Layers that join several values by something else than a weighted sum."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from explainers.deep import slopes
from explainers.deep.program import Pair, Rule, Step, Tensor


def _product(step: Step, inputs: Sequence[Pair], m: Tensor) -> list[Tensor]:
    """Aumann-Shapley values: the gradient averaged along the straight line from b to x.

    A product of N factors has a gradient of degree N - 1, for which ceil(N / 2) Gauss-Legendre points are exact; for two
    factors that is the midpoint, m (x_2 + b_2) / 2 for the first.
    """
    nodes, weights = np.polynomial.legendre.leggauss((len(inputs) + 1) // 2)
    made = [tf.zeros_like(pair.b) for pair in inputs]
    for t, w in zip(((nodes + 1) / 2).tolist(), (weights / 2).tolist(), strict=True):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            points = [(1 - t) * pair.b + t * pair.x for pair in inputs]
            tape.watch(points)
            product = step.forward(*points)
        made = [sums + w * part for sums, part in zip(made, tape.gradient(product, points, m), strict=True)]
    return made


def _extreme(sign: int) -> Callable[[Step, Sequence[Pair], Tensor], list[Tensor]]:
    def pull(_: Step, inputs: Sequence[Pair], m: Tensor) -> list[Tensor]:
        """The largest of some, as the larger of the last and the largest of those before."""
        rank = len(m.shape)
        sides = [Pair(_with_rank(sign * pair.x, rank), _with_rank(sign * pair.b, rank)) for pair in inputs]
        largest = sides[:1]
        for pair in sides[1:]:
            largest.append(Pair(tf.maximum(largest[-1].x, pair.x), tf.maximum(largest[-1].b, pair.b)))
        made = []
        for before, last in zip(largest[-2::-1], sides[:0:-1], strict=True):
            made.append(m * _larger(last, before))
            m = m * _larger(before, last)
        return [_summed_to(part, pair.b) for part, pair in zip([m, *reversed(made)], inputs, strict=True)]

    return pull


def _larger(one: Pair, other: Pair) -> Tensor:
    """The first's Shapley value in max(one, other), over its change: with the other at x and at b, half each."""
    return (slopes.relu(one.x - other.x, one.b - other.x) + slopes.relu(one.x - other.b, one.b - other.b)) / 2


def _with_rank(a: Tensor, rank: int) -> Tensor:
    """As Keras aligns the values that it merges: new axes come after the batch."""
    return tf.reshape(a, (a.shape[0], *[1] * (rank - len(a.shape)), *a.shape[1:]))


def _summed_to(m: Tensor, value: Tensor) -> Tensor:
    """Multipliers of a value that was broadcast: the sum over its copies."""
    aligned = _with_rank(value, len(m.shape)).shape
    copied = [axis for axis in range(1, len(m.shape)) if aligned[axis] == 1]
    return tf.reshape(tf.reduce_sum(m, copied), value.shape)


def _value(_: Step, v: Tensor) -> Tensor:
    return v


def _normalised(step: Step) -> str:
    return "normalize=True" if step.layer.normalize else ""


MULTIPLY = Rule(_product, _value)
DOT = Rule(_product, _value, _normalised)
MAXIMUM = Rule(_extreme(1), _value)
MINIMUM = Rule(_extreme(-1), _value)
"""min(a, b) = -max(-a, -b)"""
