"""A folder of models is watched: new versions, broken ones, removed ones, and what clients see of it."""

import gc
import json
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from benchmarks.swaps import NAME, RECORD, swap, write_version
from models.arrays import Inputs, Outputs
from models.estimator import write_estimator
from models.folder import SKOPS, read_folder
from service import catalog as loading
from service.app import create_app
from service.catalog import Catalog
from service.errors import UnknownModel
from service.metrics import Metrics
from service.settings import Settings
from tests.conftest import serving, until
from tests.fakes import linear_model, predict

ASK = {"model": NAME, "instances": [RECORD]}


class Version:
    """A linear model that answers its version to zeros."""

    def __init__(self, version: int) -> None:
        x = np.eye(6, 4)
        self._model = LinearRegression().fit(x, x.sum(axis=1) + version)

    def save(self, path: Path) -> None:
        """As skops does."""
        write_estimator(self._model, path)


def write(folder: Path, version: int) -> None:
    write_version(folder, version, Version, SKOPS)


@contextmanager
def watched(folder: Path, **settings: Any) -> Iterator[httpx.Client]:
    """A service that looks often."""
    with serving(create_app(Settings(models=folder, poll_seconds=0.05, **settings))) as client:
        until(lambda: client.get("/livez").status_code == 200)
        yield client


def listed(client: httpx.Client) -> dict[str, dict[str, Any]]:
    return {model["name"]: model for model in client.get("/models").json()["models"]}


def test_a_hundred_versions_under_load_and_no_request_fails(tmp_path: Path) -> None:
    """Every answer is whole and of the version that it names; the models of old versions are gone."""
    write(tmp_path, 1)
    with watched(tmp_path) as client:
        until(lambda: client.get("/readyz").status_code == 200)
        watch = swap(str(client.base_url), tmp_path, Version, file=SKOPS, swaps=100)
    assert watch.failures == []
    assert watch.answered > 500
    assert len(watch.versions) > 50


def test_a_broken_version_leaves_the_old_one_serving_and_says_so(tmp_path: Path) -> None:
    """Until a good one comes."""
    write(tmp_path, 1)
    with watched(tmp_path) as client:
        until(lambda: client.get("/readyz").status_code == 200)
        content = (tmp_path / NAME / SKOPS).read_bytes()
        (tmp_path / NAME / SKOPS).write_bytes(content[:-100])
        until(lambda: listed(client)[NAME]["reason"] is not None)
        model = listed(client)[NAME]
        assert (model["state"], model["version"]) == ("ready", "1")
        assert "now is refused: model.skops: expected the sha256" in model["reason"]
        assert client.post("/predict", json=ASK).json()["predictions"] == [[pytest.approx(1)]]
        assert client.get("/readyz").status_code == 200
        write(tmp_path, 2)
        until(lambda: listed(client)[NAME]["version"] == "2")
        assert listed(client)[NAME]["reason"] is None


def test_models_come_and_go(tmp_path: Path) -> None:
    """An empty folder is not ready; a removed model is not known any more; what is copied slowly is loaded once it is whole."""
    source = tmp_path / "elsewhere"
    write(source, 1)
    models = tmp_path / "models"
    models.mkdir()
    with watched(models) as client:
        assert client.get("/readyz").status_code == 503
        (models / NAME).mkdir()
        for name in ("manifest.json", "background.npz", SKOPS):
            shutil.copy(source / NAME / name, models / NAME / name)
            time.sleep(0.12)
        until(lambda: client.post("/predict", json=ASK).status_code == 200)
        shutil.rmtree(models / NAME)
        until(lambda: client.post("/predict", json=ASK).status_code == 404)
        assert listed(client) == {}


def test_what_is_still_being_copied_is_not_loaded(tmp_path: Path) -> None:
    """Only once two looks have found the same."""
    write(tmp_path / "elsewhere", 1)
    catalog = Catalog()
    (tmp_path / "models").mkdir()
    catalog.load(tmp_path / "models")
    (tmp_path / "models" / NAME).mkdir()
    for name in ("manifest.json", "background.npz", SKOPS):
        shutil.copy(tmp_path / "elsewhere" / NAME / name, tmp_path / "models" / NAME / name)
        catalog.refresh(tmp_path / "models")
        assert NAME not in catalog.entries()
    catalog.refresh(tmp_path / "models")
    assert catalog.get(NAME).manifest.version == "1"


