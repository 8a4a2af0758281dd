"""The Open Inference Protocol over HTTP: tensors in and out, the same numbers, errors that point into the tensors."""

import base64
import io
import json
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from benchmarks.process import ROOT, Server
from schemas.predict import MAX_INSTANCES
from schemas.v2 import Datatype, ModelMetadata, ServerMetadata, V2Response
from service import __version__
from service.app import create_app
from service.catalog import Catalog
from service.protocols.outputs import EXPLAINED
from service.protocols.tensors import NUMERIC
from service.settings import Settings
from tests.browser.shapes import Net, picture, same
from tests.conftest import serving
from tests.service.test_api import RECORD, ask
from tests.service.test_v1 import refused

INFER, EXPLAIN = "/v2/models/linear/infer", "/v2/models/linear/explain"
INSTANCES = [RECORD, {"Count": 1, "Colour": "green"}]
PIXELS = np.arange(32, dtype=np.uint8).reshape(2, 4, 4, 1) * 8


def tensor(name: str, datatype: str, data: list[Any], shape: list[int] | None = None) -> dict[str, Any]:
    return {"name": name, "shape": [len(data)] if shape is None else shape, "datatype": datatype, "data": data}


SIZE = tensor("Size", "FP64", [6.0, None])
COUNT = tensor("Count", "INT64", [3, 1])
COLOUR = tensor("Colour", "BYTES", ["blue", "green"])
TENSORS = [SIZE, COUNT, COLOUR]
"""INSTANCES, a tensor per field."""


def told(client: httpx.Client, path: str, inputs: list[dict[str, Any]] = TENSORS, **body: Any) -> V2Response:
    response = client.post(path, json={"inputs": inputs} | body)
    assert response.status_code == 200, response.text
    return V2Response.model_validate_json(response.content)


def arrays(answer: V2Response) -> dict[str, np.ndarray]:
    return {output.name: np.array(output.data).reshape(output.shape) for output in answer.outputs}


@pytest.mark.parametrize(("member", "right"), [("inputs", COUNT), ("outputs", {"name": "predictions"})])
def test_one_wrong_tensor_is_enough_to_stop(client: httpx.Client, member: str, right: Any) -> None:
    """However many there are: no time and no memory goes into words about each."""
    body = {"inputs": TENSORS, "outputs": None} | {member: [0] * 9_000}
    took = []
    for _ in range(3):
        begin = time.process_time()
        assert len(refused(client.post(INFER, json=body), 422).errors) == 1
        took.append(time.process_time() - begin)
    assert min(took) < 0.2
    assert refused(client.post(INFER, json=body | {member: [right] * 10_001}), 422).errors[0].pointer == f"/{member}"


@pytest.mark.parametrize("path", [INFER, "/v2/models/linear/versions/7/infer"])
def test_predictions_are_those_of_predict(client: httpx.Client, path: str) -> None:
    answer = told(client, path, id="42")
    assert (answer.model_name, answer.model_version, answer.id) == ("linear", "7", "42")
    (predictions,) = answer.outputs
    assert (predictions.name, predictions.datatype, predictions.shape) == ("predictions", "FP32", [2, 2])
    assert arrays(answer)["predictions"].tolist() == ask(client, "/predict", instances=INSTANCES)["predictions"]


@pytest.mark.parametrize(
    "inputs",
    [
        [COLOUR, COUNT, SIZE],
        [COUNT | {"shape": [2, 1]}, SIZE | {"shape": [2, 1], "data": [[6.0], [None]]}, COLOUR],
        [SIZE | {"datatype": "FP16"}, COUNT | {"datatype": "UINT8"}, COLOUR | {"parameters": {"content_type": "str"}}],
        [SIZE | {"datatype": "INT32"}, COUNT | {"datatype": "FP32", "data": [3.0, 1.0]}, COLOUR],
        [*TENSORS, tensor("Note", "BYTES", ["a", "b"])],
    ],
)
def test_tensors_come_in_every_order_shape_and_datatype_that_fits(client: httpx.Client, inputs: list[dict[str, Any]]) -> None:
    """Flat or nested, in any datatype of numbers; fields that are ignored are ignored here too."""
    assert told(client, INFER, inputs) == told(client, INFER)


