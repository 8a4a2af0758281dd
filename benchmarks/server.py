"""The service from outside: start, latency, memory."""

import json
import statistics
from functools import partial
from pathlib import Path

import httpx

from benchmarks.process import ROOT, Server, import_seconds
from benchmarks.timing import alternate, seconds
from models.folder import TRAINED
from service.catalog import Catalog
from service.context import Context
from service.explain import explain
from service.lane import Clock
from service.metrics import Metrics
from service.settings import Settings

_EXAMPLES = ROOT / "examples"
PASSENGER = (_EXAMPLES / "passenger.json").read_bytes()
IMAGE = json.dumps({**json.loads((_EXAMPLES / "image.json").read_text()), "players": "pixels"}).encode()
_JSON = {"Content-Type": "application/json"}


def service(_: Path) -> list[str]:
    """Start, latency and memory."""
    imported = statistics.median(import_seconds() for _ in range(3))
    server = Server()
    started = server.wait_until_ready()
    client = httpx.Client(base_url=server.url, timeout=60)

    def ask(body: bytes) -> None:
        client.post("/explain", content=body, headers=_JSON).raise_for_status()

    catalog = Catalog()
    catalog.load(TRAINED)
    context = Context(Settings(), catalog, Metrics())
    lines = [
        "## The service",
        "",
        "| what | measured | against | goal |",
        "| --- | --- | --- | --- |",
        f"| start to ready | {started:.1f} s | import of TensorFlow {imported:.1f} s | + 5 s |",
    ]
    for name, body in (("passenger", PASSENGER), ("image", IMAGE)):
        over, inside = alternate(partial(ask, body), partial(seconds, partial(in_process, context, body)))
        added = f"in process {inside * 1e3:.2f} ms + {(over - inside) * 1e3:.2f} ms"
        lines.append(f"| `/explain`, 1 {name}, p50 | {over * 1e3:.2f} ms | {added} | + 1 ms |")
    memory = {}
    for k in range(1, 10_001):
        ask(IMAGE if k % 20 == 0 else PASSENGER)
        if k in (100, 10_000):
            memory[k] = server.memory()
    client.close()
    server.stop()
    before, after = memory[100], memory[10_000]
    if before is not None and after is not None:
        grown = f"{before:.0f} MiB after 100, {after - before:+.1f} MiB"
        lines.append(f"| memory after 10,000 explanations, 1 in 20 an image | {after:.0f} MiB | {grown} | flat |")
    return lines


def in_process(context: Context, body: bytes) -> bytes:
    """What the service does for a request, without HTTP."""
    answer = explain(body, context, Clock(context.settings.deadline_ms))
    assert isinstance(answer, bytes)
    return answer
