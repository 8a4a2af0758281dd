"""The steps of a part that are done: a line each, so that a run that was stopped goes on where it stood."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.battery.part import Part, Tally
from benchmarks.process import ROOT

WRITTEN = (":!benchmarks/battery/figures", ":!docs/reliability.md")
"""What the battery writes itself: it makes no other commit of this one."""


@dataclass(frozen=True)
class Step:
    """Some cases, what they counted, and the code that counted it."""

    cases: range
    tally: Tally
    commit: str


def steps(part: Part) -> Iterator[range]:
    """All cases, in the order in which they are done."""
    for start in range(0, part.total, part.step):
        yield range(start, min(start + part.step, part.total))


def kept(file: Path) -> dict[range, Step]:
    """The steps that were written; a line that was not written to its end counts as missing."""
    found: dict[range, Step] = {}
    for line in file.read_text("utf-8").splitlines() if file.exists() else ():
        try:
            said: dict[str, Any] = json.loads(line)
        except json.JSONDecodeError:
            continue
        cases = range(said["from"], said["to"])
        found[cases] = Step(cases, said["tally"], said["commit"])
    return found


def go_on(part: Part, file: Path) -> list[Step]:
    """Every step, those that are missing done now."""
    done, now = kept(file), commit()
    for cases in steps(part):
        if cases not in done:
            done[cases] = Step(cases, part.run(cases), now)
            _keep(file, done[cases])
            print(f"{cases.stop:,} of {part.total:,}", flush=True)
    return [done[cases] for cases in steps(part)]


def commit() -> str:
    """Of this checkout; `+` after it: something was changed since."""
    try:
        name = _git("rev-parse", "--short", "HEAD")
        return name + ("+" if _git("status", "--porcelain", "--", ".", *WRITTEN) else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def _keep(file: Path, step: Step) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    line = {"from": step.cases.start, "to": step.cases.stop, "commit": step.commit, "tally": step.tally}
    whole = not file.exists() or file.read_bytes()[-1:] in (b"", b"\n")
    with file.open("a", encoding="utf-8") as lines:
        lines.write(("" if whole else "\n") + json.dumps(line) + "\n")
