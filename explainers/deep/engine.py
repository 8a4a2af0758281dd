"""`deep` and `deep_shap`: DeepSHAP, one backward pass per (instance, background row) pair."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import tensorflow as tf

from explainers.deep.passes import PAIR_ELEMENTS, Block, fused, passes_of, weigh
from explainers.deep.program import Rule, Tensor, kept, run
from explainers.game import ELEMENTS, Attribution, Question
from models.arrays import Array, Floats
from models.backgrounds import Background
from models.blocks import blocks
from models.fusion import Fusion
from models.network import Network, direct

_MAX_TASKS = 64
_HELD_ELEMENTS = 2**22
"""Values per element of the input that are held at once: 32 MiB."""
_BLOCKS_AT_ONCE = 4
"""Of the background; they run beside each other where cores are free."""


class DeepExplainer:
    """Multipliers from output to input by the rules, per (instance, background row) pair (Lundberg and Lee 2017, sec. 4.2)."""

    players = ELEMENTS
    elementwise = True
    sampling = False

    def __init__(
        self,
        network: Network,
        background: Background,
        rules: Mapping[str, Rule],
        activations: Mapping[str, Rule],
        name: str = "deep",
    ) -> None:
        """Compiles and warms; name: of the network's fusion that is made. Raises Unruled."""
        self._passes = passes = passes_of(network, background, rules, activations)
        self._tasks = int(np.clip(PAIR_ELEMENTS // (network.widest * passes.rows), 1, _MAX_TASKS))
        backward = tf.function(self._loop, jit_compile=passes.whole, autograph=False)
        self._backward = direct(
            backward.get_concrete_function(
                tf.TensorSpec((self._tasks, *network.input_shape), network.dtype),
                tf.TensorSpec((self._tasks, network.outputs), network.dtype),
                tf.TensorSpec((), tf.int32),
                passes.spec,
                tf.TensorSpec((passes.rows,), network.dtype),
                passes.kept_spec,
            )
        )
        self._at_once = int(np.clip(_HELD_ELEMENTS // (_BLOCKS_AT_ONCE * int(np.prod(network.input_shape))), 1, 4 * _MAX_TASKS))
        network.fusions[name] = self._fusion = Fusion(self._pass, block=1, most=self._tasks)
        (first, *_) = passes.blocks(background)
        self._pass(first, [np.zeros((1, *network.input_shape), np.float32), np.eye(1, network.outputs)])

    def cost(self, question: Question) -> int:
        """One pair per background row and backward pass."""
        return len(question.background.x) * self._passes.count(question.outputs.shape[1])

    def attribute(self, question: Question) -> Attribution:
        """See Explainer. Values per element of the input, added up per player."""
        players = question.players
        values = np.zeros((len(question.x), *players.shape, question.outputs.shape[1]))
        instances, outputs, places = self._passes.plan(question.outputs)
        for some, elements in self._elements(question, instances, outputs):
            for value, (i, adds) in zip(players.add_up(elements[:, :, None])[..., 0], places[some], strict=True):
                for place, sign in adds:
                    values[i, ..., place] += sign * value
        return Attribution(values, [self.cost(question)] * len(values))

    def _elements(self, question: Question, instances: Array, outputs: Array) -> Iterator[tuple[slice, Floats]]:
        """Which of the passes (t,), and their values per input element (some, size), block by block of the background."""
        remaining = iter(self._passes.blocks(question.background))
        while beside := list(islice(remaining, _BLOCKS_AT_ONCE)):
            for begin in range(0, len(instances), self._at_once):
                some = slice(begin, begin + self._at_once)
                rows = [question.x[instances[some]], self._passes.seeds(outputs[some])]
                for elements in self._fusion.several([(block, rows) for block in beside], question.effort.check):
                    yield some, elements

    def _pass(self, block: Block, rows: list[Array]) -> Floats:
        """Values per input element (t, size) of at most `_tasks` backward passes against one block of rows."""
        n, constant = len(rows[0]), self._passes.constant
        (x,), (seeds,) = (blocks(array, self._tasks) for array in rows)
        made = self._backward(constant(x), constant(seeds), tf.constant(n), block.x, block.weights, block.kept)
        return np.asarray(made.numpy()[:n], np.float64)

    def _loop(self, x: Tensor, seeds: Tensor, n: Tensor, b: Tensor, weights: Tensor, rows: list[list[Any]]) -> Tensor:
        """Values per input element (tasks, size) of the first n of x (tasks, ...) and seeds (tasks, K)."""
        steps = self._passes.steps

        def body(i: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
            one = tf.gather(x, [i])
            m = tf.repeat(tf.gather(seeds, [i]), self._passes.rows, axis=0)  # (rows, K)
            values = fused(weigh)(self._passes.pull_back(kept(steps, run(steps, one)), rows, m), one, b, weights)
            return i + 1, tf.tensor_scatter_nd_update(made, [[i]], values[None])

        made = tf.zeros((self._tasks, int(np.prod(x.shape[1:]))), x.dtype)
        return tf.while_loop(lambda i, _: i < n, body, (0, made), parallel_iterations=1)[1]
