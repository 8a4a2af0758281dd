"""The rules of `deep`, one per layer and activation. A new layer: one function, or none, and one line of the table."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from explainers.deep import slopes, softmax
from explainers.deep.pooling import MAX_POOLING
from explainers.deep.program import Pair, Rule, Step, Tensor


def value(_: Step, v: Tensor) -> Tensor:
    """Keep an input's value as it is."""
    return v


def elementwise(slope: Callable[[Tensor, Tensor], Tensor]) -> Rule:
    """Functions of one number: the divided difference (the rescale rule; Shrikumar, Greenside and Kundaje 2017, eq. 6)."""

    def pull(_: Step, inputs: Sequence[Pair], m: Tensor) -> list[Tensor]:
        (pair,) = inputs
        return [m * slope(pair.x, pair.b)]

    return Rule(pull, value)


def _linear(step: Step, _: Sequence[Pair], m: Tensor) -> list[Tensor]:
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        zeros = tf.zeros([m.shape[0], *step.shapes[0]], m.dtype)
        tape.watch(zeros)
        made = step.forward(zeros)
    return [tape.gradient(made, zeros, m)]


def _softmax(_: Step, inputs: Sequence[Pair], m: Tensor) -> list[Tensor]:
    (pair,) = inputs
    return [tf.cast(softmax.pull(pair.x, pair.b, m), m.dtype)]


LINEAR = Rule(_linear)
"""Affine layers: the multipliers go through the transposed layer, whatever the inputs are."""

SOFTMAX = Rule(_softmax, value)
"""The averaged Jacobian, in float64."""

LAYERS: dict[str, Rule] = {
    "Conv2D": LINEAR,
    "Dense": LINEAR,
    "Dropout": LINEAR,
    "Flatten": LINEAR,
    "MaxPooling2D": MAX_POOLING,
}

ACTIVATIONS: dict[str, Rule] = {
    "linear": LINEAR,
    "relu": elementwise(slopes.relu),
    "sigmoid": elementwise(slopes.sigmoid),
    "softmax": SOFTMAX,
}
