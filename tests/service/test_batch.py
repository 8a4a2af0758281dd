"""Rows of files, predicted and explained: every format says the same as the service, and bad rows are left out by number."""

import csv
import gzip
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.arrays import Inputs, Outputs
from models.manifest import ColumnSpec, FieldSpec
from service.batch.asking import Answered, answer_rows, asker
from service.batch.batches import Pace, batched
from service.batch.job import Job, OutputFormat, Task
from service.batch.rows import Row
from service.batch.run import run
from service.batch.tables import table_of
from service.catalog import Catalog
from service.context import Context
from service.explain import explain
from service.lane import Clock
from service.loading import load_model
from service.metrics import Metrics
from service.predict import predict
from service.settings import Settings
from tests.fakes import linear_catalog, linear_model
from tests.fakes import predict as linear
from tests.service.batch_models import LINEAR, RECORDS, write_linear

NAMES = ["Size", "Count", "Colour"]
GOOD = '{"Size": 1, "Count": 2, "Colour": "red"}'


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one model, `linear`."""
    path = tmp_path_factory.mktemp("models")
    write_linear(path)
    return path


def start(models: Path, *inputs: Path, task: Task = "predict", out: Path | None = None, **more: Any) -> int:
    """The exit code of a run."""
    formats = {name: more.pop(name, None) for name in ("input_format", "output_format")}
    model, ignored = more.pop("model", "linear"), more.pop("ignored", ())
    job = Job(task, [str(path) for path in inputs], model, out, options=more, ignored=ignored, **formats)
    return run(job, Settings(models=models))


def write_rows(path: Path, records: list[dict[str, Any]] = RECORDS) -> Path:
    """In the format that the ending names."""
    if ".csv" in path.name:
        lines = [NAMES, *[["" if record[name] is None else record[name] for name in NAMES] for record in records]]
        text = "".join(",".join(map(str, line)) + "\r\n" for line in lines)
    else:
        text = "".join(json.dumps(record) + "\n" for record in records)
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(records), path)
    else:
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def read_table(path: Path) -> list[dict[str, Any]]:
    """The lines of a CSV or Parquet file; numbers of CSV as numbers."""
    if path.suffix == ".parquet":
        return [dict(line) for line in pq.read_table(path).to_pylist()]
    words: dict[str, Any] = {"true": True, "false": False}

    def value(name: str, text: str) -> Any:
        return text if name in ("label", "output", "file") else words[text] if text in words else json.loads(text)

    with path.open(newline="") as file:
        return [{name: value(name, text) for name, text in line.items()} for line in csv.DictReader(file)]


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def service_says(models: Path, task: Task, records: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    """The answer to one request with all the rows."""
    context = Context(Settings(), Catalog({"linear": load_model(models / "linear")}), Metrics())
    body = json.dumps({"model": "linear", "instances": records} | options).encode()
    answer: Any = (predict if task == "predict" else explain)(body, context, Clock(30_000))
    return dict(json.loads(answer))


@pytest.mark.parametrize("task", get_args(Task))
def test_a_line_per_row_is_what_the_service_answers(models: Path, tmp_path: Path, task: Task) -> None:
    """Number for number, batched or not; the row's number stands before it."""
    assert start(models, write_rows(tmp_path / "in.jsonl"), task=task, out=tmp_path / "out.jsonl") == 0
    said, lines = service_says(models, task, RECORDS), read_lines(tmp_path / "out.jsonl")
    assert [line.pop("row") for line in lines] == list(range(1, 41))
    if task == "explain":
        assert lines == said["explanations"]
        assert all(line["proof"]["exact"] for line in lines)
    else:
        assert lines == [
            {"predictions": values, "label": label} for values, label in zip(said["predictions"], said["labels"], strict=True)
        ]


