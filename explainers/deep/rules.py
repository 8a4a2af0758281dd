"""The rules of `deep`, one per layer and activation. A new layer: one function, or none, and one line of the table."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from explainers.deep import curves, merging, normalisation, slopes, softmax
from explainers.deep.pooling import MAX_POOLING
from explainers.deep.program import SAME, Pair, Rule, Step, Tensor


def value(_: Step, v: Tensor) -> Tensor:
    """Keep an input's value as it is."""
    return v


def elementwise(slope: Callable[[Tensor, Tensor], Tensor]) -> Rule:
    """Functions of one number: the divided difference (the rescale rule; Shrikumar, Greenside and Kundaje 2017, eq. 6)."""
    return parametric(lambda _, x, b: slope(x, b))


def parametric(slope: Callable[[Any, Tensor, Tensor], Tensor]) -> Rule:
    """The same, where the layer holds the function's parameters."""

    def pull(step: Step, inputs: Sequence[Pair], m: Tensor) -> list[Tensor]:
        (pair,) = inputs
        return [m * slope(step.layer, pair.x, pair.b)]

    return Rule(pull, value)


def _linear(step: Step, _: Sequence[Pair], m: Tensor) -> list[Tensor]:
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        zeros = [tf.zeros([m.shape[0], *shape], m.dtype) for shape in step.shapes]
        tape.watch(zeros)
        made = step.forward(*zeros)
    return tape.gradient(made, zeros, m)


