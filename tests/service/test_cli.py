"""The command line: help at once, clear errors, nothing overwritten unasked."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.process import ROOT


def shapserve(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    command = [sys.executable, "-m", "service", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


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
        (["serve", "--port", "70000"], "less than or equal to 65535"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(arguments: list[str], says: str) -> None:
    done = shapserve(*arguments)
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_data_that_is_absent_is_a_clear_error(tmp_path: Path) -> None:
    done = shapserve("train", "fashion-mnist", "--data", str(tmp_path), "--out", str(tmp_path))
    assert done.returncode == 1
    assert "expected an IDX file" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
