"""POST /summary and GET /models/{name}/samples: many instances added up, and instances to try."""

import base64
import io
from dataclasses import replace
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmarks.process import Server
from models.backgrounds import Background
from models.folder import TRAINED, read_folder
from models.manifest import Example
from models.tabular import decode, encode
from schemas.picture import SVG
from schemas.summary import Samples, SummaryResponse
from service.app import create_app
from service.backgrounds import Backgrounds
from service.catalog import Catalog
from service.settings import Settings
from tests.conftest import serving
from tests.fakes import BACKGROUND, MANIFEST, WEIGHTS, linear_model, predict
from tests.service.test_api import MEAN, RECORD, ask, problem, refused
from tests.service.test_pictures import alternative, picture

SIZES = np.abs((BACKGROUND.x - MEAN)[:, :, None] * WEIGHTS)  # (rows, columns, outputs)


def shown(**changes: Any) -> FastAPI:
    """The app around the linear model, whose background may be shown."""
    manifest = MANIFEST.model_copy(update={"samples": True, **changes})
    return create_app(Settings(), Catalog({"linear": replace(linear_model(), manifest=manifest)}))


def test_without_instances_the_background_is_added_up_by_its_weights() -> None:
    """sum_b w_b |w (x_b - mean)| per output; every row is explained."""
    with serving(shown()) as client:
        answer = client.post("/summary", json={"model": "linear", "players": "columns"}).json()
    SummaryResponse.model_validate(answer)
    np.testing.assert_allclose(answer["mean_abs_shap_values"], np.einsum("b,bco->co", BACKGROUND.weights, SIZES), atol=1e-7)
    assert answer["outputs"] == ["up", "down"]
    assert len(answer["explanations"]) == 3
    assert all(explanation["proof"]["ok"] for explanation in answer["explanations"])


def test_rows_that_may_be_somebodys_are_not_told(client: httpx.Client) -> None:
    """Neither what they are nor their values, from which that can be found: means only, and no points."""
    answer = client.post("/summary", json={"model": "linear", "players": "columns"}).json()
    assert answer["explanations"] == []
    np.testing.assert_allclose(answer["mean_abs_shap_values"], np.einsum("b,bco->co", BACKGROUND.weights, SIZES), atol=1e-7)
    assert problem(client.get("/models/linear/samples"), 404).type == "/problems/not-found"
    ask_for = {"model": "linear", "plot": "beeswarm"}
    assert problem(client.post("/summary", json=ask_for, headers={"accept": SVG}), 422).errors[0].pointer == "/plot"


def test_an_output_that_only_rows_without_weight_have_is_left_out() -> None:
    """Its mean would be 0 / 0."""
    model = linear_model()
    known = model.backgrounds.named("default")
    x = np.concatenate([known.background.x, [[-500, 0, 1, 0, 0]]]).astype(np.float32)
    weights = np.append(known.background.weights, 0).astype(np.float32)
    backgrounds = Backgrounds({"default": (Background(x, weights), predict(x).astype(np.float64))})
    with serving(create_app(Settings(), Catalog({"linear": replace(model, backgrounds=backgrounds)}))) as client:
        answer = client.post("/summary", json={"model": "linear", "outputs": "predicted"}).json()
    assert answer["outputs"] == ["up"]
    assert np.isfinite(answer["mean_abs_shap_values"]).all()


def test_instances_count_alike(client: httpx.Client) -> None:
    records = [RECORD, RECORD | {"Size": 0, "Colour": "red"}]
    explained = ask(client, "/explain", instances=records)
    answer = ask(client, "/summary", instances=records)
    sizes = np.abs([explanation["shap_values"] for explanation in explained["explanations"]])
    np.testing.assert_allclose(answer["mean_abs_shap_values"], sizes.mean(axis=0), rtol=1e-8)
    assert answer["explanations"] == explained["explanations"]


def test_each_output_is_averaged_over_those_for_whom_it_is_predicted(client: httpx.Client) -> None:
    records = [RECORD, {"Size": -900, "Count": 3}, {"Size": -800, "Count": 3}]
    answer = ask(client, "/summary", instances=records, outputs="predicted")
    values = [np.abs(explanation["shap_values"])[:, 0] for explanation in answer["explanations"]]
    assert [explanation["outputs"] for explanation in answer["explanations"]] == [["up"], ["down"], ["down"]]
    assert answer["outputs"] == ["up", "down"]
    expected = np.stack([values[0], (values[1] + values[2]) / 2], axis=-1)
    np.testing.assert_allclose(answer["mean_abs_shap_values"], expected, rtol=1e-8)
    assert ask(client, "/summary", instances=records, outputs=["down", "up"])["outputs"] == ["down", "up"]