def _softmax(pulled: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Rule:
    def pull(step: Step, inputs: Sequence[Pair], m: Tensor) -> list[Tensor]:
        (pair,) = inputs
        return [tf.cast(softmax.along(_axes(step), pulled, pair.x, pair.b, m), m.dtype)]

    return Rule(pull, value, lambda step: f"axis={step.layer.axis}" if 0 in _axes(step) else "")


def _axes(step: Step) -> list[int]:
    """Over which axes the classes stand: the last, unless a layer of its own says otherwise."""
    axis = step.layer.axis if isinstance(step.layer, keras.layers.Softmax) else -1
    return [k % (len(step.shapes[0]) + 1) for k in (axis if isinstance(axis, (list, tuple)) else [axis])]


def _joins_rows(step: Step) -> str:
    return f"axis={step.layer.axis}" if step.layer.axis in (0, -1 - len(step.shapes[0])) else ""


def _mixes_rows(step: Step) -> str:
    """Whether an einsum does anything with the batch but pass it on."""
    given, made = step.layer.equation.split("->")
    given, kernel = given.split(",")
    kept = given[0] == made[0] and given[0] not in kernel if given[0] != "." else True
    return "" if kept else f"equation={step.layer.equation}"


def _interpolation(step: Step) -> str:
    """XLA compiles no other, and the bilinear one wrongly (TensorFlow 2.21) unless the factors are 1 or 2."""
    name, size = step.layer.interpolation, step.layer.size
    return "" if name == "nearest" or (name == "bilinear" and max(size) <= 2) else f"interpolation={name} by {size}"


def _channels_first(step: Step) -> str:
    """TensorFlow has no such convolutions on a CPU."""
    return "" if step.layer.data_format == "channels_last" else f"data_format={step.layer.data_format}"


LINEAR = Rule(_linear)
"""Affine layers: the multipliers go through the transposed layer, whatever the inputs are."""

CONVOLUTION = LINEAR._replace(lacks=_channels_first)

SOFTMAX = _softmax(softmax.pull)
"""The averaged Jacobian, in float64."""

LAYERS: dict[str, Rule] = {
    "ActivityRegularization": SAME,
    "AdaptiveAveragePooling1D": LINEAR,
    "AdaptiveAveragePooling2D": LINEAR,
    "AdaptiveAveragePooling3D": LINEAR,
    "AdaptiveMaxPooling1D": MAX_POOLING,
    "AdaptiveMaxPooling2D": MAX_POOLING,
    "AdaptiveMaxPooling3D": MAX_POOLING,
    "Add": LINEAR,
    "AlphaDropout": SAME,
    "Average": LINEAR,
    "AveragePooling1D": LINEAR,
    "AveragePooling2D": LINEAR,
    "AveragePooling3D": LINEAR,
    "BatchNormalization": LINEAR,
    "Concatenate": LINEAR._replace(lacks=_joins_rows),
    "Conv1D": CONVOLUTION,
    "Conv1DTranspose": CONVOLUTION,
    "Conv2D": CONVOLUTION,
    "Conv2DTranspose": CONVOLUTION,
    "Conv3D": CONVOLUTION,
    "Conv3DTranspose": CONVOLUTION,
    "Cropping1D": LINEAR,
    "Cropping2D": LINEAR,
    "Cropping3D": LINEAR,
    "Dense": LINEAR,
    "DepthwiseConv1D": CONVOLUTION,
    "DepthwiseConv2D": CONVOLUTION,
    "Dot": merging.DOT,
    "Dropout": SAME,
    "ELU": parametric(lambda layer, x, b: slopes.elu(x, b, layer.alpha)),
    "EinsumDense": LINEAR._replace(lacks=_mixes_rows),
    "Flatten": LINEAR,
    "GaussianDropout": SAME,
    "GaussianNoise": SAME,
    "GlobalAveragePooling1D": LINEAR,
    "GlobalAveragePooling2D": LINEAR,
    "GlobalAveragePooling3D": LINEAR,
    "GlobalMaxPooling1D": MAX_POOLING,
    "GlobalMaxPooling2D": MAX_POOLING,
    "GlobalMaxPooling3D": MAX_POOLING,
    "GroupNormalization": normalisation.GROUP_NORMALISATION,
    "Identity": SAME,
    "LayerNormalization": normalisation.LAYER_NORMALISATION,
    "LeakyReLU": parametric(lambda layer, x, b: slopes.bent(x, b, layer.negative_slope)),
    "MaxPooling1D": MAX_POOLING,
    "MaxPooling2D": MAX_POOLING,
    "MaxPooling3D": MAX_POOLING,
    "Maximum": merging.MAXIMUM,
    "Minimum": merging.MINIMUM,
    "Multiply": merging.MULTIPLY,
    "Normalization": LINEAR,
    "PReLU": parametric(lambda layer, x, b: slopes.bent(x, b, layer.alpha)),
    "Permute": LINEAR,
    "RMSNormalization": normalisation.RMS_NORMALISATION,
    "ReLU": parametric(lambda layer, x, b: slopes.cut(x, b, layer.negative_slope, layer.max_value, layer.threshold)),
    "RepeatVector": LINEAR,
    "Rescaling": LINEAR,
    "Reshape": SAME,
    "SeparableConv1D": CONVOLUTION,
    "SeparableConv2D": CONVOLUTION,
    "Softmax": SOFTMAX,
    "SpatialDropout1D": SAME,
    "SpatialDropout2D": SAME,
    "SpatialDropout3D": SAME,
    "Subtract": LINEAR,
    "UnitNormalization": normalisation.UNIT_NORMALISATION,
    "UpSampling1D": LINEAR,
    "UpSampling2D": LINEAR._replace(lacks=_interpolation),
    "UpSampling3D": LINEAR,
    "ZeroPadding1D": LINEAR,
    "ZeroPadding2D": LINEAR,
    "ZeroPadding3D": LINEAR,
}

ACTIVATIONS: dict[str, Rule] = {
    "celu": elementwise(slopes.elu),
    "elu": elementwise(slopes.elu),
    "exponential": elementwise(slopes.exponential),
    "gelu": elementwise(curves.gelu),
    "hard_shrink": elementwise(slopes.hard_shrink),
    "hard_sigmoid": elementwise(lambda x, b: slopes.within(x, b, -3, 3) / 6),
    "hard_silu": elementwise(slopes.hard_silu),
    "hard_tanh": elementwise(partial(slopes.within, start=-1, end=1)),
    "leaky_relu": elementwise(partial(slopes.bent, below=0.2)),
    "linear": LINEAR,
    "log_sigmoid": elementwise(curves.log_sigmoid),
    "log_softmax": _softmax(softmax.pull_log),
    "mish": elementwise(curves.mish),
    "relu": elementwise(slopes.relu),
    "relu6": elementwise(partial(slopes.within, start=0, end=6)),
    "selu": elementwise(slopes.selu),
    "sigmoid": elementwise(slopes.sigmoid),
    "silu": elementwise(curves.silu),
    "soft_shrink": elementwise(slopes.soft_shrink),
    "softmax": SOFTMAX,
    "softplus": elementwise(curves.softplus),
    "softsign": elementwise(slopes.softsign),
    "sparse_plus": elementwise(slopes.sparse_plus),
    "sparse_sigmoid": elementwise(lambda x, b: slopes.within(x, b, -1, 1) / 2),
    "squareplus": elementwise(slopes.squareplus),
    "tanh": elementwise(slopes.tanh),
    "tanh_shrink": elementwise(curves.tanh_shrink),
}
"""With the parameters that Keras's functions have by default: a model's file can hold no others."""
