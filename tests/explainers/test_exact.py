"""`exact` against closed forms, definitions and other libraries."""

from typing import Any

import numpy as np
import pytest
import shap
import shapiq

from explainers import exact
from explainers.exact import Exact, interactions, shapley_weights
from explainers.game import Unsuitable
from models.backgrounds import Background
from tests.explainers.games import Model, by_orderings, question, random_function
from tests.explainers.nets import unequal


def explain(function: Any, asked: Any) -> np.ndarray:
    return Exact(Model(function)).attribute(asked).values


def test_linear() -> None:
    """W (x - mean)"""
    w = np.array([[1.0, -2], [0.5, 3], [-1, 0]])
    rows = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    asked = question(lambda x: x @ w, [[1, 2, 3]], rows, unequal(7))
    expected = (np.array([1, 2, 3]) - asked.background.weights.astype(float) @ rows)[:, None] * w
    np.testing.assert_allclose(explain(lambda x: x @ w, asked)[0], expected, atol=1e-6)


def test_xor() -> None:
    """Neither bit says anything alone, and both share the change equally."""

    def xor(x: np.ndarray) -> np.ndarray:
        return (x[:, :1] != x[:, 1:2]).astype(np.float64)

    asked = question(xor, [[1, 0, 5]], [[0, 0, 0]])
    np.testing.assert_allclose(explain(xor, asked)[0, :, 0], [1, 0, 0], atol=1e-12)
    asked = question(xor, [[1, 1, 5], [1, 0, 5]], [[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0]])
    np.testing.assert_allclose(explain(xor, asked)[:, :, 0], [[-0.25, -0.25, 0], [0.25, 0.25, 0]], atol=1e-12)


def test_product() -> None:
    """X1 x2 from zero: halves; x1 x2 x3: thirds."""

    def products(x: np.ndarray) -> np.ndarray:
        return np.stack([x[:, 0] * x[:, 1], x.prod(axis=1)], axis=1).astype(np.float64)

    asked = question(products, [[2, 3, 5]], [[0, 0, 0]])
    np.testing.assert_allclose(explain(products, asked)[0], [[3, 10], [3, 10], [0, 10]], atol=1e-12)


def test_max() -> None:
    """Airport game: everybody pays a share of the runway that he needs (Littlechild and Owen 1973)."""

    def runway(x: np.ndarray) -> np.ndarray:
        return x.max(axis=1, keepdims=True).astype(np.float64)

    asked = question(runway, [[3, 6, 12]], [[0, 0, 0]])
    np.testing.assert_allclose(explain(runway, asked)[0, :, 0], [1, 2.5, 8.5])


@pytest.mark.parametrize("weights", [None, "unequal"])
@pytest.mark.parametrize("groups", [None, [0, 0, 1, 2, 2], [1, 0, 2, 1, 0]])
def test_definition(weights: Any, groups: Any) -> None:
    """The mean over all orderings; with rows that agree with the instance, or with each other, in some places."""
    function = random_function(5, 3, seed=1)
    rows = np.random.default_rng(2).integers(0, 3, (25, 5))
    asked = question(function, [[0, 1, 2, 0, 1], [2, 2, 2, 2, 2], rows[0]], rows, weights and unequal(25), groups)
    np.testing.assert_allclose(explain(function, asked), by_orderings(function, asked), atol=1e-7)


def test_dummies_are_left_out_and_repeats_run_once() -> None:
    """A row that differs in d places costs 2^d at most; rows that are equal there cost nothing more."""
    function = random_function(3, 1, seed=0)
    model = Model(function)
    found = Exact(model).attribute(question(function, [[1, 1, 1]], [[1, 1, 0], [1, 1, 0], [1, 0, 0], [1, 1, 1]]))
    assert found.evaluations == [4]  # nothing differs, the last does, the middle one does, both do
    assert model.runs == 4
    np.testing.assert_array_equal(found.values[0, 0], 0)


