"""`deep_paths` against exact values."""

import numpy as np

from explainers.deep import paths
from tests.explainers.nets import Case, dense_net, unequal


def test_two_players_walk_both_orders() -> None:
    """Then each step moves one player, and the mean of both paths is exact; what `deep` says is taken off again by 0.4."""
    case = Case(dense_net(2, [8], 3, "softmax", scale=3), rows=9, weights=unequal(9))
    exact, deep, found = (case.values(method) for method in ("exact", "deep", "deep_paths"))
    share = paths._EXTRAPOLATE
    assert np.abs(deep - exact).max() > 0.01
    np.testing.assert_allclose((found + share * deep) / (1 + share), exact, atol=1e-6)


def test_it_is_nearer_to_the_truth_than_deep() -> None:
    """By half at least, on a bent net of seven players."""
    case = Case(dense_net(7, [16, 16], 2, "softmax", scale=3), rows=200, n=10)
    exact, deep, found = (case.values(method) for method in ("exact", "deep", "deep_paths"))
    assert np.abs(found - exact).mean() < 0.5 * np.abs(deep - exact).mean()
