"""A Keras model as a list of steps, each one layer's worth of arithmetic, with its rule."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from explainers.game import Unruled

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
    lacks: Callable[["Step"], str] = lambda step: ""
    """The option of the layer that the rule does not cover, such as `axis=0`; empty: none."""


@dataclass(frozen=True)
class Step:
    """One layer, or one of its two halves where an activation is built in."""

    name: str
    rule: Rule
    forward: Callable[..., Tensor]
    """Takes the values of the inputs, one argument each."""
    layer: Any
    inputs: tuple[int, ...]
    """Which values it takes; value 0 is the network's input, value k + 1 what step k makes."""
    shapes: tuple[tuple[int, ...], ...]
    """Of the inputs, without the batch."""


def _same(step: Step, _: Sequence[Pair], m: Tensor) -> list[Tensor]:
    return [tf.reshape(m, (m.shape[0], *step.shapes[0]))]


SAME = Rule(_same)
"""The same numbers, perhaps in another shape."""


def program(model: Any, rules: Mapping[str, Rule], activations: Mapping[str, Rule]) -> list[Step]:
    """The steps from the model's input to its output (n, K), in order. Raises Unruled.

    rules: by the layer's class name; activations: by the name of the function. Models inside the model are opened.
    """
    made = Program(rules, activations)
    trace(made, model)
    return made.steps


def trace(made: "Program", model: Any) -> None:
    """Walk the model from its input to its output, with a traced input of one row. Raises Unruled."""
    (given,), (output,) = model.inputs, model.outputs

    def walk(x: Tensor) -> None:
        last = made.walk(model, [made.begin(x)], output)
        if len(output.shape) == 1:
            made.add(_Part("column", SAME, lambda v: v[:, None], None), [last])
        elif last != len(made.steps) or not made.steps:  # the output is the input
            made.add(_Part("identity", SAME, tf.identity, None), [last])

    tf.function(walk, autograph=False).get_concrete_function(tf.TensorSpec((1, *given.shape[1:]), given.dtype))


def run(steps: Sequence[Step], x: Tensor) -> list[Tensor]:
    """Every value of the network for x (n, ...): the input, then what each step makes."""
    values = [x]
    for step in steps:
        values.append(step.forward(*[values[i] for i in step.inputs]))
    return values


def kept(steps: Sequence[Step], values: Sequence[Tensor]) -> list[list[Any]]:
    """What each step's rule keeps of the step's inputs, of these values."""
    return [[step.rule.keep(step, values[i]) for i in step.inputs] if step.rule.keep else [] for step in steps]


class _Part(NamedTuple):
    """A step that has no place yet."""

    name: str
    rule: Rule
    forward: Callable[..., Tensor]
    layer: Any


