"""What was measured, published: a file of JSON for each part, and a table in docs/reliability.md."""

import json
import platform
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.battery.kept import Step
from benchmarks.battery.part import Part
from benchmarks.process import ROOT
from models.cores import CORES

FIGURES = Path(__file__).parent / "figures"
PAGE = ROOT / "docs" / "reliability.md"
_TABLE = re.compile(r"(<!-- battery -->\n).*?(<!-- end -->)", re.DOTALL)
_HEAD = ["| part | what is tried | goal | measured | reached | on |", "| --- | --- | --- | --- | --- | --- |"]

Published = dict[str, Any]
"""A figure and all that belongs to it, as JSON."""


def publish(name: str, part: Part, done: Sequence[Step], figures: Path = FIGURES) -> Published:
    """Write the figure of a part whose steps are all done."""
    figure = part.figure([step.tally for step in done])
    published = {
        "title": part.title,
        "goal": part.goal,
        "measured": figure.measured,
        "reached": figure.reached,
        "cases": part.total,
        "date": datetime.now(UTC).date().isoformat(),
        "commit": ", ".join(dict.fromkeys(step.commit for step in done)),
        "machine": machine(),
    }
    figures.mkdir(parents=True, exist_ok=True)
    text = json.dumps(published, indent=2, ensure_ascii=False) + "\n"
    (figures / f"{name}.json").write_text(text, "utf-8")
    return published


def machine() -> str:
    """On which the figure was measured."""
    return f"{platform.machine()}, {CORES} cores, Python {platform.python_version()}, TensorFlow {_tensorflow()}"


def renew(names: Iterable[str], page: Path = PAGE, figures: Path = FIGURES) -> None:
    """The table of all figures that there are, in this order."""
    files = {name: figures / f"{name}.json" for name in names}
    found = {name: json.loads(file.read_text("utf-8")) for name, file in files.items() if file.exists()}
    table = "\n".join([*_HEAD, *(_row(name, figure) for name, figure in found.items())])
    text, replaced = _TABLE.subn(lambda match: f"{match[1]}{table}\n{match[2]}", page.read_text("utf-8"))
    if not replaced:
        raise ValueError(f"{page}: expected <!-- battery --> and <!-- end -->")
    page.write_text(text, "utf-8")


def _row(name: str, figure: Published) -> str:
    reached = "yes" if figure["reached"] else "**no**"
    when = f"{figure['date']}, {figure['commit']}, {figure['machine']}"
    cells = [f"`{name}`", figure["title"], figure["goal"], figure["measured"], reached, when]
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _tensorflow() -> str:
    for name in ("tensorflow-cpu", "tensorflow"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "none"
