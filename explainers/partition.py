"""`partition`: Owen values over regions of an image (Owen 1977; the hierarchy as in shap.PartitionExplainer).

The grid of patches is halved along its longer side again and again. A region's value is shared by its halves: each joins
with and without the other, in every context that the regions around it make.
"""

import numpy as np

from explainers.coalitions import Game, Runs
from explainers.game import Attribution, Question, Unsuitable
from models.arrays import Array

MAX_PATCHES = 100


class Partition:
    """All contexts, so nothing is sampled."""

    players = ("patches",)
    elementwise = False
    sampling = False

    def __init__(self, model: Runs) -> None:
        self._model = model

    def cost(self, question: Question) -> int:
        """Two coalitions per context of every region that is halved, and the two ends."""
        if question.players.count > MAX_PATCHES:
            raise Unsuitable(f"`partition` holds every context of every patch; expected at most {MAX_PATCHES} players")
        rows, columns = question.players.shape
        return (2 + _coalitions_below(rows, columns, 1)) * len(question.background.x)

    def attribute(self, question: Question) -> Attribution:
        """See Explainer."""
        rows, columns = question.players.shape
        leaf, without = _contexts(np.arange(rows * columns).reshape(rows, columns), np.zeros((1, rows * columns), bool))
        joined = without.copy()
        joined[np.arange(len(leaf)), leaf] = True
        coalitions, which = np.unique(np.concatenate([without, joined]), axis=0, return_inverse=True)
        share = 1 / np.bincount(leaf)[leaf]  # a leaf's contexts count equally
        values, evaluations = [], []
        for i in range(len(question.x)):
            game = Game(self._model, question, i)
            v = game.values(coalitions)[which.reshape(2, -1)]  # (2, contexts, outputs)
            phi = np.zeros((rows * columns, v.shape[2]))
            np.add.at(phi, leaf, share[:, None] * (v[1] - v[0]))
            values.append(phi.reshape(rows, columns, -1))
            evaluations.append(game.evaluations)
        return Attribution(np.stack(values), evaluations)


def _contexts(region: Array, contexts: Array) -> tuple[Array, Array]:
    """Every patch (n,) with every context (n, patches) it joins, below a region (rows, columns) with these contexts."""
    if region.size == 1:
        return np.full(len(contexts), region[0, 0]), contexts
    halves = np.array_split(region, 2, axis=int(region.shape[1] >= region.shape[0]))
    parts = []
    for half, other in (halves, halves[::-1]):
        with_other = contexts.copy()
        with_other[:, other.ravel()] = True
        parts.append(_contexts(half, np.concatenate([contexts, with_other])))
    return np.concatenate([leaf for leaf, _ in parts]), np.concatenate([masks for _, masks in parts])


def _coalitions_below(rows: int, columns: int, contexts: int) -> int:
    """How many coalitions the halves of a region add."""
    if rows * columns == 1:
        return 0
    along, across = (columns, rows) if columns >= rows else (rows, columns)
    halves = (along - along // 2, along // 2)
    return 2 * contexts + sum(_coalitions_below(half, across, 2 * contexts) for half in halves)
