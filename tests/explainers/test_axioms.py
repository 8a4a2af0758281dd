"""The axioms of the Shapley value, for every method in the dict.

efficiency: values sum to v(everybody) - v(nobody). dummy: who changes nothing gets nothing. symmetry: equals get the same.
linearity: the values of a sum of games are the sums of the values. deep and deep_shap keep efficiency always, and all four
on nets that are affine in the input.
"""

import keras
import numpy as np
import pytest

from explainers.methods import METHODS
from models.backgrounds import Background
from tests.explainers.nets import Case, dense_net, image_net, randomised, unequal

EFFICIENT = {"deep": 2e-5, "deep_shap": 1e-3}
"""In float32; shap's thresholds and quotients of small differences cost two digits."""
METHOD = pytest.mark.parametrize("method", METHODS)


def total(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1, values.shape[-1]).sum(axis=1)


def affine(columns: int, outputs: int, seed: int = 0) -> keras.Sequential:
    layers = [keras.Input((columns,)), keras.layers.Dense(7), keras.layers.Dropout(0.5), keras.layers.Dense(outputs)]
    return randomised(keras.Sequential(layers), seed)


@METHOD
@pytest.mark.parametrize(
    ("columns", "widths", "outputs", "last"),
    [
        (5, [8], 2, "softmax"),
        (9, [32, 128, 32, 8], 2, "softmax"),
        (4, [6, 6], 5, "softmax"),
        (6, [9], 1, "sigmoid"),
        (6, [9], 3, "linear"),
        (3, [], 3, "softmax"),
    ],
)
def test_efficiency(method: str, columns: int, widths: list[int], outputs: int, last: str) -> None:
    """sum_i phi_i = f(x) - sum_b w_b f(b), with strongly unequal weights."""
    case = Case(dense_net(columns, widths, outputs, last), rows=40, n=70, weights=unequal(40))
    np.testing.assert_allclose(total(case.values(method)), case.change(), atol=EFFICIENT[method])


@METHOD
@pytest.mark.parametrize(
    "pool",
    [
        None,
        keras.layers.MaxPooling2D(2, padding="same"),
        keras.layers.MaxPooling2D(3, strides=1),
        keras.layers.MaxPooling2D((3, 2), strides=(2, 1), padding="same"),
    ],
)
def test_efficiency_on_images(method: str, pool: keras.Layer | None) -> None:
    """Windows that tile, and windows that overlap."""
    case = Case(image_net(pool=pool, channels=3), rows=9, n=2, weights=unequal(9))
    np.testing.assert_allclose(total(case.values(method)), case.change(), atol=EFFICIENT[method])


@METHOD
def test_affine_nets_have_known_values(method: str) -> None:
    """Phi = w (x - mean), which has all four axioms."""
    case = Case(affine(6, 3), rows=20, weights=unequal(20))
    rows = np.eye(6, dtype=np.float32)
    slope = case.network.predict(rows).astype(np.float64) - case.network.predict(0 * rows)  # (columns, outputs)
    mean = case.background.weights.astype(np.float64) @ case.background.x
    np.testing.assert_allclose(case.values(method), (case.x - mean)[:, :, None] * slope, atol=1e-5)


@METHOD
def test_dummy(method: str) -> None:
    """A column without weight gets nothing, whatever the net behind."""
    model = dense_net(5, [8], 2, "softmax")
    kernel, *others = model.get_weights()
    kernel[2] = 0
    model.set_weights([kernel, *others])
    assert np.abs(Case(model).values(method)[:, 2]).max() == 0


@METHOD
def test_symmetry(method: str) -> None:
    """Two columns with the same weights and the same values, in instance and background, get the same."""
    model = dense_net(5, [8], 3, "softmax")
    kernel, *others = model.get_weights()
    kernel[3] = kernel[1]
    model.set_weights([kernel, *others])
    case = Case(model)
    case.x[:, 3] = case.x[:, 1]
    case.background.x[:, 3] = case.background.x[:, 1]
    values = case.values(method)
    np.testing.assert_allclose(values[:, 3], values[:, 1], atol=1e-7)


@METHOD
def test_linearity_on_affine_nets(method: str) -> None:
    """An output that is the sum of two others has the sum of their values."""
    model = affine(4, 3)
    *others, kernel, bias = model.get_weights()
    kernel[:, 2], bias[2] = kernel[:, 0] + kernel[:, 1], bias[0] + bias[1]
    model.set_weights([*others, kernel, bias])
    values = Case(model).values(method)
    np.testing.assert_allclose(values[..., 2], values[..., 0] + values[..., 1], atol=1e-6)


@METHOD
def test_fields_and_patches_are_sums(method: str) -> None:
    """The columns of one field, the pixels of one patch."""
    case = Case(dense_net(5, [8], 2, "softmax"))
    columns, fields = case.values(method, "columns"), case.values(method, "fields")
    np.testing.assert_allclose(fields, np.concatenate([columns[:, :2].sum(1, keepdims=True), columns[:, 2:]], 1), atol=1e-12)
    images = Case(image_net(), n=2)
    pixels, patches = images.values(method, "pixels"), images.values(method, "patches")
    assert patches.shape == (2, 3, 3, 4)
    np.testing.assert_allclose(patches[:, 0, 0], pixels[:, :4, :3].sum(axis=(1, 2, 3)), atol=1e-12)
    np.testing.assert_allclose(total(patches), total(pixels), atol=1e-12)


@METHOD
def test_some_outputs_are_those_of_all(method: str) -> None:
    """Also in another order, and another one per instance."""
    case = Case(dense_net(4, [6], 5, "softmax"))
    explainer = case.explainer(method)
    everything = explainer.attribute(case.question("columns")).values
    some = explainer.attribute(case.question("columns", [[3, 1], [0, 4], [2, 3]])).values
    for i, asked in enumerate([[3, 1], [0, 4], [2, 3]]):
        np.testing.assert_allclose(some[i], everything[i][:, asked], atol=1e-6)


@METHOD
def test_another_background_is_the_same_as_ones_own(method: str) -> None:
    """A background of the request, of any size, gives what the same one gives as the model's; rows may be split."""
    case = Case(dense_net(4, [6], 2, "softmax"), rows=7)
    rng = np.random.default_rng(3)
    for rows in (1, 7, 50):
        other = Background(rng.normal(size=(rows, 4)).astype(np.float32), unequal(rows))
        own = METHODS[method](case.network, other).attribute(case.question("columns", background=other)).values
        asked = case.explainer(method).attribute(case.question("columns", background=other)).values
        np.testing.assert_allclose(asked, own, atol=1e-6)


@METHOD
def test_an_instance_does_not_depend_on_its_neighbours(method: str) -> None:
    """Byte for byte: alone, first or last of many, or between others."""
    for case in (Case(dense_net(9, [32, 16], 2, "softmax"), rows=30, n=100), Case(image_net(), n=4)):
        explainer = case.explainer(method)
        players = "pixels" if case.manifest.kind == "image" else "columns"
        together = explainer.attribute(case.question(players)).values
        for i in (0, 1, len(case.x) - 1):
            alone = Case.__new__(Case)
            alone.__dict__.update(case.__dict__, x=case.x[i : i + 1])
            np.testing.assert_array_equal(explainer.attribute(alone.question(players)).values[0], together[i])