class Program:
    """The steps so far, and the values that they make, traced and not run: inner models may not know their shapes."""

    def __init__(self, rules: Mapping[str, Rule], activations: Mapping[str, Rule]) -> None:
        self.steps: list[Step] = []
        self._values: list[Tensor] = []
        self._rules = rules
        self._activations = activations

    def begin(self, x: Tensor) -> int:
        """The network's input, value 0."""
        self._values = [x]
        return 0

    def walk(self, model: Any, inputs: Sequence[int], output: Any) -> int:
        """Which value `output` is when the model's inputs are these values. Only what it needs becomes a step."""
        if not _is_plain_model(model):
            raise Unruled(f"layer {model.name} ({type(model).__name__}) has no rule")
        made = {_key(tensor): value for tensor, value in zip(model.inputs, inputs, strict=True)}
        pending = [output]
        while pending:
            tensor = pending[-1]
            sources = _node(tensor).input_tensors
            missing = [source for source in sources if _key(source) not in made]
            if _key(tensor) in made:
                pending.pop()
            elif missing:
                pending.extend(reversed(missing))
            else:
                made[_key(tensor)] = self.apply(tensor, [made[_key(source)] for source in sources])
        return made[_key(output)]

    def add(self, part: _Part, inputs: Sequence[int]) -> int:
        """One more step, and the value that it makes."""
        sources = [self._values[i] for i in inputs]
        shapes = tuple(tuple(source.shape[1:]) for source in sources)
        step = Step(*part, tuple(inputs), shapes)
        if option := step.rule.lacks(step):
            raise Unruled(f"layer {step.layer.name} ({type(step.layer).__name__}) has no rule for {option}")
        self.steps.append(step)
        self._values.append(step.forward(*sources))
        return len(self.steps)

    def pretend(self, value: Tensor) -> int:
        """A value that no step makes."""
        self.steps.append(Step("pretended", SAME, lambda: value, None, (), ()))
        self._values.append(value)
        return len(self.steps)

    def apply(self, tensor: Any, inputs: list[int]) -> int:
        """The steps of the layer that makes `tensor` from these values, and the value it is. Raises Unruled."""
        layer, _, index = tensor._keras_history
        if tensor.dtype != self._values[0].dtype.name:
            raise Unruled(f"layer {layer.name} computes in {tensor.dtype}, not in {self._values[0].dtype.name} as the input")
        several = _takes_several(layer, _node(tensor))
        if _is_plain_model(layer):
            for i, source in zip(inputs, layer.inputs, strict=True):
                if len(source.shape) != len(self._values[i].shape):  # Keras adds or drops an axis then
                    raise Unruled(f"layer {layer.name} is called with another number of axes than it was built for")
            return self.walk(layer, inputs, layer.outputs[index])
        for part in self._parts(layer):
            value = self.add(part._replace(forward=_listed(part.forward)) if several else part, inputs)
            inputs, several = [value], False
        return value

    def _parts(self, layer: Any) -> list[_Part]:
        """The layer's arithmetic without its activation, then the activation; or one of them."""
        activation: Any = getattr(layer, "activation", None)
        if type(layer) is keras.layers.Activation:
            return self._activation(layer, activation)
        kind = type(layer).__name__
        if kind not in self._rules or type(layer) is not getattr(keras.layers, kind, None):
            raise Unruled(f"layer {layer.name} ({kind}) has no rule")
        if layer.quantization_mode:
            raise Unruled(f"layer {layer.name} ({kind}) has no rule for {layer.dtype_policy.name}")
        rule = self._rules[kind]
        if activation in (None, keras.activations.linear):
            return [_Part(layer.name, rule, layer.call, layer)]
        twin = object.__new__(type(layer))  # the same weights; Keras applies a built-in activation last
        twin.__dict__.update(layer.__dict__, activation=None)
        return [_Part(layer.name, rule, twin.call, layer), *self._activation(layer, activation)]

    def _activation(self, layer: Any, function: Any) -> list[_Part]:
        if isinstance(function, keras.layers.Layer):
            return self._parts(function)
        name = getattr(function, "__name__", type(function).__name__)
        if name not in self._activations or getattr(keras.activations, name, None) != function:
            raise Unruled(f"activation {name} of layer {layer.name} has no rule")
        forward: Any = _ACTIVATE.get(name, function)
        return [_Part(f"{layer.name}/{name}", self._activations[name], forward, layer)]


def _key(tensor: Any) -> tuple[int, int, int]:
    layer, node, index = tensor._keras_history
    return id(layer), node, index


def _node(tensor: Any) -> Any:
    layer, node, _ = tensor._keras_history
    return layer._inbound_nodes[node]


def _takes_several(layer: Any, node: Any) -> bool:
    """Whether the layer is called with a list of values. Raises Unruled when there is more to the call than values.

    `training` is as the network's own forward pass has it: False, whatever the call says.
    """
    args, kwargs = node.arguments.args, node.arguments.kwargs
    several = len(args) == 1 and isinstance(args[0], (list, tuple))
    values = args[0] if several else args
    more = [name for name, given in kwargs.items() if given is not None and name != "training"]
    if more or len(args) != 1 or not all(isinstance(value, keras.KerasTensor) for value in values):
        raise Unruled(f"layer {layer.name} ({type(layer).__name__}) has no rule for this call: {', '.join(more) or 'arguments'}")
    return several


def _listed(forward: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda *values: forward(list(values))


def _is_plain_model(layer: Any) -> bool:
    """A graph of layers, without a `call` of a user's own."""
    kind = type(layer)
    return issubclass(kind, keras.Model) and kind.__module__ in ("keras.src.models.functional", "keras.src.models.sequential")


_ACTIVATE: dict[str, Any] = {"softmax": tf.nn.softmax}
"""Keras's own softmax attaches the logits to its result as a Python attribute, which a compiled function cannot hold."""
