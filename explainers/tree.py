"""`tree`: the Shapley values of trees, leaf by leaf (interventional TreeSHAP; Lundberg et al. 2020, sec. 4).

Against one background row a leaf is reached by the coalitions that hold all columns in which only the instance fits its path
(p of them) and none of those in which only the row does (q): each of the first is worth (p - 1)! q! / (p + q)! of the leaf's
value, each of the second -p! (q - 1)! / (p + q)!. The values of single columns are exact where the answer is a sum of trees. A
boosted classifier's probability is shared out in proportion to its log-odds, row by row: that adds up, and is biased.

shap.TreeExplainer plays the same game, but keeps thresholds in float32 and positions of nodes in 16 bits: inputs close to a
threshold go the wrong way, and trees of more than 32,767 nodes leave its memory.
"""

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from explainers.game import ELEMENTS, Attribution, Players, Question, Unruled
from models.arrays import Array, Floats
from models.backgrounds import Background, exact_weights
from models.trees import NoTrees, boxes_of

if TYPE_CHECKING:
    from models.estimator import Estimator

_CELLS = 2**22
"""(background row, condition) pairs that are looked at together."""
_PROBES = 5
_NEAR = 1e-4


class Tree:
    """The boxes of all leaves, compared with instance and rows. Keeps nothing between calls."""

    players = ELEMENTS
    elementwise = True
    sampling = False

    def __init__(self, estimator: "Estimator", background: Background) -> None:
        """Raises Unruled for models that are no sum of trees."""
        try:
            self._boxes = boxes_of(estimator.model)
        except NoTrees as error:
            raise Unruled(str(error)) from None
        self._check_answers(estimator, background)

    def exact_for(self, players: Players) -> bool:
        """Whether the values are the Shapley values of these players: single columns, and the answer a sum of trees."""
        return self._boxes.link == "identity" and players.count == len(players.groups)

    def cost(self, question: Question) -> int:
        """One pair per background row."""
        return len(question.background.x)

    def attribute(self, question: Question) -> Attribution:
        """See Explainer. Values per column, added up per player."""
        rows, weights = _flat(question.background.x), exact_weights(question.background.weights)
        values = []
        for i, x in enumerate(_flat(question.x)):
            shares = self._shares(weights, question.predictions[i], question.background_predictions)
            found = self._values(x, rows, shares, question.effort.check)
            of_both = np.concatenate([-found, found], axis=1) if self._boxes.link == "sigmoid" else found
            values.append(of_both[:, question.outputs[i]])
        exact = self.exact_for(question.players)
        return Attribution(question.players.add_up(np.stack(values)), [self.cost(question)] * len(values), exact=exact)

    def _shares(self, weights: Floats, prediction: Floats, rows: Floats) -> Floats:
        """(rows,): what a row's values count; for probabilities, by how much these change per change of log-odds."""
        if self._boxes.link == "identity":
            return weights
        x, b = _log_odds(prediction[None])[0], _log_odds(rows)
        gap = np.abs(x - b)
        decay = np.where(gap > 0, -np.expm1(-gap) / np.where(gap > 0, gap, 1), 1.0)
        slope = _sigmoid(np.maximum(x, b)) * _sigmoid(-np.minimum(x, b)) * decay
        return np.asarray(weights * slope)

    def _values(self, x: Floats, rows: Floats, shares: Floats, check: Callable[[], None]) -> Floats:
        """(columns, outputs) of an instance (columns,) against rows (n, columns) that count by their shares (n,)."""
        boxes, size = self._boxes, len(rows)
        ends = np.append(boxes.starts, len(boxes.column))
        fits_x = _within(x[boxes.column], boxes.low, boxes.high)
        values = np.zeros((len(x), boxes.values.shape[1]))
        begin = 0
        while begin < len(boxes.starts):
            check()
            end = max(begin + 1, int(np.searchsorted(ends, ends[begin] + _CELLS // size, side="right")) - 1)
            some = slice(ends[begin], ends[end])
            fits = _within(rows[:, boxes.column[some]], boxes.low[some], boxes.high[some])
            found = _worths(fits_x[some], fits, ends[begin : end + 1] - ends[begin])
            place = boxes.column[some][found.condition] * (end - begin) + found.leaf
            worth = np.bincount(place, found.worth * shares[found.row], len(x) * (end - begin)).reshape(len(x), -1)
            values += worth @ boxes.values[begin:end]
            begin = end
        return values

    def _check_answers(self, estimator: "Estimator", background: Background) -> None:
        """What is shared out has to be what the model answers."""
        x = background.x[:: max(1, len(background.x) // _PROBES)][:_PROBES]
        answers = estimator.predict(x).astype(np.float64)
        sums = np.stack(
            [
                self._values(row, _flat(x[:1]), self._shares(np.ones(1), answers[i], answers[:1]), lambda: None).sum(axis=0)
                for i, row in enumerate(_flat(x))
            ]
        )
        if not np.allclose(sums[:, -1], (answers - answers[0])[:, -1], rtol=_NEAR, atol=_NEAR * max(1.0, np.abs(answers).max())):
            raise Unruled("its trees do not add up to its answers")


class _Worths(NamedTuple):
    """Of the leaves that some coalition reaches, condition by condition; a leaf's worth is that of its value, 1."""

    row: Array
    leaf: Array
    condition: Array
    worth: Floats


def _worths(fits_x: Array, fits_rows: Array, ends: Array) -> _Worths:
    """Of an instance (conditions,) and rows (n, conditions); a leaf's conditions begin at ends[leaf]."""
    reached = np.logical_and.reduceat(fits_x | fits_rows, ends[:-1], axis=1)  # (n, leaves)
    row, leaf = np.nonzero(reached)
    counts = np.diff(ends)[leaf]
    first = np.cumsum(counts) - counts
    condition = np.arange(counts.sum()) - np.repeat(first - ends[leaf], counts)
    row = np.repeat(row, counts)
    in_x, in_row = fits_x[condition], fits_rows[row, condition]
    only_x, only_row = in_x & ~in_row, in_row & ~in_x
    if not len(first):
        return _Worths(row, leaf, condition, np.zeros(0))
    p, q = (np.repeat(np.add.reduceat(only, first, dtype=np.intp), counts) for only in (only_x, only_row))
    joins, leaves = _coefficients(int(max(p.max(), q.max())))
    return _Worths(row, np.repeat(leaf, counts), condition, only_x * joins[p, q] - only_row * leaves[p, q])


@lru_cache(64)
def _coefficients(most: int) -> tuple[Floats, Floats]:
    """(p - 1)! q! / (p + q)! and p! (q - 1)! / (p + q)! for p, q up to `most`, as 1 / (p C(p + q, p)); 0 where p or q is."""
    p, q = np.indices((most + 1, most + 1))
    ways = np.array([[math.comb(i + j, i) for j in range(most + 1)] for i in range(most + 1)], np.float64)
    with np.errstate(divide="ignore"):
        return np.where(p > 0, 1 / (p * ways), 0.0), np.where(q > 0, 1 / (q * ways), 0.0)


def _within(values: Floats, low: Floats, high: Floats) -> Array:
    return (low < values) & (values <= high)


def _log_odds(probabilities: Floats) -> Floats:
    """(n,) from the probabilities of two classes (n, 2)."""
    tiny = np.finfo(np.float32).tiny
    return np.asarray(np.log(np.maximum(probabilities[:, 1], tiny)) - np.log(np.maximum(probabilities[:, 0], tiny)))


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0, -x)))


def _flat(x: Array) -> Floats:
    return np.asarray(x.reshape(len(x), -1), np.float64)
