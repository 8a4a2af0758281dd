"""kill -9 under a supervisor: soon it serves again, and nothing on disk has to be repaired."""

import hashlib
import re
import shutil
import signal
import statistics
import time
from collections.abc import Sequence
from os import kill as send
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import proc
from benchmarks.battery.part import Figure, Part, Tally
from benchmarks.battery.supervisor import Supervisor, knows
from benchmarks.load.apart import Apart
from benchmarks.load.bodies import IMAGE, PASSENGER, post
from benchmarks.load.through import Moment, ask_through
from benchmarks.process import import_seconds
from models.folder import TRAINED

CLIENTS = 3
MARGIN = 5.0
_MORE = 8.0
"""Seconds that the clients go on after the limit."""
_WORKERS = range(20, 24)
"""Cases that kill one of two workers; the others kill the process itself."""
_MKDTEMP = re.compile(r"(tmp|pymp-|shapserve-workers-)\w+")


def contents(folder: Path) -> dict[str, str]:
    """Every file below, with the hash of what is in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _left(folder: Path) -> list[str]:
    """What is in the folder for temporary files and was not made by mkdtemp."""
    return [path.name for path in folder.iterdir() if not _MKDTEMP.fullmatch(path.name)]


def one(supervisor: Supervisor, case: int, limit: float, *, worker: bool) -> Tally:
    """Kill once, while clients ask."""
    server = supervisor.server()
    server.wait_until_ready()
    time.sleep(float(np.random.default_rng([7, case]).uniform(0.5, 1.5)))
    family = proc.descendants(server.pid)
    workers = proc.listeners(family, supervisor.port)
    victim = workers[case % len(workers)] if worker else server.pid
    below = proc.descendants(victim)
    requests = [post("/predict", PASSENGER), post("/predict", {"model": "fashion-mnist", "instances": IMAGE["instances"]})]
    with Apart() as apart:
        load = apart.begin(ask_through, supervisor.port, requests, CLIENTS, 1.0 + limit + _MORE)
        time.sleep(1.0)
        killed = time.monotonic()
        send(victim, signal.SIGKILL)
        moments = load.result().result
    missing = len(workers) - len(proc.listeners(proc.descendants(supervisor.server().pid), supervisor.port)) if worker else 0
    return _seen(moments, killed, limit) | {"orphans": sum(map(proc.alive, below)), "workers missing": missing}


def _seen(moments: Sequence[Moment], killed: float, limit: float) -> Tally:
    """Serving again is when each kind of request has been answered, and none fails from then on."""
    after = [moment for moment in moments if moment.begin > killed]
    firsts = [
        next((m.end for m in after if m.kind == kind and m.what == "200"), None) for kind in sorted({m.kind for m in after})
    ]
    again = max(first if first is not None else float("inf") for first in firsts)
    failed = [moment for moment in moments if moment.what != "200"]
    return {
        "seconds": [min(again, moments[-1].end) - killed],
        "never": int(again == float("inf")),
        "late": int(again - killed > limit),
        "failed before": sum(moment.end < killed for moment in failed),
        "failed later": sum(moment.begin > again for moment in failed),
        "refused": sum(moment.what == "refused" for moment in failed),
        "broken": sum(moment.what == "broken" for moment in failed),
        "answered": len(moments) - len(failed),
    }


def run(cases: range) -> Tally:
    """A case is a kill; the cases of one step have the same supervisor."""
    worker = cases[0] in _WORKERS
    if worker and not knows("--workers"):
        return {"skipped": len(cases)}
    imported = statistics.median(import_seconds() for _ in range(3))
    with TemporaryDirectory() as work:
        models, temporary = Path(work) / "models", Path(work) / "temporary"
        shutil.copytree(TRAINED, models)
        temporary.mkdir()
        before = contents(models)
        arguments = ("--workers", "2") if worker else ()
        supervisor = Supervisor(arguments=arguments, SHAPSERVE_MODELS=str(models), TMPDIR=str(temporary))
        try:
            tallies = [one(supervisor, case, imported + MARGIN, worker=worker) for case in cases]
        finally:
            supervisor.stop()
        changed = sorted(set(before.items()) ^ set(contents(models).items()))
        sums = {name: sum(t[name] for t in tallies) for name in tallies[0] if name != "seconds"}
        return sums | {
            "kills": len(tallies),
            "workers": worker,
            "import": imported,
            "seconds": [s for t in tallies for s in t["seconds"]],
            "changed": [name for name, _ in changed] + _left(temporary),
            "temporary": len(list(temporary.iterdir())),
        }


def _line(tallies: Sequence[Tally]) -> tuple[str, bool]:
    if not tallies:
        return "not tried", False
    names = (
        "kills",
        "late",
        "never",
        "failed before",
        "failed later",
        "refused",
        "broken",
        "answered",
        "orphans",
        "workers missing",
    )
    t = {name: sum(tally[name] for tally in tallies) for name in (*names, "temporary")}
    seconds, changed = [s for tally in tallies for s in tally["seconds"]], [n for tally in tallies for n in tally["changed"]]
    text = (
        f"{t['kills']} kills, serving again after {statistics.median(seconds):.1f} s (median), {max(seconds):.1f} s at most"
        f" ({t['never']} not by then), import of"
        f" TensorFlow {statistics.median(tally['import'] for tally in tallies):.1f} s; {t['answered']} requests answered,"
        f" {t['refused']} refused, {t['broken']} broken off, {t['failed later']} failed after it served again;"
        f" processes left behind: {t['orphans']}; files changed or left: {len(changed)}, besides {t['temporary']} of mkdtemp"
    )
    good = not (t["late"] or t["failed before"] or t["failed later"] or t["orphans"] or t["workers missing"] or changed)
    return text, good


def figure(tallies: Sequence[Tally]) -> Figure:
    """The process itself, then one of two workers."""
    done = [tally for tally in tallies if "skipped" not in tally]
    text, good = _line([tally for tally in done if not tally["workers"]])
    if len(done) < len(tallies):
        return Figure(f"{text}. One of two workers: skipped, this version has no `--workers`", good)
    workers, as_good = _line([tally for tally in done if tally["workers"]])
    return Figure(f"{text}. One of two workers: {workers}", good and as_good)


PART = Part(
    title="kill -9 under a supervisor, 20 times, and of one of two workers, 4 times",
    goal="serving again within TensorFlow's import + 5 s, nothing on disk to repair",
    total=24,
    step=4,
    run=run,
    figure=figure,
)