@pytest.mark.parametrize("task", get_args(Task))
@pytest.mark.parametrize("name", ["in.csv", "in.parquet", "in.csv.gz", "in.jsonl.gz", "in.ndjson"])
def test_every_input_format_gives_the_same_bytes(models: Path, tmp_path: Path, task: Task, name: str) -> None:
    """Absent values, values outside the training data, text and whole numbers among them."""
    for path in (write_rows(tmp_path / "in.jsonl"), write_rows(tmp_path / name)):
        assert start(models, path, task=task, out=tmp_path / f"{path.name}.jsonl") == 0
    assert (tmp_path / f"{name}.jsonl").read_bytes() == (tmp_path / "in.jsonl.jsonl").read_bytes()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_tables_hold_the_numbers_of_the_lines(models: Path, tmp_path: Path, kind: str) -> None:
    source = write_rows(tmp_path / "in.csv")
    for task in get_args(Task):
        for ending in ("jsonl", kind):
            assert start(models, source, task=task, out=tmp_path / f"{task}.{ending}") == 0
    predicted = [
        {"row": line["row"], "label": line["label"], "up": line["predictions"][0], "down": line["predictions"][1]}
        for line in read_lines(tmp_path / "predict.jsonl")
    ]
    assert read_table(tmp_path / f"predict.{kind}") == predicted
    explained = [
        {"row": line["row"], "output": output, "prediction": line["prediction"][k], "base_value": line["base_values"][k]}
        | {name: line["shap_values"][i][k] for i, name in enumerate(NAMES)}
        | {"residual": line["proof"]["residual"][k], "ok": line["proof"]["ok"]}
        for line in read_lines(tmp_path / "explain.jsonl")
        for k, output in enumerate(line["outputs"])
    ]
    assert read_table(tmp_path / f"explain.{kind}") == explained


def test_parquet_keeps_types(models: Path, tmp_path: Path) -> None:
    start(models, write_rows(tmp_path / "in.csv"), task="explain", out=tmp_path / "out.parquet")
    kinds = {field.name: str(field.type) for field in pq.read_schema(tmp_path / "out.parquet")}
    numbers = dict.fromkeys(["prediction", "base_value", *NAMES, "residual"], "double")
    assert kinds == {"row": "int64", "output": "string"} | numbers | {"ok": "bool"}


@pytest.mark.parametrize("method", ["exact", "permutation", "monte_carlo", "kernel", "deep"])
def test_how_rows_are_batched_changes_no_value(method: str) -> None:
    """One by one, or all at once."""
    context = Context(Settings(), linear_catalog(), Metrics())
    ask = asker(Job("explain", [], "linear", None, None, None, {"method": method}), "linear", context)
    rows = [json.dumps(record).encode() for record in RECORDS[:6]]
    alone = [ask([row])["explanations"][0] for row in rows]
    assert ask(rows)["explanations"] == alone


def test_options_are_those_of_the_request(models: Path, tmp_path: Path) -> None:
    asked: dict[str, Any] = {
        "method": "permutation", "outputs": ["down"], "players": "columns", "background": "first", "seed": 5,
    }  # fmt: skip
    start(models, write_rows(tmp_path / "in.jsonl"), task="explain", out=tmp_path / "out.jsonl", **asked)
    lines = read_lines(tmp_path / "out.jsonl")
    assert [{k: v for k, v in line.items() if k != "row"} for line in lines] == service_says(models, "explain", RECORDS, **asked)[
        "explanations"
    ]
    assert lines[0]["proof"]["seed"] == 5
    assert np.shape(lines[0]["shap_values"]) == (5, 1)


