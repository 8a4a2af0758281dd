"""The plots, drawn by shap. Imports pyplot, which is not thread-safe: for a process of its own."""

import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from itertools import combinations
from typing import Any
from unittest.mock import patch
from xml.sax.saxutils import escape

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import shap
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrow
from matplotlib.text import Text

from schemas.picture import SINGLE, SVG, Plot
from service.pictures.palette import SCALES, SIGNS, recolour
from service.pictures.sketch import Sketch
from service.pictures.words import plain, signed

_STYLE: Any = {
    "svg.hashsalt": "shapserve",
    "svg.fonttype": "path",
    "figure.dpi": 100,
    "savefig.dpi": 150,
    "font.family": "DejaVu Sans",
}


def draw(sketch: Sketch) -> bytes:
    """The file: the same bytes for the same sketch."""
    np.random.seed(0)  # beeswarm shuffles with NumPy's global generator
    with mpl.rc_context(_STYLE), warnings.catch_warnings(), _all_digits():
        warnings.simplefilter("ignore")  # shap's colours and matplotlib's plans; glyphs that the font lacks
        try:
            plt.figure()
            (_nothing if _is_nothing(sketch) else PLOTS[sketch.plot])(sketch)
            recolour(plt.gcf(), sketch.palette)
            return _file(plt.gcf(), sketch)
        finally:
            plt.close("all")


@contextmanager
def _all_digits() -> Iterator[None]:
    """Shap prints two decimals, and so `+0` for many a probability."""
    with ExitStack() as stack:
        for name in ("_waterfall", "_bar"):
            stack.enter_context(patch.object(import_module(f"shap.plots.{name}"), "format_value", _figures))
        yield


def _figures(value: float, form: str) -> str:
    """In the place of shap's format_value."""
    return (signed(value) if form.startswith("%+") else plain(value)).replace("-", "\N{MINUS SIGN}")


def _is_nothing(sketch: Sketch) -> bool:
    """Whether no contribution is left of nine digits: shap's axes would have no width."""
    largest = max(abs(sketch.base_value), abs(sketch.base_value + sketch.values.sum()))
    return sketch.plot in SINGLE and np.abs(sketch.values).sum() <= 1e-9 * largest


def _nothing(sketch: Sketch) -> None:
    said = f"{sketch.output}: {plain(sketch.base_value)}, as on average; nothing contributes"
    plt.gcf().text(0.5, 0.5, _safe(said), ha="center", fontsize=14)


def _waterfall(sketch: Sketch) -> None:
    explanation = shap.Explanation(sketch.values[0], sketch.base_value, feature_names=[_safe(name) for name in sketch.names])
    shap.plots.waterfall(explanation, max_display=_SHOWN, show=False)
    _point_the_right_way(plt.gcf(), sketch)
    _title(sketch)


def _point_the_right_way(figure: Figure, sketch: Sketch) -> None:
    """Arrows shorter than their head: shap lets them point, and reach, to the wrong side."""
    values = sketch.values[0]
    order = np.argsort(-np.abs(values))
    rows = min(_SHOWN, len(values))
    alone = rows if rows == len(values) else rows - 1
    steps = [*values[order[:alone]], *([values[order[alone:]].sum()] if alone < rows else [])]
    end = sketch.base_value + values.sum()
    spans = {}
    for row, step in zip(range(rows - 1, -1, -1), steps, strict=True):
        spans[row], end = (end - step, end), end - step
    for arrow in figure.findobj(FancyArrow):
        corners = arrow.get_xy()
        row = round(corners[:, 1].mean())
        begin, tip = spans[row]
        low, high = sorted(spans[row])
        slack = 1e-6 * np.ptp(figure.axes[0].get_xlim())
        if corners[:, 0].min() < low - slack or corners[:, 0].max() > high + slack:
            half = np.ptp(corners[:, 1]) / 2
            arrow.set_xy([(begin, row - half), (tip, row), (begin, row + half)])


