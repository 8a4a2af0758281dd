"""Colours of pictures: shap's own, or orange and blue that everybody tells apart (Okabe and Ito 2008)."""

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from shap.plots import colors

from schemas.picture import Palette

_ORANGE, _BLUE = "#d55e00", "#0072b2"
_SWAPPED = {
    "#ff0051": _ORANGE,  # shap's red and blue
    "#008bfb": _BLUE,
    "#ff0d57": _ORANGE,  # those of the force plot, and their pale sisters
    "#1e88e5": _BLUE,
    "#ffc3d5": "#f6d3b8",
    "#d1e6fa": "#c2dff0",
}


def _gradient(*colours: str) -> Colormap:
    return LinearSegmentedColormap.from_list("gradient", [to_rgba(colour) for colour in colours])


SCALES: dict[Palette, Colormap] = {"shap": colors.red_blue, "colour_blind": _gradient(_BLUE, "#8c8c8c", _ORANGE)}
"""From low to high."""
SIGNS: dict[Palette, Colormap] = {
    "shap": colors.red_transparent_blue,
    "colour_blind": _gradient(_BLUE, "#ffffff00", _ORANGE),
}
"""From against to for, nothing in the middle."""


def recolour(figure: Figure, palette: Palette) -> None:
    """Give what stands on a finished figure in shap's red and blue the colours of the palette."""
    if palette == "shap":
        return
    for artist in figure.findobj(include_self=False):
        for attribute in ("color", "facecolor", "edgecolor"):
            _swap(artist, attribute)
        if isinstance(artist, AxesImage):  # the shades below the labels of a force plot
            ends = [_swapped(colour) for colour in artist.get_cmap()([0.0, 1.0])]
            if any(ends):
                artist.set_cmap(_gradient(*[new or "#ffffff" for new in ends]))


def _swap(artist: Artist, attribute: str) -> None:
    get, set_ = getattr(artist, f"get_{attribute}", None), getattr(artist, f"set_{attribute}", None)
    if get is not None and set_ is not None and (new := _swapped(get())):
        set_(new)


def _swapped(colour: Any) -> str | None:
    """What stands for one of shap's colours; None for other colours, and for several at once."""
    try:
        return _SWAPPED.get(to_hex(np.squeeze(colour).tolist() if isinstance(colour, np.ndarray) else colour))
    except (ValueError, TypeError):
        return None
