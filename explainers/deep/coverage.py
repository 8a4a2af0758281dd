"""Which layers of a network have rules, and which do not: all of them, not the first that stops `program`."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from explainers.deep.program import Program, Rule, trace
from explainers.game import Unruled
from models.receipt import LayerReport


class _Survey(Program):
    """Goes on where a layer has no rule, with zeros in the place of what it makes."""

    def __init__(self, rules: Mapping[str, Rule], activations: Mapping[str, Rule]) -> None:
        super().__init__(rules, activations)
        self.layers: dict[str, LayerReport] = {}

    def apply(self, tensor: Any, inputs: list[int]) -> int:
        layer = tensor._keras_history[0]
        report = LayerReport(name=layer.name, kind=type(layer).__name__)
        try:
            value = super().apply(tensor, inputs)
        except Unruled as error:
            report = report.model_copy(update={"lacks": str(error)})
            value = self.pretend(tf.zeros([1, *tensor.shape[1:]], tensor.dtype))
        known = self.layers.get(layer.name)
        if not hasattr(layer, "layers") and not (known and known.lacks):  # the layers of an inner model stand for themselves
            self.layers[layer.name] = report
        return value


def coverage(model: Any, rules: Mapping[str, Rule], activations: Mapping[str, Rule]) -> list[LayerReport]:
    """Every layer in the order of the computation. A model that is no graph of layers is a single one, without a rule."""
    survey = _Survey(rules, activations)
    try:
        trace(survey, model)
    except Unruled as error:
        survey.layers.setdefault(model.name, LayerReport(name=model.name, kind=type(model).__name__, lacks=str(error)))
    return list(survey.layers.values())
