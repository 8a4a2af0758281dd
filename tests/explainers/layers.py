"""One small example, or several, of every layer and activation that has a rule; the tests of the rules run over these."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from explainers.deep.passes import pull
from explainers.deep.program import Pair, kept, program, run
from explainers.deep.rules import ACTIVATIONS, LAYERS
from models.arrays import Array

L = keras.layers
ROW, LINE, PLANE, SPACE = (12,), (6, 4), (5, 6, 4), (4, 5, 3, 4)
Call = Callable[[Any], Any]


def _each(shape: tuple[int, ...], *calls: Callable[[], Call]) -> list[tuple[tuple[int, ...], Callable[[], Call]]]:
    return [(shape, call) for call in calls]


def _of_two(merge: Callable[[], Any], shape: tuple[int, ...] = ROW, width: int = 12) -> Any:
    return _each(shape, lambda: lambda x: merge()([L.Dense(width)(x), L.Dense(width, activation="tanh")(x)]))


def _of_three(merge: Callable[[], Any]) -> Any:
    """A broadcast and the input itself, twice, among them."""

    def call() -> Call:
        return lambda x: merge()([L.Dense(1)(L.Flatten()(x)), x, L.Dense(4)(x), x])

    return _each(LINE, call)


def _pools(name: str, *options: dict[str, Any]) -> Any:
    """In one, two and three dimensions; the last option alone in three, which is slow."""
    shapes = {"1D": (LINE, options), "2D": (PLANE, options), "3D": (SPACE, options[-1:])}
    return {
        name + rank: [entry for o in some for entry in _each(shape, partial(getattr(L, name + rank), **o))]
        for rank, (shape, some) in shapes.items()
    }


FIRST = {"data_format": "channels_first"}
SLIDING: list[dict[str, Any]] = [
    {"pool_size": 2},
    {"pool_size": 3, "strides": 1},
    {"pool_size": 3, "strides": 2, "padding": "same"},
    {"pool_size": 2, **FIRST},
    {"pool_size": 2, "strides": 3},
]
CONV: dict[str, Any] = {"filters": 3, "kernel_size": 2}

EXAMPLES: dict[str, list[tuple[tuple[int, ...], Callable[[], Call]]]] = {
    "ActivityRegularization": _each(ROW, lambda: L.ActivityRegularization(0.1)),
    "Add": _of_two(L.Add) + _of_three(L.Add),
    "AlphaDropout": _each(ROW, lambda: L.AlphaDropout(0.5)),
    "Average": _of_two(L.Average) + _of_three(L.Average),
    "BatchNormalization": _each(ROW, L.BatchNormalization) + _each(PLANE, lambda: L.BatchNormalization(axis=1, scale=False)),
    "Concatenate": _of_two(L.Concatenate)
    + _each(PLANE, lambda: lambda x: L.Concatenate(axis=2)([x, L.ZeroPadding2D()(L.Cropping2D(1)(x)), x])),
    "Conv1D": _each(
        LINE,
        lambda: L.Conv1D(**CONV, padding="causal", dilation_rate=2, activation="gelu"),
        lambda: L.Conv1D(4, 3, strides=2, use_bias=False),
    ),
    "Conv1DTranspose": _each(LINE, lambda: L.Conv1DTranspose(**CONV, strides=2, activation="relu")),
    "Conv2D": _each(PLANE, lambda: L.Conv2D(**CONV, padding="same", activation="relu")),
    "Conv2DTranspose": _each(PLANE, lambda: L.Conv2DTranspose(**CONV, padding="same", activation="tanh")),
    "Conv3D": _each(SPACE, lambda: L.Conv3D(**CONV, activation="softplus")),
    "Conv3DTranspose": _each(SPACE, lambda: L.Conv3DTranspose(**CONV, activation="selu")),
    "Cropping1D": _each(LINE, lambda: L.Cropping1D((1, 2))),
    "Cropping2D": _each(PLANE, lambda: L.Cropping2D(((1, 0), (0, 2)))),
    "Cropping3D": _each(SPACE, lambda: L.Cropping3D(1)),
    "Dense": _each(ROW, lambda: L.Dense(5)) + _each(LINE, lambda: L.Dense(3, activation=L.LeakyReLU(0.3))),
    "DepthwiseConv1D": _each(LINE, lambda: L.DepthwiseConv1D(2, depth_multiplier=2, activation="silu")),
    "DepthwiseConv2D": _each(PLANE, lambda: L.DepthwiseConv2D(2, activation="relu")),
    "Dot": _of_two(lambda: L.Dot(1)) + _of_two(lambda: L.Dot((1, 2)), LINE, 6) + _of_two(lambda: L.Dot((3, 1)), PLANE, 5),
    "Dropout": _each(ROW, lambda: L.Dropout(0.5), lambda: lambda x: L.Dropout(0.5)(x, training=True)),
    "ELU": _each(ROW, L.ELU, lambda: L.ELU(0.4)),
    "EinsumDense": _each(LINE, lambda: L.EinsumDense("abc,cde->abde", (6, 3, 2), activation="relu", bias_axes="de"))
    + _each(LINE, lambda: L.EinsumDense("...x,xy->...y", 3)),
    "Flatten": _each(PLANE, L.Flatten, lambda: L.Flatten(**FIRST)),
    "GaussianDropout": _each(ROW, lambda: L.GaussianDropout(0.5)),
    "GaussianNoise": _each(ROW, lambda: L.GaussianNoise(0.5)),
    "GroupNormalization": _each(LINE, lambda: L.GroupNormalization(2), lambda: L.GroupNormalization(-1, scale=False))
    + _each(PLANE, lambda: L.GroupNormalization(1), lambda: L.GroupNormalization(3, axis=2)),
    "Identity": _each(ROW, L.Identity),
    "LayerNormalization": _each(ROW, L.LayerNormalization, lambda: L.LayerNormalization(rms_scaling=True))
    + _each(PLANE, lambda: L.LayerNormalization((1, 3)), lambda: L.LayerNormalization(2, scale=False, center=False)),
    "LeakyReLU": _each(ROW, L.LeakyReLU),
    "Maximum": _of_two(L.Maximum) + _of_three(L.Maximum),
    "Minimum": _of_two(L.Minimum) + _of_three(L.Minimum),
    "Multiply": _of_two(L.Multiply) + _of_three(L.Multiply),
    "Normalization": _each(ROW, lambda: L.Normalization(mean=[0.3] * 12, variance=[2.0] * 12))
    + _each(PLANE, lambda: L.Normalization(axis=None, mean=0.2, variance=3.0, invert=True)),
    "PReLU": _each(ROW, L.PReLU) + _each(PLANE, lambda: L.PReLU(shared_axes=[1, 2])),
    "Permute": _each(PLANE, lambda: L.Permute((3, 1, 2))),
    "RMSNormalization": _each(ROW, L.RMSNormalization) + _each(PLANE, lambda: L.RMSNormalization((2, 3))),
    "ReLU": _each(
        ROW,
        L.ReLU,
        lambda: L.ReLU(max_value=6),
        lambda: L.ReLU(max_value=1, negative_slope=0.2, threshold=0.4),
        lambda: L.ReLU(max_value=0.3, threshold=0.5),
        lambda: L.ReLU(negative_slope=0.1),
    ),
    "RepeatVector": _each(ROW, lambda: L.RepeatVector(3)),
    "Rescaling": _each(ROW, lambda: L.Rescaling(0.3, offset=-1)),
    "Reshape": _each(ROW, lambda: L.Reshape((2, -1))),
    "SeparableConv1D": _each(LINE, lambda: L.SeparableConv1D(**CONV, activation="relu")),
    "SeparableConv2D": _each(PLANE, lambda: L.SeparableConv2D(**CONV, activation="sigmoid")),
    "Softmax": _each(ROW, L.Softmax)
    + _each((3, 2), lambda: L.Softmax(axis=1))
    + _each((2, 2, 3), lambda: L.Softmax(axis=(1, -1))),
    "SpatialDropout1D": _each(LINE, lambda: L.SpatialDropout1D(0.5)),
    "SpatialDropout2D": _each(PLANE, lambda: L.SpatialDropout2D(0.5)),
    "SpatialDropout3D": _each(SPACE, lambda: L.SpatialDropout3D(0.5)),
    "Subtract": _of_two(L.Subtract),
    "UnitNormalization": _each(ROW, L.UnitNormalization) + _each(PLANE, lambda: L.UnitNormalization((1, 3))),
    "UpSampling1D": _each(LINE, L.UpSampling1D),
    "UpSampling2D": _each(PLANE, L.UpSampling2D, lambda: L.UpSampling2D((2, 1), interpolation="bilinear")),
    "UpSampling3D": _each(SPACE, L.UpSampling3D),
    "ZeroPadding1D": _each(LINE, lambda: L.ZeroPadding1D((1, 2))),
    "ZeroPadding2D": _each(PLANE, lambda: L.ZeroPadding2D(((1, 0), (0, 2)))),
    "ZeroPadding3D": _each(SPACE, L.ZeroPadding3D),
    **_pools("AdaptiveAveragePooling", {"output_size": 2}, {"output_size": 3, **FIRST}),
    **_pools("AdaptiveMaxPooling", {"output_size": 2}, {"output_size": 3, **FIRST}),
    **_pools("AveragePooling", *SLIDING),
    **_pools("GlobalAveragePooling", {}, {"keepdims": True, **FIRST}),
    **_pools("GlobalMaxPooling", {}, {"keepdims": True}, {"keepdims": True, **FIRST}, FIRST),
    **_pools("MaxPooling", *SLIDING),
}
"""Input shape, and what makes a layer, or a function that calls some."""

ACTIVATION_EXAMPLES: dict[str, list[tuple[tuple[int, ...], Callable[[], Call]]]] = {
    name: _each(ROW, partial(L.Activation, name)) for name in ACTIVATIONS
}
ACTIVATION_EXAMPLES["log_softmax"] += _each((2, 3), lambda: L.Activation("log_softmax"))
ACTIVATION_EXAMPLES["softmax"] += _each((2, 3), lambda: L.Activation("softmax"))

ALL = [
    (f"{name}-{k}", *example)
    for name, examples in sorted((EXAMPLES | ACTIVATION_EXAMPLES).items())
    for k, example in enumerate(examples)
]


@contextmanager
def precision(dtype: str) -> Iterator[None]:
    """In which layers are made."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def example_net(shape: tuple[int, ...], make: Callable[[], Call], dtype: str, seed: int = 0) -> Any:
    """The example alone, as a model with random weights."""
    with precision(dtype):
        x = keras.Input(shape, dtype=dtype)
        return shaken(keras.Model(x, make()(x)), seed)


