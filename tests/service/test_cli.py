"""The command line: help at once, clear errors, nothing overwritten unasked."""

import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from benchmarks.process import ROOT
from models.backgrounds import Background, equal_weights
from models.folder import read_folder, write_folder
from tests.explainers.nets import dense_net, manifest_for


def shapserve(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    command = [sys.executable, "-m", "service", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, env=os.environ | settings)


def write_model(path: Path, **changes: Any) -> None:
    """A small net of the fields c0, c1, c2."""
    model = dense_net(4, [6], 2, "softmax")
    background = Background(np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32), equal_weights(9))
    write_folder(path, manifest_for(model).model_copy(update=changes), model, background, "card", force=False)


def test_help_names_the_commands() -> None:
    done = shapserve("--help")
    assert done.returncode == 0
    assert "serve" in done.stdout
    assert "train" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "iris"], "expected titanic or fashion-mnist"),
        (["train", "titanic", "--out", "models/trained"], "exists; choose another folder with --out, or say --force"),
        (["train", "titanic", "--background", "kmeans"], "expected a background `all`, `N` or `kmeans:N`"),
        (["serve", "--models", "nowhere"], "nowhere is not a folder"),
        (["audit", "nowhere"], "nowhere is not a folder"),
        (["audit", "tests"], "manifest.json: expected a readable file"),
        (["serve", "--port", "70000"], "less than or equal to 65535"),
        (["explain", "nothing.json"], "nothing.json: No such file"),
        (["explain", "README.md"], "expected one JSON object"),
        (["explain", "examples/passenger.json", "--models", "docs"], "there is no model folder"),
        (["explain", "examples/passenger.json", "--plot", "pie"], "/plot: expected 'waterfall', 'force'"),
        (["explain", "examples/passenger.json", "-o", "why.gif"], "to end in .json or .svg or .png"),
        (["explain", "examples/passenger.json", "--plot", "force", "-o", "why.json"], "to end in .svg or .png"),
        (["explain", "examples/passenger.json", "-o", "nowhere/why.svg"], "nowhere is not a folder"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(arguments: list[str], says: str) -> None:
    done = shapserve(*arguments)
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said_and_ends_it() -> None:
    """Models that already load are not waited for."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for _ in range(4):  # where they were, it depended on who was first
            done = shapserve("serve", "--port", str(taken.getsockname()[1]), TF_CPP_MIN_LOG_LEVEL="0")
            assert done.returncode == 3
            assert "address already in use" in done.stderr
            assert "oneDNN" not in done.stderr  # as TensorFlow says when it is imported
            assert "Traceback" not in done.stderr


def test_what_serves_nothing_does_not_ask_for_keys() -> None:
    """In the container image, whose environment says to listen to others."""
    done = shapserve("models", SHAPSERVE_HOST="0.0.0.0")
    assert (done.returncode, done.stderr) == (0, "")
    assert "titanic" in done.stdout


def test_audit_measures_every_method_and_writes_the_manifest(tmp_path: Path) -> None:
    """The figures stand in the table and in the manifest; the other files stay as they are."""
    write_model(tmp_path / "m")
    before = {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()}
    done = shapserve("audit", str(tmp_path / "m"), "--instances", "5")
    assert "5 instances, fields, truth: exact" in done.stdout
    audit = read_folder(tmp_path / "m").manifest.audit
    methods = {"exact", "permutation", "deep", "deep_paths", "deep_shap", "monte_carlo", "kernel", "gradient"}
    assert set(audit) == methods
    for name, found in audit.items():
        assert name in done.stdout
        assert (found.players, found.instances, found.truth) == ("fields", 5, "exact")
        assert found.milliseconds > 0
        assert found.evaluations > 0
    assert audit["exact"].mean_error == 0
    assert 0 < audit["permutation"].mean_error < 0.05 * audit["exact"].mean_value
    assert 0 < audit["deep"].mean_error < audit["exact"].mean_value
    after = {path.name: path.read_bytes() for path in (tmp_path / "m").iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"manifest.json"}


def test_an_audit_that_can_measure_nothing_says_so(tmp_path: Path) -> None:
    write_model(tmp_path / "m", max_evaluations=1)
    done = shapserve("audit", str(tmp_path / "m"))
    assert done.returncode == 1
    assert "too few for every method" in done.stderr
    assert "Traceback" not in done.stderr


def test_data_that_is_absent_is_a_clear_error(tmp_path: Path) -> None:
    done = shapserve("train", "fashion-mnist", "--data", str(tmp_path), "--out", str(tmp_path))
    assert done.returncode == 1
    assert "expected an IDX file" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_explain_draws_and_answers_without_a_server(tmp_path: Path) -> None:
    """A picture into a file, and nothing beside it; the JSON answer to standard output."""
    write_model(tmp_path / "models" / "m")
    request = tmp_path / "request.json"
    request.write_text(json.dumps({"model": "m", "instances": [{"c0": 1, "c1": 2.5, "c2": -1}]}))
    options = ["--models", str(tmp_path / "models")]
    done = shapserve("explain", str(request), "-o", str(tmp_path / "why.png"), "--plot", "force", *options)
    assert done.returncode == 0, done.stderr
    assert "Force plot, model m" in Image.open(io.BytesIO((tmp_path / "why.png").read_bytes())).info["Description"]
    answer = json.loads(shapserve("explain", str(request), *options).stdout)
    assert answer["explanations"][0]["proof"]["ok"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models", "request.json", "why.png"]
