"""KServe's V1 protocol over HTTP: other bodies, the same numbers, errors in its terms."""

from typing import Any

import httpx
import pytest

from schemas.problem import ProtocolProblem
from schemas.v1 import ModelReady, V1ExplainResponse, V1ModelList, V1PredictResponse
from service.app import create_app
from service.catalog import Catalog, Entry
from service.settings import Settings
from tests.conftest import serving
from tests.fakes import linear_model
from tests.service.test_api import RECORD, ask

PREDICT, EXPLAIN = "/v1/models/linear:predict", "/v1/models/linear:explain"


def refused(response: httpx.Response, status: int) -> ProtocolProblem:
    """The problem, whose `error` says the detail again."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = ProtocolProblem.model_validate_json(response.content)
    assert (body.error, body.instance) == (body.detail, response.headers["x-request-id"])
    assert len(response.content) <= 16 * 1024
    return body


def explained(client: httpx.Client, **body: Any) -> Any:
    response = client.post(EXPLAIN, json={"instances": [RECORD]} | body)
    assert response.status_code == 200, response.text
    return V1ExplainResponse.model_validate_json(response.content) and response.json()


def test_predictions_are_those_of_predict(client: httpx.Client) -> None:
    """And nothing else is in the body."""
    response = client.post(PREDICT, json={"instances": [RECORD, RECORD | {"Size": 1}]})
    V1PredictResponse.model_validate_json(response.content)
    native = ask(client, "/predict", instances=[RECORD, RECORD | {"Size": 1}])
    assert response.json() == {"predictions": native["predictions"]}
    assert "predict;dur=" in response.headers["server-timing"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"outputs": ["down"]},
        {"outputs": "predicted", "players": "columns"},
        {"method": "permutation", "seed": 7, "max_stderr": 0.5},
        {"background": {"instances": [RECORD | {"Size": 2.0}]}},
        {"interactions": True},
    ],
)
def test_explanations_are_those_of_explain(client: httpx.Client, options: dict[str, Any]) -> None:
    """Each also says what /explain says once; the predictions are of all outputs."""
    instances = [RECORD, {"Count": 1}]
    answer, native = explained(client, instances=instances, parameters=options), ask(client, instances=instances, **options)
    assert set(answer) == {"predictions", "explanations"}
    assert answer["predictions"] == ask(client, "/predict", instances=instances)["predictions"]
    common = {name: native[name] for name in native.keys() - {"explanations", "warnings"}}
    assert answer["explanations"] == [common | explanation for explanation in native["explanations"]]


def test_warnings_are_not_lost(client: httpx.Client) -> None:
    far = [RECORD | {"Size": 500}]
    (warning,) = ask(client, instances=far)["warnings"]
    assert explained(client, instances=far)["warnings"] == [warning]
    assert client.post(PREDICT, json={"instances": far}).json()["warnings"] == [warning]


def test_the_same_request_gets_the_same_bytes(client: httpx.Client) -> None:
    body = {"instances": [RECORD], "parameters": {"method": "permutation"}}
    first, second = (client.post(EXPLAIN, json=body) for _ in range(2))
    assert first.content == second.content
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


def test_models_are_listed_if_they_serve() -> None:
    """One that loads or is refused is not ready; one that is not there is unknown; nothing is known before folders are found."""
    catalog = Catalog({"linear": linear_model()})
    catalog._put("late", Entry("loading"))
    catalog._put("bad", Entry("refused", reason="it is broken"))
    with serving(create_app(Settings(), catalog)) as client:
        assert client.get("/v1/models").json() == V1ModelList(models=["linear"]).model_dump()
        for name, status in {"linear": 200, "late": 503, "bad": 503}.items():
            response = client.get(f"/v1/models/{name}")
            assert (response.status_code, response.json()) == (status, ModelReady(name=name, ready=status == 200).model_dump())
        assert refused(client.get("/v1/models/other"), 404).type == "/problems/unknown-model"
        loading = client.post("/v1/models/late:predict", json={"instances": [RECORD]})
        assert refused(loading, 503).type == "/problems/loading"
        assert int(loading.headers["retry-after"]) > 0
    with serving(create_app(Settings(), Catalog())) as client:
        assert refused(client.get("/v1/models/other"), 503).type == "/problems/loading"


@pytest.mark.parametrize(
    ("body", "pointer", "says"),
    [
        ({"parameters": {"method": "shapley"}}, "/parameters/method", "'auto', 'exact', 'permutation'"),
        ({"parameters": {"method": "deep_shap"}}, "/parameters/method", "it is not written"),
        ({"parameters": {"method": "exact", "max_evaluations": 1}}, "/parameters/max_evaluations", "more than it may spend"),
        ({"parameters": {"outputs": ["left"]}}, "/parameters/outputs", "`up`, `down`"),
        ({"parameters": {"players": "pixels"}}, "/parameters/players", "`fields`, `columns`"),
        ({"parameters": {"seed": -1}}, "/parameters/seed", "greater than or equal to 0"),
        ({"parameters": {"background": "other"}}, "/parameters/background", "`default`, `first`"),
        ({"parameters": {"background": {"instances": [{"Count": -1}]}}}, "/parameters/background/instances/0/Count", "0"),
        ({"parameters": {"background": {"instances": [RECORD], "x": 1}}}, "/parameters/background/x", "expected instances"),
        ({"parameters": {"plot": "bar"}}, "/parameters/plot", "unknown key; expected outputs, players"),
        ({"parameters": []}, "/parameters", "expected an object"),
        ({"method": "exact"}, "/method", "unknown key; expected instances, parameters"),
        ({"model": "linear"}, "/model", "unknown key; expected instances, parameters"),
        ({"instances": []}, "/instances", "at least 1"),
        ({"instances": [RECORD, RECORD | {"Colour": "pink"}]}, "/instances/1/Colour", "'red', 'green' or 'blue'"),
        ({"instances": [{"Count": 3, "Sise": 1}]}, "/instances/0/Sise", "did you mean `Size`?"),
        ({"instances": ["s3cret"]}, "/instances/0", "expected an object"),
    ],
)
def test_what_is_wrong_is_pointed_at(client: httpx.Client, body: dict[str, Any], pointer: str, says: str) -> None:
    """In the body that was sent; no value is echoed."""
    response = client.post(EXPLAIN, json={"instances": [RECORD]} | body)
    (error,) = refused(response, 422).errors
    assert (error.pointer, says in error.detail) == (pointer, True)
    assert not any(value in response.text for value in ("shapley", "left", "pink", "s3cret"))


def test_a_prediction_has_no_options(client: httpx.Client) -> None:
    body = {"instances": [RECORD], "parameters": {"method": "exact"}}
    assert refused(client.post(PREDICT, json=body), 422).errors[0].pointer == "/parameters"


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", PREDICT, 405, "method-not-allowed"),
        ("POST", "/v1/models", 405, "method-not-allowed"),
        ("GET", "/v1/nothing", 404, "not-found"),
        ("POST", "/v1/models/other:predict", 404, "unknown-model"),
        ("POST", "/v1/models/broken:explain", 500, "not-finite"),
    ],
)
def test_every_error_has_the_member_error(client: httpx.Client, method: str, path: str, status: int, kind: str) -> None:
    response = client.request(method, path, json={"instances": [RECORD]} if method == "POST" else None)
    assert refused(response, status).type == f"/problems/{kind}"


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{}", {"content-type": "text/plain"}, 415),
        (b"{}", {"content-type": "application/json", "accept": "image/png"}, 406),
        (b'{"instances": [1], "instances": [2]}', {"content-type": "application/json"}, 400),
        (b'{"instances": [NaN]}', {"content-type": "application/json"}, 400),
        (b"[" * 100_000, {"content-type": "application/json"}, 400),
        (b"[]", {"content-type": "application/json"}, 422),
    ],
)
def test_limits_are_those_of_the_native_routes(
    client: httpx.Client, content: bytes, headers: dict[str, str], status: int
) -> None:
    refused(client.post(EXPLAIN, content=content, headers=headers), status)


def test_a_deadline_is_an_option(client: httpx.Client) -> None:
    body = {"instances": [RECORD] * 5000, "parameters": {"deadline_ms": 1}}
    assert refused(client.post(EXPLAIN, json=body), 504).type == "/problems/deadline-passed"


def test_native_errors_stay_as_they_are(client: httpx.Client) -> None:
    assert "error" not in client.get("/models/other").json()
    assert "error" not in client.get("/v2other").json()


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/linear"])
def test_head(client: httpx.Client, path: str) -> None:
    assert (client.head(path).status_code, client.head(path).content) == (200, b"")
