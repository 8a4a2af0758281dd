"""Explanations as pictures: which, of what, the same bytes each time, and said in words."""

import io
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

import httpx
import numpy as np
import pytest
from PIL import Image

from models.manifest import ImageSpec, Manifest
from schemas.explain import ExplainRequest
from schemas.picture import JSON, PNG, SVG
from service.app import create_app
from service.errors import Invalid
from service.lane import Clock
from service.pictures.pose import pose
from service.pictures.sketch import Sketch
from service.pictures.words import stood_at
from service.settings import Settings
from tests.conftest import serving
from tests.fakes import MANIFEST, linear_catalog, linear_model
from tests.service.test_api import COLUMN_VALUES, RECORD, problem

RECORDS = [RECORD, RECORD | {"Size": 8, "Colour": "red"}, RECORD | {"Count": 0}]


def picture(client: httpx.Client, media: str = SVG, path: str = "/explain", **body: Any) -> httpx.Response:
    return client.post(path, json={"model": "linear", "instances": [RECORD]} | body, headers={"accept": media}, timeout=60)


def alternative(response: httpx.Response) -> str:
    """What the picture says of itself."""
    assert response.status_code == 200, response.text
    if response.headers["content-type"] == PNG:
        return str(Image.open(io.BytesIO(response.content)).info["Description"])
    root = ElementTree.fromstring(response.content)
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == title.get("id")
    return str(title.text)


@pytest.mark.parametrize("media", [SVG, PNG])
@pytest.mark.parametrize(
    ("plot", "count"), [("waterfall", 1), ("force", 1), ("decision", 1), ("decision", 3), ("bar", 3), ("beeswarm", 3)]
)
def test_every_plot_in_both_formats(client: httpx.Client, plot: str, count: int, media: str) -> None:
    """A picture that says in words what it shows, the same to the byte when asked for again."""
    first, second = (picture(client, media, plot=plot, instances=RECORDS[:count]) for _ in range(2))
    assert first.headers["content-type"] == media
    assert first.headers["vary"] == "Accept"
    assert re.search(r"explain;dur=.*draw;dur=", first.headers["server-timing"])
    assert alternative(first).startswith(f"{plot.capitalize()} plot, model linear, output ")
    assert first.content == second.content
    if media == PNG:
        width, height = Image.open(io.BytesIO(first.content)).size
        assert width > 600
        assert height > 200


def test_the_words_are_the_numbers(client: httpx.Client) -> None:
    """Prediction, base value and contributions, largest first, raw values beside the names."""
    text = alternative(picture(client, outputs=["up"]))
    values = [COLUMN_VALUES[0, 0], COLUMN_VALUES[1, 0], COLUMN_VALUES[2:, 0].sum()]
    names = ["Size = 6", "Count = 3", "Colour = blue"]
    said = ", ".join(f"{names[k]} {values[k]:+.3g}" for k in np.argsort(-np.abs(values)))
    assert text.endswith(f"Contributions: {said}.")
    assert "Size = 4 (missing)" in alternative(picture(client, instances=[RECORD | {"Size": None}]))


def test_whole_numbers_are_said_in_full() -> None:
    assert [stood_at("n", value, []) for value in (1234567.0, 48213, 0.92, 29.69911764705882, 123456.25, 2e9)] == [
        "n = 1234567",
        "n = 48213",
        "n = 0.92",
        "n = 29.6991",
        "n = 123456.25",
        "n = 2000000000",
    ]


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", JSON),
        ("", JSON),
        ("image/*", SVG),
        ("image/png, image/svg+xml;q=0.9", PNG),
        ("image/avif, image/webp, image/png, */*;q=0.1", PNG),
        ("image/png;q=0.2, application/json;q=0.1", PNG),
        ("image/*;q=0.5, image/svg+xml;q=0", PNG),
    ],
)
def test_the_client_gets_what_it_likes_best(client: httpx.Client, accept: str, media: str) -> None:
    response = picture(client, accept)
    assert response.headers["content-type"] == media
    assert response.headers["vary"] == "Accept"


def test_what_cannot_be_made_is_406_with_what_can(client: httpx.Client) -> None:
    response = picture(client, "text/html")
    assert f"{JSON} or {SVG} or {PNG}" in problem(response, 406).detail
    assert response.headers["vary"] == "Accept"
    assert "svg" not in problem(picture(client, SVG, "/predict"), 406).detail


@pytest.mark.parametrize(
    ("body", "pointer", "says"),
    [
        ({"plot": "waterfall", "instances": RECORDS}, "/plot", "draws one instance; send one, or take `decision`"),
        ({"plot": "force", "instances": RECORDS}, "/plot", "draws one instance"),
        ({"plot": "bar"}, "/plot", "draws several instances; send more, or take `waterfall`"),
        ({"plot": "beeswarm"}, "/plot", "draws several instances"),
        ({"plot": "image"}, "/plot", "draws images"),
        ({"plot": "pie"}, "/plot", "waterfall"),
        ({"palette": "rainbow"}, "/palette", "colour_blind"),
        ({"outputs": "all"}, "/outputs", "draws one output; expected a list with one of `up`, `down`"),
        ({"outputs": ["sideways"]}, "/outputs", "`up`, `down`"),
    ],
)
def test_what_cannot_be_drawn_is_refused(client: httpx.Client, body: dict[str, Any], pointer: str, says: str) -> None:
    refused = problem(picture(client, **body), 422)
    assert [error.pointer for error in refused.errors] == [pointer]
    assert says in refused.errors[0].detail


