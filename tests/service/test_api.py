"""The API over HTTP, around a model whose values are known in closed form."""

import json
import re
from typing import Any

import httpx
import numpy as np
import pytest

from schemas.explain import ExplainResponse
from schemas.predict import PredictResponse
from schemas.problem import Problem
from tests.fakes import BACKGROUND, OFFSET, WEIGHTS

RECORD = {"Size": 6.0, "Count": 3, "Colour": "blue"}
ENCODED = np.array([1, 3, 0, 0, 1], np.float64)
MEAN = BACKGROUND.weights.astype(np.float64) @ BACKGROUND.x
COLUMN_VALUES = (ENCODED - MEAN)[:, None] * WEIGHTS


def ask(client: httpx.Client, path: str = "/explain", **body: Any) -> Any:
    response = client.post(path, json={"model": "linear", "instances": [RECORD]} | body)
    assert response.status_code == 200, response.text
    return response.json()


def refused(client: httpx.Client, status: int, path: str = "/explain", **body: Any) -> Problem:
    return problem(client.post(path, json={"model": "linear", "instances": [RECORD]} | body), status)


def problem(response: httpx.Response, status: int) -> Problem:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = Problem.model_validate_json(response.content)
    assert body.status == status
    assert body.instance == response.headers["x-request-id"]
    assert len(response.content) <= 16 * 1024
    return body


def test_predict(client: httpx.Client) -> None:
    """W x + c; a regression has no labels."""
    answer = ask(client, "/predict")
    PredictResponse.model_validate(answer)
    assert answer["output_names"] == ["up", "down"]
    np.testing.assert_allclose(answer["predictions"], (ENCODED @ WEIGHTS + OFFSET)[None], rtol=1e-6)
    assert answer["labels"] is None


def test_explain_gives_the_known_values_per_field(client: httpx.Client) -> None:
    """Fields are the default; the three columns of a one-hot field belong to one player."""
    answer = ask(client)
    ExplainResponse.model_validate(answer)
    (explanation,) = answer["explanations"]
    expected = np.stack([COLUMN_VALUES[0], COLUMN_VALUES[1], COLUMN_VALUES[2:].sum(axis=0)])
    assert answer["feature_names"] == ["Size", "Count", "Colour"]
    np.testing.assert_allclose(explanation["shap_values"], expected, atol=1e-7)
    np.testing.assert_allclose(explanation["base_values"], MEAN @ WEIGHTS + OFFSET, rtol=1e-6)
    np.testing.assert_allclose(explanation["prediction"], ENCODED @ WEIGHTS + OFFSET, rtol=1e-6)
    assert explanation["data"] == [6.0, 3, "blue"]
    assert answer["background"] == {"name": "default", "rows": 3}


def test_explain_per_column_gives_unscaled_column_values(client: httpx.Client) -> None:
    answer = ask(client, players="columns")
    assert answer["feature_names"] == ["Size", "Count", "Colour_red", "Colour_green", "Colour_blue"]
    np.testing.assert_allclose(answer["explanations"][0]["shap_values"], COLUMN_VALUES, atol=1e-7)
    assert answer["explanations"][0]["data"] == [6.0, 3.0, 0.0, 0.0, 1.0]


def test_the_proof_is_computed_from_the_numbers_as_sent(client: httpx.Client) -> None:
    """Residual = prediction - base value - sum of values, to the last digit."""
    (explanation,) = ask(client)["explanations"]
    sums = np.sum(explanation["shap_values"], axis=0)
    residual = np.array(explanation["prediction"]) - np.array(explanation["base_values"]) - sums
    np.testing.assert_allclose(explanation["proof"]["residual"], residual, atol=1e-14)
    assert explanation["proof"]["ok"]
    assert explanation["proof"]["exact"]
    largest = max(abs(x) for x in explanation["prediction"])
    assert explanation["proof"]["tolerance"] >= 1e-4 * largest


@pytest.mark.parametrize(("outputs", "names"), [("all", ["up", "down"]), ("predicted", ["up"]), (["down"], ["down"])])
def test_outputs(client: httpx.Client, outputs: Any, names: list[str]) -> None:
    (explanation,) = ask(client, outputs=outputs)["explanations"]
    assert explanation["outputs"] == names
    assert np.shape(explanation["shap_values"]) == (3, len(names))


def test_a_background_of_ones_own(client: httpx.Client) -> None:
    """One instance: why this one and not that one?"""
    other = RECORD | {"Size": 2.0}
    answer = ask(client, background={"instances": [other]})
    assert answer["background"] == {"name": "instances", "rows": 1}
    np.testing.assert_allclose(answer["explanations"][0]["shap_values"], [[4, -2], [0, 0], [0, 0]], atol=1e-7)


