"""Answers as tables: lines of equal columns, for CSV and Parquet."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from explainers.game import players_of
from models.manifest import Manifest
from service.batch.asking import Answered
from service.batch.job import Job, Unusable

_MOST_COLUMNS = 10_000


class TableColumn(NamedTuple):
    """One column of some lines."""

    name: str
    kind: Literal["whole", "number", "text", "truth"]
    values: Sequence[Any]


Table = list[TableColumn]


def table_of(part: Answered, *, files: bool) -> Table:
    """predict: a line per row; explain: a line per row and output. Raises Unusable where there would be too many columns.

    files: whether there is a column for the names of images.
    """
    return _explained(part, files) if "explanations" in part.content else _predicted(part, files)


def empty_table(job: Job, manifest: Manifest, *, files: bool) -> Table:
    """The columns alone, for when nothing was answered; the pixels of images are left out."""
    content: dict[str, Any] = {"output_names": manifest.output_names, "labels": manifest.class_names and [], "predictions": []}
    if job.task == "explain":
        players = job.options.get("players") or "fields"
        known = players_of(manifest, players, 4).names if manifest.kind == "tabular" and players in ("fields", "columns") else []
        content = {"explanations": [], "feature_names": known, "players": players}
    return table_of(Answered([], content), files=files)


def _predicted(part: Answered, files: bool) -> Table:
    """row, file?, label?, then each output; a regression has no label."""
    content = part.content
    names: list[str] = content["output_names"]
    columns = np.asarray(content["predictions"], np.float64).reshape(len(part.rows), len(names)).T
    table = _rows(part, files, 1)
    if content["labels"] is not None:
        table.append(TableColumn("label", "text", content["labels"]))
    free = _free(names, {"row", "file", "label"}, "output_")
    return table + [TableColumn(name, "number", values.tolist()) for name, values in zip(free, columns, strict=True)]


def _explained(part: Answered, files: bool) -> Table:
    """row, file?, output, prediction, base_value, the Shapley value of each feature, residual, ok."""
    explanations = part.content["explanations"]
    outputs = len(explanations[0]["outputs"]) if explanations else 1
    names = part.content["feature_names"]
    if names is None:
        names = _places(part.content["players"], np.shape(explanations[0]["shap_values"])[:-1])
    if len(names) > _MOST_COLUMNS:
        raise Unusable(f"the table would have {len(names)} columns of values; expected --output-format jsonl, or --patches")
    each = [np.asarray(e["shap_values"], np.float64).reshape(len(names), outputs).T for e in explanations]
    values = np.concatenate([np.empty((0, len(names))), *each])
    free = _free(names, {"row", "file", "output", "prediction", "base_value", "residual", "ok"}, "shap_")
    return [
        *_rows(part, files, outputs),
        TableColumn("output", "text", [name for e in explanations for name in e["outputs"]]),
        TableColumn("prediction", "number", [value for e in explanations for value in e["prediction"]]),
        TableColumn("base_value", "number", [value for e in explanations for value in e["base_values"]]),
        *[TableColumn(name, "number", column.tolist()) for name, column in zip(free, values.T, strict=True)],
        TableColumn("residual", "number", [value for e in explanations for value in e["proof"]["residual"]]),
        TableColumn("ok", "truth", [e["proof"]["ok"] for e in explanations for _ in range(outputs)]),
    ]


def _rows(part: Answered, files: bool, times: int) -> Table:
    table = [TableColumn("row", "whole", [row.number for row in part.rows for _ in range(times)])]
    if files:
        table.append(TableColumn("file", "text", [row.file for row in part.rows for _ in range(times)]))
    return table


def _places(players: str, shape: Sequence[int]) -> list[str]:
    """Pixels and patches by row and column, counted from 0; of several channels also by channel."""
    one, shape = players.removesuffix("es" if players == "patches" else "s"), shape[:2] if shape[2:] == (1,) else shape
    return ["_".join([one, *map(str, place)]) for place in np.ndindex(*shape)]


def _free(names: list[str], taken: set[str], prefix: str) -> list[str]:
    """The names; where one is taken already, with the prefix before it until nobody else has it."""
    others = taken | set(names)

    def one(name: str) -> str:
        if name in taken:
            while name in others:
                name = prefix + name
        return name

    return [one(name) for name in names]
