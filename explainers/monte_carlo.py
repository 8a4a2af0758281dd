"""`monte_carlo`: what a player changes when it joins a random coalition before a random background row.

The estimator of Strumbelj and Kononenko (2014): each draw is a random ordering and a background row by weight, with
replacement; 500 draws per player and repeat, ten repeats.
"""

import numpy as np

from explainers.coalitions import Game, Runs
from explainers.game import PLAYERS, Attribution, Question
from explainers.sampling import Round, generator, sample
from models.arrays import Floats

DRAWS, REPEATS = 500, 10


class MonteCarlo:
    """Independent draws for every player."""

    players = PLAYERS
    elementwise = False
    sampling = True

    def __init__(self, model: Runs) -> None:
        self._model = model

    def cost(self, question: Question) -> int:
        """Of one repeat."""
        return 2 * DRAWS * question.players.count

    def attribute(self, question: Question) -> Attribution:
        """See Explainer."""

        def one_round(i: int, number: int) -> Round:
            game = Game(self._model, question, i)
            values, variance = _draw(game, generator(question.effort.seed, number))
            return Round(values, variance, variance.sum(axis=0), game.evaluations)

        return sample(question, one_round, self.cost(question), REPEATS)


def _draw(game: Game, random: np.random.Generator) -> tuple[Floats, Floats]:
    """What each player changes on average, and the variance of that, (players, outputs)."""
    values, variance = [], []
    for player in range(game.players):
        rows = np.searchsorted(np.cumsum(game.weights)[:-1], random.random(DRAWS), side="right")
        keys = random.random((DRAWS, game.players))
        before = keys < keys[:, [player]]  # (DRAWS, players): who joined earlier
        after = before.copy()
        after[:, player] = True
        both = np.concatenate([before, after])
        answers = game.run(np.tile(rows, 2), lambda some, both=both: both[some])  # type: ignore[misc]
        changes = answers[DRAWS:] - answers[:DRAWS]
        values.append(changes.mean(axis=0))
        variance.append(changes.var(axis=0, ddof=1) / DRAWS)
    return np.stack(values), np.stack(variance)
