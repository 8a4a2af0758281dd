"""Sampling methods: standard errors that are right, draws that depend on the seed alone, and when they stop."""

from typing import Any

import numpy as np
import pytest

from explainers.exact import Exact
from explainers.game import Attribution
from explainers.kernel import Kernel
from explainers.monte_carlo import MonteCarlo
from explainers.permutation import Permutation
from explainers.sampling import generator, least_replicates
from models.backgrounds import equal_weights
from models.folder import TRAINED, read_folder
from tests.explainers.games import Model, by_orderings, question, random_function
from tests.explainers.nets import unequal

SAMPLERS = pytest.mark.parametrize("method", [Permutation, MonteCarlo])


def ask(method: Any, size: int = 6, rows: int = 20, n: int = 2, weights: Any = None, **options: Any) -> Attribution:
    """About a random function of `size` numbers."""
    function = random_function(size, 2, seed=1)
    rng = np.random.default_rng(0)
    asked = question(function, rng.normal(size=(n, size)), rng.normal(size=(rows, size)), weights, **options)
    return method(Model(function)).attribute(asked)


@pytest.mark.parametrize("rows", [1, 10, 67, 891])
def test_two_standard_errors_cover_95_percent(rows: int) -> None:
    """|error| <= 2 stderr + 1e-6 for 93 to 98 % of at least 2,000 values; 67: the weights of the shipped centres."""
    n = {1: 200, 10: 200, 67: 100, 891: 40}[rows]
    weights = read_folder(TRAINED / "titanic").background.weights if rows == 67 else equal_weights(rows)
    function = random_function(7, 8, seed=3)
    rng = np.random.default_rng(1)
    asked = question(function, rng.normal(size=(n, 7)), rng.normal(size=(rows, 7)), weights)
    truth = Exact(Model(function)).attribute(asked).values
    inside = []
    for seed, part in enumerate(asked.part(i, i + 1) for i in range(n)):
        own = question(function, part.x, asked.background.x, weights, seed=seed)
        found = Permutation(Model(function)).attribute(own)
        assert found.stderr is not None
        inside.append(np.abs(found.values - truth[seed]) <= 2 * found.stderr + 1e-6)
    assert np.size(inside) >= 2000
    assert 0.93 <= np.mean(inside) <= 0.98


def test_monte_carlo_covers_too() -> None:
    """Each value is the mean of 5,000 draws."""
    function = random_function(5, 8, seed=3)
    rng = np.random.default_rng(1)
    inside = []
    for seed in range(60):
        asked = question(function, rng.normal(size=(1, 5)), rng.normal(size=(30, 5)), unequal(30), seed=seed)
        found = MonteCarlo(Model(function)).attribute(asked)
        assert found.stderr is not None
        truth = Exact(Model(function)).attribute(asked).values
        inside.append(np.abs(found.values - truth) <= 2 * found.stderr)
    assert 0.93 <= np.mean(inside) <= 0.98


def test_permutation_of_two_players_is_exact() -> None:
    """An ordering and its reverse are all there are; dummies count for nothing."""
    function = random_function(3, 2, seed=0)
    asked = question(function, [[1, 2, 3]], [[0, 0, 3], [4, 5, 3]])
    found = Permutation(Model(function)).attribute(asked)
    np.testing.assert_allclose(found.values, by_orderings(function, asked), atol=1e-6)
    assert found.stderr is not None
    np.testing.assert_allclose(found.stderr, 0, atol=1e-12)
    assert found.evaluations == [2 * 2 * 75]  # one step between the ends, two directions, two rows, 75 replicates


@SAMPLERS
def test_the_seed_decides(method: Any) -> None:
    """The same seed draws the same, another one draws something else."""
    first, second, other = (ask(method, seed=seed).values for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).max() > 1e-6


def test_draws_of_a_row_depend_on_seed_replicate_and_row_alone() -> None:
    """More rows, or taking them in parts, changes nothing about the first ones."""
    whole, part = generator(3, 7).random((10, 5)), generator(3, 7)
    np.testing.assert_array_equal(np.concatenate([part.random((4, 5)), part.random((6, 5))]), whole)
    assert np.abs(generator(3, 8).random((10, 5)) - whole).max() > 0.1