def test_a_field_without_tensor_is_absent(client: httpx.Client) -> None:
    assert arrays(told(client, EXPLAIN, [COUNT]))["imputed"].tolist() == [[True, False, True]] * 2
    native = ask(client, "/predict", instances=[{"Count": 3}, {"Count": 1}])
    assert arrays(told(client, INFER, [COUNT]))["predictions"].tolist() == native["predictions"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"outputs": ["down"]},
        {"outputs": "predicted", "players": "columns"},
        {"method": "permutation", "seed": 7, "max_stderr": 0.5},
        {"method": "monte_carlo", "max_evaluations": 3000},
        {"background": {"instances": [RECORD | {"Size": 2.0}]}},
        {"interactions": True},
    ],
)
def test_explanations_are_those_of_explain(client: httpx.Client, options: dict[str, Any]) -> None:
    """Array by array, in the order of EXPLAINED; parameters hold what is no array, and hold no lists."""
    answer, native = told(client, EXPLAIN, parameters=options), ask(client, instances=INSTANCES, **options)
    found, each = arrays(answer), native["explanations"]
    assert list(found) == [name for name in EXPLAINED if name in found]
    assert found["predictions"].tolist() == ask(client, "/predict", instances=INSTANCES)["predictions"]
    assert found["imputed"].tolist() == [[name in e["imputed"] for name in ("Size", "Count", "Colour")] for e in each]
    for name in ("outputs", "base_values", "shap_values", "shap_interaction_values"):
        assert (found[name].tolist() if name in found else None) == (None if each[0][name] is None else [e[name] for e in each])
    for name in ("residual", "tolerance", "ok", "evaluations", "stderr", "converged"):
        proofs = [e["proof"][name] for e in each]
        assert (found[name].tolist() if name in found else None) == (None if proofs[0] is None else proofs)
    for name in ("feature_names", "output_names"):
        assert found[name].tolist() == native[name]
    said = {name: native[name] for name in ("method", "why", "players")} | {"exact": each[0]["proof"]["exact"]}
    seed = {} if each[0]["proof"]["seed"] is None else {"seed": each[0]["proof"]["seed"]}
    background = {"background": native["background"]["name"], "background_rows": native["background"]["rows"]}
    assert answer.parameters == said | seed | background


def test_only_the_outputs_that_are_asked_for(client: httpx.Client) -> None:
    """In their order; what the answer does not have, such as stderr of exact values, is left out."""
    outputs = [{"name": "shap_values"}, {"name": "stderr"}, {"name": "ok", "parameters": {"binary_data": False}}]
    assert list(arrays(told(client, EXPLAIN, outputs=outputs))) == ["shap_values", "ok"]
    assert list(arrays(told(client, INFER, outputs=[]))) == ["predictions"]


def test_why_sampling_stopped_is_said(client: httpx.Client) -> None:
    answer = told(client, EXPLAIN, parameters={"method": "monte_carlo", "max_stderr": 1e-9, "max_evaluations": 3000})
    assert arrays(answer)["stopped_by"].tolist() == ["max_evaluations"] * 2
    assert arrays(answer)["converged"].tolist() == [False, False]


def test_warnings_are_not_lost(client: httpx.Client) -> None:
    far = [SIZE | {"data": [500, 6]}, COUNT, COLOUR]
    (warning,) = ask(client, "/predict", instances=[RECORD | {"Size": 500}, RECORD])["warnings"]
    assert told(client, INFER, far).parameters == {"warnings": warning}
    assert told(client, EXPLAIN, far).parameters["warnings"] == warning


def test_the_same_request_gets_the_same_bytes(client: httpx.Client) -> None:
    """The id is that of the request, and none is made up."""
    body = {"inputs": TENSORS, "parameters": {"method": "permutation"}}
    first, second = (client.post(EXPLAIN, json=body) for _ in range(2))
    assert first.content == second.content
    assert "id" not in first.json()
    assert "explain;dur=" in first.headers["server-timing"]


LONG, BINARY = "x" * 300, "/outputs/0/parameters/binary_data"


