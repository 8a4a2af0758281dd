"""The arithmetic of the rules, against closed forms and float64."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from explainers.deep import rules, slopes, softmax
from explainers.deep.engine import DeepExplainer
from explainers.deep.passes import Passes
from explainers.deep.program import Rule, program
from explainers.game import Unruled
from tests.explainers.nets import Case, dense_net, image_net, randomised

FLOATS = st.floats(-1e4, 1e4, width=32, allow_subnormal=False)


@given(x=FLOATS, b=FLOATS)
def test_relu_slope(x: float, b: float) -> None:
    """(max(x, 0) - max(b, 0)) / (x - b), in [0, 1], additive to float32's precision."""
    slope = float(slopes.relu(tf.constant(x, tf.float32), tf.constant(b, tf.float32)))
    assert 0 <= slope <= 1
    if x != b:
        assert slope == pytest.approx((max(x, 0.0) - max(b, 0.0)) / (x - b), rel=1e-5, abs=1e-30)


@given(x=st.floats(-800, 800), b=st.floats(-800, 800))
def test_sigmoid_slope_is_additive(x: float, b: float) -> None:
    """Slope (x - b) = sigmoid(x) - sigmoid(b) where float64 can tell, bounded by 1/4 everywhere."""
    slope = float(slopes.sigmoid(tf.constant(x, tf.float64), tf.constant(b, tf.float64)))
    assert 0 <= slope <= 0.25
    change = float(tf.sigmoid(tf.constant(x, tf.float64)) - tf.sigmoid(tf.constant(b, tf.float64)))
    assert slope * (x - b) == pytest.approx(change, abs=1e-15)


def test_sigmoid_slope_at_one_point_is_the_derivative() -> None:
    assert float(slopes.sigmoid(tf.constant(0.3, tf.float64), tf.constant(0.3, tf.float64))) == pytest.approx(0.2444583, abs=1e-7)


def exact_jacobian(x: np.ndarray, b: np.ndarray, points: int = 400_001) -> np.ndarray:
    """The integral by a very fine trapezoid rule."""
    t = np.linspace(0, 1, points)[:, None]
    z = b + t * (x - b)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    w = np.full(points, 1 / (points - 1))
    w[[0, -1]] /= 2
    return np.diag(w @ p) - (p * w[:, None]).T @ p


