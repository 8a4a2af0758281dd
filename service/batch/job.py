"""What the command line asks for, and what ends a run before its time."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

Task = Literal["predict", "explain"]
InputFormat = Literal["csv", "jsonl", "parquet", "images"]
OutputFormat = Literal["jsonl", "csv", "parquet"]

INPUT_ENDINGS: dict[str, InputFormat] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".png": "images",
    ".jpg": "images",
    ".jpeg": "images",
}
OUTPUT_ENDINGS: dict[str, OutputFormat] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}
_ZIPPED = ("csv", "jsonl")
F = TypeVar("F", bound=str)


@dataclass(frozen=True)
class Job:
    """One run: which rows, which model, what to make of them, and where it goes."""

    task: Task
    inputs: list[str]
    """Files, folders, or `-`."""
    model: str
    """A name in the models folder, or a path."""
    output: Path | None
    """None and `-`: standard output."""
    input_format: InputFormat | None
    output_format: OutputFormat | None
    options: dict[str, Any]
    """Members of the request besides `model` and `instances`."""
    ignored: tuple[str, ...] = ()
    """Columns of the rows that the model does not know, such as what it predicts."""


class Unusable(Exception):
    """The run cannot go on, or begin; the message says what would be right."""


def format_of(path: Path, endings: dict[str, F]) -> F | None:
    """By the ending of the name; CSV and JSONL also with .gz behind it. None: unknown."""
    zipped = path.suffix.lower() == ".gz"
    found = endings.get((path.with_suffix("") if zipped else path).suffix.lower())
    return None if zipped and found not in _ZIPPED else found
