"""Models as they are loaded: what cannot be explained is still predicted, and says why."""

from pathlib import Path

import keras
import numpy as np

from models.backgrounds import Background, equal_weights
from models.folder import write_folder
from service.app import create_app
from service.catalog import Catalog
from service.settings import Settings
from tests.conftest import serving
from tests.explainers.nets import dense_net, manifest_for


def test_a_layer_without_rule_is_named_and_other_methods_answer(tmp_path: Path) -> None:
    """`deep` is refused, never replaced; `auto` takes what is right without rules."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, activation="sparsemax", name="bent")])
    background = Background(np.zeros((2, 3), np.float32), equal_weights(2))
    write_folder(tmp_path / "m", manifest_for(model), model, background, "", force=False)
    catalog = Catalog()
    catalog.load(tmp_path)
    with serving(create_app(Settings(), catalog)) as client:
        body = {"model": "m", "instances": [{"c0": 1, "c1": 2}]}
        assert client.post("/predict", json=body).status_code == 200
        for method in ("deep", "deep_shap"):
            refusal = client.post("/explain", json=body | {"method": method})
            assert refusal.status_code == 422
            assert "activation sparsemax of layer bent has no rule" in refusal.json()["detail"]
        assert client.post("/explain", json=body).json()["method"] == "exact"
        methods = {method["name"]: method["reason"] for method in client.get("/models/m").json()["methods"]}
        assert "sparsemax of layer bent" in methods["deep"]
        assert methods["gradient"] is None


def test_a_folder_under_another_name_is_refused(tmp_path: Path) -> None:
    """The name in the manifest is the name on the wire."""
    model = dense_net(3, [4], 2, "softmax")
    background = Background(np.zeros((2, 3), np.float32), equal_weights(2))
    write_folder(tmp_path / "other", manifest_for(model), model, background, "", force=False)
    catalog = Catalog()
    catalog.load(tmp_path)
    assert catalog.entries()["other"].reason == "expected the folder to be named m, as its manifest says"
    assert not catalog.ready()
