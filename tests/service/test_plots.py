"""What is on the pictures: drawn in this process, and read from the figure."""

import io
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import FancyArrow, Rectangle
from PIL import Image

from schemas.picture import PNG, SVG, Plot
from service.pictures.plots import PLOTS, _all_digits, _is_nothing, draw
from service.pictures.sketch import Sketch

mpl.use("agg")
SKETCH = Sketch(
    media=SVG,
    plot="waterfall",
    palette="shap",
    alt='less < "more" & co',
    values=np.array([[0.3, -0.1, 0.001, -0.002]]),
    base_value=0.2,
    output="up",
    names=["price in $ = 3", "Sex = female", "c", "d"],
    numbers=None,
    images=None,
    titles=[],
)


@pytest.fixture(autouse=True)
def _no_figures() -> Iterator[None]:
    yield
    plt.close("all")


def texts() -> list[str]:
    """All that stands on the figure."""
    return [text.get_text() for text in plt.gcf().findobj(mpl.text.Text)]


def drawn(sketch: Sketch) -> None:
    plt.figure()
    PLOTS[sketch.plot](sketch)


def test_the_arrows_of_a_waterfall_are_the_values() -> None:
    """From base value to prediction, each as long as its value and pointing its way, the smallest ones too."""
    drawn(SKETCH)
    order = np.argsort(-np.abs(SKETCH.values[0]))
    end = SKETCH.base_value + SKETCH.values.sum()
    arrows = {round(arrow.get_xy()[:, 1].mean()): arrow.get_xy() for arrow in plt.gcf().findobj(FancyArrow)}
    assert sorted(arrows) == [0, 1, 2, 3]
    for row, player in zip((3, 2, 1, 0), order, strict=True):
        begin, corners = end - SKETCH.values[0, player], arrows[row]
        np.testing.assert_allclose([corners[:, 0].min(), corners[:, 0].max()], sorted((begin, end)), atol=1e-9)
        (tip,) = corners[np.abs(corners[:, 1] - row) < 1e-9][:1]
        assert tip[0] == pytest.approx(end)
        end = begin
    assert "Sex = female" in texts()
    assert r"price in \$ = 3" in texts()  # a dollar that begins no formula
    assert r"$ = 0.399$" in texts()


def test_the_rest_of_many_players_is_one_arrow() -> None:
    values = np.linspace(0.01, 0.3, 30)[None]
    drawn(replace(SKETCH, values=values, names=[f"f{k}" for k in range(30)]))
    arrows = plt.gcf().findobj(FancyArrow)
    assert len(arrows) == 20
    assert "11 other features" in texts()
    rest = next(arrow.get_xy() for arrow in arrows if round(arrow.get_xy()[:, 1].mean()) == 0)
    assert np.ptp(rest[:, 0]) == pytest.approx(values[0, :11].sum())


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0, 1e5, 1e12])
@pytest.mark.parametrize("plot", ["waterfall", "bar", "force"])
def test_the_numbers_are_those_of_the_answer(plot: str, scale: float) -> None:
    """To the digits shown, of which there are three at least, whatever the size: no `+0` for a probability of 0.004."""
    values = np.array([[0.3141, -0.1234, 0.00567, -0.00089]]) * scale
    sketch = replace(SKETCH, plot=cast(Plot, plot), values=np.abs(values) if plot == "bar" else values, base_value=0.2 * scale)
    plt.figure()
    with _all_digits():
        PLOTS[sketch.plot](sketch)
    said = [text.strip().replace("\N{MINUS SIGN}", "-") for text in texts()]
    wanted = [] if plot == "force" else list(sketch.values[0])
    if plot != "bar":
        wanted.append(sketch.base_value + values.sum())
    if plot == "waterfall":
        wanted.append(sketch.base_value)
    shown = [float(found) for text in said for found in re.findall(r"^(?:\$ = )?([-+]?[0-9.]+(?:e[-+][0-9]+)?)\$?$", text)]
    for value in wanted:
        assert any(abs(number - value) <= 0.005 * abs(value) for number in shown), (value, said)


