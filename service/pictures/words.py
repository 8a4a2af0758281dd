"""Pictures in words, for those who do not see them."""

import numpy as np

from models.arrays import Floats
from models.manifest import Value
from schemas.picture import Plot
from service.respond import Json

_TOP = 5


def stood_at(name: str, value: Value, imputed: list[str]) -> str:
    """`Age = 0.92`"""
    said = value if isinstance(value, str) else f"{value:.6g}"
    return f"{name} = {said}{' (missing)' if name in imputed else ''}"


def alternative(plot: Plot, content: Json, values: Floats, means: Floats, names: list[str]) -> str:
    """What the picture shows: the prediction and the largest contributions.

    values: (n, players), image: (n, height, width, outputs). means: (players,), of |value|.
    """
    explanations = content["explanations"]
    if plot == "image":
        maps = " ".join(_image(i, e, values[i]) for i, e in enumerate(explanations))
        return f"Shapley values of {_count(len(explanations), 'image')}, model {content['model']['name']}. {maps}"
    output, base = explanations[0]["outputs"][0], explanations[0]["base_values"][0]
    predictions = [e["prediction"][0] for e in explanations]
    head = f"{plot.capitalize()} plot, model {content['model']['name']}, output {output}"
    if len(predictions) == 1:
        largest = _largest(values[0], names, signed=True)
        return f"{head}: predicted {predictions[0]:.3g}, on average {base:.3g}. Contributions: {largest}."
    spread = f"predicted {min(predictions):.3g} to {max(predictions):.3g}, on average {base:.3g}"
    return f"{head}, {len(predictions)} instances: {spread}. Mean size of contributions: {_largest(means, names, signed=False)}."


def _largest(values: Floats, names: list[str], *, signed: bool) -> str:
    order = np.argsort(-np.abs(values), kind="stable")
    said = [f"{names[k]} {values[k]:+.3g}" if signed else f"{names[k]} {values[k]:.3g}" for k in order[:_TOP]]
    rest = order[_TOP:]
    if len(rest):
        said.append(f"{_count(len(rest), 'other')} {values[rest].sum():+.3g}" if signed else f"{_count(len(rest), 'other')} less")
    return ", ".join(said)


def _image(i: int, explanation: Json, maps: Floats) -> str:
    """The likeliest output, and where on the maps (height, width, outputs) most speaks for and against it; i from 0."""
    k = int(np.argmax(explanation["prediction"]))
    said = f"{explanation['outputs'][k]} {explanation['prediction'][k]:.3g}, on average {explanation['base_values'][k]:.3g}"
    ends = [("most for it", maps[..., k].argmax()), ("most against it", maps[..., k].argmin())]
    places = [f"{word} at row {at // maps.shape[1] + 1}, column {at % maps.shape[1] + 1}" for word, at in ends]
    return f"Image {i + 1}: {said}; {', '.join(places)}."


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
