"""`shapserve models`: what a folder of model folders holds, or why a folder is refused."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.process import ROOT
from service.listing import print_models
from tests.service.batch_models import write_linear


def folders(path: Path) -> None:
    """One that serves and three that do not."""
    write_linear(path).joinpath("README.md").unlink()
    write_linear(path / ".work")
    for name in ("empty", "other", "partial"):
        (path / name).mkdir()
    for name in ("other", "partial"):
        (path / name / "manifest.json").write_bytes((path / "linear" / "manifest.json").read_bytes())
    text = (path / "linear" / "manifest.json").read_text().replace('"name": "linear"', '"name": "partial"')
    (path / "partial" / "manifest.json").write_text(text)


def listed(path: Path, capsys: Any) -> Any:
    print_models(path, as_json=True)
    return json.loads(capsys.readouterr().out)


def test_every_folder_is_listed_or_refused_with_the_reason(tmp_path: Path, capsys: Any) -> None:
    """As JSON, and in a table."""
    folders(tmp_path)
    empty, linear, other, partial = listed(tmp_path, capsys)
    assert empty == {"name": "empty", "reason": "manifest.json: expected a readable file (No such file or directory)"}
    assert other == {"name": "other", "reason": "expected the folder to be named linear, as its manifest says"}
    assert (partial["name"], partial["reason"][-19:]) == ("partial", "the file is missing")
    assert linear == {
        "name": "linear", "version": "7", "kind": "tabular", "fields": ["Size", "Count", "Colour"], "image": None,
        "outputs": ["up", "down"], "methods": [], "checked": False, "description": "w x + c", "reason": None,
    }  # fmt: skip
    print_models(tmp_path, as_json=False)
    table = capsys.readouterr().out
    for words in ("linear", "tabular", "Size, Count, Colour", "up, down", "w x + c", "refused", "expected the folder"):
        assert words in table


def test_the_command_lists_the_models_that_ship() -> None:
    done = subprocess.run([sys.executable, "-m", "service", "models"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0
    for words in ("2 in ", "titanic", "fashion-mnist", "28 x 28 x 1", "died, survived", "deep_paths"):
        assert words in done.stdout


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "service", "models", "--models", str(tmp_path / "nowhere")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "expected a readable folder of model folders" in done.stderr
