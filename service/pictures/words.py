"""Pictures in words, for those who do not see them."""

import numpy as np

from models.arrays import Floats
from models.manifest import Value
from schemas.picture import Plot
from service.respond import Json

_TOP = 5


def stood_at(name: str, value: Value, imputed: list[str]) -> str:
    """`Age = 0.92`; whole numbers in full."""
    said = value if isinstance(value, str) else f"{value:.6g}" if abs(value) < 1e5 else f"{value:.12g}"
    return f"{name} = {said}{' (missing)' if name in imputed else ''}"


def plain(value: float) -> str:
    """A prediction or a base value: four digits, those before the point in full."""
    return f"{value:.0f}" if 1e4 <= abs(value) < 1e9 else f"{value:.4g}"


def signed(value: float) -> str:
    """A contribution: three digits however small it is, those before the point in full."""
    return f"{value:+.0f}" if 1e3 <= abs(value) < 1e9 else f"{value:+.3g}"


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
        largest = _largest(values[0], names, with_sign=True)
        return f"{head}: predicted {plain(predictions[0])}, on average {plain(base)}. Contributions: {largest}."
    spread = f"predicted {plain(min(predictions))} to {plain(max(predictions))}, on average {plain(base)}"
    return (
        f"{head}, {len(predictions)} instances: {spread}. Mean size of contributions: {_largest(means, names, with_sign=False)}."
    )


def _largest(values: Floats, names: list[str], *, with_sign: bool) -> str:
    order, said = np.argsort(-np.abs(values), kind="stable"), signed if with_sign else plain
    largest = [f"{names[k]} {said(values[k])}" for k in order[:_TOP]]
    if len(rest := order[_TOP:]):
        largest.append(f"{_count(len(rest), 'other')} {said(values[rest].sum())}")
    return ", ".join(largest)


def _image(i: int, explanation: Json, maps: Floats) -> str:
    """The likeliest output, and where on the maps (height, width, outputs) most speaks for and against it; i from 0."""
    k = int(np.argmax(explanation["prediction"]))
    said = f"{explanation['outputs'][k]} {plain(explanation['prediction'][k])}, on average {plain(explanation['base_values'][k])}"
    ends = [("most for it", maps[..., k].argmax()), ("most against it", maps[..., k].argmin())]
    places = [f"{word} at row {at // maps.shape[1] + 1}, column {at % maps.shape[1] + 1}" for word, at in ends]
    return f"Image {i + 1}: {said}; {', '.join(places)}."


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}{'' if n == 1 else 's'}"
