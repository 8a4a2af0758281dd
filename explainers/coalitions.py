"""The interventional game of one instance: what the model answers when some players come from it and the rest from a row."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from explainers.game import Indices, Question
from models.arrays import Array, Floats, Inputs, Outputs
from models.backgrounds import exact_weights

_BLOCK_ELEMENTS = 2**22
"""Elements of the mixed inputs that are made at once: 16 MiB."""
_KEY_ELEMENTS = 2**22
"""(coalition, row, player) triples that are compared at once."""


class Runs(Protocol):
    """A model that can be run."""

    def evaluate(self, x: Inputs, check: Callable[[], None]) -> Outputs:
        """(n, ...) to (n, outputs), any n. An input's answer depends on the input alone; check is called between blocks."""


class Game:
    """v(S) = sum_b w_b f(x_S, b_rest) for one instance. Runs the model, and counts how often."""

    def __init__(self, model: Runs, question: Question, i: int) -> None:
        self._model = model
        self._groups = question.players.groups
        self._shape = question.x.shape[1:]
        self._x = question.x[i].reshape(-1)
        self._rows = question.background.x.reshape(len(question.background.x), -1)
        self._check = question.effort.check
        self.weights = exact_weights(question.background.weights)
        """(rows,)"""
        self.players = question.players.count
        self.outputs = question.outputs[i]
        self._all_outputs = question.predictions.shape[1]
        self.everybody = question.predictions[i, self.outputs]
        """Of all players, (outputs asked for,)"""
        self.rows_alone = question.background_predictions[:, self.outputs]
        """f(b), (rows, outputs asked for)"""
        self.evaluations = 0
        self.differs = differing(self._x, self._rows, self._groups, self.players)
        """(rows, players): elsewhere instance and row agree, and the player is a dummy of that row's game."""

    @property
    def nobody(self) -> Floats:
        """Of the empty coalition, (outputs asked for,)"""
        return np.asarray(self.weights @ self.rows_alone, np.float64)

    def run(self, rows: Indices, coalitions: Callable[[slice], Array]) -> Floats:
        """f(x_S, b_rest) per entry (entries, outputs asked for): b is rows[e], S is coalitions(slice)[e] (entries, players)."""
        answers = np.empty((len(rows), len(self.outputs)))
        step = max(1, _BLOCK_ELEMENTS // max(self._x.size, self._all_outputs))
        for begin in range(0, len(rows), step):
            some = slice(begin, begin + step)
            mixed = np.where(coalitions(some)[:, self._groups], self._x, np.take(self._rows, rows[some], axis=0))
            answers[some] = self._model.evaluate(mixed.reshape(-1, *self._shape), self._check)[:, self.outputs]
        self.evaluations += len(rows)
        return answers

    def values(self, coalitions: Array) -> Floats:
        """v(S) for each of the coalitions (n, players): (n, outputs asked for). Dummies are left out, repeats merged."""
        n = len(self._rows)
        step = max(1, _KEY_ELEMENTS // (n * max(self.players, len(self.outputs))))
        return np.concatenate([self._values(coalitions[k : k + step], n) for k in range(0, len(coalitions), step)])

    def _values(self, coalitions: Array, n: int) -> Floats:
        effective = (coalitions[:, None] & self.differs).reshape(-1, self.players)  # (coalitions x rows, players)
        rows = np.tile(np.arange(n), len(coalitions))
        keys = np.concatenate([np.packbits(effective, axis=1), rows.astype(">u4")[:, None].view(np.uint8)], axis=1)
        if (padding := 8 - keys.shape[1]) >= 0:  # numbers are sorted faster than bytes
            keys = np.pad(keys, ((0, 0), (padding, 0))).view(">u8").astype(np.uint64).ravel()
        else:
            keys = np.ascontiguousarray(keys).view(np.dtype((np.void, keys.shape[1]))).ravel()
        self._check()
        _, first, same = np.unique(keys, return_index=True, return_inverse=True)
        answers = self.run(rows[first], lambda some: effective[first[some]])
        return np.einsum("cbk,b->ck", answers[same].reshape(len(coalitions), n, -1), self.weights)


def differing(x: Array, rows: Array, groups: Indices, players: int) -> Array:
    """(rows, players): whether any element of the player differs between the instance (size,) and the rows (n, size)."""
    different = rows != x
    if np.array_equal(groups, np.arange(players)):
        return different
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(players))
    return np.logical_or.reduceat(different[:, order], starts, axis=1)