def _force(sketch: Sketch) -> None:
    names, output = [f" {_safe(name)} " for name in sketch.names], _safe(sketch.output)
    shap.plots.force(
        sketch.base_value, sketch.values[0], feature_names=names, out_names=[output], matplotlib=True, show=False, figsize=(16, 3)
    )
    texts = {text.get_text(): text for text in plt.gca().texts}
    prediction = sketch.base_value + sketch.values.sum()
    texts[f"{prediction:.2f}"].set_text(plain(prediction))
    for width in (16, 20, 26, 34, 44):  # shap makes room for long names by a longer axis, and so moves them together
        plt.gcf().set_size_inches(width, 3)
        boxes = [texts[name].get_window_extent().padded(-4) for name in names if name in texts]
        if not any(one.overlaps(other) for one, other in combinations(boxes, 2)):
            break
    _beside(texts["higher"], texts[output], -_GAP)
    _beside(texts["lower"], texts[output], _GAP)
    if texts["base value"].get_window_extent().overlaps(around := texts[output].get_window_extent()):
        aside = around.width / 2 + _GAP
        _beside(texts["base value"], texts[output], -aside if sketch.values.sum() > 0 else aside)


def _beside(text: Text, other: Text, pixels: float) -> None:
    """Move a text to the left (negative) or right of the middle of another."""
    data = plt.gca().transData
    x = data.inverted().transform((data.transform(other.get_position())[0] + pixels, 0))[0]
    text.set(x=x, ha="right" if pixels < 0 else "left")


def _decision(sketch: Sketch) -> None:
    shap.plots.decision(
        sketch.base_value,
        sketch.values,
        feature_names=[_safe(name) for name in sketch.names],
        plot_color=SCALES[sketch.palette],
        show=False,
        ignore_warnings=True,
    )
    _title(sketch)


def _bar(sketch: Sketch) -> None:
    shap.plots.bar(
        shap.Explanation(sketch.values[0], feature_names=[_safe(name) for name in sketch.names]), max_display=_SHOWN, show=False
    )
    plt.xlabel("mean |SHAP value|", fontsize=13)
    _title(sketch)


def _beeswarm(sketch: Sketch) -> None:
    explanation = shap.Explanation(
        sketch.values, sketch.base_value, sketch.numbers, feature_names=[_safe(name) for name in sketch.names]
    )
    shap.plots.beeswarm(explanation, max_display=_SHOWN, show=False, color=SCALES[sketch.palette])
    _title(sketch)


def _image(sketch: Sketch) -> None:
    assert sketch.images is not None
    values = [sketch.values[..., k, None] for k in range(sketch.values.shape[-1])]
    titles = np.array([[_safe(title) for title in row] for row in sketch.titles])
    shap.plots.image(values, sketch.images, titles, cmap=SIGNS[sketch.palette], hspace=0.5, show=False)
    *images, scale = plt.gcf().axes
    scale.set_aspect("auto")
    left, lowest = min(axes.get_position().x0 for axes in images), min(axes.get_position().y0 for axes in images)
    inch = 1 / plt.gcf().get_figheight()
    scale.set_position((left, lowest - 0.5 * inch, max(axes.get_position().x1 for axes in images) - left, 0.15 * inch))


PLOTS: dict[Plot, Callable[[Sketch], None]] = {
    "waterfall": _waterfall,
    "force": _force,
    "decision": _decision,
    "bar": _bar,
    "beeswarm": _beeswarm,
    "image": _image,
}
_GAP = 16
"""Between two texts, in pixels."""
_SHOWN = 20
"""Players that have a line of their own."""


def _title(sketch: Sketch) -> None:
    plt.title(_safe(sketch.output), fontsize=13, pad=30 if sketch.plot in ("waterfall", "decision") else 12)


def _safe(name: str) -> str:
    """A name in which a dollar is a dollar, not the begin of a formula."""
    return name.replace("$", r"\$")


def _file(figure: Figure, sketch: Sketch) -> bytes:
    file = io.BytesIO()
    if sketch.media == SVG:
        figure.savefig(file, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
        begin, _, rest = file.getvalue().decode().partition("<svg ")
        attributes, _, content = rest.partition(">")
        alt = escape(sketch.alt)
        return f'{begin}<svg role="img" aria-labelledby="alt" {attributes}>\n <title id="alt">{alt}</title>{content}'.encode()
    figure.savefig(file, format="png", bbox_inches="tight", metadata={"Description": sketch.alt, "Software": None})
    return file.getvalue()
