"""`kernel`: KernelSHAP, the weighted least-squares line through sampled coalition values (Lundberg and Lee 2017, sec. 4.1).

Coalitions of the smallest and largest sizes are taken whole while the budget lasts, the rest is drawn in pairs with their
complements (Covert and Lee 2021). When all are taken the values are exact.
"""

from itertools import combinations
from math import comb

import numpy as np

from explainers.coalitions import Game, Runs
from explainers.game import PLAYERS, Attribution, Question, Unsuitable
from explainers.sampling import generator
from models.arrays import Array, Floats

MAX_PLAYERS = 256


class Kernel:
    """2 x players + 2048 coalitions, or as many as may be run."""

    players = PLAYERS
    elementwise = False
    sampling = False

    def __init__(self, model: Runs) -> None:
        self._model = model

    def cost(self, question: Question) -> int:
        """Two coalitions per player: with fewer the line is not determined."""
        if question.players.count > MAX_PLAYERS:
            raise Unsuitable(f"`kernel` solves for all players at once; expected at most {MAX_PLAYERS} players")
        return _least(question.players.count) * len(question.background.x)

    def attribute(self, question: Question) -> Attribution:
        """See Explainer."""
        m, seed = question.players.count, question.effort.seed
        budget = min(2 * m + 2048, max(_least(m), question.effort.max_evaluations // len(question.background.x)))
        coalitions, weights, complete = _choose(m, budget, seed)
        solver = _solver(coalitions, weights)
        values, evaluations = [], []
        for i in range(len(question.x)):
            game = Game(self._model, question, i)
            change = game.values(coalitions) - game.nobody if len(coalitions) else np.zeros((0, len(game.outputs)))
            values.append(_line(coalitions, solver, change, game.everybody - game.nobody))
            evaluations.append(game.evaluations)
        shaped = np.stack(values).reshape(len(values), *question.players.shape, -1)
        return Attribution(shaped, evaluations, exact=complete, seed=None if complete else seed)


def _least(m: int) -> int:
    return min(2**m - 2, 2 * m) if m < 63 else 2 * m


def _choose(m: int, budget: int, seed: int) -> tuple[Array, Floats, bool]:
    """Coalitions (n, players), their weights (n,), and whether these are all but the empty one and the whole."""
    size_weight = np.array([1 / (s * (m - s)) for s in range(1, m // 2 + 1)])  # of all coalitions of a size together
    size_weight *= np.where(2 * np.arange(1, m // 2 + 1) == m, 1, 2)  # and of their complements
    masks: list[Array] = []
    weights: list[Floats] = []
    left, taken = budget, 0
    for s in range(1, m // 2 + 1):
        count = comb(m, s) * (1 if 2 * s == m else 2)
        if count > left:
            break
        members = np.array(list(combinations(range(m), s)))
        some = np.zeros((len(members), m), bool)
        np.put_along_axis(some, members, True, axis=1)
        masks += [some] if 2 * s == m else [some, ~some]
        weights.append(np.full(count, size_weight[s - 1] / count))
        left, taken = left - count, s
    if taken < m // 2:
        drawn = _draw(m, left // 2, taken, size_weight, generator(seed, 0))
        masks += [drawn, ~drawn]
        weights.append(np.full(2 * len(drawn), size_weight[taken:].sum() / max(1, 2 * len(drawn))))
    if not masks:
        return np.zeros((0, m), bool), np.zeros(0), True
    return np.concatenate(masks), np.concatenate(weights), taken == m // 2


def _draw(m: int, pairs: int, taken: int, size_weight: Floats, random: np.random.Generator) -> Array:
    """(pairs, players): coalitions of more than `taken` members, and fewer than half."""
    shares = size_weight[taken:] / size_weight[taken:].sum()
    sizes = random.choice(np.arange(taken + 1, m // 2 + 1), pairs, p=shares)
    return np.argsort(random.random((pairs, m)), axis=1) < sizes[:, None]


def _solver(coalitions: Array, weights: Floats) -> Floats:
    """(players - 1, n): gives all values but the last player's, which is what the others leave, from the right-hand side."""
    inside, root = coalitions.astype(np.float64), np.sqrt(weights)
    return np.asarray(np.linalg.pinv((inside[:, :-1] - inside[:, -1:]) * root[:, None]) * root, np.float64)


def _line(coalitions: Array, solver: Floats, change: Floats, whole: Floats) -> Floats:
    """(players, outputs): least squares of sum of phi over S against v(S) - v(nobody), the sum over all being `whole`."""
    phi = solver @ (change - coalitions[:, -1:] * whole)
    return np.concatenate([phi, (whole - phi.sum(axis=0))[None]])
