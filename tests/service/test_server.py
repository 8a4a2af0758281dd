"""The real server as a process, both shipped models, spoken to over HTTP."""

import base64
import io
import json
import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from benchmarks.process import ROOT, Server
from models.folder import TRAINED
from schemas.catalog import ModelDetail, ModelList
from schemas.explain import ExplainResponse
from schemas.predict import PredictResponse

PASSENGER = json.loads((ROOT / "examples" / "passenger.json").read_text())
PASSENGERS = json.loads((ROOT / "examples" / "passengers.json").read_text())
IMAGE = json.loads((ROOT / "examples" / "image.json").read_text())


def post(server: Server, path: str, body: dict[str, Any]) -> Any:
    response = httpx.post(server.url + path, json=body, timeout=60)
    assert response.status_code == 200, response.text
    return response.json()


def b64(image: Image.Image, kind: str = "PNG") -> str:
    file = io.BytesIO()
    image.save(file, kind)
    return base64.b64encode(file.getvalue()).decode()


def test_both_models_are_listed_and_described(server: Server) -> None:
    models = ModelList.model_validate(httpx.get(f"{server.url}/models").json()).models
    assert [(model.name, model.state) for model in models] == [("fashion-mnist", "ready"), ("titanic", "ready")]
    titanic = ModelDetail.model_validate(httpx.get(f"{server.url}/models/titanic").json())
    assert [field.name for field in titanic.fields if field.required] == ["Pclass", "Sex", "SibSp", "Parch"]
    assert titanic.metrics["cross_validated_accuracy"] >= 0.8
    fashion = ModelDetail.model_validate(httpx.get(f"{server.url}/models/fashion-mnist").json())
    assert fashion.image is not None
    assert (fashion.image.height, fashion.image.width, fashion.image.channels) == (28, 28, 1)
    assert fashion.players == ["pixels", "patches"]


FASHION = {"model": "fashion-mnist", "instances": IMAGE["instances"]}


