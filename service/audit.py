"""`shapserve audit`: all methods over a model's background, into a table and into its manifest."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from rich.console import Console, Group
from rich.progress import track
from rich.table import Table
from rich.text import Text

from explainers.audit import audit_method, find_truth
from explainers.game import Effort, Question, players_of
from models.folder import InvalidFolder, write_manifest
from models.manifest import MethodAudit
from service.catalog import Model
from service.loading import load_model

_WIDTH = 110


def audit(path: Path, instances: int, *, write: bool) -> None:
    """Measure, print, and unless told otherwise write the figures into manifest.json. Raises InvalidFolder."""
    model = load_model(path)
    shown = track(model.explainers, "methods", console=Console(stderr=True), transient=True)
    audits = measure(model, question_about(model, instances), shown)
    if not audits:
        raise InvalidFolder(f"manifest.json: `max_evaluations` of {model.manifest.max_evaluations} is too few for every method")
    console().print(report(audits, model.unsupported, f"{model.manifest.name}: "), highlight=False)
    if write:
        write_manifest(path, model.manifest.model_copy(update={"audit": audits}))


def measure(model: Model, question: Question, methods: Iterable[str]) -> dict[str, MethodAudit]:
    """Each method's error and cost, by name; without those that cannot answer, or cost more than a request may."""
    truth = find_truth(model.explainers, question)
    found = {name: audit_method(model.explainers[name], question, truth) for name in methods}
    return {name: audit for name, audit in found.items() if audit is not None}


def question_about(model: Model, instances: int) -> Question:
    """About rows of the background, evenly chosen: the manifest's outputs, its fields or 4 x 4 patches."""
    manifest, known = model.manifest, model.backgrounds.named("default")
    rows = known.background.x
    x = rows[np.unique(np.linspace(0, len(rows) - 1, min(instances, len(rows))).astype(int))]
    predictions = model.predict(x, lambda: None).astype(np.float64)
    everything = np.tile(np.arange(predictions.shape[1]), (len(x), 1))
    outputs = everything if manifest.default_outputs == "all" else predictions.argmax(axis=1)[:, None]
    side = min(4, *manifest.input_shape[:2]) if manifest.kind == "image" else 1
    players = players_of(manifest, "fields" if manifest.kind == "tabular" else "patches", side)
    effort = Effort(manifest.max_evaluations)
    return Question(x, outputs, players, known.background, predictions, known.predictions, effort)


def console(*, stderr: bool = False) -> Console:
    """As wide as the terminal; wide enough for a table where there is none."""
    made = Console(stderr=stderr)
    return made if made.is_terminal else Console(stderr=stderr, width=max(made.width, _WIDTH))


def report(audits: Mapping[str, MethodAudit], unsupported: Mapping[str, str], title: str) -> Group:
    """A line per method that was measured, in the order of the table of methods; then who cannot answer, and why."""
    first = next(iter(audits.values()))
    title += f"{first.instances} instances, {first.players}, truth: {first.truth}, mean |value| {first.mean_value:.4g}"
    table = Table(title=title, title_justify="left")
    for head in ("method", "mean error", "relative", "worst", "signs wrong", "top wrong", "residual", "evaluations", "ms"):
        table.add_column(head, justify="left" if head == "method" else "right", no_wrap=True)
    for name, a in audits.items():
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
    return Group(table, *[Text(f"  {name} cannot explain it: {reason}") for name, reason in unsupported.items()])
