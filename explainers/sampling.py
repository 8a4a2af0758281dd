"""How sampling methods go on and stop: in rounds of independent estimates, until they are good enough or a limit is met.

Draws come from counter-based generators (Philox; Salmon et al. 2011) keyed by the seed and the round alone: they depend
neither on other instances nor on what runs beside.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from explainers.game import Attribution, Effort, Question
from models.arrays import Floats, Weights
from models.backgrounds import exact_weights

_MARGIN = 0.1
_MARGIN_PER_VALUE = 3e-6
"""Seconds that are left for proving and sending."""


class Round(NamedTuple):
    """One independent estimate for one instance."""

    values: Floats
    """(players, outputs asked for)"""
    variance: Floats
    """In the shape of `values`: of this estimate."""
    sum_variance: Floats
    """(outputs asked for,): of the sum of the values; 0 where they add up by construction."""
    evaluations: int


class _Tally:
    """The rounds of one instance."""

    def __init__(self) -> None:
        self.rounds = 0
        self.evaluations = 0
        self.stopped_by: str | None = None
        self._values: Floats | float = 0.0
        self._variance: Floats | float = 0.0
        self._sum_variance: Floats | float = 0.0

    def add(self, one: Round) -> None:
        self.rounds += 1
        self.evaluations += one.evaluations
        self._values = self._values + one.values
        self._variance = self._variance + one.variance
        self._sum_variance = self._sum_variance + one.sum_variance

    @property
    def values(self) -> Floats:
        return np.asarray(self._values / self.rounds)

    @property
    def stderr(self) -> Floats:
        """From the mean of the rounds' variances, over their number."""
        return np.sqrt(np.asarray(self._variance)) / self.rounds

    @property
    def sum_stderr(self) -> Floats:
        return np.sqrt(np.asarray(self._sum_variance)) / self.rounds


def sample(question: Question, one_round: Callable[[int, int], Round], cost: int, rounds: int = 1) -> Attribution:
    """Rounds for every instance: one at least, then `rounds`, or as many as `max_stderr` asks for.

    one_round: of an instance and the number of the round. cost: evaluations that a round may take.
    """
    effort = question.effort
    tallies = [_Tally() for _ in question.x]
    slowest, margin = 0.0, _MARGIN + _MARGIN_PER_VALUE * question.outputs.size * question.players.count
    while waiting := [i for i, tally in enumerate(tallies) if _goes_on(tally, effort, rounds, cost)]:
        for i in waiting:
            tally = tallies[i]
            if tally.rounds and effort.remaining() < margin + 1.5 * slowest:
                tally.stopped_by = "deadline"
                continue
            begin = time.perf_counter()
            tally.add(one_round(i, tally.rounds))
            slowest = max(slowest, time.perf_counter() - begin)
    wanted, shape = effort.max_stderr, (len(tallies), *question.players.shape, -1)
    return Attribution(
        np.stack([tally.values for tally in tallies]).reshape(shape),
        [tally.evaluations for tally in tallies],
        stderr=np.stack([tally.stderr for tally in tallies]).reshape(shape),
        sum_stderr=np.stack([tally.sum_stderr for tally in tallies]),
        converged=None if wanted is None else [bool(tally.stderr.max() <= wanted) for tally in tallies],
        stopped_by=[tally.stopped_by for tally in tallies],
        seed=effort.seed,
    )


def _goes_on(tally: _Tally, effort: Effort, rounds: int, cost: int) -> bool:
    """Whether the instance needs another round and may have it; notes why it may not."""
    if tally.stopped_by:
        return False
    enough = tally.rounds >= rounds if effort.max_stderr is None else tally.rounds and tally.stderr.max() <= effort.max_stderr
    if enough:
        return False
    if tally.rounds and tally.evaluations + cost > effort.max_evaluations:
        tally.stopped_by = "max_evaluations"
        return False
    return True


def generator(seed: int, number: int) -> np.random.Generator:
    """For one round."""
    return np.random.Generator(np.random.Philox(key=np.array([seed, number], np.uint64)))


def least_replicates(weights: Weights) -> int:
    """How often each row is sampled for its spread to be known: at least 4 times.

    Few rows make few squared deviations: there should be 150 draws over the effective rows, and 60 over those that make the
    variance, which rows enter by their squared weights. With fewer, less than 93 % of the values lie within two standard errors.
    """
    rows, spread = (float(w.sum() ** 2 / (w**2).sum()) for w in (exact_weights(weights), exact_weights(weights) ** 2))
    return max(4, int(np.ceil(150 / rows - 1e-4)), int(np.ceil(60 / spread - 1e-4)))


def over_replicates(draws: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Estimate and its variance from draws (rows, replicates, ...): sum_b w_b mean_b and sum_b w_b^2 s_b^2 / R.

    Noise of the draws only: the rows are part of the question. weights: (rows,).
    """
    mean, spread = draws.mean(axis=1), draws.var(axis=1, ddof=1) / draws.shape[1]
    return np.tensordot(weights, mean, 1), np.tensordot(weights**2, spread, 1)
