"""The rules of `deep_shap`: shap.DeepExplainer's own, number for number (shap 0.51, explainers/_deep/deep_tf.py).

Thresholds, shifts and all: this is for comparison. Where shap takes a gradient because the two sides nearly agree, it is
the gradient at the background row.
"""

from collections.abc import Callable, Sequence

import tensorflow as tf

from explainers.deep.pooling import FIRST_MAX_POOLING
from explainers.deep.program import Pair, Rule, Step, Tensor
from explainers.deep.rules import LAYERS as DEEP_LAYERS
from explainers.deep.rules import LINEAR, value
from explainers.deep.slopes import SELU_ALPHA, SELU_SCALE

_NEAR, _NEAR_2D = 1e-6, 1e-7


def _elementwise(function: Callable[[Tensor], Tensor], gradient: Callable[[Tensor], Tensor]) -> Rule:
    """`nonlinearity_1d`: the plain quotient, or the gradient below a threshold."""

    def pull(_: Step, inputs: Sequence[Pair], m: Tensor) -> list[Tensor]:
        (pair,) = inputs
        difference = pair.x - pair.b
        quotient = (function(pair.x) - function(pair.b)) / difference
        return [m * tf.where(tf.abs(difference) < _NEAR, gradient(pair.b), quotient)]

    return Rule(pull, value)


def _softmax(_: Step, inputs: Sequence[Pair], m: Tensor) -> list[Tensor]:
    """`softmax`: exp, sum and division one after the other, on logits that are shifted by different maxima."""
    (pair,) = inputs
    x, b = _centred(pair.x), _centred(pair.b)
    e_x, e_b = tf.exp(x), tf.exp(b)
    sum_x, sum_b = tf.reduce_sum(e_x, -1, keepdims=True), tf.reduce_sum(e_b, -1, keepdims=True)
    by_e, by_sum = _division(e_x, sum_x, e_b, sum_b, m)
    m_e = by_e + by_sum  # the sum hands its multiplier to every term
    quotient = (e_x - e_b) / (x - b)
    m_centred = m_e * tf.where(tf.abs(x - b) < _NEAR, e_b, quotient)
    difference = pair.x - pair.b
    return [tf.where(tf.abs(difference) < _NEAR, m_centred, m_centred * (x - b) / difference)]


def _division(e_x: Tensor, sum_x: Tensor, e_b: Tensor, sum_b: Tensor, m: Tensor) -> tuple[Tensor, Tensor]:
    """`nonlinearity_2d` of e / sum: multipliers of e (rows, K) and of the sum (rows, 1)."""
    both, neither = e_x / sum_x, e_b / sum_b
    first, second = e_x / sum_b, e_b / sum_x
    d_e, d_sum = e_x - e_b, sum_x - sum_b
    by_e = m * 0.5 * (both - second + first - neither) / d_e
    by_sum = m * 0.5 * (both - first + second - neither) / d_sum
    by_e = tf.where(tf.abs(d_e) < _NEAR_2D, tf.zeros_like(by_e), by_e)
    by_sum = tf.where(tf.abs(d_sum) < _NEAR_2D, tf.zeros_like(by_sum), by_sum)
    return by_e, tf.reduce_sum(by_sum, -1, keepdims=True)


def _centred(logits: Tensor) -> Tensor:
    return logits - tf.reduce_max(logits, -1, keepdims=True)


def _sigmoid_gradient(b: Tensor) -> Tensor:
    return tf.sigmoid(b) * tf.sigmoid(-b)


def _selu_gradient(b: Tensor) -> Tensor:
    return SELU_SCALE * tf.where(b > 0, tf.ones_like(b), SELU_ALPHA * tf.exp(tf.minimum(b, 0)))


_AFFINE = (
    "Add Average AveragePooling2D BatchNormalization Concatenate Conv2D Dense Dropout Flatten GlobalAveragePooling2D "
    "Identity Permute Rescaling Reshape Subtract ZeroPadding2D"
)

LAYERS: dict[str, Rule] = {name: DEEP_LAYERS[name] for name in _AFFINE.split()} | {"MaxPooling2D": FIRST_MAX_POOLING}
"""Those that shap.DeepExplainer takes and the tests compare; shap has no rule for other max pooling."""

ACTIVATIONS: dict[str, Rule] = {
    "elu": _elementwise(tf.nn.elu, lambda b: tf.exp(tf.minimum(b, 0))),
    "exponential": _elementwise(tf.exp, tf.exp),
    "linear": LINEAR,
    "relu": _elementwise(tf.nn.relu, lambda b: tf.cast(b > 0, b.dtype)),
    "selu": _elementwise(tf.nn.selu, _selu_gradient),
    "sigmoid": _elementwise(tf.sigmoid, _sigmoid_gradient),
    "softmax": Rule(_softmax, value, lambda step: "" if len(step.shapes[0]) == 1 else "more than one axis"),
    "softplus": _elementwise(tf.nn.softplus, tf.sigmoid),
    "tanh": _elementwise(tf.tanh, lambda b: 1 - tf.tanh(b) ** 2),
}
