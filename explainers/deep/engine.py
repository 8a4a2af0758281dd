"""`deep` and `deep_shap`: DeepSHAP, one backward pass per (instance, background row) pair."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any

import numpy as np
import tensorflow as tf

from explainers.deep.passes import PAIR_ELEMENTS, Block, Passes, fused, weigh
from explainers.deep.program import Pair, Rule, Tensor, kept, run
from explainers.game import ELEMENTS, Attribution, Question
from models.arrays import Array, Floats, Inputs
from models.backgrounds import Background
from models.network import CORES, Network

_RAW_ELEMENTS = 2**22
"""Values per element that are held at once, before they are added up per player: 32 MiB."""
_MAX_TASKS = 64


class DeepExplainer:
    """Multipliers from output to input by the rules, per (instance, background row) pair (Lundberg and Lee 2017, sec. 4.2)."""

    players = ELEMENTS
    elementwise = True

    def __init__(
        self, network: Network, background: Background, rules: Mapping[str, Rule], activations: Mapping[str, Rule]
    ) -> None:
        """Compiles and warms. Raises Unruled."""
        self._passes = passes = Passes(network, background, rules, activations)
        self._threads = ThreadPoolExecutor(CORES, thread_name_prefix="deep")
        self._tasks = int(np.clip(PAIR_ELEMENTS // (network.widest * passes.rows), 1, _MAX_TASKS))
        backward = tf.function(self._loop, jit_compile=passes.whole, autograph=False)
        self._backward = backward.get_concrete_function(
            tf.TensorSpec((self._tasks, *network.input_shape), network.dtype),
            tf.TensorSpec((self._tasks, network.outputs), network.dtype),
            tf.TensorSpec((), tf.int32),
            passes.spec,
            tf.TensorSpec((passes.rows,), network.dtype),
            passes.kept_spec,
        )
        (first, *_) = passes.blocks(background)
        self._pass(np.zeros((1, *network.input_shape), np.float32), np.eye(1, network.outputs), first)

    def cost(self, question: Question) -> int:
        """One pair per background row and backward pass."""
        return len(question.background.x)

    def attribute(self, question: Question) -> Attribution:
        """See Explainer. Values per element of the input, added up per player."""
        n, rows = len(question.x), len(question.background.x)
        step = max(1, _RAW_ELEMENTS // (question.outputs.shape[1] * question.x[0].size))
        parts = [self._values(question.part(begin, begin + step)) for begin in range(0, n, step)]
        return Attribution(np.concatenate(parts), [rows] * n)

    def _values(self, question: Question) -> Floats:
        """(n, *players.shape, outputs asked for)"""
        raw = np.zeros((*question.outputs.shape, question.x[0].size))
        instances, seeds, places = self._passes.plan(question.outputs)
        step = min(self._tasks, max(1, -(-len(instances) // CORES)))
        for block in self._passes.blocks(question.background):

            def run(begin: int, block: Block = block) -> Floats:
                question.effort.check()
                some = slice(begin, begin + step)
                return self._pass(question.x[instances[some]], seeds[some], block)

            parts = range(0, len(instances), step)
            made = map(run, parts) if len(parts) == 1 or not self._passes.whole else self._threads.map(run, parts)
            for value, (i, places_of_it) in zip(chain.from_iterable(made), places, strict=True):
                for place, sign in places_of_it:
                    raw[i, place] += sign * value
        return question.players.add_up(raw.transpose(0, 2, 1))

    def _pass(self, x: Inputs, seeds: Array, block: Block) -> Floats:
        """Values per input element (t, size) of at most `_tasks` backward passes against one block of rows."""
        n, constant = len(x), self._passes.constant
        x = np.concatenate([x, np.zeros((self._tasks - n, *x.shape[1:]), x.dtype)])
        seeds = np.concatenate([seeds, np.zeros((self._tasks - n, seeds.shape[1]))])
        made = self._backward(constant(x), constant(seeds), tf.constant(n), block.x, block.weights, block.kept)
        return np.asarray(made.numpy()[:n], np.float64)

    def _loop(self, x: Tensor, seeds: Tensor, n: Tensor, b: Tensor, weights: Tensor, rows: list[list[Any]]) -> Tensor:
        """Values per input element (tasks, size) of the first n of x (tasks, ...) and seeds (tasks, K)."""
        steps = self._passes.steps

        def body(i: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
            one = tf.gather(x, [i])
            sides = zip(kept(steps, run(steps, one)), rows, strict=True)
            pairs = [[Pair(*both) for both in zip(*of_step, strict=True)] for of_step in sides]
            m = tf.repeat(tf.gather(seeds, [i]), self._passes.rows, axis=0)  # (rows, K)
            values = fused(weigh)(self._passes.pull_back(pairs, m), one, b, weights)
            return i + 1, tf.tensor_scatter_nd_update(made, [[i]], values[None])

        made = tf.zeros((self._tasks, int(np.prod(x.shape[1:]))), x.dtype)
        return tf.while_loop(lambda i, _: i < n, body, (0, made), parallel_iterations=1)[1]
