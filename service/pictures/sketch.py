"""What is handed to the process that draws: an explanation as numbers and words, no model and no request."""

from dataclasses import dataclass

from models.arrays import Bytes, Floats
from schemas.picture import Palette, Plot


@dataclass(frozen=True)
class Sketch:
    """One picture to be drawn, from the numbers of the JSON answer."""

    media: str
    plot: Plot
    palette: Palette
    alt: str
    """The picture in words."""
    values: Floats
    """(n, players) of one output; bar: (1, players), their means; image: (n, height, width, outputs)."""
    base_value: float
    output: str
    """Its name; image: empty."""
    names: list[str]
    """Of the players, as they stand in the picture; image: none."""
    numbers: Floats | None
    """(n, players): what the players stood at, categories counted from 0; None where that is not known."""
    images: Bytes | None
    """(n, height, width, channels)"""
    titles: list[list[str]]
    """(n, outputs): what stands over the maps of an image."""