@pytest.mark.parametrize(
    ("inputs", "pointer", "says"),
    [
        ([SIZE, COUNT, COLOUR | {"data": ["blue", "pink"]}], "/inputs/2/data/1", "'red', 'green' or 'blue'"),
        ([SIZE, COUNT, COLOUR | {"data": ["blue", 1]}], "/inputs/2/data/1", "'red', 'green' or 'blue'"),
        ([COUNT, SIZE | {"shape": [2, 1], "data": [[1], ["s3cret"]]}], "/inputs/1/data/1/0", "valid number"),
        ([COUNT, SIZE | {"data": [1, True]}], "/inputs/1/data/1", "valid number"),
        ([COUNT, SIZE | {"data": [1, [2]]}], "/inputs/1/data/1", "valid number"),
        ([COUNT, SIZE | {"data": [1, 1e9]}], "/inputs/1/data/1", "less than or equal to 1000"),
        ([COUNT | {"data": [1, None]}], "/inputs/0/data/1", "valid number"),
        ([COUNT | {"data": [1, 2.5]}], "/inputs/0/data/1", "a whole number from -9.22337e+18 to 9.22337e+18"),
        ([COUNT | {"datatype": "FP64", "data": [1, 2.5]}], "/inputs/0/data/1", "whole number"),
        ([COUNT | {"datatype": "INT8", "data": [1, 128]}], "/inputs/0/data/1", "from -128 to 127, as the datatype INT8 says"),
        ([COUNT | {"datatype": "UINT8", "data": [-1, 1]}], "/inputs/0/data/0", "from 0 to 255"),
        ([COUNT, SIZE | {"datatype": "FP16", "data": [65505, 1]}], "/inputs/1/data/0", "from -65504 to 65504"),
        ([COUNT, SIZE | {"datatype": "BYTES"}], "/inputs/1/datatype", "expected FP64, or another for numbers"),
        ([COUNT | {"datatype": "BOOL"}], "/inputs/0/datatype", "expected INT64, or another for numbers"),
        ([COUNT, COLOUR | {"datatype": "INT64"}], "/inputs/1/datatype", "expected BYTES: `Colour` is a category"),
        ([COUNT | {"datatype": "FP8"}], "/inputs/0/datatype", "'BOOL', 'UINT8'"),
        ([COUNT | {"shape": [3]}], "/inputs/0/data", "expected 3 values, as `shape` says"),
        ([COUNT | {"shape": [2, 1], "data": [[1], 2]}], "/inputs/0/data/1", "expected a list"),
        ([COUNT | {"shape": [2, 1], "data": [[1], [1, 2]]}], "/inputs/0/data/1", "expected 1 items"),
        ([COUNT | {"shape": [2, 1], "data": [[1]]}], "/inputs/0/data", "expected 2 items"),
        ([COUNT | {"shape": [1, 2]}], "/inputs/0/shape", "expected [n] or [n, 1]"),
        ([COUNT | {"shape": []}], "/inputs/0/shape", "at least 1"),
        ([COUNT | {"shape": [-2]}], "/inputs/0/shape/0", "greater than or equal to 0"),
        ([COUNT | {"shape": [0], "data": []}], "/inputs/0/shape/0", f"1 to {MAX_INSTANCES} instances"),
        ([COUNT | {"shape": [10**30]}], "/inputs/0/shape/0", f"1 to {MAX_INSTANCES} instances"),
        ([COUNT | {"shape": [2.0]}], "/inputs/0/shape/0", "valid integer"),
        ([COUNT, tensor("Size", "FP64", [1.0])], "/inputs/1/shape/0", "expected 2 instances, as `Count` has"),
        ([COUNT, COUNT], "/inputs/1/name", "expected no tensor twice"),
        ([COUNT, tensor("Sise", "FP64", [1.0, 2.0])], "/inputs/1/name", "unknown tensor; did you mean `Size`?"),
        ([COUNT, tensor(LONG, "FP64", [1.0, 2.0])], "/inputs/1/name", "unknown tensor; expected Size, Count, Colour"),
        ([SIZE], "/inputs", "expected a tensor `Count`: it may not be absent"),
        ([], "/inputs", "at least 1"),
        ([COUNT | {"data": {"a": 1}}], "/inputs/0/data", "valid list"),
        ([COUNT | {"size": 1}], "/inputs/0/size", "unknown key; expected name, shape, datatype, parameters, data"),
        ([COUNT | {"parameters": {"binary_data_size": 16}}], "/inputs/0/parameters/binary_data_size", "unknown key"),
        ([3], "/inputs/0", "expected an object"),
    ],
)
def test_what_is_wrong_with_a_tensor_is_pointed_at(client: httpx.Client, inputs: list[Any], pointer: str, says: str) -> None:
    """In the body that was sent; no value is echoed."""
    for path in (INFER, EXPLAIN):
        response = client.post(path, json={"inputs": inputs})
        (error,) = refused(response, 422).errors
        assert (error.pointer, says in error.detail) == (pointer, True), error
        assert not any(value in response.text for value in ("pink", "s3cret", "Sise", "FP8", LONG))


