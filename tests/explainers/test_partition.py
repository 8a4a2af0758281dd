"""`partition`: Owen values against their definition, by enumeration."""

from itertools import permutations
from typing import Any

import numpy as np
import pytest

from explainers.exact import Exact
from explainers.game import Unsuitable
from explainers.partition import Partition
from tests.explainers.games import Model, question, random_function


def halves(region: np.ndarray) -> list[np.ndarray]:
    return np.array_split(region, 2, axis=int(region.shape[1] >= region.shape[0]))


def orderings(region: np.ndarray) -> list[list[int]]:
    """In which every region's players stand together: each half before or after the other."""
    if region.size == 1:
        return [[int(region[0, 0])]]
    first, second = (orderings(half) for half in halves(region))
    return [order for a in first for b in second for order in (a + b, b + a)]


def by_definition(function: object, asked: object, shape: tuple[int, int]) -> np.ndarray:
    """The mean over these orderings of what each player changes."""
    rows, weights = asked.background.x, asked.background.weights.astype(float)  # type: ignore[attr-defined]
    orders = orderings(np.arange(shape[0] * shape[1]).reshape(shape))
    phi = np.zeros((shape[0] * shape[1], 2))
    for order in orders:
        joined: Any = np.zeros(len(phi), bool)
        before = weights @ function(rows)  # type: ignore[operator]
        for player in order:
            joined[player] = True
            after = weights @ function(np.where(joined, asked.x[0], rows))  # type: ignore[operator, attr-defined]
            phi[player] += (after - before) / len(orders)
            before = after
    return phi


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (2, 2), (2, 3), (3, 2)])
def test_owen_values(shape: tuple[int, int]) -> None:
    """The mean over the orderings in which every region's players stand together (Owen 1977)."""
    function = random_function(shape[0] * shape[1], 2, seed=0)
    rng = np.random.default_rng(0)
    asked = question(function, rng.normal(size=(1, shape[0] * shape[1])), rng.normal(size=(4, shape[0] * shape[1])), shape=shape)
    found = Partition(Model(function)).attribute(asked)
    np.testing.assert_allclose(found.values.reshape(-1, 2), by_definition(function, asked, shape), atol=1e-7)


def test_two_players_have_their_shapley_values() -> None:
    function = random_function(2, 2, seed=0)
    asked = question(function, [[1, 2]], [[0, 0], [3, 1]], shape=(1, 2))
    exact = Exact(Model(function)).attribute(asked).values
    np.testing.assert_allclose(Partition(Model(function)).attribute(asked).values, exact, atol=1e-9)


@pytest.mark.parametrize(("side", "coalitions"), [(1, 2), (2, 2 + 2 + 8), (4, 172)])
def test_the_cost_is_what_is_run(side: int, coalitions: int) -> None:
    """When no patch is a dummy; the ends are run too."""
    function = random_function(side**2, 1, seed=0)
    asked = question(function, np.ones((1, side**2)), np.zeros((1, side**2)), shape=(side, side))
    assert Partition(Model(function)).cost(asked) == coalitions
    assert Partition(Model(function)).attribute(asked).evaluations == [coalitions]


def test_too_many_patches_are_refused() -> None:
    function = random_function(289, 1, seed=0)
    asked = question(function, np.ones((1, 289)), np.zeros((1, 289)), shape=(17, 17))
    with pytest.raises(Unsuitable, match="at most 100"):
        Partition(Model(function)).cost(asked)


def test_the_orderings_are_few() -> None:
    """Of six players 720 orderings, of which 32 keep the regions together."""
    assert len(list(permutations(range(6)))) == 720
    assert len({tuple(order) for order in orderings(np.arange(6).reshape(2, 3))}) == 32