def test_json_takes_no_notice_of_the_plot(client: httpx.Client) -> None:
    """The explanation is the same, however it would be drawn."""
    assert picture(client, JSON, plot="bar").content == picture(client, JSON).content


def test_a_picture_has_room_for_a_hundred_maps() -> None:
    """Two images of sixty classes each would take a minute, and nobody could read them."""
    image = ImageSpec(height=4, width=4, channels=1, scale=1.0)
    names = [f"class {k}" for k in range(60)]
    manifest = Manifest(name="m", version="1", kind="image", output_names=names, image=image)
    model, predictions = replace(linear_model(), manifest=manifest), np.zeros((2, 60), np.float32)
    for outputs in ("all", None, names[:51]):
        with pytest.raises(Invalid) as refused:
            pose(ExplainRequest(model="m", instances=[{}] * 2, plot="image", outputs=outputs), model, predictions)
        assert [error.pointer for error in refused.value.errors] == ["/outputs"]
    assert pose(ExplainRequest(model="m", instances=[{}] * 2, outputs="predicted"), model, predictions).plot == "image"


def test_a_single_output_need_not_be_named() -> None:
    manifest = MANIFEST.model_copy(update={"output_names": ["y"]})
    model, predictions = replace(linear_model(), manifest=manifest), np.zeros((2, 1), np.float32)
    for outputs in ("all", "predicted", None, ["y"]):
        assert pose(ExplainRequest(model="m", instances=[{}] * 2, outputs=outputs), model, predictions).outputs == ["y"]


def test_which_output_is_drawn_when_none_is_named(client: httpx.Client) -> None:
    """Of one instance the likeliest, of several the second of two."""
    assert ", output up:" in alternative(picture(client))
    assert ", output down:" in alternative(picture(client, instances=[{"Size": -900, "Count": 3}]))
    assert ", output down," in alternative(picture(client, plot="bar", instances=RECORDS))
    assert ", output up," in alternative(picture(client, plot="bar", instances=RECORDS, outputs=["up"]))


def test_several_records_are_a_beeswarm_when_nothing_is_said(client: httpx.Client) -> None:
    assert alternative(picture(client, instances=RECORDS)).startswith("Beeswarm plot")
    assert "Colour (red, green, blue)" in alternative(picture(client, instances=RECORDS))


def coloured(svg: str) -> set[str]:
    """The colours of a picture that are no grey."""
    return {colour for colour in re.findall("#[0-9a-f]{6}", svg.lower()) if len({colour[1:3], colour[3:5], colour[5:]}) > 1}


@pytest.mark.parametrize(("plot", "count"), [("waterfall", 1), ("force", 1), ("decision", 3), ("bar", 3), ("beeswarm", 3)])
def test_the_other_palette_has_none_of_shaps_colours(client: httpx.Client, plot: str, count: int) -> None:
    """Neither its reds nor its blues, nor what lies between."""
    asked = {"plot": plot, "instances": RECORDS[:count], "outputs": ["up"]}
    usual, other = (coloured(picture(client, palette=palette, **asked).text) for palette in ("shap", "colour_blind"))  # type: ignore[arg-type]
    assert usual
    assert other
    assert not usual & other


def test_sixteen_at_once_are_the_same_as_one_by_one(client: httpx.Client) -> None:
    """Pyplot is one for the whole process; so is the lane."""
    asked: list[dict[str, Any]] = [
        {"plot": plot, "instances": RECORDS[:count], "outputs": [output]}
        for plot, count in {"waterfall": 1, "force": 1, "bar": 3, "beeswarm": 3}.items()
        for output in ("up", "down")
    ]
    alone = [picture(client, **body).content for body in asked]
    assert len(set(alone)) == len(alone)
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda body: picture(client, **body).content, asked * 2))
    assert together == alone * 2


def test_answers_go_on_while_a_picture_is_drawn() -> None:
    """Drawing has a lane of its own: with one thread, a prediction does not wait for a picture."""
    app = create_app(Settings(threads=1), linear_catalog())
    release = threading.Event()

    def slow(sketch: Sketch, clock: Clock) -> bytes:
        release.wait(20)
        return b"drawn"

    app.state.easel.draw = slow
    with serving(app) as client, ThreadPoolExecutor(1) as thread:
        drawing = thread.submit(picture, client)
        assert client.post("/predict", json={"model": "linear", "instances": [RECORD]}).status_code == 200
        assert not drawing.done()
        release.set()
        assert drawing.result().content == b"drawn"


def test_a_picture_that_comes_too_late_is_504() -> None:
    app = create_app(Settings(), linear_catalog())
    release = threading.Event()
    app.state.easel.draw = lambda sketch, clock: release.wait(20)
    with serving(app) as client:
        assert problem(picture(client, deadline_ms=300), 504).type == "/problems/deadline-passed"
        release.set()
