"""An hour of everything: memory, threads, files and compiled code stay as they are."""

import json
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks import proc
from benchmarks.battery.part import Figure, Part, Tally
from benchmarks.load.apart import Apart
from benchmarks.load.loops import quantile
from benchmarks.load.mixed import mix
from benchmarks.process import Server

CLIENTS, MOST_GROWTH = 3, 5.0
_EVERY = 5.0
"""Seconds between two readings."""
_COMPILED = re.compile(r"device_compilation_profiler\.cc:\d+\] Compiled ")
_TELLS = {"TF_CPP_MIN_LOG_LEVEL": "0", "TF_CPP_VMODULE": "device_compilation_profiler=1"}
"""TensorFlow writes a line for whatever XLA compiles."""


class Readings:
    """Of the service and of the process that draws for it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._read = 0
        self._compiled = 0
        self.kept: list[dict[str, float]] = []

    def take(self, seconds: float) -> None:
        """One more."""
        family = [self._server.pid, *proc.descendants(self._server.pid)]
        self.kept.append(
            {
                "seconds": round(seconds, 1),
                "memory": round(sum(proc.memory(pid) or 0.0 for pid in family), 2),
                "threads": sum(map(proc.threads, family)),
                "files": sum(map(proc.open_files, family)),
                "compiled": self._compilations(),
            }
        )

    def between(self, begin: float, end: float, name: str) -> list[float]:
        """Of a stretch of time, in shares of the whole."""
        whole = self.kept[-1]["seconds"]
        return [r[name] for r in self.kept if begin * whole <= r["seconds"] <= end * whole]

    def change(self, name: str, of: Callable[[list[float]], float] = statistics.median) -> tuple[float, float]:
        """In the sixth after the warm-up, and in the last one."""
        return of(self.between(1 / 6, 2 / 6, name)), of(self.between(5 / 6, 1, name))

    def _compilations(self) -> int:
        """So far."""
        lines, _, _ = self._server.log(self._read).rpartition("\n")
        self._read += len(lines.encode("utf-8", "replace"))
        self._compiled += len(_COMPILED.findall(lines))
        return self._compiled


def soak(server: Server, seconds: float) -> Tally:
    """The first sixth is the warm-up; the next sixth is compared with the last.

    What requests hold for a moment comes and goes: memory that does not come back raises what nine tenths of the readings exceed.
    """
    readings, begin = Readings(server), time.monotonic()
    with Apart() as apart:
        load = apart.begin(mix, server.port, CLIENTS, seconds)
        while not load.done():
            readings.take(time.monotonic() - begin)
            if len(readings.kept) % 12 == 0:
                print("soak", json.dumps(readings.kept[-1]), file=sys.stderr, flush=True)
            time.sleep(_EVERY)
        done = load.result()
    told: dict[str, Any] = {name: readings.change(name) for name in ("threads", "files")}
    told |= {"memory": readings.change("memory", lambda found: quantile(found, 0.1)), "median": readings.change("memory")}
    warm = next(r["compiled"] for r in readings.kept if r["seconds"] >= seconds / 6)
    return told | {
        "seconds": seconds,
        "compiled": (warm, readings.kept[-1]["compiled"]),
        "answers": done.result,
        "generator_cpu": done.cpu_seconds / done.seconds,
        "readings": readings.kept[::12],
    }


def run(cases: range) -> Tally:
    """A case is a minute; all of them are one soak."""
    server = Server(**_TELLS, SHAPSERVE_DEADLINE_MS="120000")  # an answer that a busy machine delays is no fault
    try:
        server.wait_until_ready()
        return soak(server, 60.0 * len(cases))
    finally:
        server.stop()


def unexpected(answers: dict[str, int]) -> dict[str, int]:
    """Good requests without 200, bad ones without a status that says so; who waits in vain may leave or be answered."""
    return {
        name: count
        for name, count in answers.items()
        if not (name == "left" or name == "good: 200" or name.startswith("leaves: ") or re.fullmatch(r"bad: 4\d\d", name))
    }


def figure(tallies: Sequence[Tally]) -> Figure:
    """One soak, or the worst of several."""
    t = max(tallies, key=lambda t: t["memory"][1] - t["memory"][0])
    (before, after), (few, many), (first, last), (warm, end) = (t[name] for name in ("memory", "threads", "files", "compiled"))
    odd = unexpected(t["answers"])
    good, left = t["answers"].get("good: 200", 0), t["answers"].get("left", 0)
    refused = sum(count for name, count in t["answers"].items() if name.startswith("bad: 4"))
    measured = (
        f"{t['seconds'] / 60:.0f} minutes, {sum(t['answers'].values())} requests ({good} good ones answered, {refused} bad ones"
        f" refused, {left} clients left, otherwise: {odd or 'none'}); what nine tenths of the readings of"
        f" resident memory exceed: {before:.0f} MiB after the warm-up, {after - before:+.1f} at the end (medians"
        f" {t['median'][0]:.0f} and {t['median'][1]:.0f}); threads {few:.0f},"
        f" {many - few:+.0f}; open files {first:.0f}, {last - first:+.0f};"
        f" compiled by XLA {warm:.0f}, {end - warm:+.0f} after the warm-up"
    )
    steady = after - before < MOST_GROWTH and many <= few and last <= first and end == warm and warm > 0
    return Figure(measured, steady and not odd)


PART = Part(
    title="Soak, 1 hour, everything mixed, 5 % bad, some clients leave",
    goal="growth under 5 MB after warm-up, no new threads or files, no recompilation, no answer of another kind",
    total=60,
    step=60,
    run=run,
    figure=figure,
)
