"""The axioms of the Shapley value, for every method in the dict, as far as it declares them.

efficiency: values sum to v(everybody) - v(nobody). dummy: who changes nothing gets nothing. symmetry: equals get the same.
linearity: the values of a sum of games are the sums of the values. A method keeps them always, on average (within four
standard errors), or on nets that are affine in the input.
"""

from functools import cache
from typing import Any

import keras
import numpy as np
import pytest

from explainers.game import Attribution
from explainers.methods import METHODS
from models.backgrounds import Background
from tests.explainers.nets import Case, dense_net, image_net, randomised, unequal

EFFICIENT = {"deep_shap": 1e-3}
"""In float32; shap's thresholds and quotients of small differences cost two digits."""
NETWORKS = [name for name, method in METHODS.items() if "keras" in method.engines]
METHOD = pytest.mark.parametrize("method", NETWORKS)
FOR_RECORDS = pytest.mark.parametrize("method", [name for name in NETWORKS if name != "partition"])


@cache
def dense(columns: int, widths: tuple[int, ...], outputs: int, last: str) -> Case:
    """Compiled once for all methods."""
    return Case(dense_net(columns, list(widths), outputs, last), rows=40, n=70, weights=unequal(40))


@cache
def image(pool: str) -> Case:
    """Windows side by side, that overlap, that reach over the edge, or that leave a margin."""
    pools = {
        "2": keras.layers.MaxPooling2D(2),
        "overlapping": keras.layers.MaxPooling2D(3, 2),
        "same": keras.layers.MaxPooling2D((2, 3), (1, 2), "same"),
        "margin": keras.layers.MaxPooling2D(4),
    }
    return Case(image_net(pool=pools[pool], channels=3, scale=1.0), rows=9, n=2, weights=unequal(9))


def explain(case: Case, method: str, outputs: Any = None, n: int | None = None) -> Attribution:
    """The first n instances; columns, or what the method takes of images."""
    explainer = case.explainer(method)
    players = "columns" if case.manifest.kind == "tabular" else "pixels" if "pixels" in explainer.players else "patches"
    question = case.question(players, outputs, max_evaluations=10**6)
    return explainer.attribute(question.part(0, n or len(case.x)))


def total(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1, values.shape[-1]).sum(axis=1)


def noise(found: Attribution) -> np.ndarray:
    """Four standard errors of each value."""
    return np.zeros_like(found.values) if found.stderr is None else 4 * found.stderr


def assert_efficient(case: Case, method: str, n: int) -> None:
    found = explain(case, method, n=n)
    allowed = EFFICIENT.get(method, 2e-5) + np.zeros_like(total(found.values))
    if METHODS[method].efficiency == "on average":
        assert found.sum_stderr is not None
        allowed += 4 * found.sum_stderr
    assert (np.abs(total(found.values) - case.change()[:n]) <= allowed).all()


def affine(columns: int, outputs: int, seed: int = 0) -> keras.Sequential:
    layers = [keras.Input((columns,)), keras.layers.Dense(7), keras.layers.Dropout(0.5), keras.layers.Dense(outputs)]
    return randomised(keras.Sequential(layers), seed)


@FOR_RECORDS
@pytest.mark.parametrize(
    ("columns", "widths", "outputs", "last"),
    [
        (5, (8,), 2, "softmax"),
        (9, (32, 128, 32, 8), 2, "softmax"),
        (4, (6, 6), 5, "softmax"),
        (6, (9,), 1, "sigmoid"),
        (6, (9,), 3, "linear"),
        (3, (), 3, "softmax"),
        (1, (4,), 2, "softmax"),
    ],
)
def test_efficiency(method: str, columns: int, widths: tuple[int, ...], outputs: int, last: str) -> None:
    """sum_i phi_i = f(x) - sum_b w_b f(b), with strongly unequal weights."""
    assert_efficient(dense(columns, widths, outputs, last), method, 70 if METHODS[method].efficiency == "always" else 5)


@METHOD
@pytest.mark.parametrize("pool", ["2", "overlapping", "same", "margin"])
def test_efficiency_of_images(method: str, pool: str) -> None:
    """With every kind of max pooling."""
    assert_efficient(image(pool), method, 2)


@cache
def line() -> Case:
    """Affine in the input."""
    return Case(affine(6, 3), rows=20, weights=unequal(20))


@FOR_RECORDS
def test_affine_nets_have_known_values(method: str) -> None:
    """Phi = w (x - mean), which has all four axioms."""
    case = line()
    rows = np.eye(6, dtype=np.float32)
    slope = case.network.predict(rows).astype(np.float64) - case.network.predict(0 * rows)  # (columns, outputs)
    mean = case.background.weights.astype(np.float64) @ case.background.x
    found = explain(case, method)
    assert (np.abs(found.values - (case.x - mean)[:, :, None] * slope) <= 2e-5 + noise(found)).all()


@cache
def without_weight() -> Case:
    """Column 2 of 5."""
    model = dense_net(5, [8], 2, "softmax")
    kernel, *others = model.get_weights()
    kernel[2] = 0
    model.set_weights([kernel, *others])
    return Case(model)


@FOR_RECORDS
def test_dummy(method: str) -> None:
    """A column without weight gets nothing, whatever the net behind."""
    assert np.abs(explain(without_weight(), method).values[:, 2]).max() < 3e-7


