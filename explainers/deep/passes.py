"""What every backward method needs of a network: its steps, traces of background rows, and the way back through the steps."""

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
from explainers.game import Indices
from models.arrays import Array
from models.backgrounds import Background, exact_weights
from models.blocks import blocks
from models.network import Network, direct

PAIR_ELEMENTS = 2**21
"""Elements that the widest value may have for one block of pairs: 8 MiB in float32."""
_KEPT_BYTES = 2**27
"""What traces of backgrounds may take that are kept for the next request."""
_CHANNELS = 8
_CLASSES = 32
"""Up to which the points of a softmax's quadrature take little memory."""


@dataclass(frozen=True)
class Block:
    """Some rows of a background, and what the backward pass needs of their forward pass."""

    x: Tensor  # (rows, ...)
    weights: Tensor  # (rows,), 0 where padded
    kept: list[list[Any]]


class Passes:
    """Made once for all methods with the same rules; compiled for blocks of rows of a size that no request can change.

    XLA fuses what goes element by element; convolutions are faster as TensorFlow's own operations, so where there are any, only
    what lies between them is handed to XLA, without the softmax's quadrature, which takes longest to compile.
    """

    def __init__(
        self, network: Network, background: Background, rules: Mapping[str, Rule], activations: Mapping[str, Rule]
    ) -> None:
        """Raises Unruled. See `passes_of`."""
        self.network = network
        self.steps = program(network.model, rules, activations)
        most = int(np.clip(PAIR_ELEMENTS // network.widest, 1, len(background.x)))
        self.rows = -(-len(background.x) // -(-len(background.x) // most))
        """In a block: the background's in equal parts."""
        self.whole = not any(map(_is_convolution, self.steps))
        """Whether all is compiled by XLA."""
        self._cancels = self.steps[-1].rule is SOFTMAX
        self.spec = tf.TensorSpec((self.rows, *network.input_shape), network.dtype)
        forward = tf.function(lambda b: kept(self.steps, run(self.steps, b)), jit_compile=self.whole, autograph=False)
        compiled = forward.get_concrete_function(self.spec)
        self.kept_spec = tf.nest.map_structure(lambda t: tf.TensorSpec(t.shape, t.dtype), compiled.structured_outputs)
        self.forward = direct(compiled)
        """What the rules keep of a block of inputs (rows, ...)."""
        first = next(self._trace(background))
        held = tf.nest.flatten([first.x, first.weights, first.kept])
        self._most_blocks = _KEPT_BYTES // sum(tensor.shape.num_elements() * tensor.dtype.size for tensor in held)
        traces: LRUCache[Background, list[Block]] = LRUCache(self._most_blocks, getsizeof=len)
        self._traced = cached(traces, lock=Lock())(lambda background: list(self._trace(background)))

    def plan(self, outputs: Indices) -> tuple[Array, Array, list[tuple[int, list[tuple[int, float]]]]]:
        """The backward passes: whose (t,), of which output (t,), and what they add to.

        The values of our softmax cancel over its outputs, so the last of all K needs no pass of its own.
        """
        instances, passed, places = [], [], []
        for i, asked in enumerate(outputs.tolist()):
            spared = asked[-1] if self.count(len(asked)) < len(asked) else None
            for place, output in enumerate(asked):
                if output == spared:
                    continue
                adds = [(place, 1.0)] if spared is None else [(place, 1.0), (len(asked) - 1, -1.0)]
                instances.append(i)
                passed.append(output)
                places.append((i, adds))
        return np.array(instances, int), np.array(passed, int), places

    def count(self, asked: int) -> int:
        """Backward passes per pair for so many outputs."""
        return asked - 1 if self._cancels and asked == self.network.outputs else asked

    def seeds(self, outputs: Indices) -> Array:
        """Multipliers (t, K) to begin with."""
        made = np.zeros((len(outputs), self.network.outputs))
        made[np.arange(len(outputs)), outputs] = 1
        return made

    def blocks(self, background: Background) -> Iterable[Block]:
        """Traces of the latest backgrounds are kept, if they fit; others are made block by block, never whole in memory."""
        small = -(-len(background.x) // self.rows) <= self._most_blocks
        return self._traced(background) if small else self._trace(background)

    def _trace(self, background: Background) -> Iterator[Block]:
        weights = exact_weights(background.weights)
        for x, w in zip(blocks(background.x, self.rows), blocks(weights, self.rows), strict=True):
            rows = self.constant(x)
            yield Block(rows, self.constant(w), self.forward(rows))

    def constant(self, values: Array) -> Tensor:
        """In the network's type."""
        return tf.constant(values, self.network.dtype)

    def pull_back(self, x: list[list[Any]], b: list[list[Any]], m: Tensor) -> Tensor:
        """From multipliers of the outputs (rows, K) to those of the input (rows, ...); x, b: what is kept of both sides."""
        pairs = [[Pair(*both) for both in zip(*of_step, strict=True)] for of_step in zip(x, b, strict=True)]
        multipliers = {len(self.steps): m}
        backwards = list(enumerate(self.steps))[::-1]
        for is_plain, part in groupby(backwards, key=lambda numbered: _is_plain(numbered[1])):
            steps = list(part)
            through = partial(pull, steps)
            multipliers = (through if is_plain else fused(through))(multipliers, [pairs[k] for k, _ in steps])
        return multipliers[0]


def passes_of(network: Network, background: Background, rules: Mapping[str, Rule], activations: Mapping[str, Rule]) -> Passes:
    """Those that another method has made for the network, or new ones. Raises Unruled."""
    key = (id(rules), background)
    if key not in network.shared:
        network.shared[key] = Passes(network, background, rules, activations)
    return network.shared[key]


def weigh(m: Tensor, x: Tensor, b: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum over the rows of multiplier times difference, per input element: (size,)."""
    rows = b.shape[0]
    return tf.linalg.matvec(tf.reshape(m * (x - b), (rows, -1)), weights, transpose_a=True)


def fused(function: Callable[..., Any]) -> Any:
    """The function, compiled by XLA wherever it stands."""
    return tf.function(function, jit_compile=True, autograph=False)


def pull(steps: list[tuple[int, Step]], multipliers: dict[int, Tensor], pairs: list[list[Pair]]) -> dict[int, Tensor]:
    """Multipliers by value, pulled back through some steps, last step first."""
    multipliers = dict(multipliers)
    for (k, step), of_step in zip(steps, pairs, strict=True):
        pulled = step.rule.pull(step, of_step, multipliers.pop(k + 1))
        for i, m in zip(step.inputs, pulled, strict=True):
            multipliers[i] = multipliers[i] + m if i in multipliers else m
    return multipliers


def _is_plain(step: Step) -> bool:
    """Whether TensorFlow's own operations do, in a network that XLA does not compile whole."""
    return _is_convolution(step) or (step.forward is tf.nn.softmax and len(step.shapes[0]) == 1 and step.shapes[0][0] <= _CLASSES)


def _is_convolution(step: Step) -> bool:
    """Whether TensorFlow's own operation is faster than XLA's; with few input channels it is not."""
    return (
        step.rule.pull is LINEAR.pull and isinstance(step.layer, keras.layers.Conv2D) and step.layer.kernel.shape[-2] >= _CHANNELS
    )
