"""`permutation`: antithetic permutation sampling in which every background row walks its own random orderings.

A walk lets the players join one after the other; what the answer changes by is the newcomer's. Each ordering is walked
forwards and backwards (Mitchell et al. 2022), in replicates, from which the standard errors come.
"""

import numpy as np

from explainers.coalitions import Game, Runs
from explainers.game import PLAYERS, Attribution, Indices, Question
from explainers.sampling import Round, generator, least_replicates, over_replicates, sample
from models.arrays import Floats

_CELLS = 2**18
"""(walk, player, output) triples at once."""


class Permutation:
    """Sampled orderings, a round being the replicates that good standard errors need."""

    players = PLAYERS
    elementwise = False
    sampling = True

    def __init__(self, model: Runs) -> None:
        self._model = model

    def cost(self, question: Question) -> int:
        """Of one round, when no player is a dummy: the ends of a walk are known."""
        rows = len(question.background.x)
        return max(1, 2 * (question.players.count - 1) * rows * least_replicates(question.background.weights))

    def attribute(self, question: Question) -> Attribution:
        """See Explainer."""
        replicates = least_replicates(question.background.weights)

        def one_round(i: int, number: int) -> Round:
            game = Game(self._model, question, i)
            values, variance = _walk_all(game, replicates, question.effort.seed, number * replicates)
            return Round(values, variance, np.zeros(values.shape[1]), game.evaluations)

        return sample(question, one_round, self.cost(question))


def _walk_all(game: Game, replicates: int, seed: int, first: int) -> tuple[Floats, Floats]:
    """Values and variances (players, outputs) from the replicates `first` and on."""
    values = variance = np.zeros((game.players, len(game.outputs)))
    step = max(1, _CELLS // (2 * replicates * game.players * len(game.outputs)))
    draws = [generator(seed, first + r) for r in range(replicates)]
    for begin in range(0, len(game.weights), step):
        rows = np.arange(begin, min(begin + step, len(game.weights)))
        keys = np.stack([draw.random((len(rows), game.players)) for draw in draws], axis=1)  # (rows, replicates, players)
        contributions = _walk(game, rows, keys)
        mean, spread = over_replicates(contributions, game.weights[rows])
        values, variance = values + mean, variance + spread
    return values, variance


def _walk(game: Game, rows: Indices, keys: Floats) -> Floats:
    """Contributions (rows, replicates, players, outputs), the mean of the ordering by `keys` and its reverse.

    Steps of dummies are not run: they come last, and change nothing.
    """
    n, replicates, m = keys.shape
    differs = game.differs[rows][:, None]  # (rows, 1, players)
    length = differs.sum(axis=2, keepdims=True)  # (rows, 1, 1): steps that may change something
    forwards = np.argsort(np.argsort(np.where(differs, keys, 2.0), axis=2), axis=2)  # (rows, replicates, players)
    backwards = np.where(differs, length - 1 - forwards, forwards)
    rank = np.stack([forwards, backwards], axis=2).reshape(-1, m)  # (walks, players): when each one joins
    row, length = np.repeat(rows, 2 * replicates), np.repeat(length.ravel(), 2 * replicates)  # (walks,)
    steps = np.arange(m + 1)
    answers = np.where((steps == 0)[:, None], game.rows_alone[row][:, None], game.everybody)  # (walks, m + 1, outputs)
    walk, step = np.nonzero((steps > 0) & (steps < length[:, None]))
    answers[walk, step] = game.run(row[walk], lambda some: rank[walk[some]] < step[some][:, None])
    changes = np.take_along_axis(np.diff(answers, axis=1), rank[:, :, None], axis=1)  # (walks, players, outputs)
    return changes.reshape(n, replicates, 2, m, -1).mean(axis=2)
