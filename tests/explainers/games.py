"""Games whose answer is a function of a few numbers: what methods run, without a network."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import numpy as np

from explainers.game import Effort, Players, Question
from models.arrays import Array, Floats, Inputs, Outputs
from models.backgrounds import Background, equal_weights

Function = Callable[[Array], Array]
"""(n, size) to (n, outputs)"""


class Model:
    """Runs a function, and counts how often."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self.runs = 0

    def evaluate(self, x: Inputs, check: Callable[[], None]) -> Outputs:
        """See Runs."""
        check()
        self.runs += len(x)
        return self._function(x)


def question(
    function: Function, x: Any, rows: Any, weights: Any = None, groups: Any = None, shape: Any = None, **options: Any
) -> Question:
    """About all outputs; each number is a player of its own by default."""
    x, rows = np.array(x, np.float32), np.array(rows, np.float32)
    size = int(np.prod(x.shape[1:]))
    groups = np.arange(size) if groups is None else np.array(groups)
    count = int(groups.max()) + 1
    players = Players("patches" if shape else "columns", groups, shape or (count,), None)
    predictions, answers = function(x).astype(np.float64), function(rows).astype(np.float64)
    outputs = np.tile(np.arange(predictions.shape[1]), (len(x), 1))
    background = Background(rows, equal_weights(len(rows)) if weights is None else np.array(weights, np.float32))
    interactions = options.pop("interactions", False)
    return Question(x, outputs, players, background, predictions, answers, Effort(**options), interactions)


def by_orderings(function: Function, asked: Question) -> Floats:
    """The Shapley values by their definition: the mean over all orderings of what each player changes, (n, players, outputs)."""
    m, background = asked.players.count, asked.background
    weights = background.weights.astype(np.float64)
    values = []
    for x in asked.x:
        phi: Any = 0
        orders = list(permutations(range(m)))
        for order in orders:
            joined = np.zeros(m, bool)
            before = weights @ function(background.x)
            changes = np.zeros((m, before.shape[0]))
            for player in order:
                joined[player] = True
                after = weights @ function(np.where(joined[asked.players.groups], x, background.x))
                changes[player], before = after - before, after
            phi = phi + changes / len(orders)
        values.append(phi)
    return np.stack(values)


def random_function(size: int, outputs: int, seed: int) -> Function:
    """A small random net with tanh units, in float64."""
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(size, 9)), rng.normal(size=(9, outputs))
    return lambda x: np.tanh(x.reshape(len(x), -1) @ first) @ second