def our_jacobian(x: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Row by row, from unit multipliers."""
    k = len(x)
    return softmax.pull(tf.constant(x[None]), tf.constant(np.tile(b, (k, 1))), tf.eye(k, dtype=tf.float64)).numpy()


def logits(k: int, gap: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=k) * gap, rng.normal(size=k) * gap


@pytest.mark.parametrize("k", [2, 3, 10])
@pytest.mark.parametrize(("gap", "error"), [(1e-6, 1e-9), (1, 1e-9), (5, 1e-7), (20, 1e-5), (100, 3e-4), (400, 5e-3)])
def test_softmax_multipliers_are_the_integral(k: int, gap: float, error: float) -> None:
    """In terms of the contributions J_kj (x_j - b_j), for logits that are hundreds apart too."""
    for seed in range(4):
        x, b = logits(k, gap, seed)
        np.testing.assert_allclose(our_jacobian(x, b) * (x - b), exact_jacobian(x, b) * (x - b), atol=error)


@pytest.mark.parametrize("k", [2, 3, 10])
@pytest.mark.parametrize("gap", [0.0, 1e-9, 1, 20, 100, 400])
def test_softmax_multipliers_are_additive_bounded_and_cancel(k: int, gap: float) -> None:
    """Also when the two sides are the same."""
    for seed in range(5):
        x, b = logits(k, gap, seed)
        ours = our_jacobian(x, b)
        change = tf.nn.softmax(x).numpy() - tf.nn.softmax(b).numpy()
        np.testing.assert_allclose(ours @ (x - b), change, atol=1e-12)
        np.testing.assert_allclose(ours.sum(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(ours.sum(axis=1), 0, atol=1e-12)
        assert np.abs(ours).max() <= 0.26


def test_softmax_multipliers_do_not_depend_on_a_shift() -> None:
    """Of either side: softmax(x + c) = softmax(x)."""
    x, b = logits(4, 3, seed=0)
    np.testing.assert_allclose(our_jacobian(x + 50, b - 30), our_jacobian(x, b), atol=1e-10)


def test_additivity_on_images_with_flat_regions() -> None:
    """Equal maxima everywhere: large areas of one value, as in drawn images."""
    case = Case(image_net(), rows=8, n=40)
    rng = np.random.default_rng(0)
    for images in (case.x, case.background.x):
        images[:] = rng.integers(0, 2, (len(images), 2, 2, 1)).repeat(5, axis=1).repeat(5, axis=2)[:, :, :9]
    values = case.values("deep")
    np.testing.assert_allclose(values.sum(axis=(1, 2, 3)), case.change(), atol=2e-5)
    assert np.isfinite(values).all()


def test_pooling_is_symmetric_where_maxima_are_equal() -> None:
    """Two equal pixels of one window, in x and in b, get the same; shap's rule gives all to the first."""
    layers = [keras.Input((2, 2, 1)), keras.layers.MaxPooling2D(2), keras.layers.Flatten(), keras.layers.Dense(1)]
    model = keras.Sequential(layers)
    model.set_weights([np.array([[2.0]]), np.array([0.0])])
    case = Case(model, rows=1, n=1)
    case.x[0, :, :, 0] = [[3, 3], [0, 0]]
    case.background.x[:] = 0
    np.testing.assert_allclose(case.values("deep")[0, :, :, 0, 0], [[3, 3], [0, 0]], atol=1e-6)
    np.testing.assert_allclose(case.values("deep_shap")[0, :, :, 0, 0], [[6, 0], [0, 0]], atol=1e-6)


def test_many_outputs_take_little_memory() -> None:
    """A pass is the number of its output; only those that run at once are spelled out."""
    case = Case(dense_net(3, [], 400, "softmax"), rows=2, n=2)
    passes = Passes(case.network, case.background, rules.LAYERS, rules.ACTIVATIONS)
    instances, outputs, places = passes.plan(np.tile(np.arange(400), (2, 1)))
    assert (len(instances), len(outputs), len(places)) == (798, 798, 798)  # the last of each comes from the others
    assert outputs.nbytes < 10_000
    assert case.explainer("deep").cost(case.question("columns")) == 399 * 2
    np.testing.assert_allclose(case.values("deep").sum(axis=1), case.change(), atol=1e-5)


class Doubling(keras.layers.Layer):  # type: ignore[misc]
    """A layer of a user's own."""

    def call(self, x: object) -> object:
        """Twice x."""
        return 2 * x  # type: ignore[operator]


class Dense(keras.layers.Dense):  # type: ignore[misc]
    """Not Keras's, whatever its name says."""


@pytest.mark.parametrize(
    ("layer", "named"),
    [
        (keras.layers.LSTM(3), "LSTM"),
        (Doubling(name="mine"), r"mine \(Doubling\)"),
        (Dense(3, name="own"), r"own \(Dense\)"),
        (keras.layers.Dense(3, activation="glu", name="gated"), "activation glu of layer gated"),
        (keras.layers.Dense(3, activation=lambda x: x**3, name="cubic"), "of layer cubic"),
    ],
)
def test_what_has_no_rule_is_named(layer: keras.Layer, named: str) -> None:
    """Never a silent wrong value."""
    shape = (4, 4) if isinstance(layer, keras.layers.LSTM) else (4,)
    model = keras.Sequential([keras.Input(shape), layer, keras.layers.Dense(2)])
    with pytest.raises(Unruled, match=named):
        program(model, rules.LAYERS, rules.ACTIVATIONS)


def test_a_new_layer_is_one_rule_and_one_line() -> None:
    """A residual net: Add hands its multipliers to both branches, and what a value gets from both is added up."""
    add = Rule(lambda _, inputs, m: [m for _ in inputs], lambda _, value: value)
    x = keras.Input((4,))
    h = keras.layers.Dense(6, activation="relu")(x)
    h = keras.layers.Add()([h, keras.layers.Dense(6, activation="relu")(h)])
    model = randomised(keras.Model(x, keras.layers.Dense(3, activation="softmax")(h)), seed=0)
    case = Case(model)
    fewer = {name: rule for name, rule in rules.LAYERS.items() if name != "Add"}
    with pytest.raises(Unruled, match="Add"):
        DeepExplainer(case.network, case.background, fewer, rules.ACTIVATIONS)
    explainer = DeepExplainer(case.network, case.background, fewer | {"Add": add}, rules.ACTIVATIONS)
    values = explainer.attribute(case.question("columns")).values
    np.testing.assert_allclose(values.sum(axis=1), case.change(), atol=1e-6)


def test_functional_models_and_activation_layers() -> None:
    """The graph is followed, not the list of layers."""
    x = keras.Input((4,))
    h = keras.layers.Activation("relu")(keras.layers.Dense(6)(x))
    model = keras.Model(x, keras.layers.Activation("softmax")(keras.layers.Dense(3)(h)))
    case = Case(model)
    np.testing.assert_allclose(case.values("deep").sum(axis=1), case.change(), atol=1e-6)