def test_missing_fields_are_named(client: httpx.Client) -> None:
    answer = ask(client, instances=[{"Count": 3, "Size": None}])
    assert answer["explanations"][0]["imputed"] == ["Size", "Colour"]
    assert answer["explanations"][0]["data"] == [4.0, 3, "red"]


def test_a_thousand_records_fit(client: httpx.Client) -> None:
    answer = ask(client, instances=[RECORD] * 1000)
    assert len(answer["explanations"]) == 1000
    assert answer["explanations"][0] == answer["explanations"][999]


def test_the_same_request_gets_the_same_bytes(client: httpx.Client) -> None:
    """Times go into a header, never into the body."""
    first, second = (client.post("/explain", json={"model": "linear", "instances": [RECORD]}) for _ in range(2))
    assert first.content == second.content
    assert "explain;dur=" in first.headers["server-timing"]
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


def test_models(client: httpx.Client) -> None:
    names = [(m["name"], m["state"]) for m in client.get("/models").json()["models"]]
    assert names == [("broken", "ready"), ("linear", "ready")]
    detail = client.get("/models/linear").json()
    assert detail["players"] == ["fields", "columns"]
    methods = {method["name"]: (method["available"], method["players"]) for method in detail["methods"]}
    assert methods["exact"] == (True, ["fields", "columns"])
    assert methods["deep_shap"] == (False, [])
    assert detail["backgrounds"] == ["default", "first"]
    assert [field["required"] for field in detail["fields"]] == [False, True, False]
    assert detail["outputs"]["names"] == ["up", "down"]
    assert detail["background"]["rows"] == 3


def test_health(client: httpx.Client) -> None:
    assert client.get("/livez").json()["status"] == "alive"
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")


@pytest.mark.parametrize(
    ("change", "pointer", "says"),
    [
        ({"method": "shapley"}, "/method", "'auto', 'exact', 'permutation'"),
        ({"method": "deep_shap"}, "/method", "it is not written"),
        ({"method": "partition"}, "/method", "expected auto or `exact`"),
        ({"method": "deep", "interactions": True}, "/interactions", "only with the method `exact`"),
        (
            {"method": "exact", "max_evaluations": 23},
            "/max_evaluations",
            "needs 24 evaluations per instance, more than it may spend",
        ),
        ({"method": "permutation", "max_evaluations": 9}, "/max_evaluations", "needs"),
        ({"max_stderr": 0}, "/max_stderr", "greater than 0"),
        ({"outputs": ["left"]}, "/outputs", "`up`, `down`"),
        ({"outputs": []}, "/outputs", "`up`, `down`"),
        ({"outputs": ["up", "up"]}, "/outputs", "without repeats"),
        ({"players": "pixels"}, "/players", "`fields`, `columns`"),
        ({"background": "other"}, "/background", "`default`, `first`"),
        ({"background": {"instances": []}}, "/background/instances", "at least 1"),
        ({"background": 5}, "/background", "expected an object"),
        ({"background": {"instances": [{"Count": -1}]}}, "/background/instances/0/Count", "greater than or equal to 0"),
        ({"instances": []}, "/instances", "at least 1"),
        ({"instances": {}}, "/instances", "valid list"),
        ({"instances": [RECORD, RECORD | {"Colour": "pink"}]}, "/instances/1/Colour", "'red', 'green' or 'blue'"),
        ({"instances": [{"Count": 3, "a/b~\u00e9\u202e": 1}]}, "/instances/0/a~1b~0\u00e9?", "unknown field"),
        ({"background": {"instances": [RECORD], "weights": [1]}}, "/background/weights", "unknown key; expected instances"),
        ({"outputs": ["up", 5]}, "/outputs/1", "valid string"),
        ({"patches": 3}, "/patches", "only with the players `patches`"),
        ({"patches": 3, "players": "fields"}, "/patches", "only with the players `patches`"),
        ({"seed": -1}, "/seed", "greater than or equal to 0"),
        ({"seed": 2**32}, "/seed", "less than 4294967296"),
        ({"seed": "1"}, "/seed", "valid integer"),
        ({"method": "deep", "max_evaluations": 2}, "/max_evaluations", "needs 3 evaluations"),
        ({"patches": 0}, "/patches", "greater than or equal to 1"),
        ({"instance": 1}, "/instance", "unknown key; expected model, instances"),
        ({"model": 3}, "/model", "valid string"),
    ],
)
def test_what_is_wrong_is_pointed_at(client: httpx.Client, change: dict[str, Any], pointer: str, says: str) -> None:
    (error,) = refused(client, 422, **change).errors
    assert error.pointer == pointer
    assert says in error.detail


