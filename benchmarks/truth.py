"""The values that `deep` is measured against: by enumeration for fields, by sampled orderings for patches."""

from collections.abc import Callable
from math import factorial

import numpy as np

from explainers.game import Players
from models.arrays import Array, Floats, Inputs, Outputs
from models.backgrounds import Background

Predict = Callable[[Inputs], Outputs]


def enumerate_values(predict: Predict, x: Inputs, players: Players, background: Background) -> Floats:
    """Exact Shapley values (n, players, outputs), from all 2^players coalition values (Shapley 1953)."""
    m = int(players.groups.max()) + 1
    coalitions = np.array([[bool(s >> p & 1) for p in range(m)] for s in range(2**m)])
    sizes = coalitions.sum(axis=1)
    values = []
    for instance in x:
        mixed = np.where(coalitions[:, None, players.groups], instance, background.x[None])  # (2^m, rows, columns)
        answers = predict(mixed.reshape(-1, mixed.shape[-1])).reshape(len(coalitions), len(background.x), -1)
        v = np.einsum("sbk,b->sk", answers.astype(np.float64), background.weights.astype(np.float64))
        phi = np.zeros((m, v.shape[1]))
        for p in range(m):
            without = np.flatnonzero(~coalitions[:, p])
            weight = np.array([factorial(k) * factorial(m - k - 1) / factorial(m) for k in sizes[without]])
            phi[p] = weight @ (v[without | 1 << p] - v[without])
        values.append(phi)
    return np.stack(values)


def sample_values(
    predict: Predict, x: Inputs, players: Players, background: Background, replicates: int, seed: int = 0
) -> tuple[Floats, Floats]:
    """Values and standard errors (n, players, outputs): each row walks random orderings and their reverses."""
    m, rows = int(players.groups.max()) + 1, len(background.x)
    rng = np.random.default_rng(seed)
    all_values, all_errors = [], []
    for instance in x:
        walks = np.zeros((replicates, rows, m, predict(x[:1]).shape[1]))
        for r in range(replicates):
            orders = np.stack([rng.permutation(m) for _ in range(rows)])
            for order in (orders, orders[:, ::-1]):
                walks[r] += _walk(predict, instance, players, background.x, order) / 2
        weights = background.weights.astype(np.float64)
        all_values.append(np.einsum("rbpk,b->pk", walks, weights) / replicates)
        spread = walks.var(axis=0, ddof=1) / replicates  # (rows, m, K)
        all_errors.append(np.sqrt(np.einsum("bpk,b->pk", spread, weights**2)))
    return np.stack(all_values), np.stack(all_errors)


def _walk(predict: Predict, instance: Inputs, players: Players, rows: Inputs, orders: Array) -> Floats:
    """Contributions (rows, m, K): each row's players join in its own order."""
    n, m = orders.shape
    position = np.argsort(orders, axis=1)  # (rows, m): when each player joins
    joined = position[:, players.groups].reshape(n, *instance.shape)  # (rows, ...)
    answers = [predict(np.where(joined < k, instance, rows)).astype(np.float64) for k in range(m + 1)]
    steps = np.diff(np.stack(answers, axis=1), axis=1)  # (rows, m, K), in the order of joining
    return np.take_along_axis(steps, position[:, :, None], axis=1)


def compare(values: Floats, truth: Floats) -> dict[str, float]:
    """(n, players) against the truth: errors, signs, ranks."""
    error = np.abs(values - truth)
    clear = np.abs(truth) > 0.01
    correlations = [np.corrcoef(a, b)[0, 1] for a, b in zip(values, truth, strict=True) if a.std() > 0 and b.std() > 0]
    return {
        "mean value": float(np.abs(truth).mean()),
        "mean error": float(error.mean()),
        "relative": float(error.mean() / np.abs(truth).mean()),
        "worst": float(error.max()),
        "wrong signs": float(np.mean(np.sign(values[clear]) != np.sign(truth[clear]))),
        "top wrong": float(np.mean(np.abs(values).argmax(1) != np.abs(truth).argmax(1))),
        "correlation": float(np.mean(correlations)),
    }
