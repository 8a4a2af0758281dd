"""The service from outside: start, latency, memory."""

import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import httpx

from benchmarks.timing import alternate, seconds
from models.folder import TRAINED
from service.catalog import Catalog
from service.explain import explain
from service.lane import Clock
from service.settings import Settings

_EXAMPLES = Path(__file__).parent.parent / "examples"
PASSENGER = (_EXAMPLES / "passenger.json").read_bytes()
IMAGE = json.dumps({**json.loads((_EXAMPLES / "image.json").read_text()), "players": "pixels"}).encode()
_JSON = {"Content-Type": "application/json"}


def import_seconds() -> float:
    """How long a fresh process imports TensorFlow."""
    code = "import time; t = time.perf_counter(); import tensorflow; print(time.perf_counter() - t)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


class Service:
    """`shapserve serve` as a process."""

    def __init__(self) -> None:
        begin = time.perf_counter()
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        command = [sys.executable, "-m", "service", "serve", "--port", "0"]
        self._process = subprocess.Popen(command, stderr=self._log)
        while not (found := self._found()):
            time.sleep(0.02)
        self.client = httpx.Client(base_url=found, timeout=60)
        while self.client.get("/readyz").status_code != 200:
            time.sleep(0.02)
        self.start_seconds = time.perf_counter() - begin

    def _found(self) -> str | None:
        self._log.seek(0)
        match = re.search(r"running on (http://\S+)", self._log.read())
        return match[1] if match else None

    def ask(self, body: bytes) -> None:
        """One explanation."""
        self.client.post("/explain", content=body, headers=_JSON).raise_for_status()

    def memory(self) -> float | None:
        """Resident memory in MiB; None where the system does not say."""
        status = Path(f"/proc/{self._process.pid}/status")
        if not status.exists():
            return None
        return int(re.findall(r"VmRSS:\s+(\d+)", status.read_text())[0]) / 1024

    def close(self) -> None:
        """End the process."""
        self.client.close()
        self._process.terminate()
        self._process.wait()
        self._log.close()


def service(_: Path) -> list[str]:
    """Start, latency and memory."""
    imported = statistics.median(import_seconds() for _ in range(3))
    server = Service()
    catalog, settings = Catalog(), Settings()
    catalog.load(TRAINED)
    lines = [
        "## The service",
        "",
        "| what | measured | against | goal |",
        "| --- | --- | --- | --- |",
        f"| start to ready | {server.start_seconds:.1f} s | import of TensorFlow {imported:.1f} s | + 5 s |",
    ]
    for name, body in (("passenger", PASSENGER), ("image", IMAGE)):
        over, inside = alternate(partial(server.ask, body), partial(seconds, partial(in_process, catalog, settings, body)))
        added = f"in process {inside * 1e3:.2f} ms + {(over - inside) * 1e3:.2f} ms"
        lines.append(f"| `/explain`, 1 {name}, p50 | {over * 1e3:.2f} ms | {added} | + 1 ms |")
    memory = {}
    for k in range(1, 10_001):
        server.ask(IMAGE if k % 20 == 0 else PASSENGER)
        if k in (100, 10_000):
            memory[k] = server.memory()
    server.close()
    before, after = memory[100], memory[10_000]
    if before is not None and after is not None:
        grown = f"{before:.0f} MiB after 100, {after - before:+.1f} MiB"
        lines.append(f"| memory after 10,000 explanations, 1 in 20 an image | {after:.0f} MiB | {grown} | flat |")
    return lines


def in_process(catalog: Catalog, settings: Settings, body: bytes) -> bytes:
    """What the service does for a request, without HTTP."""
    return explain(body, catalog, settings, Clock(settings.deadline_ms))
