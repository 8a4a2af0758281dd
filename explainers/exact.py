"""`exact`: the Shapley values of the interventional game by enumeration (Shapley 1953).

Row b's game needs f at x_S, b_rest for S among the players in which x and b differ: the others are dummies. Inputs that
several rows or coalitions share are run once. All outputs share the runs, and so do the values of pairs.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import factorial
from threading import Lock
from typing import Any

import numpy as np
from cachetools import LRUCache, cached

from explainers.coalitions import Game, Runs
from explainers.game import PLAYERS, Attribution, Indices, Players, Question, Unsuitable
from models.arrays import Array, Floats
from models.backgrounds import Background, exact_weights

MAX_PLAYERS = 16
_CELLS = 2**21
"""(coalition, row, output) triples of one plan; each takes some 40 bytes."""
_KEPT_BYTES = 2**26
"""What plans may take that are kept for the next request."""


@dataclass(frozen=True)
class _Plan:
    """The distinct inputs of some background rows: for each set of players, the distinct values that the rows have there.

    A set holds the players that come from the background, as bits of an integer. Inputs are in the order of their sets.
    """

    begin: int
    """The first row; positions of rows below count from here."""
    sets: Indices
    """(inputs,)"""
    rows: Indices
    """(inputs,): the first row that has these values."""
    weights: Floats
    """(inputs,): of all rows that have them, together."""
    starts: Indices
    """(2^players,): where a set's inputs begin."""
    of: Array
    """(2^players, rows): the input of a set and a row."""

    @property
    def nbytes(self) -> int:
        """Its size."""
        return sum(array.nbytes for array in (self.sets, self.rows, self.weights, self.starts, self.of))


