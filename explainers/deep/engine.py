"""DeepSHAP for one network: everything that is compiled is compiled here, once, for shapes that no request can change."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from threading import Lock
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from cachetools import LRUCache, cached

from explainers.deep.program import Pair, Rule, Step, Tensor, kept, program, run
from explainers.deep.rules import LINEAR, SOFTMAX
from explainers.game import ELEMENTS, Attribution, Indices, Question
from models.arrays import Array, Floats, Inputs
from models.backgrounds import Background, exact_weights
from models.network import Network, blocks

_PAIR_ELEMENTS = 2**22
"""Elements that the widest value may have for one block of pairs: 16 MiB in float32."""
_KEPT_BYTES = 2**28
"""What traces of backgrounds may take that are kept for the next request."""
_RAW_ELEMENTS = 2**22
"""Values per element that are held at once, before they are added up per player: 32 MiB."""
_MAX_TASKS = 64
_CHANNELS = 8


@dataclass(frozen=True)
class _Block:
    """Some rows of a background, and what the backward pass needs of their forward pass."""

    x: Tensor  # (rows, ...)
    weights: Tensor  # (rows,), 0 where padded
    kept: list[list[Any]]


class DeepExplainer:
    """Multipliers from output to input by the rules, per (instance, background row) pair (Lundberg and Lee 2017, sec. 4.2)."""

    players = ELEMENTS
    elementwise = True

    def __init__(
        self, network: Network, background: Background, rules: Mapping[str, Rule], activations: Mapping[str, Rule]
    ) -> None:
        """Compiles and warms. Raises Unruled."""
        self._network = network
        self._steps = program(network.model, rules, activations)
        self._dtype = network.dtype
        self._rows = int(np.clip(_PAIR_ELEMENTS // network.widest, 1, len(background.x)))
        self._tasks = int(np.clip(_PAIR_ELEMENTS // (network.widest * self._rows), 1, _MAX_TASKS))
        self._cancels = self._steps[-1].rule is SOFTMAX
        self._compile()
        first = next(self._trace(background))
        held = tf.nest.flatten([first.x, first.weights, first.kept])
        kept = sum(tensor.shape.num_elements() * tensor.dtype.size for tensor in held)
        self._most_blocks = _KEPT_BYTES // kept
        traces: LRUCache[Background, list[_Block]] = LRUCache(self._most_blocks, getsizeof=len)
        self._traced = cached(traces, lock=Lock())(lambda background: list(self._trace(background)))
        self._blocks(background)
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
        instances, seeds, places = self._plan(question.outputs)
        for block in self._blocks(question.background):
            for begin in range(0, len(instances), self._tasks):
                question.effort.check()
                some = slice(begin, begin + self._tasks)
                values = self._pass(question.x[instances[some]], seeds[some], block)
                for value, (i, places_of_it) in zip(values, places[some], strict=True):
                    for place, sign in places_of_it:
                        raw[i, place] += sign * value
        return question.players.add_up(raw.transpose(0, 2, 1))

    def _plan(self, outputs: Indices) -> tuple[Array, Array, list[tuple[int, list[tuple[int, float]]]]]:
        """The backward passes: whose (t,), from which multipliers of the outputs (t, K), and what they add to.

        The values of our softmax cancel over its outputs, so the last of all K needs no pass of its own.
        """
        k = self._network.outputs
        instances, seeds, places = [], [], []
        for i, asked in enumerate(outputs.tolist()):
            spared = asked[-1] if self._cancels and len(asked) == k else None
            for place, output in enumerate(asked):
                if output == spared:
                    continue
                adds = [(place, 1.0)] if spared is None else [(place, 1.0), (len(asked) - 1, -1.0)]
                instances.append(i)
                seeds.append(np.eye(k)[output])
                places.append((i, adds))
        return np.array(instances), np.array(seeds), places

    def _blocks(self, background: Background) -> Iterable[_Block]:
        """Traces of the latest backgrounds are kept, if they fit; others are made block by block, never whole in memory."""
        small = -(-len(background.x) // self._rows) <= self._most_blocks
        return self._traced(background) if small else self._trace(background)

    def _trace(self, background: Background) -> Iterator[_Block]:
        weights = exact_weights(background.weights)
        for x, w in zip(blocks(background.x, self._rows), blocks(weights, self._rows), strict=True):
            rows = self._constant(x)
            yield _Block(rows, self._constant(w), self._forward(rows))

    def _pass(self, x: Inputs, seeds: Array, block: _Block) -> Floats:
        """Values per input element (t, size) of at most `_tasks` backward passes against one block of rows."""
        n = len(x)
        x = np.concatenate([x, np.zeros((self._tasks - n, *x.shape[1:]), x.dtype)])
        seeds = np.concatenate([seeds, np.zeros((self._tasks - n, seeds.shape[1]))])
        made = self._backward(self._constant(x), self._constant(seeds), tf.constant(n), block.x, block.weights, block.kept)
        return np.asarray(made.numpy()[:n], np.float64)

    def _constant(self, values: Array) -> Tensor:
        return tf.constant(values, self._dtype)

    def _compile(self) -> None:
        """Two compiled functions: the forward pass of a block of rows, and the loop over backward passes.

        XLA fuses what goes element by element; convolutions are faster as TensorFlow's own operations, so where there are
        any, only what lies between them is handed to XLA.
        """
        shape, outputs, dtype = self._network.input_shape, self._network.outputs, self._dtype
        whole = not any(map(_is_convolution, self._steps))
        forward = tf.function(lambda b: kept(self._steps, run(self._steps, b)), jit_compile=whole, autograph=False)
        rows = tf.TensorSpec((self._rows, *shape), dtype)
        self._forward = forward.get_concrete_function(rows)
        backward = tf.function(self._loop, jit_compile=whole, autograph=False)
        self._backward = backward.get_concrete_function(
            tf.TensorSpec((self._tasks, *shape), dtype),
            tf.TensorSpec((self._tasks, outputs), dtype),
            tf.TensorSpec((), tf.int32),
            rows,
            tf.TensorSpec((self._rows,), dtype),
            tf.nest.map_structure(lambda t: tf.TensorSpec(t.shape, t.dtype), self._forward.structured_outputs),
        )

    def _loop(self, x: Tensor, seeds: Tensor, n: Tensor, b: Tensor, weights: Tensor, rows: list[list[Any]]) -> Tensor:
        """Values per input element (tasks, size) of the first n of x (tasks, ...) and seeds (tasks, K)."""

        def body(i: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
            one = tf.gather(x, [i])
            sides = zip(kept(self._steps, run(self._steps, one)), rows, strict=True)
            pairs = [[Pair(*both) for both in zip(*of_step, strict=True)] for of_step in sides]
            m = tf.repeat(tf.gather(seeds, [i]), self._rows, axis=0)  # (rows, K)
            values = _fused(_weigh)(self._pull_back(pairs, m), one, b, weights)
            return i + 1, tf.tensor_scatter_nd_update(made, [[i]], values[None])

        made = tf.zeros((self._tasks, int(np.prod(x.shape[1:]))), x.dtype)
        return tf.while_loop(lambda i, _: i < n, body, (0, made), parallel_iterations=1)[1]

    def _pull_back(self, pairs: list[list[Pair]], m: Tensor) -> Tensor:
        """From multipliers of the outputs (rows, K) to those of the input (rows, ...)."""
        multipliers = {len(self._steps): m}
        backwards = list(enumerate(self._steps))[::-1]
        for is_convolution, part in groupby(backwards, key=lambda numbered: _is_convolution(numbered[1])):
            steps = list(part)
            pull = partial(_pull, steps)
            multipliers = (pull if is_convolution else _fused(pull))(multipliers, [pairs[k] for k, _ in steps])
        return multipliers[0]


def _pull(steps: list[tuple[int, Step]], multipliers: dict[int, Tensor], pairs: list[list[Pair]]) -> dict[int, Tensor]:
    """Multipliers by value, pulled back through some steps, last step first."""
    multipliers = dict(multipliers)
    for (k, step), of_step in zip(steps, pairs, strict=True):
        pulled = step.rule.pull(step, of_step, multipliers.pop(k + 1))
        for i, m in zip(step.inputs, pulled, strict=True):
            multipliers[i] = multipliers[i] + m if i in multipliers else m
    return multipliers


def _weigh(m: Tensor, x: Tensor, b: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum over the rows of multiplier times difference, per input element: (size,)."""
    rows = b.shape[0]
    return tf.linalg.matvec(tf.reshape(m * (x - b), (rows, -1)), weights, transpose_a=True)


def _fused(function: Callable[..., Any]) -> Any:
    return tf.function(function, jit_compile=True, autograph=False)


def _is_convolution(step: Step) -> bool:
    """Whether TensorFlow's own operation is faster than XLA's; with few input channels it is not."""
    return (
        step.rule.pull is LINEAR.pull and isinstance(step.layer, keras.layers.Conv2D) and step.layer.kernel.shape[-2] >= _CHANNELS
    )
