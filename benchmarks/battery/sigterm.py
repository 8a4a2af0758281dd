"""SIGTERM under load: whatever was accepted is answered, and the process ends in time."""

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks import proc
from benchmarks.battery.part import Figure, Part, Tally
from benchmarks.battery.small import asked, write_small
from benchmarks.load.apart import Apart
from benchmarks.load.bodies import PASSENGER, PIXELS, endless, post
from benchmarks.load.persistent import Fate, persist
from benchmarks.process import Server

KINDS = ["kept"] * 6 + ["new"] * 5 + ["slow"]
DEADLINE = 5.0
GRACE = 2.0
_LOAD = 40.0
"""Seconds after which the clients give up."""
_SHIPPED = range(4, 50, 10)
"""Cases with the models that ship."""


@dataclass(frozen=True)
class Ending:
    """What was seen of one SIGTERM."""

    fates: list[Fate]
    refused: bool
    """Every client, in the end."""
    open_at: float
    """When the listener was last seen."""
    closed_at: float
    """When it was first seen gone."""
    seconds: float
    """From the signal to the end of the process."""
    code: int | None
    """None if it had to be killed."""

    def count(self) -> Counter[str]:
        """Requests by kind of client and end; what was sent before the listener was gone and has no whole answer is lost."""
        return Counter(self._name(fate) for fate in self.fates)

    def _name(self, fate: Fate) -> str:
        if fate.end.isdecimal():
            return f"answered {fate.end}"
        if fate.sent is None:
            return f"not sent whole ({fate.kind}, {fate.end})"
        if fate.sent <= self.open_at:
            return f"lost ({fate.kind}, {fate.end})"
        moment = "as it closed" if fate.sent <= self.closed_at else "after it closed"
        return f"sent {moment} ({fate.kind}, {fate.end})"


def end(server: Server, requests: Sequence[bytes], rng: np.random.Generator) -> Ending:
    """Load the server, and end it at a random moment, with a second signal soon after."""
    with Apart() as apart:
        load = apart.begin(persist, server.port, KINDS, requests, _LOAD)
        time.sleep(rng.uniform(0.3, 2.0))
        told = time.monotonic()
        server.send(signal.SIGTERM)
        again, kind = told + rng.uniform(0.01, 0.5), (signal.SIGTERM, signal.SIGINT)[int(rng.integers(2))]
        open_at, closed_at = _watch(server, told, again, kind)
        try:
            code: int | None = server.wait(told + 2 * DEADLINE + GRACE - time.monotonic())
        except subprocess.TimeoutExpired:
            code = None
            server.send(signal.SIGKILL)
        seconds = time.monotonic() - told
        fates, refused = load.result().result
    return Ending(fates, refused, open_at, closed_at or told + seconds, seconds, code)


def _watch(server: Server, told: float, again: float, kind: signal.Signals) -> tuple[float, float]:
    """See the listener go, and send the second signal when it is time; when the listener was last and was no longer seen."""
    open_at, closed_at = told, 0.0
    while time.monotonic() < told + DEADLINE + GRACE and (not closed_at or again):
        now = time.monotonic()
        if again and now >= again:
            again = 0.0
            server.send(kind)
        if not closed_at and proc.listens(server.port):
            open_at = now
        elif not closed_at:
            closed_at = time.monotonic()
        time.sleep(0.001)
    return open_at, closed_at


def _tally(ending: Ending) -> Tally:
    counts = ending.count()
    return {
        "counts": counts,
        "lost": sum(count for name, count in counts.items() if name.startswith("lost")),
        "seconds": [ending.seconds],
        "late": int(ending.code is None or ending.seconds > DEADLINE + GRACE),
        "codes": Counter([str(ending.code)]),
        "not refused": int(not ending.refused),
    }


def small_requests() -> list[bytes]:
    """From a millisecond to the deadline."""
    endless = asked(method="permutation", max_stderr=1e-12, max_evaluations=10**9)
    long = [post("/explain", endless | {"deadline_ms": ms}) for ms in (300, 1200)]
    short = [post("/predict", asked()), post("/explain", asked()), post("/predict", asked(instances=asked()["instances"] * 200))]
    return [*short, long[0], *short, long[1]]


def shipped_requests() -> list[bytes]:
    """The same with the models that ship."""
    short = [post("/predict", PASSENGER), post("/explain", PASSENGER), post("/explain", PIXELS)]
    return [
        *short,
        post("/explain", endless() | {"deadline_ms": 300}),
        *short,
        post("/explain", endless() | {"deadline_ms": 1200}),
    ]


def one(case: int, *, small: bool) -> Tally:
    """End one server."""
    rng = np.random.default_rng([6, case])
    with TemporaryDirectory() as folder:
        write_small(Path(folder))
        environment = {"SHAPSERVE_DEADLINE_MS": f"{DEADLINE * 1000:.0f}"} | ({"SHAPSERVE_MODELS": folder} if small else {})
        server = Server(**environment)
        server.wait_until_ready()
        requests = small_requests() if small else shipped_requests()
        tally = _tally(end(server, requests, rng))
        server.close()
        return tally


def run(cases: range) -> Tally:
    """A case is a server that is ended; one in ten has the models that ship."""
    tallies = [one(case, small=case not in _SHIPPED) for case in cases]
    return {"ended": len(tallies), **_add(tallies)}


def _add(tallies: Sequence[Tally]) -> Tally:
    return {
        "counts": sum((Counter(t["counts"]) for t in tallies), Counter()),
        "codes": sum((Counter(t["codes"]) for t in tallies), Counter()),
        "seconds": [s for t in tallies for s in t["seconds"]],
        **{name: sum(t[name] for t in tallies) for name in ("lost", "late", "not refused")},
    }


def figure(tallies: Sequence[Tally]) -> Figure:
    """All servers together."""
    t = _add(tallies)
    ends, counts = sum(t["codes"].values()), "; ".join(f"{name}: {count}" for name, count in sorted(t["counts"].items()))
    codes = ", ".join(f"{code} ({count})" for code, count in sorted(t["codes"].items()))
    measured = (
        f"{ends} times, deadline {DEADLINE:.0f} s: {sum(t['counts'].values())} requests, {t['lost']} lost ({counts});"
        f" ended after {max(t['seconds']):.1f} s at most, {t['late']} too late, exit codes {codes}"
    )
    failed = sum(count for name, count in t["counts"].items() if name in ("answered 500", "answered 502"))
    return Figure(measured, not (t["lost"] or t["late"] or failed or t["not refused"]))


PART = Part(
    title="SIGTERM under load, a second signal soon after, 50 times",
    goal="0 accepted requests lost, ended within the deadline + 2 s",
    total=50,
    step=5,
    run=run,
    figure=figure,
)