@pytest.mark.parametrize(
    ("name", "text", "answered", "says"),
    [
        ("a.csv", "Count,Size,Colour\n1,2,red\n1,two,red\n3,4,blue\n", [1, 3], "row 2 (line 3 of {}): Size: expected a number"),
        ("a.csv", "Count\n1\n\n2.5\n", [1], "row 2 (line 4 of {}): Count: expected a whole number"),
        ("a.csv", "Count\n\nx\n", [], "row 1 (line 3 of {}): Count: expected a number"),
        ("a.csv", "Count\n1_0\nnan\n1e999\n1\n", [4], "row 3 (line 4 of {}): Count: expected a finite number"),
        ("a.csv", "Count,Size\n,1\n2,1\n", [2], "row 1 (line 2 of {}): Count: this field is required"),
        ("a.csv", "Count,Size\n1\n2,1,1\n2,1\n", [3], "row 2 (line 3 of {}): expected 2 cells, as in the header, and found 3"),
        ("a.csv", 'Count,Note\n1,"two\nlines"\n99,"b\nc"\n', [1], "row 2 (lines 4 to 5 of {}): Count: expected less"),
        ("a.csv", 'Count\n"1"x\n2\n', [2], "row 1 (line 2 of {}): expected a line of CSV"),
        ("a.csv", "Count,Colour\n1,r\udcff\n2,red\n", [2], "row 1 (line 2 of {}): expected text in UTF-8"),
        ("a.csv", "Count,Colour\n1,Red\n2,red\n", [2], "row 1 (line 2 of {}): Colour: expected 'red', 'green' or 'blue'"),
        ("a.jsonl", f"{GOOD}\n{{\n{GOOD}\n", [1, 3], "row 2 (line 2 of {}): expected one JSON object"),
        ("a.jsonl", f"{GOOD}\n\n3\n", [1], "row 2 (line 3 of {}): expected an object, one member per field"),
        ("a.jsonl", '{"Count": 1, "Count": 2}\n' + GOOD, [2], "expected one JSON object: a key stands twice"),
        ("a.jsonl", '{"Count": NaN}\n' + GOOD, [2], "row 1 (line 1 of {}): expected one JSON object"),
        ("a.jsonl", GOOD + "," + GOOD + "\n" + GOOD, [2], "row 1 (line 1 of {}): expected one JSON object"),
        ("a.jsonl", '{"Cuont": 1}\n' + GOOD, [2], "Cuont: unknown field; did you mean `Count`?"),
        ("a.jsonl", "[" * 100_000 + "\n" + GOOD, [2], "row 1 (line 1 of {}): expected one JSON object"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_and_left_out(
    models: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, text: str, answered: list[int], says: str
) -> None:
    """By its number, its line and its field; the exit code is 1."""
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert start(models, path, out=tmp_path / "out.jsonl") == 1
    assert [line["row"] for line in read_lines(tmp_path / "out.jsonl")] == answered
    assert says.format(path) in capfd.readouterr().err


def test_the_first_bad_rows_are_named_in_order_and_all_are_counted(
    models: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whoever finds them; no value is repeated."""
    lines = [["{", '{"Count": "SECRET"}', '{"Count": 1, "Colour": "SECRET"}', GOOD][k % 4] for k in range(1600)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    assert start(models, tmp_path / "in.jsonl", out=tmp_path / "out.jsonl") == 1
    said = capfd.readouterr().err
    named = [int(line.split()[2]) for line in said.splitlines() if line.startswith("shapserve: row ")]
    assert named == [k + 1 for k in range(1600) if k % 4 != 3][:20]
    assert "further bad rows are counted" in said
    assert "400 rows in " in said
    assert "1,200 bad rows left out" in said
    assert "SECRET" not in said
    assert len(read_lines(tmp_path / "out.jsonl")) == 400


def test_a_row_that_the_model_cannot_answer_is_found() -> None:
    """NaN, or whatever its library raises; the rows around it are answered, in order."""

    def answers(x: Inputs, check: Any) -> Outputs:
        if (x[:, 1] == 13).any():
            raise ValueError("unlucky")
        return np.where(x[:, [1]] == 7, np.float32(np.nan), linear(x))

    model = replace(linear_model(), predict=answers)
    ask = asker(
        Job("predict", [], "linear", None, None, None, {}), "linear", Context(Settings(), Catalog({"linear": model}), Metrics())
    )
    rows = [Row(k, "", b'{"Count": %d}' % k) for k in range(1, 17)]
    parts = list(answer_rows(rows, ask))
    bad = {part.number: part.flaws for part in parts if isinstance(part, Row)}
    assert bad == {
        7: ("the model answered NaN or infinity for at least one instance",),
        13: ("the model cannot answer (ValueError)",),
    }
    answered = [row.number for part in parts if isinstance(part, Answered) for row in part.rows]
    assert answered == [k for k in range(1, 17) if k not in bad]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Count,Sise,Foo\n1,2,3\n", "unknown columns: `Sise` (did you mean `Size`?), `Foo`; expected a header with Size, Count"),
        ("Size,colour\n1,red\n", "unknown columns: `colour` (did you mean `Colour`?); missing columns: `Count`"),
        ("Count,Count\n1,2\n", "columns that stand there twice: `Count`"),
        ("Count;Size\n1;2\n", "expected commas between the cells, not semicolons"),
        ("", "it is empty"),
    ],
)  # fmt: skip
def test_columns_that_do_not_fit_end_the_run_before_anything_is_computed(
    models: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    """With a file that fits before it; what was written once stays."""
    (tmp_path / "out.csv").write_text("of yesterday")
    (tmp_path / "in.csv").write_text(text)
    assert start(models, write_rows(tmp_path / "good.csv"), tmp_path / "in.csv", out=tmp_path / "out.csv") == 2
    assert says in (said := capfd.readouterr().err)
    assert len(said.splitlines()) == 1
    assert (tmp_path / "out.csv").read_text() == "of yesterday"


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_columns_that_are_ignored_on_request(
    models: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], ending: str
) -> None:
    """What the model predicts often stands beside what it takes; a field of the model cannot be left out so."""
    records = [record | {"Price": 7.0} for record in RECORDS]
    path = tmp_path / f"in.{ending}"
    if ending == "csv":
        lines = [[*NAMES, "Price"], *[["" if r[name] is None else r[name] for name in [*NAMES, "Price"]] for r in records]]
        path.write_text("\n".join(",".join(map(str, line)) for line in lines))
    else:
        write_rows(path, records)
    assert start(models, path, out=tmp_path / "not.jsonl") in (1, 2)
    assert start(models, path, out=tmp_path / "out.jsonl", ignored=("Price",)) == 0
    assert len(read_lines(tmp_path / "out.jsonl")) == len(RECORDS)
    assert start(models, path, out=tmp_path / "not.jsonl", ignored=("Size",)) == 2
    assert "expected columns that the model does not know, not `Size`" in capfd.readouterr().err


def test_ignored_columns_and_a_byte_order_mark_are_ignored(models: Path, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("Note,Count\nx,1\n,2\n", "utf-8-sig")
    assert start(models, tmp_path / "in.csv", out=tmp_path / "out.jsonl") == 0
    assert len(read_lines(tmp_path / "out.jsonl")) == 2


@pytest.mark.parametrize(
    ("columns", "same_as"),
    [
        ({"Count": pa.array([1.0, 2.0])}, [{"Count": 1}, {"Count": 2}]),
        ({"Count": pa.array([1, 2], pa.uint8()), "Size": pa.array([None, None])}, [{"Count": 1}, {"Count": 2}]),
        ({"Count": pa.array([Decimal("1"), Decimal("2")])}, [{"Count": 1}, {"Count": 2}]),
        (
            {"Count": pa.array([1, 2]), "Colour": pa.array(["red", "blue"]).dictionary_encode()},
            [{"Count": 1, "Colour": "red"}, {"Count": 2, "Colour": "blue"}],
        ),
        ({"Count": pa.array([1, 2]), "Note": pa.array([[1], [2]])}, [{"Count": 1}, {"Count": 2}]),
    ],
)
def test_types_of_parquet_that_mean_the_same_are_taken(
    models: Path, tmp_path: Path, columns: dict[str, Any], same_as: list[dict[str, Any]]
) -> None:
    pq.write_table(pa.table(columns), tmp_path / "in.parquet")
    assert start(models, tmp_path / "in.parquet", out=tmp_path / "out.jsonl") == 0
    assert [line["predictions"] for line in read_lines(tmp_path / "out.jsonl")] == service_says(models, "predict", same_as)[
        "predictions"
    ]


@pytest.mark.parametrize(
    ("columns", "code", "says"),
    [
        ({"Count": pa.array([True, False])}, 2, "`Count`: expected numbers, found bool"),
        ({"Count": pa.array(["1", "2"])}, 2, "`Count`: expected numbers, found string"),
        ({"Count": pa.array([date(2020, 1, 1)])}, 2, "`Count`: expected numbers, found date32[day]"),
        ({"Count": pa.array([1]), "Colour": pa.array([date(2020, 1, 1)])}, 2, "`Colour`: expected text, found date32[day]"),
        ({"Count": pa.array([1]), "Colour": pa.array([3])}, 1, "row 1 (of {}): Colour: expected 'red', 'green' or 'blue'"),
        ({"Count": pa.array([float("nan")])}, 1, "row 1 (of {}): Count: expected a finite number; nothing (null) stands for"),
        ({"Count": pa.array([None], pa.int64())}, 1, "row 1 (of {}): Count: this field is required"),
        ({"Count": pa.array([1.5])}, 1, "row 1 (of {}): Count: expected a whole number"),
    ],
)
def test_types_of_parquet_that_do_not_fit_are_said(
    models: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], columns: dict[str, Any], code: int, says: str
) -> None:
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table(columns), path)
    assert start(models, path) == code
    assert says.format(path) in capfd.readouterr().err


def test_categories_that_look_like_numbers_stay_categories(tmp_path: Path) -> None:
    """Text in CSV; in Parquet also numbers and booleans, as the manifest spells them."""
    kinds: dict[str, list[str]] = {"Class": ["1", "2"], "Deck": ["1.5", "2"], "Alone": ["False", "True"]}
    fields = [FieldSpec(name=n, type="category", categories=c, missing=c[0]) for n, c in kinds.items()]
    codes = [ColumnSpec(name=n, field=n, codes={c[0]: 0.0, c[1]: 1.0}) for n, c in kinds.items()]
    more = [ColumnSpec(name=n, field="Class", codes={"1": 0.0, "2": 1.0}) for n in ("again", "and again")]
    manifest = LINEAR.model_copy(update={"fields": fields, "columns": [*codes, *more], "ignored_fields": []})
    write_linear(tmp_path, manifest=manifest)
    (tmp_path / "in.csv").write_text("Class,Deck,Alone\n2,1.5,True\n1,2,\n")
    table = pa.table({"Class": pa.array([2.0, 1.0]), "Deck": pa.array([1.5, 2.0]), "Alone": pa.array([True, None])})
    pq.write_table(table, tmp_path / "in.parquet")
    for ending in ("csv", "parquet"):
        assert start(tmp_path, tmp_path / f"in.{ending}", out=tmp_path / f"{ending}.jsonl", task="explain") == 0
    lines = read_lines(tmp_path / "csv.jsonl")
    assert [line["data"] for line in lines] == [["2", "1.5", "True"], ["1", "2", "False"]]
    assert lines == read_lines(tmp_path / "parquet.jsonl")


def test_names_that_clash_in_a_table_get_a_prefix() -> None:
    """Features and outputs may be called what they like; nothing is written twice."""
    explanation = {"outputs": ["y"], "prediction": [1.0], "base_values": [0.0], "shap_values": [[0.25], [0.5], [0.25]]}
    content: dict[str, Any] = {"explanations": [explanation | {"proof": {"residual": [0.0], "ok": True}}], "players": "fields"}
    table = table_of(Answered([Row(1, "")], content | {"feature_names": ["ok", "shap_ok", "Age"]}), files=False)
    assert {column.name: column.values for column in table} == {
        "row": [1], "output": ["y"], "prediction": [1.0], "base_value": [0.0],
        "shap_shap_ok": [0.25], "shap_ok": [0.5], "Age": [0.25], "residual": [0.0], "ok": [True],
    }  # fmt: skip
    content = {"output_names": ["label", "row"], "labels": None, "predictions": [[1.0, 2.0]]}
    table = table_of(Answered([Row(1, "")], content), files=False)
    assert [column.name for column in table] == ["row", "output_label", "output_row"]


@pytest.mark.parametrize("task", get_args(Task))
@pytest.mark.parametrize("kind", get_args(OutputFormat))
def test_nothing_answered_is_an_empty_file_with_its_columns(models: Path, tmp_path: Path, task: Task, kind: str) -> None:
    """Whether there was no row, or none that is good: the columns are those of rows that were answered."""
    (tmp_path / "none.ndjson").write_text("")
    (tmp_path / "bad.ndjson").write_text("{}")
    for name, code in {"none": 0, "bad": 1}.items():
        assert start(models, tmp_path / f"{name}.ndjson", task=task, out=tmp_path / f"{name}.{kind}") == code
    start(models, write_rows(tmp_path / "in.ndjson"), task=task, out=tmp_path / f"full.{kind}")
    for name in ("none", "bad"):
        if kind == "parquet":
            assert pq.read_table(tmp_path / f"{name}.parquet").num_rows == 0
            assert pq.read_schema(tmp_path / f"{name}.parquet") == pq.read_schema(tmp_path / "full.parquet")
        else:
            header = (tmp_path / "full.csv").read_bytes().splitlines(keepends=True)[0] if kind == "csv" else b""
            assert (tmp_path / f"{name}.{kind}").read_bytes() == header


@pytest.mark.parametrize(
    ("task", "options", "says"),
    [
        ("explain", {"method": "magic"}, "--method: expected 'auto', 'exact'"),
        ("explain", {"method": "deep"}, "--method: expected auto or `exact`"),
        ("explain", {"outputs": ["sideways"]}, "--outputs: expected all, predicted, or a list without repeats of `up`, `down`"),
        ("explain", {"players": "pixels"}, "--players: expected `fields`, `columns`"),
        ("explain", {"background": "second"}, "--background: expected `default`, `first`"),
        ("explain", {"method": "exact", "max_evaluations": 1}, "--max-evaluations: `exact` needs 24 evaluations"),
        ("explain", {"max_stderr": -1.0}, "--max-stderr: expected greater than 0"),
        ("predict", {"model": "nowhere"}, "--model: expected `linear` of "),
        ("predict", {"model": "tests"}, "manifest.json: expected a readable file"),
        ("predict", {"out": Path("out.txt")}, "out.txt: expected a name that ends in .jsonl"),
        ("predict", {"out": Path("out.parquet.gz")}, "out.parquet.gz: expected a name that ends in .jsonl"),
        ("predict", {"out": Path("nowhere/out.csv")}, "nowhere is not a folder"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_a_line(
    models: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], task: Task, options: dict[str, Any], says: str
) -> None:
    """And writes nothing."""
    before = set(os.listdir())
    assert start(models, write_rows(tmp_path / "in.csv"), task=task, **options) == 2
    captured = capfd.readouterr()
    assert captured.err.startswith(f"shapserve: {says}") or says in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""
    assert set(os.listdir()) == before


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("in.txt", b"", "expected a name that ends in .csv"),
        ("in.parquet", b"PAR1 and no more", "expected a Parquet file"),
        ("in.csv.gz", gzip.compress(b"Count\n" + b"1\n" * 99_999)[:-30], "cannot be read"),
        ("in.png", b"", "`linear` takes records, not images"),
    ],
)
def test_an_input_that_cannot_be_read_leaves_nothing(
    models: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, content: bytes, says: str
) -> None:
    """Not half a file, and nothing beside it."""
    (tmp_path / name).write_bytes(content)
    assert start(models, tmp_path / name, out=tmp_path / "out.csv") == 2
    assert says in capfd.readouterr().err
    assert os.listdir(tmp_path) == [name]


def test_an_input_is_never_the_output(models: Path, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "in.csv")
    before = path.read_bytes()
    assert start(models, path, out=path) == 2
    assert path.read_bytes() == before


def test_several_inputs_are_numbered_through_and_a_model_may_be_a_path(models: Path, tmp_path: Path) -> None:
    """Of any formats, and a folder of one; existing output is replaced."""
    (tmp_path / "more" / "deep").mkdir(parents=True)
    (tmp_path / "more" / ".hidden").mkdir()
    write_rows(tmp_path / "more" / "b.csv", RECORDS[2:3])
    write_rows(tmp_path / "more" / "deep" / "a.csv", RECORDS[3:4])
    (tmp_path / "more" / ".hidden" / "c.csv").write_text("no rows")
    (tmp_path / "out.jsonl").write_text("old")
    first = write_rows(tmp_path / "a.csv", RECORDS[:2])
    model = str(models / "linear")
    assert start(tmp_path, first, tmp_path / "more", input_format="csv", out=tmp_path / "out.jsonl", model=model) == 0
    lines = read_lines(tmp_path / "out.jsonl")
    assert [line["row"] for line in lines] == [1, 2, 3, 4]
    assert [line["predictions"] for line in lines] == service_says(models, "predict", RECORDS[:4])["predictions"]


def test_gzipped_output_is_what_it_would_be_unpacked(models: Path, tmp_path: Path) -> None:
    for name in ("out.csv", "out.csv.gz"):
        start(models, write_rows(tmp_path / "in.csv"), out=tmp_path / name)
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()) == (tmp_path / "out.csv").read_bytes()


def test_an_output_that_is_no_plain_file_is_written_into(models: Path, tmp_path: Path) -> None:
    """A pipe stays a pipe."""
    os.mkfifo(pipe := tmp_path / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.extend(pipe.read_text().splitlines()), daemon=True)
    reader.start()
    start(models, write_rows(tmp_path / "in.csv"), out=pipe, output_format="csv")
    reader.join(timeout=20)
    assert len(read) == 41
    assert pipe.is_fifo()


def test_warnings_are_added_up_once(models: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Over all batches, after the rows."""
    rows = RECORDS * 60
    assert start(models, write_rows(tmp_path / "in.jsonl", rows), out=tmp_path / "out.jsonl") == 0
    warning, summary = capfd.readouterr().err.splitlines()
    outside = sum(1 for record in rows if record["Size"] in (400.0, -3.0))
    assert warning == (
        f"shapserve: warning: `Size` lies outside the training data's 0 to 100 in {outside} of {len(rows)} instances"
    )
    assert summary.startswith("shapserve: 2,400 rows in ")
    assert summary.endswith(" rows/s")


def test_rows_are_read_no_further_than_their_batch() -> None:
    """Whatever comes behind them is not in memory; batches grow while they are quick."""
    read = 0

    def rows() -> Iterator[Row]:
        nonlocal read
        while True:
            read += 1
            yield Row(read, "", b"{}")

    pace = Pace("explain", "tabular")
    batches, seen = batched(rows(), pace), 0
    for size in (16, 32, 64, 128, 256, 256):
        seen += size
        assert len(next(batches).rows) == size
        assert read == seen
        pace.took(0.01)
    pace.took(9.0)
    assert len(next(batches).rows) == 128


def test_a_batch_holds_no_more_than_so_many_bytes() -> None:
    """Large images come alone."""
    rows = (Row(k, "", b"x" * 2**23) for k in range(1, 4))
    assert [len(batch.rows) for batch in batched(rows, Pace("predict", "image"))] == [2, 1]
