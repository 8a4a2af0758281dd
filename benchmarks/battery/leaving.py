"""Clients that leave at random moments: nobody works for them, and their place is free."""

import re
import time
from collections import Counter
from collections.abc import Sequence

from benchmarks import proc
from benchmarks.battery.part import Figure, Part, Tally
from benchmarks.load.apart import Apart
from benchmarks.load.bodies import IMAGE, PASSENGER, PASSENGERS, endless, post
from benchmarks.load.leavers import leave
from benchmarks.load.wire import Plain, request
from benchmarks.process import Server

GAUGES = ("shapserve_computing", "shapserve_waiting")
WITHIN, SPREAD = 1.0, 8.0
"""Seconds after the last has left; seconds in which a hundred come."""
_IDLE = 0.2
"""Cores that a service without work may take."""


def long() -> list[bytes]:
    """Work of seconds."""
    image = IMAGE | {"method": "permutation", "max_stderr": 1e-12, "max_evaluations": 10**9}
    return [post("/explain", body) for body in (endless(), endless(seed=1, instances=20), image)]


def large() -> list[bytes]:
    """Answers that are larger than the buffers between."""
    return [
        post("/predict", PASSENGERS | {"instances": PASSENGERS["instances"] * 500}),
        post("/explain", IMAGE | {"players": "pixels", "method": "deep", "outputs": "all"}),
    ]


def gauges(port: int) -> dict[str, float]:
    """What /metrics says of work that goes on and of work that waits; empty where it says nothing."""
    connection = Plain(port)
    text = connection.ask(request("/metrics")).body.decode()
    connection.close()
    found = re.findall(rf"^({'|'.join(GAUGES)})(?:{{.*}})? (\S+)$", text, re.MULTILINE)
    return {name: sum(float(value) for other, value in found if other == name) for name in {name for name, _ in found}}


def after(server: Server, left_at: float, asked: bytes) -> Tally:
    """How soon a good request is answered, the gauges are 0, and the processor rests."""
    connection = Plain(server.port)
    answer = connection.ask(asked)
    answered = time.monotonic() - left_at
    connection.close()
    while any(said := gauges(server.port).values()) and time.monotonic() < left_at + 10:
        time.sleep(0.02)
    idle = time.monotonic() - left_at if said else None
    time.sleep(max(0.0, left_at + WITHIN - time.monotonic()))
    spent = proc.cpu_seconds(server.pid)
    time.sleep(1)
    return {
        "answered_s": answered,
        "status": answer.status,
        "idle_s": idle,
        "cores": proc.cpu_seconds(server.pid) - spent,
    }


def one(server: Server, cases: range, long: Sequence[bytes], large: Sequence[bytes], good: bytes, spread: float) -> Tally:
    """Let them come and leave."""
    with Apart() as apart:
        left = apart.run(leave, server.port, long, large, cases, spread).result
        return after(server, left.last, good) | {"moments": left.moments}


def run(cases: range) -> Tally:
    """A case is a client."""
    server = Server()
    try:
        server.wait_until_ready()
        return one(server, cases, long(), large(), post("/predict", PASSENGER), SPREAD)
    finally:
        server.stop()


def figure(tallies: Sequence[Tally]) -> Figure:
    """The worst step counts."""
    moments = sum((Counter(t["moments"]) for t in tallies), Counter[str]())
    answered, cores = max(t["answered_s"] for t in tallies), max(t["cores"] for t in tallies)
    idle, statuses = [t["idle_s"] for t in tallies], {t["status"] for t in tallies}
    told = f"gauges 0 after {max(idle):.2f} s" if None not in idle else "/metrics has no gauges of work"
    measured = (
        f"{sum(moments.values())} clients left ({', '.join(f'{name}: {count}' for name, count in sorted(moments.items()))});"
        f" after the last of a hundred: a request answered within {answered:.2f} s ({', '.join(map(str, sorted(statuses)))}),"
        f" {told}, {cores:.2f} cores taken from {WITHIN:.0f} s on"
    )
    quick = answered < WITHIN and None not in idle and max(idle) < WITHIN
    return Figure(measured, quick and cores < _IDLE and statuses == {200})


PART = Part(
    title="1,000 clients that leave before, while sending, waiting and receiving",
    goal="no orphan work, slot free within 1 s",
    total=1000,
    step=100,
    run=run,
    figure=figure,
)
