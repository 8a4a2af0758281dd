"""The commands as a shell runs them: signals, pipes, standard input and output, and what starting them costs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from benchmarks.process import ROOT
from tests.service.batch_models import RECORDS, write_linear
from tests.service.test_batch import read_lines, read_table, write_rows

BAD = '{"Count": -1}\n'
"""The first row: it is named when the first batch is written."""
LINES = BAD + "".join(json.dumps(record) + "\n" for record in RECORDS)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one model, `linear`."""
    path = tmp_path_factory.mktemp("models")
    write_linear(path)
    return path


def command(models: Path, *arguments: str | Path) -> dict[str, Any]:
    """What starts `shapserve` with this folder of models."""
    environment = {**os.environ, "SHAPSERVE_MODELS": str(models), "PYTHONUNBUFFERED": ""}
    return {"args": [sys.executable, "-m", "service", *map(str, arguments)], "cwd": ROOT, "env": environment}


@contextmanager
def running(models: Path, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """The process, when its first batch is being written; standard input stays open."""
    pipe = subprocess.PIPE
    with subprocess.Popen(**command(models, *arguments), stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_rows(process: subprocess.Popen[str]) -> None:
    """Until the bad row of the first batch is named."""
    assert process.stderr
    for line in process.stderr:
        if line.startswith("shapserve: row 1 "):
            return
    raise AssertionError("no row was named")


def write(file: IO[str] | None, text: str) -> None:
    assert file
    file.write(text)
    file.flush()


@pytest.mark.parametrize("kind", ["jsonl", "csv", "parquet"])
def test_ctrl_c_leaves_the_rows_that_were_done(models: Path, tmp_path: Path, kind: str) -> None:
    """A whole file, a message with their number, exit code 130; here in the middle of computing."""
    (source := tmp_path / "in.jsonl").write_text(BAD + LINES.removeprefix(BAD) * 2000)
    out = tmp_path / f"out.{kind}"
    with running(models, "explain", source, "--model", "linear", "--method", "permutation", "-o", out) as process:
        wait_for_rows(process)
        assert not out.exists()
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 130
    rows = [line["row"] for line in (read_lines if kind == "jsonl" else read_table)(out)]
    done = list(range(2, len(set(rows)) + 2))
    assert rows == (done if kind == "jsonl" else sorted(done * 2))
    assert 15 <= len(done) < 80_000
    assert f"stopped: {out} holds the {len(done):,} rows that were done until then" in said
    assert "Traceback" not in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.jsonl", out.name]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_rows_are_awaited_ends_the_run_too(models: Path, tmp_path: Path, number: signal.Signals) -> None:
    """The first batch has 1,024 rows; those that wait for the second to fill are not done."""
    out = tmp_path / "out.csv"
    with running(models, "predict", "-", "--input-format", "jsonl", "--model", "linear", "-o", out) as process:
        write(process.stdin, BAD + LINES.removeprefix(BAD) * 30)
        wait_for_rows(process)
        process.send_signal(number)
        assert process.wait(timeout=60) == 128 + number
    assert [line["row"] for line in read_table(out)] == list(range(2, 1025))


def test_a_process_that_is_killed_leaves_no_half_file(models: Path, tmp_path: Path) -> None:
    (out := tmp_path / "out.csv").write_text("of yesterday")
    with running(models, "predict", "-", "--input-format", "jsonl", "--model", "linear", "-o", out) as process:
        write(process.stdin, BAD + LINES.removeprefix(BAD) * 30)
        wait_for_rows(process)
        process.kill()
        process.wait(timeout=60)
    assert out.read_text() == "of yesterday"


def test_a_pipe_that_is_closed_ends_the_run_quietly(models: Path, tmp_path: Path) -> None:
    """As `| head` closes it: no traceback, no message."""
    (source := tmp_path / "in.jsonl").write_text(LINES.removeprefix(BAD) * 500)
    with running(models, "predict", source, "--model", "linear") as process:
        assert process.stdout
        assert process.stderr
        assert json.loads(process.stdout.readline())["row"] == 1
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(timeout=60) == 128 + signal.SIGPIPE


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_standard_input_and_output_take_every_format(models: Path, tmp_path: Path, kind: str) -> None:
    """The same bytes as from a file into a file; the summary goes to standard error."""
    source, out = write_rows(tmp_path / f"in.{kind}"), tmp_path / f"out.{kind}"
    done = subprocess.run(
        **command(models, "predict", "-", "--model", "linear", "--input-format", kind, "--output-format", kind),
        input=source.read_bytes(),
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.decode().splitlines()[-1].startswith("shapserve: 40 rows in ")
    out.write_bytes(done.stdout)
    assert [line["row"] for line in read_table(out)] == list(range(1, 41))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["predict", "-", "--model", "linear"], "standard input: expected --input-format csv, jsonl or parquet"),
        (["predict", "nothing.csv", "--model", "linear"], "nothing.csv: No such file"),
        (["predict", "examples", "--model", "linear"], "examples: expected .png, .jpg, .jpeg files in this folder"),
        (["predict", "README.md"], "Missing option '--model'"),
        (["predict", "README.md", "--model", "linear", "--input-format", "xml"], "--input-format"),
        (["explain", "README.md", "README.md"], "expected --model, or one file with a body for POST /explain"),
        (["explain", "in.csv"], "expected --model, or one file with a body for POST /explain"),
        (["explain", "examples/passenger.json", "--seed", "1"], "expected --model with --seed"),
        (["explain", "in.csv", "--model", "linear", "--plot", "bar"], "expected --plot without --model"),
    ],
)
def test_wrong_usage_of_the_command_is_said(models: Path, arguments: list[str], says: str) -> None:
    done = subprocess.run(**command(models, *arguments), capture_output=True, text=True, input="")
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


HEAVY = {"tensorflow", "keras", "shap", "sklearn", "pandas", "pyarrow", "scipy"}


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--help"], HEAVY | {"numpy", "fastapi"}),
        (["predict", "--help"], HEAVY | {"numpy", "fastapi"}),
        (["explain", "--help"], HEAVY | {"numpy", "fastapi"}),
        (["models"], HEAVY),
        (["predict", "tests/nothing.csv", "--model", "linear"], HEAVY),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(models: Path, arguments: list[str], absent: set[str]) -> None:
    """Help answers at once, and what is wrong is said before a model's library is imported."""
    run = f"service.cli.app({arguments}, standalone_mode=False)"
    check = f"import sys, service.cli; {run}; print(); print(*sys.modules)"
    started = command(models) | {"args": [sys.executable, "-c", check]}
    done = subprocess.run(**started, capture_output=True, text=True)
    imported = set(done.stdout.splitlines()[-1].split())
    assert "service.cli" in imported, done.stderr
    assert not absent & imported
