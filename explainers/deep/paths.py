"""`deep_paths`: the backward passes of `deep` along random paths of two steps, through inputs that coalitions make.

For each row a random half of the players in which it differs from the instance moves first and the rest second, and on another
path the other way round. A step pays only those who move: players are judged in the company of others, as the Shapley value
asks, and the rows' draws average out. From one step to two most of the bias goes; a share of that change is added once more, as
in Richardson's extrapolation. The values of every row still sum to f(x) - f(b).
"""

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import numpy as np
import tensorflow as tf

from explainers.coalitions import differing
from explainers.deep.passes import Block, fused, passes_of, weigh
from explainers.deep.program import Rule, Tensor
from explainers.game import ELEMENTS, Attribution, Players, Question
from explainers.sampling import generator
from models.arrays import Array, Floats
from models.backgrounds import Background
from models.blocks import blocks
from models.fusion import Fusion
from models.network import Network, direct

_EXTRAPOLATE = 0.4
"""Chosen on half of the measured passengers and images and judged on the other half: see docs/methods.md."""
_BLOCKS_AT_ONCE = 2
"""Of the background; their steps run beside each other where cores are free."""
_ONCE = np.zeros(1)
"""A row that says nothing: all stands in the key."""
_STEPS = 5
"""Two paths of two steps, and the straight line."""

Side = tuple[Tensor, Any]
"""Inputs (rows, ...), and what the rules keep of them."""
Step = tuple[Tensor, Side, Side]
"""Weights (rows,), from where, to where."""


class DeepPaths:
    """Steps between inputs of the network, each with a backward pass of its own."""

    players = ELEMENTS
    elementwise = False
    sampling = False

    def __init__(
        self, network: Network, background: Background, rules: Mapping[str, Rule], activations: Mapping[str, Rule]
    ) -> None:
        """Compiles and warms. Raises Unruled."""
        self._passes = passes = passes_of(network, background, rules, activations)
        step = tf.function(self._step, jit_compile=passes.whole, autograph=False)
        seed, weights = (tf.TensorSpec((size,), network.dtype) for size in (network.outputs, passes.rows))
        side = (passes.spec, passes.kept_spec)
        self._compiled = direct(step.get_concrete_function(seed, weights, side, side))
        network.fusions["deep_paths"] = self._fusion = Fusion(self._run, block=1, most=1, mixes=False)
        (first, *_) = passes.blocks(background)
        self._compiled(passes.constant(np.eye(1, network.outputs)[0]), first.weights, *[(first.x, first.kept)] * 2)

    def cost(self, question: Question) -> int:
        """Pairs of inputs: the steps of every background row."""
        return _STEPS * len(question.background.x) * self._passes.count(question.outputs.shape[1])

    def attribute(self, question: Question) -> Attribution:
        """See Explainer. Values per element of the input, added up per player; it is the question's players that move."""
        values = [self._values(question.part(i, i + 1)) for i in range(len(question.x))]
        return Attribution(np.concatenate(values), [self.cost(question)] * len(values), seed=question.effort.seed)

    def _values(self, question: Question) -> Floats:
        """Of a single instance, (1, *players.shape, outputs asked for)."""
        passes, (x,) = self._passes, question.x
        _, outputs, places = passes.plan(question.outputs)
        values = np.zeros((1, *question.players.shape, question.outputs.shape[1]))
        random = generator(question.effort.seed, 0)
        check = question.effort.check
        end = self._side(np.tile(x[None], (passes.rows, *[1] * x.ndim)), check)
        remaining = enumerate(passes.blocks(question.background))
        while beside := list(islice(remaining, _BLOCKS_AT_ONCE)):
            steps: list[Step] = []
            for k, block in beside:
                rows = question.background.x[k * passes.rows : (k + 1) * passes.rows]
                half = _halves(x, rows, question.players, random)  # (rows, ...)
                steps += self._steps(block, [np.where(mask, x, rows) for mask in (half, ~half)], end, check)
            for output, (_, adds) in zip(outputs, places, strict=True):
                seed = passes.constant(passes.seeds(output[None])[0])
                made = self._fusion.several([((seed, *step), [_ONCE]) for step in steps], check)
                for begin in range(0, len(steps), _STEPS):
                    value = question.players.add_up(_along(made[begin : begin + _STEPS])[..., None])[..., 0]
                    for place, sign in adds:
                        values[..., place] += sign * value
        return values

    def _steps(self, block: Block, middles: list[Array], end: Side, check: Callable[[], None]) -> list[Step]:
        """Of the paths from all rows of a block through these inputs (rows, ...), and the straight line last."""
        begin, through = (block.x, block.kept), [self._side(middle, check) for middle in middles]
        pairs = [pair for middle in through for pair in ((begin, middle), (middle, end))]
        return [(block.weights, *pair) for pair in [*pairs, (begin, end)]]

    def _run(self, key: tuple[Tensor, Tensor, Side, Side], _: list[Array]) -> Floats:
        """Values per input element, (1, size), of one step of all rows of a block."""
        return np.asarray(self._compiled(*key).numpy(), np.float64)[None]

    def _side(self, inputs: Array, check: Callable[[], None]) -> Side:
        """At most a block of inputs (rows, ...), padded, and what the rules keep of it."""
        check()
        (block,) = blocks(inputs, self._passes.rows)
        values = self._passes.constant(block)
        return values, self._passes.forward(values)

    def _step(self, seed: Tensor, weights: Tensor, start: Any, end: Any) -> Tensor:
        """Weighted sum over the rows of multiplier times difference, (size,); both sides: (inputs (rows, ...), kept)."""
        (b, kept_b), (x, kept_x) = start, end
        m = tf.tile(seed[None], (self._passes.rows, 1))  # (rows, K)
        return fused(weigh)(self._passes.pull_back(kept_x, kept_b, m), x, b, weights)


def _along(made: list[Floats]) -> Floats:
    """Values per input element, (1, size): the mean of both paths, and a share of what they change."""
    *two, straight = made
    mean = sum(two, np.zeros(1)) / 2
    return mean + _EXTRAPOLATE * (mean - straight)


def _halves(x: Array, rows: Array, players: Players, random: np.random.Generator) -> Array:
    """For each row (n, ...) the elements of half of the players that differ from x: an odd one out is in half of the time."""
    flat = rows.reshape(len(rows), -1)
    differs = differing(x.reshape(-1), flat, players.groups, players.count)  # (n, players)
    draws = random.random((len(rows), players.count + 1))
    rank = np.argsort(np.argsort(np.where(differs, draws[:, 1:], 2.0), axis=1), axis=1)
    size = np.floor(differs.sum(axis=1) / 2 + draws[:, 0])
    chosen = differs & (rank < size[:, None])
    return chosen[:, players.groups].reshape(rows.shape)