def test_the_notebooks_passengers_are_predicted(server: Server) -> None:
    answer = post(server, "/predict", PASSENGERS)
    PredictResponse.model_validate(answer)
    assert answer["labels"] == ["died", "survived", "died", "survived", "died", "survived"]
    np.testing.assert_allclose(np.sum(answer["predictions"], axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("method", ["auto", "exact", "permutation", "deep", "deep_shap", "monte_carlo", "kernel", "gradient"])
@pytest.mark.parametrize("players", ["fields", "columns"])
def test_passengers_are_explained(server: Server, method: str, players: str) -> None:
    answer = post(server, "/explain", PASSENGERS | {"method": method, "players": players})
    ExplainResponse.model_validate(answer)
    for explanation in answer["explanations"]:
        assert explanation["outputs"] == ["died", "survived"]
        values = np.array(explanation["shap_values"])
        assert values.shape == ({"fields": 7, "columns": 9}[players], 2)
        np.testing.assert_allclose(values[:, 0], -values[:, 1], atol=1e-5)
        assert explanation["proof"]["ok"]
    assert answer["method"] == ("exact" if method == "auto" else method)


@pytest.mark.parametrize(("players", "shape"), [("pixels", (28, 28, 1)), ("patches", (4, 4))])
@pytest.mark.parametrize("outputs", ["predicted", "all", ["Sandal", "Bag"]])
def test_an_image_is_explained(server: Server, players: str, shape: tuple[int, ...], outputs: Any) -> None:
    answer = post(server, "/explain", IMAGE | {"players": players, "outputs": outputs})
    ExplainResponse.model_validate(answer)
    (explanation,) = answer["explanations"]
    asked = {"predicted": 1, "all": 10}.get(str(outputs), 2)
    assert np.shape(explanation["shap_values"]) == (*shape, asked)
    assert explanation["data"] is None
    assert explanation["proof"]["ok"]
    if outputs == "all":
        np.testing.assert_allclose(np.sum(explanation["shap_values"], axis=-1), 0, atol=1e-6)


def test_images_of_any_kind_are_fitted_and_it_is_said(server: Server) -> None:
    """A JPEG in colour and another size, a data URL with white space, a white background."""
    jpeg = b64(Image.new("RGB", (100, 60), (90, 30, 30)), "JPEG")
    url = "data:image/png;base64,\n " + b64(Image.new("L", (28, 28), 255))
    answer = post(server, "/predict", {"model": "fashion-mnist", "instances": [{"b64": jpeg}, {"b64": url}]})
    assert len(answer["labels"]) == 2
    told = " ".join(answer["warnings"])
    for word in ("converted to grey", "100 x 60 to 28 x 28", "light along the border"):
        assert word in told


@pytest.mark.parametrize("instance", [{"b64": "no base64!"}, {"b64": "aGVsbG8="}, {"b64": 3}, {"file": ""}, "x", {"Pclass": 3}])
def test_what_is_no_image_is_pointed_at(server: Server, instance: Any) -> None:
    """The good one does not help: one bad instance refuses the request."""
    body = {"model": "fashion-mnist", "instances": [*IMAGE["instances"], instance]}
    response = httpx.post(f"{server.url}/explain", json=body)
    assert response.status_code == 422
    assert {error["pointer"].split("/")[2] for error in response.json()["errors"]} == {"1"}
    assert "expected" in response.json()["errors"][0]["detail"]


def test_a_background_of_images(server: Server) -> None:
    """An image against itself has no reason to differ."""
    answer = post(server, "/explain", IMAGE | {"background": {"instances": IMAGE["instances"]}})
    assert np.abs(answer["explanations"][0]["shap_values"]).max() == 0


def test_concurrent_mixed_requests_get_the_serial_bytes(server: Server) -> None:
    pixels = IMAGE | {"players": "pixels"}
    bodies = [PASSENGER, PASSENGERS, pixels, pixels | {"outputs": "all"}, PASSENGER | {"method": "permutation"}]
    with httpx.Client(base_url=server.url, timeout=60) as client:

        def ask(body: dict[str, Any]) -> bytes:
            return client.post("/explain", json=body).content

        serial = [ask(body) for body in bodies]
        with ThreadPoolExecutor(8) as pool:
            assert list(pool.map(ask, bodies * 6)) == serial * 6


def test_interactions_of_patches(server: Server) -> None:
    """Pairs need `exact`, also when `auto` and the players are left to the service: 16 patches are too many, four are not."""
    response = httpx.post(f"{server.url}/explain", json=FASHION | {"interactions": True}, timeout=60)
    assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, "/max_evaluations")
    (explanation,) = post(server, "/explain", FASHION | {"interactions": True, "patches": 2})["explanations"]
    pairs = np.array(explanation["shap_interaction_values"])
    assert pairs.shape == (4, 4, 1)
    np.testing.assert_allclose(pairs.sum(axis=1).reshape(2, 2, 1), explanation["shap_values"], atol=1e-7)


def test_a_thousand_passengers_at_once(server: Server) -> None:
    answer = post(server, "/explain", PASSENGERS | {"instances": PASSENGERS["instances"] * 170})
    assert len(answer["explanations"]) == 1020
    assert answer["explanations"][6:12] == answer["explanations"][-6:]


def test_a_late_answer_is_504_and_the_lane_is_free_again(server: Server) -> None:
    """Sixty images, ten classes each, take seconds; the work stops between two blocks."""
    many = IMAGE | {"instances": IMAGE["instances"] * 60, "outputs": "all", "deadline_ms": 300}
    response = httpx.post(f"{server.url}/explain", json=many, timeout=60)
    assert response.status_code == 504
    assert response.elapsed.total_seconds() < 10
    post(server, "/predict", PASSENGER)


def test_live_before_ready_broken_models_refused_and_a_clean_end(tmp_path: Path) -> None:
    """/livez answers while models load; a folder that is wrong is listed with its reason, and the others serve."""
    shutil.copytree(TRAINED / "titanic", tmp_path / "titanic")
    shutil.copytree(TRAINED / "titanic", tmp_path / "changed")
    (tmp_path / "changed" / "model.keras").write_bytes(b"something else")
    (tmp_path / "empty").mkdir()
    server = Server(SHAPSERVE_MODELS=str(tmp_path))
    try:
        assert httpx.get(f"{server.url}/livez", timeout=60).status_code == 200
        early = httpx.get(f"{server.url}/readyz", timeout=60)
        assert (early.status_code, early.json()["status"]) == (503, "not ready")
        busy = httpx.post(f"{server.url}/predict", json=PASSENGER, timeout=60)
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "5")
        server.wait_until_ready()
        reasons = {m["name"]: (m["state"], m["reason"]) for m in httpx.get(f"{server.url}/models").json()["models"]}
        assert reasons["titanic"] == ("ready", None)
        assert reasons["changed"] == ("refused", "model.keras: expected the sha256 that manifest.json gives")
        assert reasons["empty"][0] == "refused"
        assert httpx.post(f"{server.url}/explain", json=PASSENGER).status_code == 200
        assert httpx.post(f"{server.url}/explain", json=PASSENGER | {"model": "changed"}).status_code == 404
    finally:
        code = server.stop()
    assert code in (0, -signal.SIGTERM)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the system does not list threads in /proc")
def test_what_computes_stands_back(server: Server) -> None:
    """TensorFlow's threads too; only the event loop's keeps its rank."""
    ranks = {}
    for task in Path(f"/proc/{server.pid}/task").iterdir():
        name, fields = (task / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
        if name.startswith("tf_"):
            ranks[task.name] = int(fields.split()[16])
    assert ranks
    assert min(ranks.values()) == max(3, os.getpriority(os.PRIO_PROCESS, server.pid))