@pytest.mark.parametrize(
    ("path", "body", "pointer", "says"),
    [
        (EXPLAIN, {"parameters": {"method": "shapley"}}, "/parameters/method", "'auto', 'exact'"),
        (EXPLAIN, {"parameters": {"method": "deep_shap"}}, "/parameters/method", "it is not written"),
        (
            EXPLAIN,
            {"parameters": {"background": {"instances": [{"Count": -1}]}}},
            "/parameters/background/instances/0/Count",
            "0",
        ),
        (EXPLAIN, {"outputs": [{"name": "shap_value"}]}, "/outputs/0/name", "`predictions`, `output_names`"),
        (INFER, {"outputs": [{"name": "shap_values"}]}, "/outputs/0/name", "expected `predictions`"),
        (INFER, {"outputs": [{"name": "predictions"}] * 2}, "/outputs/1/name", "expected no tensor twice"),
        (INFER, {"parameters": {"method": "exact"}}, "/parameters/method", "unknown key; expected content_type"),
        (INFER, {"outputs": [{"name": "predictions", "parameters": {"binary_data": True}}]}, BINARY, "expected False"),
        (INFER, {"id": 42}, "/id", "valid string"),
        (INFER, {"id": "x" * 1001}, "/id", "at most 1000 characters"),
        (INFER, {"instances": []}, "/instances", "unknown key; expected id, parameters, inputs, outputs"),
    ],
)
def test_what_is_wrong_beside_the_tensors_is_pointed_at(
    client: httpx.Client, path: str, body: dict[str, Any], pointer: str, says: str
) -> None:
    (error,) = refused(client.post(path, json={"inputs": TENSORS} | body), 422).errors
    assert (error.pointer, says in error.detail) == (pointer, True), error


def test_every_tensor_says_what_is_wrong_with_it_twenty_times_in_all(client: httpx.Client) -> None:
    inputs = [
        SIZE | {"datatype": "BOOL"},
        COLOUR | {"shape": [9]},
        COUNT | {"datatype": "INT8", "data": [999] * 50, "shape": [50]},
    ]
    errors = refused(client.post(INFER, json={"inputs": inputs}), 422).errors
    assert [error.pointer for error in errors[:3]] == ["/inputs/0/datatype", "/inputs/1/data", "/inputs/2/data/0"]
    assert len(errors) == 20
    many = [tensor(f"t{i}", "FP64", [1.0]) for i in range(5000)]
    assert len(refused(client.post(INFER, json={"inputs": many}), 422).errors) == 20


@pytest.mark.parametrize("datatype", NUMERIC)
def test_the_limits_of_a_datatype_are_those_of_numpy(datatype: Datatype) -> None:
    kind = np.dtype(datatype.lower().replace("fp", "float"))
    limits = np.finfo(kind) if kind.kind == "f" else np.iinfo(kind)
    assert NUMERIC[datatype] == (limits.min, limits.max)


def test_the_server_and_its_models_are_described(client: httpx.Client) -> None:
    server = ServerMetadata(name="shapserve", version=__version__, extensions=["explain"]).model_dump()
    assert client.get("/v2").json() == client.get("/v2/").json() == server
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"live": True, "ready": True}
    for path in ("/v2/models/linear", "/v2/models/linear/versions/7"):
        assert client.get(f"{path}/ready").json() == {"name": "linear", "ready": True}
        metadata = ModelMetadata.model_validate_json(client.get(path).content)
        assert (metadata.name, metadata.versions) == ("linear", ["7"])
        assert [(t.name, t.datatype, t.shape) for t in metadata.inputs] == [
            ("Size", "FP64", [-1]),
            ("Count", "INT64", [-1]),
            ("Colour", "BYTES", [-1]),
        ]
        assert [(t.name, t.datatype, t.shape) for t in metadata.outputs] == [("predictions", "FP32", [-1, 2])]