def test_a_removed_model_answers_what_was_accepted_before(tmp_path: Path) -> None:
    """A snapshot holds its models, whatever happens to the catalog."""
    write(tmp_path, 1)
    catalog = Catalog()
    catalog.load(tmp_path)
    before = catalog.snapshot()
    shutil.rmtree(tmp_path / NAME)
    catalog.refresh(tmp_path)
    assert catalog.get(NAME) is before.get(NAME)  # one look is not enough: it may be between two renames
    catalog.refresh(tmp_path)
    with pytest.raises(UnknownModel):
        catalog.get(NAME)
    assert before.get(NAME).predict(np.zeros((1, 4), np.float32), lambda: None)[0, 0] == pytest.approx(1)


@pytest.mark.parametrize("path", ["/predict", "/v1/models/linear:predict", "/v2/models/linear/infer"])
def test_a_request_that_waits_while_its_model_is_removed_is_answered(path: str) -> None:
    """In every protocol: what was accepted is answered by the models of that moment."""
    free, begun = threading.Event(), threading.Event()

    def slow(x: Inputs, check: Callable[[], None]) -> Outputs:
        begun.set()
        assert free.wait(20)
        return predict(x)

    good = linear_model()
    catalog = Catalog({"linear": good, "slow": replace(good, predict=slow)})
    record = {"Size": 1, "Count": 2, "Colour": "red"}
    tensors = [
        {"name": "Size", "datatype": "FP64", "shape": [1], "data": [1]},
        {"name": "Count", "datatype": "INT64", "shape": [1], "data": [2]},
    ]
    body: dict[str, Any] = {"inputs": tensors} if "v2" in path else {"instances": [record]}
    body |= {} if "/v" in path else {"model": "linear"}
    app = create_app(Settings(threads=1), catalog)
    free_before = app.state.lane.free
    with serving(app) as client, ThreadPoolExecutor(2) as pool:
        first = pool.submit(client.post, "/predict", json={"model": "slow", "instances": [record]})
        assert begun.wait(20)
        waiting = pool.submit(client.post, path, json=body)
        until(lambda: app.state.lane.free == free_before - 2)
        catalog.drop("linear")
        free.set()
        assert (first.result().status_code, waiting.result().status_code) == (200, 200)
        assert client.post(path, json=body).status_code == 404


def test_a_folder_that_cannot_be_read_says_nothing_of_its_models(tmp_path: Path) -> None:
    write(tmp_path / "models", 1)
    catalog = Catalog()
    catalog.load(tmp_path / "models")
    (tmp_path / "models").rename(tmp_path / "away")
    for _ in range(3):
        catalog.refresh(tmp_path / "models")
    assert catalog.get(NAME).manifest.version == "1"


def test_odd_things_beside_and_inside_a_model_change_nothing(tmp_path: Path) -> None:
    """Links that lead nowhere or are too long, a pipe in the place of a receipt: models are found and swapped all the same."""
    write(tmp_path, 1)
    os.symlink("/" + "a" * 300, tmp_path / "odd")
    os.symlink("nowhere", tmp_path / NAME / ".lock")
    os.mkfifo(tmp_path / NAME / "receipt.json")
    catalog = Catalog()
    catalog.load(tmp_path)
    assert catalog.get(NAME).manifest.version == "1"
    write(tmp_path, 2)
    os.symlink("nowhere", tmp_path / NAME / ".lock")
    catalog.refresh(tmp_path)
    catalog.refresh(tmp_path)
    assert catalog.get(NAME).manifest.version == "2"


def test_what_changes_while_the_service_starts_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ready means that no folder of the start is on its way, and that goes for one that is loaded again."""
    write(tmp_path, 1)
    other = shutil.copytree(tmp_path / NAME, tmp_path / "other") / "manifest.json"
    other.write_text(other.read_text().replace(NAME, "other"))
    before = loading._load

    def changed_meanwhile(path: Path, *arguments: Any) -> loading.Entry:
        entry = before(path, *arguments)
        if path.name == NAME:
            write(tmp_path, 2)
        return entry

    catalog = Catalog()
    with monkeypatch.context() as patched:
        patched.setattr(loading, "_load", changed_meanwhile)
        catalog.load(tmp_path)
    states = {name: entry.state for name, entry in catalog.entries().items()}
    assert states == {NAME: "loading", "other": "ready"}
    assert not catalog.snapshot().ready()
    catalog.refresh(tmp_path)
    assert not catalog.snapshot().ready()
    catalog.refresh(tmp_path)
    assert catalog.snapshot().ready()


def test_what_has_not_begun_to_load_is_not_begun_once_the_service_ends(tmp_path: Path) -> None:
    write(tmp_path, 1)
    catalog, stop = Catalog(), threading.Event()
    stop.set()
    catalog.watch(tmp_path, 1, stop, lambda: None)
    assert catalog.entries()[NAME].state == "loading"


def test_objects_of_the_start_are_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 1)
    catalog, stop, looking = Catalog(), threading.Event(), list[bool]()

    def load(folder: Path) -> None:
        looking.append(gc.isenabled())
        raise OSError("the folder is away")

    monkeypatch.setattr(catalog, "load", load)
    stop.set()
    catalog.watch(tmp_path, 1, stop, lambda: looking.append(gc.isenabled()))
    assert looking == [False, True]
    assert gc.get_freeze_count() > 0


def test_memory_is_looked_through_once_nobody_holds_what_was_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that a request still holds would be taken for one that stays."""
    now, looks = [1000.0], list[float]()
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    catalog = Catalog(longest=100)
    monkeypatch.setattr(catalog, "_settle", lambda: looks.append(now[0]))
    write(tmp_path, 1)
    catalog.load(tmp_path)
    now[0] = 2000
    write(tmp_path, 2)
    for _ in range(3):
        catalog.refresh(tmp_path)
    assert catalog.get(NAME).manifest.version == "2"
    for now[0] in (2001, 2099, 2101):
        catalog.refresh(tmp_path)
    assert looks == [2000, 2101]