def shaken(model: Any, seed: int) -> Any:
    """Weights drawn anew; variances positive."""
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        if "seed_generator" not in variable.path:
            drawn = rng.normal(size=variable.shape) / np.sqrt(max([1, *variable.shape[:-1]]))
            variable.assign(np.exp(drawn) if "variance" in variable.path else drawn)
    return model


def puller(model: Any) -> Callable[[Array, Array, Array], tuple[Array, Array, Array]]:
    """The rules one after the other: multipliers of the input, and the values f(x) and f(b).

    Not compiled, which takes a second per net, unless TensorFlow has no kernels.
    """
    steps = program(model, LAYERS, ACTIVATIONS)

    def back(x: Any, b: Any, m: Any) -> Any:
        values = [run(steps, side) for side in (x, b)]
        kept_x, kept_b = (kept(steps, of_side) for of_side in values)
        pairs = [[Pair(*both) for both in zip(*of_step, strict=True)] for of_step in zip(kept_x, kept_b, strict=True)]
        made = pull(list(enumerate(steps))[::-1], {len(steps): m}, pairs[::-1])[0]
        return made, values[0][-1], values[1][-1]

    if any(type(step.layer).__name__.endswith(("MaxPooling2D", "MaxPooling3D")) for step in steps):
        back = tf.function(back, jit_compile=True, autograph=False)
    return lambda *args: tuple(made.numpy() for made in back(*map(tf.constant, args)))


def residual(x: Array, b: Array, m: Array, pulled: Array, f_x: Array, f_b: Array) -> Array:
    """What is missing of sum(m_in (x - b)) = sum(m_out (f(x) - f(b))), over the sizes of the terms: (rows,)."""
    parts = (pulled * (x - b)).reshape(len(b), -1)
    change = (m * (f_x - f_b)).reshape(len(b), -1)
    sizes = 1 + np.abs(parts).sum(1) + (np.abs(m) * (np.abs(f_x) + np.abs(f_b))).reshape(len(b), -1).sum(1)
    return np.abs(parts.sum(1) - change.sum(1)) / sizes
