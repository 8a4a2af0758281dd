"""The plots, drawn by shap. Imports pyplot, which is not thread-safe: for a process of its own."""

import io
import warnings
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import shap
from matplotlib.figure import Figure

from schemas.picture import SVG, Plot
from service.pictures.palette import SCALES, SIGNS, recolour
from service.pictures.sketch import Sketch

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
    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shap's colours and matplotlib's plans; glyphs that the font lacks
        try:
            plt.figure()
            PLOTS[sketch.plot](sketch)
            recolour(plt.gcf(), sketch.palette)
            return _file(plt.gcf(), sketch)
        finally:
            plt.close("all")


def _waterfall(sketch: Sketch) -> None:
    explanation = shap.Explanation(sketch.values[0], sketch.base_value, feature_names=_safe(sketch.names))
    shap.plots.waterfall(explanation, max_display=_SHOWN, show=False)
    _title(sketch)


def _force(sketch: Sketch) -> None:
    names, output = _safe(sketch.names), _safe([sketch.output])
    shap.plots.force(
        sketch.base_value, sketch.values[0], feature_names=names, out_names=output, matplotlib=True, show=False, figsize=(16, 3)
    )


def _decision(sketch: Sketch) -> None:
    shap.plots.decision(
        sketch.base_value,
        sketch.values,
        feature_names=_safe(sketch.names),
        plot_color=SCALES[sketch.palette],
        show=False,
        ignore_warnings=True,
    )
    _title(sketch)


def _bar(sketch: Sketch) -> None:
    shap.plots.bar(shap.Explanation(sketch.values[0], feature_names=_safe(sketch.names)), max_display=_SHOWN, show=False)
    plt.xlabel("mean |SHAP value|", fontsize=13)
    _title(sketch)


def _beeswarm(sketch: Sketch) -> None:
    explanation = shap.Explanation(sketch.values, sketch.base_value, sketch.numbers, feature_names=_safe(sketch.names))
    shap.plots.beeswarm(explanation, max_display=_SHOWN, show=False, color=SCALES[sketch.palette])
    _title(sketch)


def _image(sketch: Sketch) -> None:
    assert sketch.images is not None
    values = [sketch.values[..., k, None] for k in range(sketch.values.shape[-1])]
    shap.plots.image(
        values, sketch.images, np.array([_safe(titles) for titles in sketch.titles]), cmap=SIGNS[sketch.palette], show=False
    )


PLOTS: dict[Plot, Callable[[Sketch], None]] = {
    "waterfall": _waterfall,
    "force": _force,
    "decision": _decision,
    "bar": _bar,
    "beeswarm": _beeswarm,
    "image": _image,
}
_SHOWN = 20
"""Players that have a line of their own."""


def _title(sketch: Sketch) -> None:
    plt.title(_safe([sketch.output])[0], fontsize=13, pad=30 if sketch.plot in ("waterfall", "decision") else 12)


def _safe(names: list[str]) -> list[str]:
    """Names in which a dollar is a dollar, not the begin of a formula."""
    return [name.replace("$", r"\$") for name in names]


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
