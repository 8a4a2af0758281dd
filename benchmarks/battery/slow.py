"""Two hundred slow clients: the good ones do not notice, with the bare server and with nginx in front."""

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.battery.front import NGINX, front
from benchmarks.battery.part import Figure, Part, Tally
from benchmarks.load.apart import Apart
from benchmarks.load.bodies import PASSENGER, PASSENGERS, post
from benchmarks.load.loops import quantile
from benchmarks.load.sluggish import crawl, steady
from benchmarks.process import Server

CLIENTS, RATE, SECONDS = 200, 40.0, 15.0
ALLOWED = 1.25
_SETTLES = 8.0
"""Seconds until the slow ones have connected and their work is done."""
_ROUNDS = 10
WAYS = ("bare", "nginx")


def large() -> bytes:
    """A request with an answer that takes long to read, and not long to compute: the load is not what is tried."""
    return post("/predict", PASSENGERS | {"instances": PASSENGERS["instances"] * 500})


def turn(port: int, good: Sequence[bytes], slow: bytes, seconds: float, settles: float = _SETTLES) -> Tally:
    """Good clients alone, then beside the slow ones."""
    with Apart() as apart, Apart() as beside:
        apart.run(steady, port, good, RATE, seconds / 3)
        alone, failed_alone = apart.run(steady, port, good, RATE, seconds).result
        crawling = beside.begin(crawl, port, CLIENTS, settles + seconds, slow)
        time.sleep(settles)
        among, failed = apart.run(steady, port, good, RATE, seconds).result
        cut = crawling.result().result
    return {
        "alone_ms": [round(1e3 * s, 2) for s in alone],
        "among_ms": [round(1e3 * s, 2) for s in among],
        "failed": failed + failed_alone,
        "cut": cut,
    }


def run(cases: range) -> Tally:
    """A case is a turn, the first half of them with the bare server, the second half through nginx."""
    ways = {WAYS[case // _ROUNDS] for case in cases}
    if "nginx" in ways and NGINX is None:
        return {"way": "nginx", "skipped": "nginx is not installed"}
    (way,) = ways
    server = Server()
    with ExitStack() as stack:
        stack.callback(server.stop)
        server.wait_until_ready()
        folder = Path(stack.enter_context(TemporaryDirectory()))
        port = server.port if way == "bare" else stack.enter_context(front(folder, server.port))
        turns = [turn(port, [post("/explain", PASSENGER), post("/predict", PASSENGER)], large(), SECONDS) for _ in cases]
    return {"way": way} | _add(turns)


def _add(turns: Sequence[Tally]) -> Tally:
    return {
        "alone_ms": [ms for t in turns for ms in t["alone_ms"]],
        "among_ms": [ms for t in turns for ms in t["among_ms"]],
        "failed": sum(t["failed"] for t in turns),
        "cut": sum((Counter(t["cut"]) for t in turns), Counter[str]()),
    }


def _line(way: str, tallies: Sequence[Tally]) -> tuple[str, bool]:
    if why := next((t["skipped"] for t in tallies if "skipped" in t), "" if tallies else "not run"):
        return f"{way}: not tried, {why}", False
    t = _add(tallies)
    p50, p99, p50_among, p99_among = (quantile(t[name], share) for name in ("alone_ms", "among_ms") for share in (0.5, 0.99))
    cut = ", ".join(f"{kind}: {count}" for kind, count in sorted(t["cut"].items())) or "none"
    text = (
        f"{way}: {len(t['among_ms'])} good requests at {RATE:.0f}/s, p50 {p50:.1f} ms alone and {p50_among:.1f} among them,"
        f" p99 {p99:.1f} and {p99_among:.1f} ms ({p99_among / p99 - 1:+.0%}), {t['failed']} failed;"
        f" slow connections closed by the server: {cut}"
    )
    return text, p50_among <= ALLOWED * p50 and p99_among <= ALLOWED * p99 and not t["failed"]


def figure(tallies: Sequence[Tally]) -> Figure:
    """The bare server, and nginx in front of it."""
    lines = {way: _line(way, [t for t in tallies if t["way"] == way]) for way in WAYS}
    return Figure("; ".join(text for text, _ in lines.values()), all(good for _, good in lines.values()))


PART = Part(
    title=f"{CLIENTS} clients with slow headers, slow bodies, slow reading and idle sockets, bare and behind nginx",
    goal="good clients' p50 and p99 within 25 %",
    total=2 * _ROUNDS,
    step=2,
    run=run,
    figure=figure,
)
