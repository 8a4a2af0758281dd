"""A Keras model as a list of steps, each one layer's worth of arithmetic, with its rule."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import tensorflow as tf

Tensor = Any
"""A tf.Tensor; its shape stands at the end of the line."""


class Pair(NamedTuple):
    """What a rule keeps of one value of the network, for both sides."""

    x: Any  # (1, ...)
    b: Any  # (rows, ...)


class Rule(NamedTuple):
    """How a step's multipliers go from its output to its inputs.

    Multipliers are additive: for every row, sum(m_in * (x_in - b_in)) over all inputs equals sum(m_out * (x_out - b_out)).
    """

    pull: Callable[["Step", Sequence[Pair], Tensor], list[Tensor]]
    """Multipliers of the output (rows, ...) to those of the inputs, one per input."""
    keep: Callable[["Step", Tensor], Any] | None = None
    """What `pull` needs of an input's value (n, ...); None: nothing. Done once per background, not per instance."""


@dataclass(frozen=True)
class Step:
    """One layer, or one of its two halves where an activation is built in."""

    name: str
    rule: Rule
    forward: Callable[..., Tensor]
    layer: Any
    inputs: tuple[int, ...]
    """Which values it takes; value 0 is the network's input, value k + 1 what step k makes."""
    shapes: tuple[tuple[int, ...], ...]
    """Of the inputs, without the batch."""


class Unruled(ValueError):
    """A layer has no rule; the message names it."""


def program(model: Any, rules: Mapping[str, Rule], activations: Mapping[str, Rule]) -> list[Step]:
    """The steps from the model's input to its output, in order. Raises Unruled.

    rules: by the layer's class name; activations: by the name of the function.
    """
    steps: list[Step] = []
    made = {_key(model.inputs[0]): 0}

    def visit(tensor: Any) -> int:
        if (key := _key(tensor)) not in made:
            layer, node, _ = tensor._keras_history
            sources = layer._inbound_nodes[node].input_tensors
            inputs = tuple(visit(source) for source in sources)
            shapes = tuple(tuple(source.shape[1:]) for source in sources)
            affine, activation = _halves(layer, rules)
            if affine is not None:
                steps.append(Step(layer.name, rules[type(layer).__name__], affine, layer, inputs, shapes))
                inputs, shapes = (len(steps),), (tuple(tensor.shape[1:]),)
            if activation is not None:
                name = _activation_name(layer, activation, activations)
                forward = _ACTIVATE.get(name, activation)
                steps.append(Step(f"{layer.name}/{name}", activations[name], forward, layer, inputs, shapes))
            made[key] = len(steps)
        return made[key]

    visit(model.outputs[0])
    return steps


def run(steps: Sequence[Step], x: Tensor) -> list[Tensor]:
    """Every value of the network for x (n, ...): the input, then what each step makes."""
    values = [x]
    for step in steps:
        sources = [values[i] for i in step.inputs]
        values.append(step.forward(sources[0] if len(sources) == 1 else sources))
    return values


def kept(steps: Sequence[Step], values: Sequence[Tensor]) -> list[list[Any]]:
    """What each step's rule keeps of the step's inputs, of these values."""
    return [[step.rule.keep(step, values[i]) for i in step.inputs] if step.rule.keep else [] for step in steps]


def _key(tensor: Any) -> tuple[int, int, int]:
    layer, node, index = tensor._keras_history
    return id(layer), node, index


def _halves(layer: Any, rules: Mapping[str, Rule]) -> tuple[Any, Any]:
    """The layer's arithmetic without its activation, and the activation function; None for what it has not."""
    activation = getattr(layer, "activation", None)
    if type(layer) is keras.layers.Activation:
        return None, activation
    kind = type(layer).__name__
    if kind not in rules or type(layer) is not getattr(keras.layers, kind, None):
        raise Unruled(f"layer {layer.name} ({kind}) has no rule")
    if isinstance(layer, keras.layers.Dropout):
        return tf.identity, None
    if activation in (None, keras.activations.linear):
        return layer.call, None
    twin = object.__new__(type(layer))  # the same weights; Keras applies a built-in activation last
    twin.__dict__.update(layer.__dict__, activation=None)
    return twin.call, activation


def _activation_name(layer: Any, function: Any, activations: Mapping[str, Rule]) -> str:
    name = getattr(function, "__name__", type(function).__name__)
    if name not in activations or getattr(keras.activations, name, None) is not function:
        raise Unruled(f"activation {name} of layer {layer.name} has no rule")
    return str(name)


_ACTIVATE: dict[str, Any] = {"softmax": tf.nn.softmax}
"""Keras's own softmax attaches the logits to its result as a Python attribute, which a compiled function cannot hold."""
