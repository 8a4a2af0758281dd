"""What an operator sees: metrics, a log without values, traces."""

import io
import json
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.process import ROOT
from service.app import create_app
from service.catalog import Catalog
from service.errors import Unexpected
from service.logs import set_up_logs
from service.settings import Settings
from tests.conftest import serving
from tests.fakes import Broken, linear_catalog, linear_model

SECRET = 73.125
RECORD = {"Count": 1, "Size": SECRET}
ASK = {"model": "linear", "instances": [RECORD]}


@pytest.fixture
def app() -> FastAPI:
    return create_app(Settings(), linear_catalog())


def read(client: httpx.Client) -> dict[str, float]:
    """Every sample by its name and labels."""
    text = client.get("/metrics").text
    return {
        sample.name + "".join(f"|{name}={value}" for name, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_requests_are_counted_by_route_and_never_by_path(app: FastAPI) -> None:
    with serving(app) as client:
        client.post("/explain", json=ASK)
        client.post("/explain", json={})
        client.get("/models/linear")
        client.get("/models/a-name-of-the-client")
        client.request("TRACE", "/a-path-of-the-client")
        seen = read(client)
    assert seen["shapserve_requests_total|method=POST|route=/explain|status=200"] == 1
    assert seen["shapserve_requests_total|method=POST|route=/explain|status=422"] == 1
    assert seen["shapserve_requests_total|method=GET|route=/models/{name}|status=404"] == 1
    assert seen["shapserve_requests_total|method=other|route=unmatched|status=404"] == 1
    assert seen["shapserve_request_seconds_count|route=/explain"] == 2
    assert not any("client" in name for name in seen)


def test_routes_are_called_as_the_document_calls_them(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    with serving(app) as client:
        for path, operations in paths.items():
            for method in operations:
                client.request(method.upper(), path.format(name="linear", version="1"))
        labels = [re.findall(r"[|](\w+)=([^|]*)", name) for name in read(client) if name.startswith("shapserve_requests_total|")]
    counted = {(dict(pairs)["route"], dict(pairs)["method"].lower()) for pairs in labels}
    assert counted == {(path, method) for path, operations in paths.items() for method in operations}


def test_an_explanation_leaves_its_choice_its_proof_and_its_times(app: FastAPI) -> None:
    with serving(app) as client:
        client.post("/explain", json=ASK)
        sampled = {"method": "permutation", "max_stderr": 1e-9, "max_evaluations": 3000}
        client.post("/explain", json={**ASK, "instances": [RECORD] * 3, **sampled})
        seen = read(client)
    assert seen["shapserve_choices_total|asked=auto|method=exact|model=linear"] == 1
    assert seen["shapserve_choices_total|asked=permutation|method=permutation|model=linear"] == 1
    assert seen["shapserve_explanations_total|method=permutation|model=linear|ok=true"] == 3
    assert seen["shapserve_explanations_total|method=exact|model=linear|ok=false"] == 0
    assert seen["shapserve_residual_count|method=permutation|model=linear"] == 3
    assert seen["shapserve_stderr_count|method=permutation|model=linear"] == 3
    for phase in ("queue", "parse", "predict", "explain", "respond"):
        assert seen[f"shapserve_phase_seconds_count|phase={phase}"] == 2
    assert seen["shapserve_waiting"] == seen["shapserve_computing"] == 0


def test_values_that_do_not_add_up_are_seen(app: FastAPI) -> None:
    class Off(Broken):
        """Its values are too large."""

        def attribute(self, question):  # type: ignore[no-untyped-def]
            found = super(Broken, self).attribute(question)
            return replace(found, values=found.values + 1)

    model = replace(linear_model(), explainers={"deep": Off()})
    with serving(create_app(Settings(), Catalog({"linear": model}))) as client:
        client.post("/explain", json={**ASK, "method": "deep"})
        assert read(client)["shapserve_explanations_total|method=deep|model=linear|ok=false"] == 1


@pytest.fixture
def logged(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """All that is logged, as JSON unless a test asks for text."""
    text, root = io.StringIO(), logging.getLogger()
    before = root.handlers[:], root.level
    monkeypatch.setattr("threading.excepthook", threading.excepthook)
    monkeypatch.setattr("sys.stderr", text)
    set_up_logs(Settings(log_format=getattr(request, "param", "json"), log_level="debug"))
    yield text
    root.handlers, root.level = before
    logging.captureWarnings(False)


def test_a_line_of_the_log_is_json_and_names_the_request(app: FastAPI, logged: io.StringIO) -> None:
    with serving(app) as client:
        answer = client.post("/explain", json=ASK)
    (line,) = [line for line in map(json.loads, logged.getvalue().splitlines()) if line["logger"] == "service.access"]
    assert line["request_id"] == answer.headers["x-request-id"]
    assert (line["level"], line["route"], line["status"]) == ("INFO", "/explain", 200)
    assert line["milliseconds"] > 0
    assert re.match(r"\d{4}-\d\d-\d\dT", line["timestamp"])


PILLOW = """
import io, struct
from PIL import Image, TiffImagePlugin
from models.images import read_image
from models.manifest import ImageSpec
from service.logs import set_up_logs
from service.settings import Settings

set_up_logs(Settings(log_format="json"))
for many in (2, 37):
    exif = b"Exif\\0\\0II*\\0\\x08\\0\\0\\0" + struct.pack("<HHHIHHI", 1, 0x112, 3, many, 1, 1, 0) + bytes(2 * many)
    file = io.BytesIO()
    Image.new("L", (4, 4)).save(file, "PNG", exif=exif)
    read_image(file.getvalue(), ImageSpec(height=4, width=4, channels=1, scale=1))
print(sum("274" in str(key) for key in vars(TiffImagePlugin).get("__warningregistry__", {})))
"""


def test_what_pillow_thinks_of_a_file_is_not_logged_and_not_kept() -> None:
    """It words its warnings with numbers from the file."""
    done = subprocess.run([sys.executable, "-c", PILLOW], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_fault_is_logged_with_its_places_and_no_value(logged: io.StringIO) -> None:
    """The message of an exception quotes what it choked on."""

    class Choking(Broken):
        """Cannot take it."""

        def attribute(self, question):  # type: ignore[no-untyped-def]
            try:
                raise KeyError(SECRET)
            except KeyError as error:
                raise ValueError(f"cannot take {SECRET}") from error

    model = replace(linear_model(), explainers={"deep": Choking()})
    with serving(create_app(Settings(), Catalog({"linear": model}))) as client:
        answer = client.post("/explain", json={**ASK, "method": "deep"})
        assert (answer.status_code, answer.json()["type"]) == (500, f"/problems/{Unexpected.code}")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert read(client)["shapserve_requests_total|method=POST|route=/explain|status=500"] == 1
    text = logged.getvalue()
    assert answer.json()["instance"] in text
    for seen in ("builtins.KeyError", "builtins.ValueError", "test_sight.py"):
        assert seen in text
    assert str(SECRET) not in text
    assert all(map(json.loads, text.splitlines()))


@pytest.mark.parametrize("logged", ["json", "text"], indirect=True)
def test_a_traceback_has_no_messages_in_either_form(logged: io.StringIO) -> None:
    try:
        float(f"x{SECRET}")
    except ValueError:
        logging.getLogger("service").exception("it failed")
    assert "it failed" in logged.getvalue()
    assert "builtins.ValueError" in logged.getvalue()
    assert str(SECRET) not in logged.getvalue()


def test_fastapis_own_traces_have_routes_and_no_values() -> None:
    """With a provider, as `FASTAPI_OTEL_AUTO_CONFIGURE=true` makes one."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    app = create_app(Settings(), linear_catalog())
    app._telemetry["tracer_provider"] = provider
    with serving(app) as client:
        client.post("/explain", json=ASK, headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
        client.post("/explain", json={"model": "linear", "instances": [{"Count": "a word of the client"}]})
    spans = exporter.get_finished_spans()
    assert {span.attributes["http.route"] for span in spans if span.attributes and "http.route" in span.attributes} == {
        "/explain"
    }
    assert any(format(span.context.trace_id, "032x") == "ab" * 16 for span in spans)
    told = " ".join(span.to_json() for span in spans)
    assert str(SECRET) not in told
    assert "a word of the client" not in told


def test_libraries_tell_no_values_either(logged: io.StringIO) -> None:
    """Nor do threads that fail, and tasks that nobody asks after."""
    logging.getLogger("PIL.TiffImagePlugin").debug("value: %s", SECRET)
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <Task exception=ValueError(%s)>", SECRET)
    thread = threading.Thread(target=lambda: float(f"x{SECRET}"))
    thread.start()
    thread.join()
    assert "a thread has failed" in logged.getvalue()
    assert "never retrieved" in logged.getvalue()
    assert str(SECRET) not in logged.getvalue()
