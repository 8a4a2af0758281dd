"""Five times more than the service can do, for minutes: what it still does, how fast it says no, and what it holds."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from benchmarks import proc
from benchmarks.battery.part import Figure, Part, Tally
from benchmarks.load.apart import Apart
from benchmarks.load.bodies import mixture
from benchmarks.load.loops import closed, opened, probe, quantile
from benchmarks.process import Server

CLIENTS, TIMES = 16, 5
_SETTLED = 30.0
"""Seconds after which memory counts; a tenth of a shorter run."""
_PEAK = 15.0
"""Seconds in which the capacity is measured, before and once more afterwards: machines are not as fast at all times."""


@dataclass
class Watched:
    """Readings of a process, once a second until `stop`."""

    pid: int
    memory: list[float] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def look(self) -> None:
        """Go on until told."""
        while not self.ended.wait(1):
            self.memory.append(proc.memory(self.pid) or 0.0)


def overload(port: int, pid: int, requests: Sequence[bytes], seconds: float, peak_seconds: float = _PEAK) -> Tally:
    """The capacity, then `seconds` of `TIMES` as much, then the capacity again."""
    with Apart() as apart, ThreadPoolExecutor(2) as pool:
        apart.run(closed, port, requests, CLIENTS, peak_seconds / 3)
        spent = proc.cpu_seconds(pid)
        peak = apart.run(closed, port, requests, CLIENTS, peak_seconds)
        busy = (proc.cpu_seconds(pid) - spent) / peak.seconds
        watched = Watched(pid)
        pool.submit(watched.look)
        alive = pool.submit(probe, port, "/livez", seconds)
        spent = proc.cpu_seconds(pid)
        try:
            over = apart.run(opened, port, requests, TIMES * peak.result.rate, seconds)
        finally:
            watched.ended.set()
        over_busy = (proc.cpu_seconds(pid) - spent) / over.seconds
        live = alive.result()
        later = apart.run(closed, port, requests, CLIENTS, peak_seconds)
    peaks = [peak.result.rate, later.result.rate]
    seen, settled = over.result, watched.memory[int(min(_SETTLED, seconds / 10)) :]
    rejects = seen.seconds.get(503, [])
    return {
        "seconds": seconds,
        "peaks": peaks,
        "peak": sum(peaks) / 2,
        "peak_cpu": busy,
        "peak_generator_cpu": peak.cpu_seconds / peak.seconds,
        "offered": sum(seen.counts.values()) / seen.took,
        "goodput": seen.rate,
        "counts": {str(status): count for status, count in sorted(seen.counts.items())},
        "reject_p99_ms": quantile(rejects, 0.99) * 1e3,
        "good_p50_ms": quantile(seen.seconds.get(200, []), 0.5) * 1e3,
        "good_p99_ms": quantile(seen.seconds.get(200, []), 0.99) * 1e3,
        "livez_p99_ms": quantile(live, 0.99) * 1e3,
        "livez_worst_ms": max(live) * 1e3,
        "grown_mib": max(settled) - settled[0],
        "cpu": over_busy,
        "generator_cpu": over.cpu_seconds / over.seconds,
    }


def run(cases: range) -> Tally:
    """A case is a second of overload."""
    server = Server()
    try:
        server.wait_until_ready()
        return overload(server.port, server.pid, mixture(), len(cases))
    finally:
        server.stop()


_GOALS: dict[str, Callable[[Tally], bool]] = {
    "goodput": lambda t: t["goodput"] >= 0.9 * t["peak"],
    "rejects": lambda t: t["reject_p99_ms"] < 50,
    "livez": lambda t: t["livez_p99_ms"] < 100,
    "memory": lambda t: t["grown_mib"] < 32,
    "nothing else": lambda t: set(t["counts"]) <= {"200", "503"},
}


def figure(tallies: Sequence[Tally]) -> Figure:
    """The worst run counts."""
    t = min(tallies, key=lambda t: t["goodput"] / t["peak"])
    others = {status: count for status, count in t["counts"].items() if status not in ("200", "503")}
    measured = (
        f"{CLIENTS} clients get {t['peaks'][0]:.0f} answers/s before and {t['peaks'][1]:.0f} after;"
        f" offered {t['offered']:.0f}/s for {t['seconds']} s:"
        f" goodput {t['goodput']:.0f}/s ({t['goodput'] / t['peak']:.0%} of the peaks' mean), good p50/p99 {t['good_p50_ms']:.0f}/"
        f"{t['good_p99_ms']:.0f} ms, rejects p99 {max(t['reject_p99_ms'] for t in tallies):.0f} ms, `/livez` p99"
        f" {max(t['livez_p99_ms'] for t in tallies):.0f} ms, memory {max(t['grown_mib'] for t in tallies):+.1f} MiB,"
        f" neither 200 nor 503: {sum(others.values())}. Cores taken: service {t['peak_cpu']:.2f} at its peak and {t['cpu']:.2f},"
        f" load {t['peak_generator_cpu']:.2f} and {t['generator_cpu']:.2f}"
    )
    missed = [name for name, reached in _GOALS.items() if not all(reached(t) for t in tallies)]
    return Figure(measured + (f" (missed: {', '.join(missed)})" if missed else ""), not missed)


PART = Part(
    title=f"Overload at {TIMES} times capacity, open loop, 5 minutes",
    goal="goodput 90 % of peak or better, rejects p99 under 50 ms, `/livez` p99 under 100 ms, memory + 32 MiB at most",
    total=300,
    step=300,
    run=run,
    figure=figure,
)
