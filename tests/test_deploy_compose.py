"""docker-compose.yml and what it mounts: only this machine reaches it, nothing is written, every name in it exists."""

import json
import math
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import yaml

from benchmarks.battery.supervisor import free_port
from benchmarks.load.bodies import PASSENGER
from benchmarks.process import ROOT, Server
from service.app import create_app
from service.server import KEEP_ALIVE
from service.settings import Settings
from tests.conftest import serving, until
from tests.fakes import linear_catalog

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SIGHT = ROOT / "deploy" / "observability"
PROMETHEUS: dict[str, Any] = yaml.safe_load((SIGHT / "prometheus.yml").read_text())
RULES: list[dict[str, Any]] = yaml.safe_load((SIGHT / "alerts.yml").read_text())["groups"][0]["rules"]
BOARD: dict[str, Any] = json.loads((SIGHT / "grafana" / "dashboards" / "shapserve.json").read_text())
TARGETS = [target for panel in BOARD["panels"] for target in panel.get("targets", [])]
QUERIES = [target["expr"] for target in TARGETS] + [rule["expr"] for rule in RULES]
OWN = r"shapserve_[a-z_]+"
"""A metric of the service in a query."""


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_may_do_little(name: str) -> None:
    """It writes nowhere but in memory or in a volume of its own, and its image is a certain one."""
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    for volume in service.get("volumes", []):
        assert volume.endswith(":ro") or volume.partition(":")[0] in COMPOSE["volumes"]
    assert "build" in service or re.search(r":v?\d+\.\d+\.\d+", service["image"])


def test_nothing_is_published_but_on_this_machine() -> None:
    """The service itself is behind the proxy."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {
        "nginx": ["127.0.0.1:${PORT:-8000}:8080"],
        "grafana": ["127.0.0.1:${GRAFANA_PORT:-3000}:3000"],
    }
    assert SERVICES["grafana"]["environment"]["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"


def test_what_is_mounted_is_there() -> None:
    for service in SERVICES.values():
        for source in (volume.partition(":")[0] for volume in service.get("volumes", [])):
            assert source.startswith("$") or source in COMPOSE["volumes"] or (ROOT / source).exists(), source


def test_every_setting_exists_and_takes_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service says in words that it asks for no keys."""
    environment = SERVICES["shapserve"]["environment"]
    assert {name.removeprefix("SHAPSERVE_").lower() for name in environment} <= Settings.model_fields.keys()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    Settings()
    assert environment["SHAPSERVE_ACCESS"] == "open"


def test_the_names_that_the_service_is_called_by_are_trusted() -> None:
    """By nginx, which passes on what the client said, and by Prometheus."""
    trusted = SERVICES["shapserve"]["environment"]["SHAPSERVE_TRUSTED_HOSTS"].split(",")
    (scraped,) = PROMETHEUS["scrape_configs"][0]["static_configs"][0]["targets"]
    assert {"localhost", "127.0.0.1", scraped.partition(":")[0]} == set(trusted)
    (upstream,) = re.findall(r"server (\S+:\d+);", (ROOT / "deploy" / "nginx.conf").read_text())
    assert upstream == scraped == f"shapserve:{SERVICES['shapserve']['expose'][0]}"


def test_who_stops_the_service_waits_for_what_it_has_accepted() -> None:
    """And so does nginx, which is stopped first."""
    graces = {name: int(SERVICES[name]["stop_grace_period"].removesuffix("s")) for name in ("shapserve", "nginx")}
    assert graces["shapserve"] * 1000 >= Settings.model_fields["deadline_ms"].default + 2000
    (reads,) = re.findall(r"proxy_read_timeout (\d+)s;", (ROOT / "deploy" / "nginx.conf").read_text())
    assert graces["nginx"] > int(reads)


def test_nobody_is_hung_up_on_while_asking() -> None:
    """A connection that is kept is given up by the side that asks: nginx before the service, and httpx before both."""
    upstream = (ROOT / "deploy" / "nginx.conf").read_text().partition("upstream")[2]
    (seconds,) = re.findall(r"^ +keepalive_timeout (\d+)s;", upstream.partition("}")[0], re.M)
    assert 5 < int(seconds) < KEEP_ALIVE


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    folder = SIGHT / "grafana" / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((folder / "dashboards" / "shapserve.yml").read_text())["providers"]
    mounts = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    assert mounts["./deploy/observability/grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./deploy/observability/grafana/provisioning"] == "/etc/grafana/provisioning"
    assert {target["datasource"]["uid"] for target in TARGETS} == {source["uid"]}
    assert source["url"] == "http://prometheus:9090"


def test_no_panel_lies_on_another() -> None:
    """In a grid of 24 columns."""
    taken: set[tuple[int, int]] = set()
    for panel in BOARD["panels"]:
        grid = panel["gridPos"]
        cells = {(grid["x"] + i, grid["y"] + j) for i in range(grid["w"]) for j in range(grid["h"])}
        assert not cells & taken
        assert all(x < 24 for x, _ in cells)
        taken |= cells
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