def test_nothing_is_ready_while_models_load() -> None:
    with serving(create_app(Settings(), Catalog())) as client:
        assert client.get("/v2/health/live").status_code == 200
        ready = client.get("/v2/health/ready")
        assert (ready.status_code, ready.json()) == (503, {"live": True, "ready": False})
        assert refused(client.get("/v2/models/linear"), 503).type == "/problems/loading"
        assert refused(client.post(INFER, json={"inputs": TENSORS}), 503).type == "/problems/loading"


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", INFER, 405, "method-not-allowed"),
        ("POST", "/v2/models/linear", 405, "method-not-allowed"),
        ("GET", "/v2/nothing", 404, "not-found"),
        ("GET", "/v2/models/other", 404, "unknown-model"),
        ("POST", "/v2/models/other/infer", 404, "unknown-model"),
        ("GET", "/v2/models/linear/versions/8", 404, "unknown-version"),
        ("GET", "/v2/models/linear/versions/8/ready", 404, "unknown-version"),
        ("POST", "/v2/models/linear/versions/8/infer", 404, "unknown-version"),
        ("POST", "/v2/models/linear/versions/8/explain", 404, "unknown-version"),
        ("POST", "/v2/models/broken/infer", 500, "not-finite"),
    ],
)
def test_every_error_has_the_member_error(client: httpx.Client, method: str, path: str, status: int, kind: str) -> None:
    response = client.request(method, path, json={"inputs": TENSORS} if method == "POST" else None)
    assert refused(response, status).type == f"/problems/{kind}"


@pytest.mark.parametrize(
    "path", ["/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/linear", "/v2/models/linear/versions/7/ready"]
)
def test_head(client: httpx.Client, path: str) -> None:
    assert (client.head(path).status_code, client.head(path).content) == (200, b"")


@pytest.fixture(scope="module")
def pictures() -> Iterator[httpx.Client]:
    """A model of four by four grey pixels."""
    weights = np.linspace(-1, 1, 16)[:, None]
    with serving(create_app(Settings(), Catalog({"grey": picture("grey", Net(weights, same), None)}))) as client:
        yield client


def files() -> list[str]:
    """PIXELS as PNG files."""
    made = []
    for pixels in PIXELS:
        file = io.BytesIO()
        Image.fromarray(pixels[..., 0]).save(file, "PNG")
        made.append(base64.b64encode(file.getvalue()).decode())
    return made


SCALED = (PIXELS * np.float32(1 / 255)).astype(np.float32)


@pytest.mark.parametrize(
    "image",
    [
        tensor("image", "BYTES", files()),
        tensor("image", "BYTES", [[file] for file in files()], [2, 1]),
        tensor("image", "FP32", SCALED.ravel().tolist(), [2, 4, 4, 1]),
        tensor("image", "FP32", SCALED.tolist(), [2, 4, 4, 1]),
    ],
)
def test_images_come_as_files_or_as_scaled_numbers(pictures: httpx.Client, image: dict[str, Any]) -> None:
    """The same numbers either way, and those of the native routes."""
    body = {"model": "grey", "instances": [{"b64": file} for file in files()]}
    native = pictures.post("/explain", json=body | {"players": "patches", "patches": 2}).json()
    answer = told(pictures, "/v2/models/grey/explain", [image], parameters={"patches": 2})
    found = arrays(answer)
    assert found["shap_values"].shape == (2, 2, 2, 1)
    assert found["shap_values"].tolist() == [e["shap_values"] for e in native["explanations"]]
    assert found["predictions"].tolist() == pictures.post("/predict", json=body).json()["predictions"]
    assert not {"feature_names", "imputed"} & set(found)
    assert answer.parameters.get("warnings", "") == "; ".join(native["warnings"])


def test_the_models_that_ship_answer_the_same_numbers_in_every_protocol(server: Server) -> None:
    """A boot, pixel by pixel: as a file or as numbers, to the last digit and twice the same bytes."""
    file = json.loads((ROOT / "examples" / "image.json").read_text())["instances"][0]["b64"]
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(file))), np.float32) * np.float32(1 / 255)
    images = [tensor("image", "BYTES", [file]), tensor("image", "FP32", pixels.ravel().tolist(), [1, 28, 28, 1])]
    with httpx.Client(base_url=server.url, timeout=60) as client:
        native = client.post("/explain", json={"model": "fashion-mnist", "instances": [{"b64": file}]}).json()["explanations"]
        predictions = client.post("/predict", json={"model": "fashion-mnist", "instances": [{"b64": file}]}).json()["predictions"]
        v1 = client.post("/v1/models/fashion-mnist:explain", json={"instances": [{"b64": file}]}).json()
        v2 = [client.post("/v2/models/fashion-mnist/explain", json={"inputs": [image]}) for image in images]
        assert client.get("/v2/models/fashion-mnist").json()["platform"] == "keras"
    found = arrays(V2Response.model_validate_json(v2[0].content))
    assert v2[0].content == v2[1].content
    assert found["shap_values"].tolist()[0] == v1["explanations"][0]["shap_values"] == native[0]["shap_values"]
    assert found["predictions"].tolist() == v1["predictions"] == predictions