def test_bars_are_the_means() -> None:
    means = np.array([[0.4, 0.1, 0.3]])
    drawn(replace(SKETCH, plot="bar", values=means, names=["a", "b", "c"]))
    widths = sorted(bar.get_width() for bar in plt.gca().patches if isinstance(bar, Rectangle))
    np.testing.assert_allclose(widths, [0.1, 0.3, 0.4])
    assert "mean |SHAP value|" in texts()


def test_lines_of_a_decision_plot_end_at_the_predictions() -> None:
    values = np.array([[0.1, 0.2, -0.05], [-0.3, 0.1, 0.1]])
    drawn(replace(SKETCH, plot="decision", values=values, names=["a", "b", "c"]))
    paths = [np.asarray(line.get_xdata(), float) for line in plt.gca().lines]
    ends = sorted(path[-1] for path in paths if len(path) == 4)
    np.testing.assert_allclose(ends, sorted(SKETCH.base_value + values.sum(axis=1)))


def test_names_on_a_force_plot_keep_apart() -> None:
    """However long they are; `base value` beside the output, not below it."""
    values = np.array([[0.2, 0.15, 0.1, -0.2, -0.14, -0.1]])
    names = [f"feature number {k} with a long name = some value" for k in range(6)]
    drawn(replace(SKETCH, plot="force", values=values, names=names))
    shown = [text for text in plt.gca().texts if text.get_text().strip() in [*names, "base value", "up", "higher", "lower"]]
    assert len(shown) >= 8
    assert plt.gcf().get_figwidth() > 16
    boxes = [text.get_window_extent().padded(-4) for text in shown]
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_short_names_need_no_room() -> None:
    drawn(replace(SKETCH, plot="force", values=np.array([[0.2, 0.1, -0.2, -0.1]]), names=list("abcd")))
    assert plt.gcf().get_figwidth() == 16


@pytest.mark.parametrize("plot", ["waterfall", "force", "decision"])
def test_nothing_to_draw_is_said(plot: str) -> None:
    """No contribution at all: shap's force plot would never end."""
    for values in (np.zeros((1, 4)), np.full((1, 4), 1e-11)):
        picture = draw(replace(SKETCH, plot=cast(Plot, plot), values=values, media=PNG))
        assert Image.open(io.BytesIO(picture)).width > 100


@pytest.mark.parametrize(("base", "size"), [(-4.5e-9, 3e-8), (1e9, 430.0), (0.2, 1e-7)])
def test_the_smallest_contributions_are_drawn(base: float, size: float) -> None:
    """As long as the answer's nine digits tell them from nothing."""
    values = np.array([[size, -size / 3, size / 5, 0.0]])
    sketch = replace(SKETCH, values=values, base_value=base)
    assert not _is_nothing(sketch)
    assert draw(sketch)
    assert draw(replace(sketch, plot="force"))


def test_maps_of_images_stand_beside_them() -> None:
    """Each image, then its outputs in red and blue; no title on another map, the scale close below."""
    values = np.random.default_rng(0).normal(size=(3, 8, 8, 2))
    images = np.zeros((3, 8, 8, 1), np.uint8)
    titles = [["Ankle boot\n0.9", "Bag\n0.1"]] * 3
    drawn(replace(SKETCH, plot="image", values=values, images=images, titles=titles, names=[]))
    *maps, scale = plt.gcf().axes
    assert len(maps) == 9
    for row in range(3):
        for k in range(2):
            axes = maps[3 * row + 1 + k]
            np.testing.assert_array_equal(axes.get_images()[-1].get_array(), values[row, ..., k])
            assert axes.get_title() == titles[row][k]
    plt.gcf().canvas.draw()
    for upper, lower in zip(maps[:6], maps[3:], strict=True):
        if lower.get_title():
            assert not lower.title.get_window_extent().overlaps(upper.get_window_extent())
    assert 0 < min(axes.get_position().y0 for axes in maps) - scale.get_position().y1 < 0.1


def test_bytes_do_not_depend_on_what_was_drawn_before() -> None:
    sketch = replace(SKETCH, plot="beeswarm", values=np.random.default_rng(1).normal(size=(40, 4)), media=PNG)
    first = draw(sketch)
    draw(SKETCH)
    np.random.standard_normal(5)
    assert draw(sketch) == first
