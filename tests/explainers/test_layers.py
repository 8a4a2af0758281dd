"""Every layer and activation of Keras is ruled, and then its rule is additive and stable; or refused, and then by name."""

import inspect
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from explainers.deep import shap_rules
from explainers.deep.program import program
from explainers.deep.rules import ACTIVATIONS, LAYERS
from explainers.game import Unruled
from models.arrays import Array
from tests.explainers.layers import ALL, EXAMPLES, LINE, PLANE, ROW, Call, example_net, puller, residual
from tests.explainers.nets import Case

L = keras.layers

REFUSED = {
    "abstract": "Layer Wrapper InputLayer",
    "attention": "AdditiveAttention Attention GroupedQueryAttention MultiHeadAttention",
    "code": "FlaxLayer JaxLayer Lambda TFSMLayer TorchModuleWrapper",
    "discrete": "CategoryEncoding Discretization Embedding HashedCrossing Hashing IntegerLookup ReversibleEmbedding "
    "StringLookup TextVectorization",
    "images": "AugMix AutoContrast CenterCrop ContrastLimitedAdaptiveHistogramEqualization CutMix Equalization "
    "MaxNumBoundingBoxes MixUp Pipeline RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast "
    "RandomCrop RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale RandomHue RandomInvert "
    "RandomPerspective RandomPosterization RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation "
    "RandomZoom Resizing Solarization",
    "masking": "Masking",
    "recurrent": "Bidirectional ConvLSTM1D ConvLSTM2D ConvLSTM3D GRU GRUCell LSTM LSTMCell RNN SimpleRNN SimpleRNNCell "
    "StackedRNNCells",
    "sound": "MelSpectrogram STFTSpectrogram",
    "wrapper": "SpectralNormalization TimeDistributed",
}
REFUSED_ACTIVATIONS = {"gate": "glu", "parameters": "threshold", "sorting": "sparsemax"}
OPENED = {"Activation"}
"""Not a rule of its own: the function's is taken."""


def names(refused: dict[str, str]) -> set[str]:
    return {name for reason in refused.values() for name in reason.split()}


def test_every_layer_of_keras_is_ruled_or_refused() -> None:
    """A layer that a new Keras brings fails here until somebody decides."""
    there = {kind.__name__ for kind in vars(L).values() if inspect.isclass(kind) and issubclass(kind, L.Layer)}
    assert there == set(LAYERS) | names(REFUSED) | OPENED
    assert not names(REFUSED) & set(LAYERS)


def test_every_activation_of_keras_is_ruled_or_refused() -> None:
    """By the function's own name: swish is silu."""
    there = {f.__name__ for f in vars(keras.activations).values() if inspect.isfunction(f)} - {"get", "serialize", "deserialize"}
    assert there == set(ACTIVATIONS) | names(REFUSED_ACTIVATIONS)
    assert not names(REFUSED_ACTIVATIONS) & set(ACTIVATIONS)


def test_every_rule_has_an_example() -> None:
    """So that the tests below pick a new layer up."""
    assert set(EXAMPLES) == set(LAYERS)
    assert set(shap_rules.LAYERS) <= set(LAYERS)
    assert set(shap_rules.ACTIVATIONS) <= set(ACTIVATIONS)


SITUATIONS: dict[str, Callable[[Array, Array], tuple[Array, Array]]] = {
    "apart": lambda x, b: (x, b),
    "near": lambda x, b: (x, x + 1e-6 * b),
    "same": lambda x, b: (x, 0 * b + x),
    "large": lambda x, b: (300 * x, 300 * b),
    "flat": lambda x, b: (np.round(x), np.round(b)),
}


@pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`")
@pytest.mark.parametrize(("name", "shape", "make"), ALL, ids=[name for name, *_ in ALL])
def test_additive_in_float64_and_the_same_in_float32(name: str, shape: tuple[int, ...], make: Callable[[], Call]) -> None:
    """sum(m_in (x - b)) = sum(m_out (f(x) - f(b))) per row; float32 gives float64's multipliers.

    With both sides apart, nearly equal, equal, large, and with many equal values; f is Keras's own forward pass.
    """
    rng = np.random.default_rng(0)
    wide = "float32" if "Pooling3D" in name else "float64"  # which TensorFlow has in float32 only
    nets = {dtype: example_net(shape, make, dtype) for dtype in (wide, "float32")}
    pull = {dtype: puller(net) for dtype, net in nets.items()}
    x, b = rng.normal(size=(1, *shape)), rng.normal(size=(4, *shape))
    m = rng.normal(size=nets["float32"](b, training=False).shape)
    m *= (rng.exponential(size=4) ** 3).reshape(4, *[1] * (m.ndim - 1))
    for situation, of in SITUATIONS.items():
        if name.startswith("exponential") and situation == "large":
            continue
        given = [a.astype(np.float32) for a in (*of(x, b), m)]
        made = {dtype: pull[dtype](*(a.astype(dtype) for a in given)) for dtype in pull}
        terms = [a.astype(np.float64) for a in (*given, *made[wide])]
        assert residual(*terms).max() < 1e-7, situation
        same_net = nets["float32"](given[1], training=False)
        np.testing.assert_allclose(made["float32"][2], same_net, rtol=1e-5, atol=1e-6)
        precise = made[wide][0].reshape(4, -1)
        error = np.abs(made["float32"][0].reshape(4, -1) - precise).max(1)
        assert (error <= 2e-5 * (1e-3 + np.abs(precise).max(1))).all(), (situation, error)


class Own(keras.Model):  # type: ignore[misc]
    """A graph of layers with a `call` of a user's own."""

    def call(self, x: Any, training: Any = None, mask: Any = None) -> Any:
        """Twice what the graph says."""
        return 2 * super().call(x)


def own() -> keras.Model:
    x = keras.Input(ROW)
    return Own(x, L.Dense(2)(x), name="mine")


@pytest.mark.parametrize(
    ("shape", "make", "named"),
    [
        (ROW, lambda: L.Lambda(lambda x: 2 * x, name="code"), r"layer code \(Lambda\) has no rule"),
        (ROW, lambda: lambda x: x + 1, r"layer add\S* \(Add\) has no rule"),
        (ROW, own, r"layer mine \(Own\) has no rule"),
        (ROW, lambda: L.Masking(name="mask"), r"layer mask \(Masking\) has no rule"),
        (LINE, lambda: L.SimpleRNN(3, name="again"), r"layer again \(SimpleRNN\) has no rule"),
        (LINE, lambda: lambda x: L.Attention(name="look")([x, x]), r"layer look \(Attention\) has no rule"),
        (LINE, lambda: L.TimeDistributed(L.Dense(2), name="each"), r"layer each \(TimeDistributed\) has no rule"),
        (LINE, lambda: L.Dense(4, activation="sparsemax", name="d"), "activation sparsemax of layer d has no rule"),
        (LINE, lambda: L.Activation("glu", name="gate"), "activation glu of layer gate has no rule"),
        (LINE, lambda: L.Softmax(axis=0, name="s"), r"layer s \(Softmax\) has no rule for axis=0"),
        (LINE, lambda: lambda x: L.Softmax(name="s")(x, mask=x), r"layer s \(Softmax\) has no rule for this call: mask"),
        (
            LINE,
            lambda: L.UnitNormalization(axis=[0, 1], name="u"),
            r"layer u \(UnitNormalization\) has no rule for axis=\[0, 1\]",
        ),
        (ROW, lambda: lambda x: L.Dot(1, normalize=True, name="cos")([x, L.Dense(12)(x)]), "no rule for normalize=True"),
        (LINE, lambda: L.EinsumDense("abc,cd->bad", (None, 4), name="e"), "no rule for equation=abc,cd->bad"),
        (PLANE, lambda: L.UpSampling2D(interpolation="bicubic", name="up"), "no rule for interpolation=bicubic by"),
        (PLANE, lambda: L.UpSampling2D(3, interpolation="bilinear", name="up"), "no rule for interpolation=bilinear by"),
        (PLANE, lambda: L.Conv2D(2, 2, data_format="channels_first", name="c"), "no rule for data_format=channels_first"),
        (ROW, lambda: L.Dense(3, dtype="mixed_float16", name="half"), "layer half computes in float16, not in float32"),
    ],
)
def test_what_has_no_rule_is_named(shape: tuple[int, ...], make: Callable[[], Call], named: str) -> None:
    """Layers, and options of layers, and ways to call them: never a silent wrong value."""
    x = keras.Input(shape)
    with pytest.raises(Unruled, match=named):
        program(keras.Model(x, make()(x)), LAYERS, ACTIVATIONS)


def test_quantised_weights_are_refused() -> None:
    """The layer then computes something else than its `call`."""
    model = keras.Sequential([keras.Input(ROW), L.Dense(3, name="small")])
    model.layers[0].quantize("int8")
    with pytest.raises(Unruled, match="small"):
        program(model, LAYERS, ACTIVATIONS)


def test_a_model_of_a_users_own_is_refused() -> None:
    """Its `call` may do anything."""
    with pytest.raises(Unruled, match=r"mine \(Own\)"):
        program(own(), LAYERS, ACTIVATIONS)


COMPILED = (
    "AdaptiveAveragePooling2D-0 AdaptiveMaxPooling1D-1 AveragePooling3D-0 Conv1D-0 Conv2DTranspose-0 DepthwiseConv2D-0 Dot-1 "
    "EinsumDense-1 GroupNormalization-3 LayerNormalization-2 MaxPooling1D-3 MaxPooling3D-0 Maximum-1 Multiply-1 ReLU-2 "
    "SeparableConv1D-0 UnitNormalization-1 UpSampling2D-1 gelu-0 log_softmax-1 mish-0 softsign-0"
)


def test_rules_compile() -> None:
    """Some of every family, side by side in one net through the engine: additive in float32."""
    x = keras.Input((5, 6, 3))
    chosen = [(shape, make) for name, shape, make in ALL if name in COMPILED.split()]
    assert len(chosen) == len(COMPILED.split())
    given = {shape: L.Reshape(shape)(L.Dense(int(np.prod(shape)))(L.Flatten()(x))) for shape, _ in chosen}
    branches = [L.Flatten()(make()(given[shape])) for shape, make in chosen]
    model = keras.Model(x, L.Dense(3, activation="softmax")(L.LayerNormalization()(L.Concatenate()(branches))))
    case = Case(model, rows=3, n=2)
    np.testing.assert_allclose(case.values("deep").sum(axis=(1, 2, 3)), case.change(), atol=2e-5)