def test_no_instances_at_all_are_refused(client: httpx.Client) -> None:
    """An empty list is a mistake, not a question about the background."""
    assert refused(client, 422, "/summary", instances=[]).errors[0].pointer == "/instances"


def test_a_summary_is_drawn_as_bars_or_as_a_beeswarm(client: httpx.Client) -> None:
    body: dict[str, Any] = {"path": "/summary", "outputs": ["up"]}
    response = client.post("/summary", json={"model": "linear", "outputs": ["up"]}, headers={"accept": SVG})
    assert alternative(response).startswith("Bar plot, model linear, output up, 3 instances")
    assert alternative(picture(client, plot="beeswarm", instances=[RECORD] * 4, **body)).startswith("Beeswarm plot")
    refusal = problem(picture(client, path="/summary", plot="waterfall"), 422)
    assert "`bar`, `beeswarm`" in refusal.errors[0].detail
    assert problem(picture(client, path="/summary"), 422).errors[0].pointer == "/instances"


def test_samples_can_be_sent_as_they_are() -> None:
    """The centres of the background, as records that are encoded to the very same rows; and those of the manifest."""
    example = Example(name="a large one", instance={"Size": 90, "Count": 1})
    with serving(shown(examples=[example])) as client:
        answer = client.get("/models/linear/samples").json()
        Samples.model_validate(answer)
        assert answer["examples"] == [example.model_dump()]
        assert answer["instances"][0] == {"Size": 4.0, "Count": 1, "Colour": "red"}
        np.testing.assert_allclose(answer["weights"], [0.5, 0.3, 0.2])
        assert answer["labels"] is None
        sent = ask(client, "/summary", instances=answer["instances"])
        held = client.post("/summary", json={"model": "linear"}).json()
        assert [e["shap_values"] for e in sent["explanations"]] == [e["shap_values"] for e in held["explanations"]]
        assert held["explanations"][1]["data"] == [6.0, 5, "green"]


@given(
    st.floats(-1000, 1000).map(lambda value: round(value, 3)),
    st.integers(0, 20),
    st.sampled_from(["red", "green", "blue"]),
)
def test_decoding_undoes_encoding(size: float, count: int, colour: str) -> None:
    """To a value that is encoded to the same number, in as few digits as that takes."""
    values: dict[str, Any] = {"Size": [size], "Count": [count], "Colour": [colour]}
    x = encode(MANIFEST.columns, values)
    (row,) = decode(MANIFEST, x)
    assert row[1:] == [count, colour]
    again: dict[str, Any] = {name: [value] for name, value in zip(values, row, strict=True)}
    assert (encode(MANIFEST.columns, again) == x).all()
    assert len(repr(row[0])) <= len(repr(size)) + 2


@pytest.mark.parametrize("name", ["titanic", "fashion-mnist"])
def test_the_shipped_samples(server: Server, name: str) -> None:
    """As many as the background has rows; predicted as the background is."""
    samples = Samples.model_validate(httpx.get(f"{server.url}/models/{name}/samples").json())
    background = read_folder(TRAINED / name).background
    assert len(samples.instances) == len(background.x)
    np.testing.assert_allclose(samples.weights, background.weights, rtol=1e-6)
    predicted = httpx.post(f"{server.url}/predict", json={"model": name, "instances": samples.instances}, timeout=60).json()
    assert predicted["labels"] == samples.labels
    assert predicted["warnings"] == []
    assert len(samples.examples) == (6 if name == "titanic" else 0)
    if name == "fashion-mnist":
        image = Image.open(io.BytesIO(base64.b64decode(samples.instances[0]["b64"])))
        assert (np.asarray(image) == np.round(background.x[0, ..., 0] * 255)).all()


def test_the_image_plot_of_shipped_samples(server: Server) -> None:
    """Each image, then its explained classes; at most eight images, and bars of patches."""
    instances = httpx.get(f"{server.url}/models/fashion-mnist/samples").json()["instances"]
    body = {"model": "fashion-mnist", "instances": instances[:2]}
    with httpx.Client(base_url=server.url) as client:
        assert alternative(picture(client, **body)).startswith("Shapley values of 2 images, model fashion-mnist. Image 1: ")
        assert (
            problem(picture(client, **body | {"instances": instances[:9], "plot": "image"}), 422).errors[0].pointer
            == "/instances"
        )
        assert "row 1, column 1" in alternative(
            picture(client, **body | {"instances": instances[:1], "plot": "force", "patches": 1})
        )
        assert alternative(picture(client, path="/summary", **body, outputs=["Bag"])).startswith("Bar plot")
        assert problem(picture(client, **body, plot="bar"), 422).errors[0].pointer == "/outputs"
        assert (
            problem(picture(client, **body, plot="decision", players="pixels", outputs=["Bag"]), 422).errors[0].pointer
            == "/players"
        )
