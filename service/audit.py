"""`shapserve audit`: all methods over a model's background, into a table and into its manifest."""

from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from explainers.audit import audit_method, find_truth
from explainers.game import Effort, Question, players_of
from models.folder import InvalidFolder, read_folder, write_manifest
from models.manifest import MethodAudit
from service.catalog import Model
from service.loading import load_model

_WIDTH = 110


def audit(path: Path, instances: int, *, write: bool) -> None:
    """Measure, print, and unless told otherwise write the figures into manifest.json. Raises InvalidFolder."""
    model = load_model(path)
    question = _question(model, read_folder(path).background.x, instances)
    truth = find_truth(model.explainers, question)
    audits: dict[str, MethodAudit] = {}
    for name, explainer in track(model.explainers.items(), "methods", console=Console(stderr=True), transient=True):
        if (found := audit_method(explainer, question, truth)) is not None:
            audits[name] = found
    if not audits:
        raise InvalidFolder(f"manifest.json: `max_evaluations` of {model.manifest.max_evaluations} is too few for every method")
    Console(width=max(Console().width, _WIDTH)).print(_table(model, audits))
    if write:
        write_manifest(path, model.manifest.model_copy(update={"audit": audits}))


def _question(model: Model, rows: np.ndarray, instances: int) -> Question:
    """About rows of the background, evenly chosen: the manifest's outputs, its fields or 4 x 4 patches."""
    manifest, known = model.manifest, model.backgrounds.named("default")
    x = rows[np.unique(np.linspace(0, len(rows) - 1, min(instances, len(rows))).astype(int))]
    predictions = model.predict(x, lambda: None).astype(np.float64)
    everything = np.tile(np.arange(predictions.shape[1]), (len(x), 1))
    outputs = everything if manifest.default_outputs == "all" else predictions.argmax(axis=1)[:, None]
    players = players_of(manifest, "fields" if manifest.kind == "tabular" else "patches", 4)
    effort = Effort(manifest.max_evaluations)
    return Question(x, outputs, players, known.background, predictions, known.predictions, effort)


def _table(model: Model, audits: dict[str, MethodAudit]) -> Table:
    first = next(iter(audits.values()))
    title = f"{model.manifest.name}: {first.instances} instances, {first.players}, truth: {first.truth}"
    table = Table(title=f"{title}, mean |value| {first.mean_value:.4f}")
    heads = ("method", "mean error", "relative", "worst", "signs wrong", "top wrong", "residual", "evaluations", "ms")
    for head in heads:
        table.add_column(head, justify="left" if head == "method" else "right", no_wrap=True)
    for name in model.explainers:
        a = audits.get(name)
        if a is None:
            table.add_row(name, *["-"] * (len(heads) - 1))
            continue
        table.add_row(
            name,
            f"{a.mean_error:.2g}",
            f"{a.mean_error / a.mean_value:.1%}" if a.mean_value else "-",
            f"{a.worst_error:.2g}",
            f"{a.sign_errors:.1%}",
            f"{a.top_errors:.1%}",
            f"{a.largest_residual:.1g}",
            f"{a.evaluations:.0f}",
            f"{a.milliseconds:.2f}",
        )
    for name, reason in model.unsupported.items():
        table.add_row(name, reason, *["-"] * (len(heads) - 2))
    return table
