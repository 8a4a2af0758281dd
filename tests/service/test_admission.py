"""`shapserve check`: what an operator reads of a model, and that nothing it does reaches the one who asks."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.neighbors import RadiusNeighborsRegressor

from benchmarks.process import ROOT
from models.folder import TRAINED, read_folder
from models.packing import pack
from models.receipt import Receipt, key_of
from service.admission import admit
from tests.hostile import plane
from tests.models.test_transformers import people


def check(folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "service", "check", str(folder), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


def test_a_net_with_an_lstm(tmp_path: Path) -> None:
    """The layer without a rule is named, `deep` is unavailable, and `auto` samples orderings; the receipt is taken over."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((6, 3)), keras.layers.LSTM(4, name="memory"), keras.layers.Dense(2, activation="softmax")]
    )
    folder = pack(model, tmp_path / "sequence", np.random.default_rng(0).normal(size=(80, 6, 3)), background="20")
    done = check(folder.path, "--instances", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    for words in (
        "sequence: passed",
        "2 of 3 layers have rules for `deep`",
        "layer memory (LSTM) has no rule",
        "deep cannot explain it",
        "auto takes permutation: 2^18 coalitions x 20 rows are not within",
    ):
        assert words in done.stdout
    receipt = read_folder(folder.path).receipt
    assert receipt is not None
    assert receipt.key == key_of(folder.manifest)
    assert [layer.kind for layer in receipt.layers if layer.lacks] == ["LSTM"]
    assert set(receipt.methods) == {"permutation", "monte_carlo", "kernel", "gradient"}
    assert receipt.methods["permutation"].largest_residual < 1e-6
    assert 0 < receipt.methods["permutation"].mean_error < 0.1 * receipt.methods["permutation"].mean_value
    assert set(receipt.files) == {"model.keras", "background.npz"}


def test_the_report_as_json_and_what_is_not_written(tmp_path: Path) -> None:
    """Standard output is the report and nothing else."""
    folder = plane(tmp_path, "plane")
    done = check(folder, "--json", "--no-write", "--instances", "2")
    receipt = Receipt.model_validate_json(done.stdout)
    assert (done.returncode, receipt.passed, receipt.auto, receipt.engine) == (0, True, "exact", "sklearn")
    assert receipt.methods["exact"].instances == 2
    assert not (folder / "receipt.json").exists()


def test_a_receipt_is_of_one_content_only(tmp_path: Path) -> None:
    """Another version has none; figures of an audit change nothing."""
    folder = plane(tmp_path, "plane")
    assert check(folder).returncode == 0
    assert read_folder(folder).receipt is not None
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"audit": {}}))
    assert read_folder(folder).receipt is not None
    (folder / "manifest.json").write_text(json.dumps(manifest | {"version": "2"}))
    assert read_folder(folder).receipt is None


def neighbours(tmp_path: Path) -> Path:
    """A model that answers NaN where nothing is near."""
    frame = people()[["age", "rooms"]]
    model = RadiusNeighborsRegressor(radius=2.05).fit(frame, frame["age"])
    folder = pack(model, tmp_path / "near", frame, background="all").path
    background = np.load(folder / "background.npz")
    far = background["x"] + np.float32(1000)
    np.savez_compressed(folder / "background.npz", x=far, weights=background["weights"])
    manifest = json.loads((folder / "manifest.json").read_text())
    import hashlib

    manifest["files"]["background.npz"] = hashlib.sha256((folder / "background.npz").read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def costly(tmp_path: Path) -> Path:
    """A model with a budget for nothing."""
    return plane(tmp_path, "costly", max_evaluations=1)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("make", "says"),
    [
        (neighbours, "it answers NaN or infinity to its own background"),
        (costly, "`auto` has no method for it"),
    ],
)
def test_a_model_that_may_not_serve(tmp_path: Path, make: Any, says: str) -> None:
    done = check(make(tmp_path))
    assert done.returncode == 1
    assert "refused" in done.stdout
    assert says in done.stdout


def test_limits_of_memory_and_time() -> None:
    """The child is ended; the parent says what it needed."""
    small = admit(TRAINED / "titanic", instances=1, memory_mib=150, seconds=60)
    assert "150 MiB" in small.reasons[0]
    short = admit(TRAINED / "titanic", instances=1, memory_mib=4096, seconds=1)
    assert short.reasons == ["the check did not end within 1 s"]


def test_nothing_that_lies_about_is_imported(tmp_path: Path) -> None:
    """Whoever stands in a folder of somebody's runs none of its files."""
    folder = plane(tmp_path, "plane")
    for name in ("pydantic", "numpy", "models", "service"):
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    command = [sys.executable, "-P", "-c", "from service.cli import app; app()", "check", ".", "--no-write", "--instances", "1"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600)
    assert "plane: passed" in done.stdout, done.stdout + done.stderr
    assert not (tmp_path / "ran").exists()


def test_a_child_that_dies_is_no_mystery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a signal, or with an error of its own."""
    folder = plane(tmp_path, "plane")
    for ending, says in (
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "ended by SIGSEGV"),
        ("raise RuntimeError('of its own')", "ended with code 1: RuntimeError: of its own"),
    ):
        run, command = subprocess.run, [sys.executable, "-c", ending]
        monkeypatch.setattr(subprocess, "run", lambda _, run=run, command=command, **more: run(command, **more))
        (reason,) = admit(folder, instances=1, memory_mib=4096, seconds=60).reasons
        monkeypatch.undo()
        assert says in reason


def test_the_shipped_models_carry_their_receipts() -> None:
    """`shapserve check models/trained/titanic` makes them."""
    for name in ("titanic", "fashion-mnist"):
        receipt = read_folder(TRAINED / name).receipt
        assert receipt is not None
        assert receipt.passed
        assert all(not layer.lacks for layer in receipt.layers)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    done = check(tmp_path / "nowhere")
    assert done.returncode == 1
    assert "nowhere is not a folder" in done.stderr