def test_an_unknown_model_is_404_and_lists_the_known(client: httpx.Client) -> None:
    assert "`broken`, `linear`" in refused(client, 404, model="liner").detail
    assert problem(client.get("/models/liner"), 404).type == "/problems/unknown-model"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 2}',
        b'{"instances": [{"Size": 1, "Size": 2}]}',
        b'"\\ud800"',
        b'"\xff"',
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_json_is_400(client: httpx.Client, body: bytes) -> None:
    """Duplicate keys and numbers that are not finite are no JSON here."""
    response = client.post("/explain", content=body, headers={"content-type": "application/json"})
    assert problem(response, 400).type == "/problems/not-json"


@pytest.mark.parametrize("body", [b"[]", b"3", b"null", b'"x"'])
def test_json_that_is_no_object_is_422(client: httpx.Client, body: bytes) -> None:
    response = client.post("/explain", content=body, headers={"content-type": "application/json"})
    assert "expected an object" in problem(response, 422).errors[0].detail


def test_at_most_twenty_errors_in_sixteen_kib(client: httpx.Client) -> None:
    body = refused(client, 422, instances=[{"x" * 1000 + str(i): 1, "Count": 1} for i in range(100)])
    assert len(body.errors) == 20
    assert all(len(error.pointer) < 100 for error in body.errors)


def test_no_value_is_echoed(client: httpx.Client) -> None:
    secret = "s3cret-value"
    for instances in ([RECORD | {"Size": secret}], [RECORD | {"Colour": secret}], [secret]):
        response = client.post("/explain", json={"model": "linear", "instances": instances, "method": secret})
        assert response.status_code == 422
        assert secret not in response.text
    assert secret not in client.post("/explain", json={"model": secret, "instances": [RECORD]}).text


def test_a_model_that_answers_nan_is_a_problem(client: httpx.Client) -> None:
    """Non-finite numbers never leave the service."""
    for path in ("/predict", "/explain"):
        assert refused(client, 500, path, model="broken").type == "/problems/not-finite"


def test_paths_and_methods(client: httpx.Client) -> None:
    assert problem(client.get("/nothing"), 404).type == "/problems/not-found"
    response = client.get("/explain")
    assert problem(response, 405).type == "/problems/method-not-allowed"
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json", 200),
        ("*/*", 200),
        ("text/html, */*;q=0.1", 200),
        ("text/html", 406),
        ("application/json;q=0, */*", 406),
        ("", 200),
    ],
)
def test_what_the_client_accepts(client: httpx.Client, accept: str, status: int) -> None:
    response = client.post("/predict", json={"model": "linear", "instances": [RECORD]}, headers={"accept": accept})
    assert response.status_code == status
    if status == 406:
        assert "application/json" in problem(response, 406).detail


@pytest.mark.parametrize(
    "headers",
    [{"content-type": "text/plain"}, {"content-type": ""}, {"content-type": "application/json", "content-encoding": "gzip"}],
)
def test_other_media_types_are_415(client: httpx.Client, headers: dict[str, str]) -> None:
    problem(client.post("/predict", content=b"{}", headers=headers), 415)


def test_a_late_answer_is_504(client: httpx.Client) -> None:
    """A thousand records take longer than a millisecond."""
    assert refused(client, 504, instances=[RECORD] * 5000, deadline_ms=1).type == "/problems/deadline-passed"


def test_the_openapi_document_names_every_path(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert {"/predict", "/explain", "/models", "/models/{name}", "/livez", "/readyz"} <= set(document["paths"])
    schemas = document["components"]["schemas"]
    assert {"model", "instances", "method", "outputs", "players", "background"} <= set(schemas["ExplainRequest"]["properties"])
    references = set(re.findall(r'"\$ref": "(.*?)"', json.dumps(document, allow_nan=False)))
    assert references
    assert references <= {f"#/components/schemas/{name}" for name in schemas}
    assert "HTTPValidationError" not in schemas
    for path in ("/predict", "/explain"):
        declared = set(document["paths"][path]["post"]["responses"])
        assert declared == {"200", *map(str, (400, 401, 404, 406, 408, 413, 415, 421, 422, 429, 431, 500, 503, 504))}


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/models", "/models/linear", "/metrics"])
def test_head(client: httpx.Client, path: str) -> None:
    response = client.head(path)
    assert (response.status_code, response.content) == (200, b"")


def test_numbers_do_not_depend_on_their_neighbours(client: httpx.Client) -> None:
    """Each is rounded by its own size."""
    small, large = RECORD | {"Size": 4.0000012}, RECORD | {"Size": -1000}
    alone = ask(client, "/predict", instances=[small])["predictions"][0]
    assert ask(client, "/predict", instances=[large, small])["predictions"][1] == alone
    together = ask(client, instances=[large, small])["explanations"][1]
    assert together == ask(client, instances=[small])["explanations"][0]