def test_what_the_machine_could_not_load_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rarer each time; what the folder is to blame for is not."""
    now, tries = [1000.0], list[float]()

    def fail(path: Path) -> Any:
        tries.append(now[0])
        if len(tries) < 4:
            raise MemoryError
        return read_folder(path)

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(loading, "read_folder", fail)
    write(tmp_path, 1)
    catalog = Catalog()
    catalog.load(tmp_path)
    assert catalog.entries()[NAME].reason == "the model could not be loaded; the log says why"
    for now[0] in np.arange(1000.0, 2000.0, 10.0):
        catalog.refresh(tmp_path)
    assert catalog.get(NAME).manifest.version == "1"
    assert np.diff(tries).tolist() == [70, 130, 250]
    (tmp_path / NAME / "manifest.json").write_text("{}")
    for now[0] in np.arange(2000.0, 9000.0, 10.0):
        catalog.refresh(tmp_path)
    assert len(tries) == 5


def test_a_disk_that_was_away_is_not_the_folders_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from models import folder

    def away(path: Path) -> str:
        raise OSError(5, "Input/output error")

    write(tmp_path, 1)
    monkeypatch.setattr(folder, "read_text_file", away)
    catalog = Catalog()
    catalog.load(tmp_path)
    assert catalog.entries()[NAME].passing


@pytest.mark.parametrize(
    ("error", "passing"),
    [
        (MemoryError(), True),
        (RuntimeError("can't start new thread"), True),
        (OSError(24, "Too many open files"), True),
        (ValueError("not such a model"), False),
        (KeyError("weights"), False),
        (RecursionError(), False),
    ],
)
def test_a_library_that_fails_for_want_of_something_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, passing: bool
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise error

    write(tmp_path, 1)
    monkeypatch.setattr("skops.io.load", fail)
    metrics, catalog = Metrics(), Catalog()
    catalog.count(metrics)
    catalog.load(tmp_path)
    assert catalog.entries()[NAME].passing == passing
    assert f"shapserve_retried {float(passing)}" in metrics.text().decode()


def test_receipts_decide_who_serves(tmp_path: Path) -> None:
    """One that refuses, one of other content, and none where one is required."""
    from models.manifest import Manifest
    from models.receipt import Receipt, key_of, write_receipt

    write(tmp_path, 1)
    manifest = Manifest.model_validate_json((tmp_path / NAME / "manifest.json").read_bytes())
    required = Catalog(require_receipt=True)
    required.load(tmp_path)
    assert required.entries()[NAME].reason == "it was not checked as it is: run shapserve check"
    refusal = Receipt(name=NAME, key=key_of(manifest), passed=False, reasons=["it is slow"])
    write_receipt(tmp_path / NAME, refusal)
    catalog = Catalog()
    catalog.load(tmp_path)
    assert catalog.entries()[NAME].reason == "shapserve check refused it: it is slow"
    write_receipt(tmp_path / NAME, refusal.model_copy(update={"key": "of something else"}))
    catalog.refresh(tmp_path)
    catalog.refresh(tmp_path)
    assert catalog.get(NAME).receipt is None
    write_receipt(tmp_path / NAME, refusal.model_copy(update={"passed": True}))
    required.refresh(tmp_path)
    required.refresh(tmp_path)
    assert required.get(NAME).receipt is not None
    assert json.loads((tmp_path / NAME / "receipt.json").read_text())["passed"]