def test_rows_in_parts_are_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: rows are taken some at a time."""
    function = random_function(4, 2, seed=0)
    asked = question(function, np.eye(4), np.random.default_rng(0).integers(0, 2, (30, 4)), unequal(30))
    whole = explain(function, asked)
    monkeypatch.setattr(exact, "_CELLS", 3 * 16 * 2)
    np.testing.assert_allclose(explain(function, asked), whole, atol=1e-12)


def test_sixteen_players_at_most() -> None:
    function = random_function(17, 1, seed=0)
    asked = question(function, np.ones((1, 17)), np.zeros((1, 17)))
    with pytest.raises(Unsuitable, match="at most 16"):
        Exact(Model(function)).cost(asked)
    sixteen = question(function, np.ones((1, 17)), np.zeros((1, 17)), groups=[*range(16), 0])
    assert Exact(Model(function)).cost(sixteen) == 2**16
    values = explain(function, sixteen)
    np.testing.assert_allclose(values.sum(), (sixteen.predictions - sixteen.background_predictions).sum(), atol=1e-9)


def test_shap_exact_explainer_on_the_same_players() -> None:
    """Grouped columns: shap's masker gets the players, and maps them to columns; a background of equal weights."""
    function, groups = random_function(6, 2, seed=4), np.array([0, 1, 1, 2, 3, 3])
    rng = np.random.default_rng(0)
    rows, x = rng.integers(0, 2, (12, 6)).astype(np.float32), rng.integers(0, 3, (3, 6)).astype(np.float32)

    def masker(mask: np.ndarray, instance: np.ndarray) -> tuple[np.ndarray]:
        return (np.where(np.asarray(mask, bool)[groups], x[int(instance[0])], rows),)

    masker.shape = lambda instance: (12, 4)  # type: ignore[attr-defined]
    theirs = shap.ExactExplainer(function, masker, linearize_link=False)(np.tile(np.arange(3)[:, None], 4))
    ours = explain(function, question(function, x, rows, groups=groups))
    np.testing.assert_allclose(ours, theirs.values, atol=1e-5)


def pairs(function: Any, asked: Any) -> np.ndarray:
    found = Exact(Model(function)).attribute(asked)
    assert found.interactions is not None
    np.testing.assert_allclose(found.interactions.sum(axis=2), found.values, atol=1e-12)
    np.testing.assert_allclose(found.interactions, found.interactions.transpose(0, 2, 1, 3), atol=1e-12)
    return found.interactions


def test_interactions_of_a_product() -> None:
    """X1 x2 from zero is nothing but the interaction of the two, halved over both places."""

    def product(x: np.ndarray) -> np.ndarray:
        return (x[:, :1] * x[:, 1:2]).astype(np.float64)

    found = pairs(product, question(product, [[2, 3, 5]], [[0, 0, 0]], interactions=True))
    np.testing.assert_allclose(found[0, :, :, 0], [[0, 3, 0], [3, 0, 0], [0, 0, 0]], atol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_interactions_agree_with_shapiq(size: int) -> None:
    """Off the diagonal half of its Shapley interaction index."""
    function = random_function(size, 1, seed=size)
    rng = np.random.default_rng(1)
    asked = question(function, rng.normal(size=(1, size)), rng.normal(size=(8, size)), unequal(8), interactions=True)
    ours = pairs(function, asked)[0, :, :, 0]
    weights = asked.background.weights.astype(np.float64)

    def game(coalitions: np.ndarray) -> np.ndarray:
        return np.array([weights @ function(np.where(s, asked.x[0], asked.background.x))[:, 0] for s in coalitions])

    if size > 1:
        theirs = shapiq.ExactComputer(game, n_players=size)(index="SII", order=2)
        for i in range(size):
            for j in range(i + 1, size):
                assert ours[i, j] == pytest.approx(theirs[(i, j)] / 2, abs=1e-6)


def test_weights_of_one_player() -> None:
    np.testing.assert_array_equal(shapley_weights(1), [[-1, 1]])
    np.testing.assert_array_equal(interactions(np.array([[1.0], [3.0]]), np.array([[2.0]])), [[[2.0]]])


def test_a_plan_is_kept_for_the_same_background_only() -> None:
    """Equal content in another object is another background; the values agree."""
    function = random_function(3, 1, seed=0)
    explainer = Exact(Model(function))
    asked = question(function, np.ones((1, 3)), np.eye(3))
    again = question(function, np.ones((1, 3)), np.eye(3) * 2)
    first = explainer.attribute(asked).values
    assert np.abs(explainer.attribute(again).values - first).max() > 1e-3
    np.testing.assert_array_equal(explainer.attribute(asked).values, first)
    assert Background(asked.background.x, asked.background.weights) != asked.background