class Exact:
    """Enumeration, for at most MAX_PLAYERS players."""

    players = PLAYERS
    elementwise = False
    sampling = False

    def __init__(self, model: Runs) -> None:
        self._model = model
        kept: LRUCache[Any, list[_Plan]] = LRUCache(_KEPT_BYTES, getsizeof=lambda plans: sum(plan.nbytes for plan in plans))
        self._whole_plan = cached(kept, key=lambda b, p: (b, p.name, p.count), lock=Lock())(_whole_plan)

    def cost(self, question: Question) -> int:
        """2^players x background rows, before anything is left out or merged."""
        if question.players.count > MAX_PLAYERS:
            raise Unsuitable(f"`exact` runs all 2^players coalitions; expected at most {MAX_PLAYERS} players")
        if 2**question.players.count * question.outputs.shape[1] > 8 * _CELLS:
            raise Unsuitable("`exact` holds a value per coalition and output; expected fewer outputs")
        return int(2**question.players.count * len(question.background.x))

    def attribute(self, question: Question) -> Attribution:
        """See Explainer."""
        players = question.players
        values, pairs, evaluations = [], [], []
        at_once = max(1, _CELLS // (2**players.count * question.outputs.shape[1]))
        for begin in range(0, len(question.x), at_once):
            games = [Game(self._model, question, i) for i in range(begin, min(begin + at_once, len(question.x)))]
            parts = np.zeros((len(games), 2**players.count, question.outputs.shape[1]))
            for plan in self._plans(question):
                for v, game in zip(parts, games, strict=True):
                    v += _values_by_set(game, plan)
            for v, game in zip(parts[:, ::-1], games, strict=True):  # by who comes from the instance: by the complement
                values.append(shapley_weights(players.count) @ v)
                if question.interactions:
                    pairs.append(interactions(v, values[-1]))
                evaluations.append(game.evaluations)
        return Attribution(
            np.stack(values).reshape(len(values), *players.shape, -1),
            evaluations,
            exact=True,
            interactions=np.stack(pairs) if pairs else None,
        )

    def _plans(self, question: Question) -> Iterable[_Plan]:
        """One that is kept when it is small, otherwise one after the other for some rows each."""
        rows = max(1, _CELLS // (2**question.players.count * question.outputs.shape[1]))
        if len(question.background.x) <= rows:
            return self._whole_plan(question.background, question.players)
        return _plans_of_parts(question.background, question.players, rows)


@lru_cache(MAX_PLAYERS)
def shapley_weights(players: int) -> Floats:
    """(players, 2^players): phi = weights @ v, where v is by coalition S as bits of an integer.

    phi_i = sum over S without i of |S|! (m - |S| - 1)! / m! (v(S and i) - v(S)).
    """
    m, inside = players, _members(players).T  # (m, 2^m)
    size = inside.sum(axis=0) - inside  # of the coalition without i
    weight = np.array([factorial(s) * factorial(m - s - 1) / factorial(m) for s in range(m)])
    return np.where(inside, weight[size], -weight[size])


def interactions(v: Floats, values: Floats) -> Floats:
    """(players, players, outputs) from v (2^players, outputs) and the Shapley values (players, outputs).

    Off the diagonal half of the Shapley interaction index (Grabisch and Roubens 1999; Lundberg et al. 2020, eq. 7), on it
    the rest: rows add up to the values.
    """
    m = len(values)
    inside = _members(m).T
    sign = np.where(inside, 1.0, -1.0)
    weight = np.array([factorial(s) * factorial(m - s - 2) / factorial(m - 1) for s in range(m - 1)])
    pairs = np.zeros((m, m, v.shape[1]))
    for i in range(m):
        size = inside.sum(axis=0) - inside[i] - inside  # of the coalition without i and j; the row of j = i is not used
        others = np.arange(m) != i
        pairs[i, others] = (sign[i] * sign[others] * weight[size[others]]) @ v / 2
        pairs[i, i] = values[i] - pairs[i].sum(axis=0)
    return pairs


@lru_cache(MAX_PLAYERS)
def _members(m: int) -> Array:
    """(2^m, m): who is in a coalition."""
    return (np.arange(2**m)[:, None] >> np.arange(m) & 1).astype(bool)


def _values_by_set(game: Game, plan: _Plan) -> Floats:
    """The rows' part of v, (2^players, outputs), by the set of players that come from the background."""
    m = game.players
    differs = game.differs[plan.begin : plan.begin + plan.of.shape[1]] @ (1 << np.arange(m))  # (rows,), as bits
    lacking = plan.sets & differs[plan.rows]  # where row and instance agree, it does not matter whose value it is
    distinct = np.flatnonzero(lacking == plan.sets)
    present = np.take(_members(m), 2**m - 1 - plan.sets[distinct], axis=0)
    answers = np.empty((len(game.outputs), len(plan.sets)))
    answers[:, distinct] = game.run(plan.begin + plan.rows[distinct], lambda some: present[some]).T
    same = np.take(plan.of, lacking * plan.of.shape[1] + plan.rows)
    return np.add.reduceat(plan.weights * np.take(answers, same, axis=1), plan.starts, axis=1).T


def _whole_plan(background: Background, players: Players) -> list[_Plan]:
    return [_make_plan(background, players, 0, len(background.x))]


def _plans_of_parts(background: Background, players: Players, rows: int) -> Iterator[_Plan]:
    for begin in range(0, len(background.x), rows):
        yield _make_plan(background, players, begin, begin + rows)


def _make_plan(background: Background, players: Players, begin: int, end: int) -> _Plan:
    x = background.x[begin:end].reshape(len(background.x[begin:end]), -1)
    n, m = len(x), players.count
    cell = np.zeros((1, n), np.int64)  # (sets so far, rows): rows with equal values have equal numbers, from 0 on
    for player in range(m):
        _, values = np.unique(x[:, players.groups == player], axis=0, return_inverse=True)
        cell = np.concatenate([cell, _numbered(cell * n + values.reshape(-1))])
    counts = cell.max(axis=1) + 1  # (2^m,)
    starts = np.cumsum(counts) - counts
    of = cell + starts[:, None]
    _, first = np.unique(of, return_index=True)
    weights = np.bincount(of.ravel(), np.tile(exact_weights(background.weights)[begin:end], 2**m)).astype(np.float64)
    return _Plan(begin, first // n, first % n, weights, starts, of.astype(np.int32))


def _numbered(keys: Array) -> Array:
    """Per line of keys (lines, n): equal keys get equal numbers, from 0 on without gaps."""
    order = np.argsort(keys, axis=1, kind="stable")
    ordered = np.take_along_axis(keys, order, axis=1)
    new = np.concatenate([np.zeros((len(keys), 1), bool), ordered[:, 1:] != ordered[:, :-1]], axis=1)
    numbers = np.empty_like(keys)
    np.put_along_axis(numbers, order, np.cumsum(new, axis=1), axis=1)
    return numbers