@cache
def symmetric(bent: bool) -> Case:
    """Columns 1 and 3 of 5."""
    model = dense_net(5, [8], 3, "softmax") if bent else affine(5, 3)
    kernel, *others = model.get_weights()
    kernel[3] = kernel[1]
    model.set_weights([kernel, *others])
    case = Case(model)
    case.x[:, 3] = case.x[:, 1]
    case.background.x[:, 3] = case.background.x[:, 1]
    return case


@FOR_RECORDS
def test_symmetry(method: str) -> None:
    """Two columns with the same weights and the same values, in instance and background, get the same.

    `deep_paths` draws halves: there it holds on average, and on affine nets always.
    """
    found = explain(symmetric(method != "deep_paths"), method)
    allowed = 1e-7 + np.hypot(noise(found)[:, 3], noise(found)[:, 1])
    assert (np.abs(found.values[:, 3] - found.values[:, 1]) <= allowed).all()


@cache
def summed(bent: bool) -> Case:
    """The last output is the sum of the other two."""
    model = dense_net(4, [9], 3, "linear") if bent else affine(4, 3)
    *others, kernel, bias = model.get_weights()
    kernel[:, 2], bias[2] = kernel[:, 0] + kernel[:, 1], bias[0] + bias[1]
    model.set_weights([*others, kernel, bias])
    return Case(model)


@FOR_RECORDS
def test_linearity(method: str) -> None:
    """An output that is the sum of two others has the sum of their values."""
    found = explain(summed(METHODS[method].fairness != "affine"), method)
    allowed = 2e-6 + noise(found).sum(axis=2)
    assert (np.abs(found.values[..., 2] - found.values[..., 0] - found.values[..., 1]) <= allowed).all()


@cache
def bent() -> Case:
    """With strongly unequal weights."""
    return Case(dense_net(7, [12, 8], 3, "softmax", scale=3), rows=30, n=4, weights=unequal(30))


@cache
def small_image() -> Case:
    """Four of them."""
    return Case(image_net(), n=4)


@pytest.mark.parametrize(
    "method",
    [m for m, declared in METHODS.items() if "keras" in declared.engines and declared.fairness != "affine" and m != "exact"],
)
def test_unbiased_methods_agree_with_exact(method: str) -> None:
    """Within four standard errors, on a bent net with strongly unequal weights."""
    case = bent()
    truth, found = explain(case, "exact").values, explain(case, method)
    assert np.abs(truth).max() > 0.1
    assert (np.abs(found.values - truth) <= 1e-6 + noise(found)).all()


@pytest.mark.parametrize("method", ["deep", "deep_shap", "gradient"])
def test_fields_and_patches_are_sums(method: str) -> None:
    """The columns of one field, the pixels of one patch."""
    case = without_weight()
    columns, fields = case.values(method, "columns"), case.values(method, "fields")
    np.testing.assert_allclose(fields, np.concatenate([columns[:, :2].sum(1, keepdims=True), columns[:, 2:]], 1), atol=1e-12)
    images = small_image()
    pixels, patches = images.values(method, "pixels"), images.values(method, "patches")
    assert patches.shape == (4, 3, 3, 4)
    np.testing.assert_allclose(patches[:, 0, 0], pixels[:, :4, :3].sum(axis=(1, 2, 3)), atol=1e-12)
    np.testing.assert_allclose(total(patches), total(pixels), atol=1e-12)


@cache
def five_outputs() -> Case:
    """Of four columns."""
    return Case(dense_net(4, [6], 5, "softmax"), n=4)


@METHOD
def test_some_outputs_are_those_of_all(method: str) -> None:
    """Also in another order, and another one per instance."""
    case = small_image() if method == "partition" else five_outputs()
    some = [[3, 1], [0, 3], [2, 3], [1, 2]]
    everything, found = explain(case, method).values, explain(case, method, some).values
    for i, asked in enumerate(some):
        np.testing.assert_allclose(found[i], everything[i][..., asked], atol=1e-6)


@cache
def seven_rows() -> Case:
    """A small background."""
    return Case(dense_net(4, [6], 2, "softmax"), rows=7)


@FOR_RECORDS
def test_another_background_is_the_same_as_ones_own(method: str) -> None:
    """A background of the request, of any size, gives what the same one gives as the model's; rows may be split."""
    case = seven_rows()
    rng = np.random.default_rng(3)
    for rows in (1, 7, 50):
        other = Background(rng.normal(size=(rows, 4)).astype(np.float32), unequal(rows))
        question = case.question("columns", background=other, max_evaluations=10**5)
        own = METHODS[method].build(case.network, other).attribute(question)
        asked = case.explainer(method).attribute(question).values
        assert (np.abs(asked - own.values) <= 1e-6 + (1.5 * noise(own) if method == "gradient" else 0)).all()


@cache
def many_records(n: int) -> Case:
    """Of nine columns."""
    return Case(dense_net(9, [32, 16], 2, "softmax"), rows=30, n=n)


@METHOD
def test_an_instance_does_not_depend_on_its_neighbours(method: str) -> None:
    """Byte for byte: alone, first or last of many, or between others."""
    many = 100 if METHODS[method].efficiency == "always" else 10
    for case in [small_image()] if method == "partition" else [small_image(), many_records(many)]:
        together = explain(case, method).values
        for i in (0, 1, len(case.x) - 1):
            alone = Case.__new__(Case)
            alone.__dict__.update(case.__dict__, x=case.x[i : i + 1])
            np.testing.assert_array_equal(explain(alone, method).values[0], together[i])