QUESTION = {"model": "linear", "instances": [{"Size": 3.5, "Count": 2, "Colour": "blue"}]}


@pytest.fixture(scope="module")
def exposed() -> dict[str, set[str]]:
    """Every sample of GET /metrics after a few requests, with the names of its labels."""
    app = create_app(Settings(), linear_catalog())
    app.state.context.metrics.batches("linear", "evaluate")(300, 2)  # the fake model has no batches
    budget = {"method": "monte_carlo", "max_stderr": 1e-9, "max_evaluations": 4000}
    with serving(app) as client:
        for options in ({}, {"method": "permutation"}, {"method": "monte_carlo"}, budget):
            client.post("/explain", json=QUESTION | options)
        client.post("/predict", json=QUESTION)
        return dict(samples(client.get("/metrics").text))


def samples(text: str) -> Iterator[tuple[str, set[str]]]:
    """(name, labels) of each line."""
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
        yield name, set(re.findall(r'(\w+)="', labels))


@pytest.mark.parametrize("query", QUERIES, ids=[f"q{i}" for i in range(len(QUERIES))])
def test_every_query_asks_for_what_the_service_counts(exposed: dict[str, set[str]], query: str) -> None:
    """Names, labels that are compared, and labels that are grouped by."""
    names = re.findall(OWN, query)
    assert names or 'up{job="shapserve"}' in query
    labels = {label for name in names for label in exposed[name]}
    compared = {label for inside in re.findall(OWN + r"\{(.*?)\}", query) for label in re.findall(r"(\w+)(?:=|!)", inside)}
    grouped = {label for inside in re.findall(r"by \((.*?)\)", query) for label in re.findall(r"\w+", inside)}
    assert compared | grouped <= labels | {"instance"}


def test_every_metric_of_the_service_is_on_the_dashboard(exposed: dict[str, set[str]]) -> None:
    shown = {metric_of(name) for query in QUERIES for name in re.findall(OWN, query)}
    assert {metric_of(name) for name in exposed if name.startswith("shapserve_")} == shown


def metric_of(sample: str) -> str:
    """The metric that a sample belongs to."""
    return re.sub(r"_(total|bucket|sum|count|created)$", "", sample)


def test_prometheus_takes_its_files() -> None:
    """What `promtool` says, where it is installed."""
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("there is no promtool on this machine: install the package prometheus")
    done = subprocess.run([tool, "check", "config", str(SIGHT / "prometheus.yml")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Debian's Prometheus with our files, beside a service of two workers that has been asked some questions."""
    tool, folder = shutil.which("prometheus"), tmp_path_factory.mktemp("prometheus")
    if tool is None:
        pytest.skip("there is no prometheus on this machine: install the package prometheus")
    server, port = Server(arguments=("--workers", "2")), free_port()
    config = (SIGHT / "prometheus.yml").read_text().replace("shapserve:8000", f"127.0.0.1:{server.port}").replace("5s", "1s")
    (folder / "prometheus.yml").write_text(config)
    shutil.copy(SIGHT / "alerts.yml", folder)
    where = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    process = subprocess.Popen([tool, *where, f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    try:
        server.wait_until_ready()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            end = time.monotonic() + 6
            while time.monotonic() < end:
                for body in (PASSENGER, PASSENGER | {"method": "monte_carlo", "max_stderr": 1e-9, "max_evaluations": 100_000}):
                    assert httpx.post(f"{server.url}/explain", json=body, timeout=60).status_code == 200
                httpx.get(f"{server.url}/nowhere", timeout=60)
            yield client
    finally:
        process.terminate()
        process.wait(timeout=30)
        server.stop()


@pytest.mark.parametrize("query", [target["expr"] for target in TARGETS], ids=[f"q{i}" for i in range(len(TARGETS))])
def test_every_panel_has_data_at_once(prometheus: httpx.Client, query: str) -> None:
    """A few seconds after the first requests; numbers, not only series."""
    asked = {"query": query.replace("$__rate_interval", "20s")}

    def has_data() -> bool:
        found = prometheus.get("/api/v1/query", params=asked).json()["data"]["result"]
        return any(math.isfinite(float(series["value"][1])) for series in found)

    until(has_data)


def test_nothing_is_alarming(prometheus: httpx.Client) -> None:
    """Every rule is understood, and none holds for a service that is well."""

    def said() -> dict[str, tuple[str, str]]:
        (group,) = prometheus.get("/api/v1/rules").json()["data"]["groups"]
        return {rule["name"]: (rule["health"], rule["state"]) for rule in group["rules"]}

    until(lambda: said() == {rule["alert"]: ("ok", "inactive") for rule in RULES})