def test_permutation_in_parts_is_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: walks are taken some at a time."""
    whole = ask(Permutation)
    monkeypatch.setattr("explainers.permutation._CELLS", 2 * 8 * 6 * 2 * 3)
    parts = ask(Permutation)
    np.testing.assert_allclose(parts.values, whole.values, atol=1e-12)
    assert parts.stderr is not None
    assert whole.stderr is not None
    np.testing.assert_allclose(parts.stderr, whole.stderr, atol=1e-12)


@pytest.mark.parametrize(("rows", "replicates"), [(1, 150), (10, 15), (100, 4), (891, 4)])
def test_few_rows_need_many_replicates(rows: int, replicates: int) -> None:
    assert least_replicates(equal_weights(rows)) == replicates


def test_unequal_weights_count_as_fewer_rows() -> None:
    """n_eff = 1 / sum w^2, and again with the squares."""
    assert least_replicates(np.array([0.5, 0.5, 0, 0], np.float32)) == 75
    one_heavy = np.array([0.1, *[0.001] * 900], np.float32)
    assert least_replicates(one_heavy) == int(np.ceil(60 * (0.1**4 + 900 * 0.001**4) / (0.1**2 + 900 * 0.001**2) ** 2))


@SAMPLERS
def test_without_max_stderr_the_minimum_runs(method: Any) -> None:
    found = ask(method)
    assert found.converged is None
    assert found.stopped_by == [None, None]


@SAMPLERS
def test_sampling_goes_on_until_max_stderr(method: Any) -> None:
    """The largest standard error of all values asked for is what counts."""
    least = ask(method)
    assert least.stderr is not None
    wanted = float(least.stderr.max()) / 3
    found = ask(method, max_stderr=wanted, max_evaluations=10**8)
    assert found.stderr is not None
    assert found.converged == [True, True]
    assert found.stderr.max() <= wanted
    assert min(found.evaluations) > min(least.evaluations)
    assert found.evaluations[0] != found.evaluations[1] or method is MonteCarlo


@SAMPLERS
def test_sampling_stops_at_max_evaluations(method: Any) -> None:
    """What there is by then is the answer, and it says so."""
    found = ask(method, max_stderr=1e-9, max_evaluations=12_000)
    assert found.converged == [False, False]
    assert found.stopped_by == ["max_evaluations"] * 2
    assert max(found.evaluations) <= 12_000


@SAMPLERS
def test_sampling_stops_before_the_deadline(method: Any) -> None:
    """One round is done for every instance; then time is up."""
    found = ask(method, max_stderr=1e-9, max_evaluations=10**9, remaining=lambda: 0.05)
    assert found.converged == [False, False]
    assert found.stopped_by == ["deadline"] * 2
    assert found.evaluations[0] == found.evaluations[1]


class TooLate(Exception):
    """Nobody waits."""


@SAMPLERS
def test_the_minimum_cannot_be_cut_short(method: Any) -> None:
    """Within the first round, a passed deadline ends all."""

    def check() -> None:
        raise TooLate

    with pytest.raises(TooLate):
        ask(method, check=check)


def test_kernel_is_exact_when_all_coalitions_fit() -> None:
    function = random_function(8, 3, seed=0)
    rng = np.random.default_rng(0)
    asked = question(function, rng.normal(size=(2, 8)), rng.normal(size=(9, 8)), unequal(9))
    found = Kernel(Model(function)).attribute(asked)
    assert found.exact
    assert found.seed is None
    np.testing.assert_allclose(found.values, Exact(Model(function)).attribute(asked).values, atol=1e-7)


@pytest.mark.parametrize("size", [13, 14])
def test_kernel_draws_what_it_cannot_run(size: int) -> None:
    """Nearer with more coalitions, and it always adds up."""
    function = random_function(size, 1, seed=0)
    rng = np.random.default_rng(0)
    x, rows = rng.normal(size=(3, size)), rng.normal(size=(2, size))
    asked = question(function, x, rows)
    truth = Exact(Model(function)).attribute(asked).values
    errors = []
    for budget in (60, 600, 2000):
        found = Kernel(Model(function)).attribute(question(function, x, rows, max_evaluations=2 * budget))
        assert not found.exact
        assert max(found.evaluations) <= 2 * budget
        np.testing.assert_allclose(found.values.sum(axis=1), truth.sum(axis=1), atol=1e-9)
        errors.append(np.abs(found.values - truth).mean() / np.abs(truth).mean())
    assert errors[2] < 0.05
    assert errors[2] < errors[0]


def test_kernel_of_one_player() -> None:
    function = random_function(1, 2, seed=0)
    asked = question(function, [[1.0]], [[0.0]])
    found = Kernel(Model(function)).attribute(asked)
    np.testing.assert_allclose(found.values[:, 0], asked.predictions - asked.background_predictions, atol=1e-9)