def test_numbers_that_were_not_scaled_are_warned_of(pictures: httpx.Client) -> None:
    answer = told(pictures, "/v2/models/grey/infer", [tensor("image", "FP32", PIXELS.ravel().tolist(), [2, 4, 4, 1])])
    assert "2 of 2 images: values outside 0 to 1, which bytes are scaled to" in str(answer.parameters["warnings"])


def test_the_metadata_of_images_names_one_tensor(pictures: httpx.Client) -> None:
    assert pictures.get("/v2/models/grey").json()["inputs"] == [{"name": "image", "datatype": "BYTES", "shape": [-1]}]


@pytest.mark.parametrize(
    ("change", "pointer", "says"),
    [
        ({"datatype": "BYTES", "shape": [2], "data": ["", "AAAA"]}, "/inputs/0/data/0", "PNG or JPEG"),
        ({"datatype": "BYTES", "shape": [1, 1], "data": [["*"]]}, "/inputs/0/data/0/0", "standard base64"),
        ({"datatype": "BYTES", "shape": [1], "data": [None]}, "/inputs/0/data/0", "expected a string"),
        ({"datatype": "UINT8"}, "/inputs/0/datatype", "expected BYTES, files in base64, or FP32"),
        ({"shape": [2, 4, 4]}, "/inputs/0/shape", "expected [n, 4, 4, 1]"),
        ({"shape": [2, 4, 10**12, 1]}, "/inputs/0/shape", "expected [n, 4, 4, 1]"),
        ({"shape": [3, 4, 4, 1]}, "/inputs/0/data", "expected 48 values"),
        ({"data": [0.5] * 31 + [None]}, "/inputs/0/data/31", "expected a number"),
        ({"data": [0.5] * 31 + [True]}, "/inputs/0/data/31", "expected a number"),
        ({"data": [0.5] * 31 + [1e39]}, "/inputs/0/data/31", "expected a smaller number"),
        ({"data": [[[[1e39]] * 4] * 4, *SCALED[1:].tolist()]}, "/inputs/0/data/0/0/0/0", "smaller"),
        ({"data": [[[[0.5]] * 4] * 4, [[[0.5]] * 4] * 3]}, "/inputs/0/data/1", "expected 4 items"),
        ({"name": "picture"}, "/inputs/0/name", "unknown tensor; expected `image`"),
    ],
)
def test_what_is_wrong_with_images_is_pointed_at(pictures: httpx.Client, change: dict[str, Any], pointer: str, says: str) -> None:
    image = tensor("image", "FP32", SCALED.ravel().tolist(), [2, 4, 4, 1]) | change
    error = refused(pictures.post("/v2/models/grey/infer", json={"inputs": [image]}), 422).errors[0]
    assert (error.pointer, says in error.detail) == (pointer, True), error


def test_the_openapi_document_has_both_protocols(client: httpx.Client) -> None:
    """Every status of the native routes, with the problem of the protocols, and paths whose parameters are declared."""
    document = client.get("/openapi.json").json()
    native = document["paths"]["/predict"]["post"]["responses"]
    tags = {"/v1/models/{name}:": "kserve v1", "/v2/models/{name}/": "open inference v2"}
    paths = [
        "/v1/models/{name}:predict",
        "/v1/models/{name}:explain",
        *[f"/v2/models/{{name}}{version}/{verb}" for version in ("", "/versions/{version}") for verb in ("infer", "explain")],
    ]
    for path in paths:
        operation = document["paths"][path]["post"]
        assert operation["tags"] == [tag for start, tag in tags.items() if path.startswith(start)]
        assert operation["responses"].keys() == native.keys()
        problem = operation["responses"]["422"]["content"]["application/problem+json"]["schema"]
        assert problem == {"$ref": "#/components/schemas/ProtocolProblem"}
        assert [p["name"] for p in operation["parameters"]] == re.findall(r"{(\w+)}", path)
    assert {"/v1/models", "/v1/models/{name}", "/v2", "/v2/health/live", "/v2/health/ready"} <= set(document["paths"])
    assert {"/v2/models/{name}/ready", "/v2/models/{name}/versions/{version}"} <= set(document["paths"])
