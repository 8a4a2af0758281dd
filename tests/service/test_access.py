"""Who may ask: keys, rates, names of the host, other pages."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from benchmarks.process import ROOT
from service.access import Rate, new_key
from service.app import create_app
from service.catalog import Catalog
from service.settings import Settings
from tests.conftest import serving
from tests.fakes import linear_catalog

KEY, DIGEST = new_key()
OTHER, OTHER_DIGEST = new_key()
BODY = {"model": "linear", "instances": [{"Count": 1}]}
FREE = ("/livez", "/readyz", "/v2/health/live", "/v2/health/ready", "/", "/docs", "/openapi.json", "/favicon.svg")
GUARDED = (
    "/models",
    "/models/linear",
    "/models/linear/samples",
    "/metrics",
    "/v1/models",
    "/v2",
    "/v2/models/linear",
    "/nothing",
)


@pytest.fixture(scope="module")
def guarded() -> Iterator[httpx.Client]:
    """The app with two keys, one of which may ask three times at once."""
    keys = f"shop:{DIGEST}, desk:{OTHER_DIGEST}"
    settings = Settings(api_keys=keys, rate_per_second=0.01, rate_burst=3)
    with serving(create_app(settings, linear_catalog())) as client:
        yield client


@pytest.mark.parametrize("path", FREE)
def test_health_and_files_need_no_key(guarded: httpx.Client, path: str) -> None:
    assert guarded.get(path).status_code == 200


@pytest.mark.parametrize("path", GUARDED)
def test_everything_else_does(guarded: httpx.Client, path: str) -> None:
    """Whether there is something at the path or not."""
    response = guarded.get(path)
    assert (response.status_code, response.json()["type"]) == (401, "/problems/unauthorized")
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.headers["x-request-id"] == response.json()["instance"]


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wrong"},
        {"authorization": f"Basic {KEY}"},
        {"authorization": KEY},
        {"authorization": "Bearer"},
        {"authorization": f"Bearer {DIGEST}"},
        {"x-api-key": ""},
        {"x-api-key": KEY[:-1]},
        {"x-api-key": "\u00e4".encode("latin-1").decode("latin-1")},
    ],
)
def test_what_is_no_key_is_refused(guarded: httpx.Client, headers: dict[str, str]) -> None:
    sent = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    response = guarded.post("/predict", json=BODY, headers=sent)
    assert response.status_code == 401
    assert KEY not in response.text


def test_a_key_opens_and_is_counted() -> None:
    """Both headers; the fourth request is too many, and says when to come again; another key is not concerned."""
    settings = Settings(api_keys=(f"shop:{DIGEST}", f"desk:{OTHER_DIGEST}"), rate_per_second=0.01, rate_burst=3)
    with serving(create_app(settings, linear_catalog())) as client:
        mine = [{"authorization": f"Bearer {KEY}"}, {"x-api-key": KEY}, {"authorization": f"bearer  {KEY}"}]
        assert [client.post("/predict", json=BODY, headers=headers).status_code for headers in mine] == [200, 200, 200]
        refused = client.post("/predict", json=BODY, headers=mine[0])
        assert (refused.status_code, refused.json()["type"]) == (429, "/problems/too-many-requests")
        assert 0 < int(refused.headers["retry-after"]) <= 100
        assert client.post("/predict", json=BODY, headers={"x-api-key": OTHER}).status_code == 200


def test_a_rate_fills_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("service.access.time", SimpleNamespace(monotonic=lambda: now[0]))
    rate = Rate(20, 2)
    assert [rate.wait("a") > 0 for _ in range(4)] == [False, False, True, True]
    assert rate.wait("b") == 0
    now[0] += rate.wait("a") + 0.001
    assert rate.wait("a") == 0


@pytest.mark.parametrize("per_second", [3, 7, 9.7, 50])
def test_a_key_that_has_not_asked_may_ask(per_second: float) -> None:
    """Rounding takes nothing from one request at a time."""
    assert [Rate(per_second, 1).wait("a") for _ in range(200)] == [0] * 200


def test_the_document_says_that_a_key_is_needed(guarded: httpx.Client) -> None:
    document = guarded.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["key"] == {"type": "http", "scheme": "bearer"}
    assert document["paths"]["/predict"]["post"]["security"] == [{"key": []}]
    assert "security" not in document["paths"]["/livez"]["get"]


def test_beyond_the_machine_keys_are_needed_or_words() -> None:
    """The same in the environment of the command."""
    with pytest.raises(ValidationError, match="SHAPSERVE_API_KEYS"):
        Settings(host="0.0.0.0")
    assert Settings(host="0.0.0.0", access="open").hosts == {"*"}
    assert Settings(host="0.0.0.0", api_keys=(f"a:{DIGEST}",)).hosts == {"*"}
    for local in ("127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"):
        assert Settings(host=local).is_local
    done = subprocess.run(
        [sys.executable, "-m", "service", "serve", "--host", "0.0.0.0"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert "SHAPSERVE_ACCESS=open" in done.stderr


@pytest.mark.parametrize(
    "given",
    [
        {"api_keys": "a"},
        {"api_keys": "a:00"},
        {"api_keys": f"a b:{DIGEST}"},
        {"api_keys": f"a:{DIGEST},a:{OTHER_DIGEST}"},
        {"api_keys": f"a:{DIGEST}", "access": "open"},
        {"rate_per_second": 1},
        {"api_keys": f"a:{DIGEST}", "rate_per_second": "inf"},
        {"poll_seconds": "inf"},
        {"drain_seconds": 1e9},
        {"body_seconds": "nan"},
        {"deadline_ms": 10**17},
        {"max_body_bytes": 2000, "max_bodies_bytes": 1999},
        {"trusted_hosts": "https://example.org"},
        {"trusted_hosts": "localhost:8000"},
        {"cors_origins": "https://example.org/"},
        {"cors_origins": "example.org"},
    ],
)
def test_settings_that_do_not_fit_are_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings(**given)  # type: ignore[arg-type]


def test_settings_that_fit_are_taken() -> None:
    given: dict[str, Any] = {
        "trusted_hosts": "Example.org, [::1],*",
        "cors_origins": "https://example.org:8443,http://[::1],file://,chrome-extension://abc,null,*",
    }
    settings = Settings(**given)
    assert settings.hosts == {"example.org", "[::1]", "*"}
    assert len(settings.cors_origins) == 6


def test_the_command_makes_keys() -> None:
    done = subprocess.run([sys.executable, "-m", "service", "key", "shop"], cwd=ROOT, capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    key, digest = first.split()[-1], second.partition("SHAPSERVE_API_KEYS=shop:")[2]
    assert hashlib.sha256(key.encode()).hexdigest() == digest
    assert len(key) == 43


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost:8000", 200), ("LOCALHOST", 200), ("127.0.0.1", 200), ("[::1]:80", 200), ("evil.example", 421), ("", 421)],
)
def test_only_names_of_the_machine_by_default(client: httpx.Client, host: str, status: int) -> None:
    """A page elsewhere may have its own name lead to 127.0.0.1."""
    response = client.get("/models", headers={"host": host})
    assert response.status_code == status
    assert status == 200 or response.json()["type"] == "/problems/misdirected"


def test_other_names_on_request() -> None:
    with serving(create_app(Settings(trusted_hosts="shap.example,other"), linear_catalog())) as client:
        assert client.get("/livez", headers={"host": "shap.example:80"}).status_code == 200
        assert client.get("/models").status_code == 421
        assert client.get("/livez").status_code == client.get("/v2/health/ready").status_code == 200  # probes ask by address


def test_other_pages_may_not_ask_unless_they_are_named(client: httpx.Client) -> None:
    """Off by default; on, the preflight needs no key, and a refusal can be read by the page."""
    origin = {"origin": "https://shop.example"}
    asked = {**origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type,authorization"}
    assert "access-control-allow-origin" not in client.post("/predict", json=BODY, headers=origin).headers
    assert client.options("/predict", headers=asked).status_code == 405
    settings = Settings(cors_origins=("https://shop.example",), api_keys=(f"shop:{DIGEST}",))
    with serving(create_app(settings, linear_catalog())) as named:
        assert named.options("/predict", headers=asked).headers["access-control-allow-origin"] == "https://shop.example"
        refused = named.post("/predict", json=BODY, headers=origin)
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://shop.example")
        assert "access-control-allow-origin" not in named.get("/livez", headers={"origin": "https://evil.example"}).headers
        stranger = named.options("/predict", headers=asked | {"origin": "https://evil.example"})
        assert (stranger.status_code, stranger.headers["content-type"]) == (400, "application/problem+json")
        assert stranger.json()["type"] == "/problems/origin-refused"
        assert stranger.json()["instance"] == stranger.headers["x-request-id"]
        assert "evil" not in stranger.text


@pytest.mark.parametrize("path", ["/models", "/livez", "/", "/nothing", "/openapi.json"])
def test_every_answer_tells_browsers_to_trust_nothing_else(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert f"default-src '{'self' if path == '/' else 'none'}'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_samples_can_be_kept_inside() -> None:
    """Neither as samples nor in a summary of the background."""
    catalog = linear_catalog()
    model = catalog.get("linear")
    manifest = model.manifest.model_copy(update={"samples": True})
    shown = Catalog({"linear": replace(model, manifest=manifest)})
    for show, count in ((True, 3), (False, 0)):
        with serving(create_app(Settings(show_samples=show), shown)) as client:
            assert client.get("/models/linear/samples").status_code == (200 if show else 404)
            summary = client.post("/summary", json={"model": "linear"}).json()
            assert len(summary["explanations"]) == count
            assert len(summary["mean_abs_shap_values"]) == 3
