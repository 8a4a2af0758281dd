"""Sixteen clients at once: our service, and a hand-written one with a lock around shap.DeepExplainer."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np

from benchmarks import proc
from benchmarks.battery.supervisor import free_port
from benchmarks.data import Subject, images, passengers
from benchmarks.load.apart import Apart
from benchmarks.load.bodies import IMAGE, PASSENGER, post
from benchmarks.load.loops import closed
from benchmarks.process import ROOT, Server
from models.folder import write_folder
from models.network import read_network

CLIENTS, ROUNDS, SECONDS, WORKERS = 16, 3, 6.0, 2
_CORES = 2
"""That service and clients share in the goal."""


@dataclass(frozen=True)
class Asked:
    """What is asked of ours."""

    what: str
    model: str
    body: dict[str, Any]
    goal: str = ""
    same: bool = False
    """On the rows that shap gets, instead of the centres that ship."""

    def request(self) -> bytes:
        """To our service; the other one reads the instances alone."""
        return post("/explain", self.body | {"model": self.model + _SAME * self.same})


_SAME = "-same"
_COLUMNS, _PIXELS = PASSENGER | {"method": "deep", "players": "columns"}, IMAGE | {"method": "deep", "players": "pixels"}
ASKED = [
    Asked("1 passenger, `auto`", "titanic", PASSENGER, "20x"),
    Asked("1 passenger, `deep`, columns", "titanic", _COLUMNS, "20x"),
    Asked("1 passenger, `deep`, columns", "titanic", _COLUMNS, same=True),
    Asked("1 image, `deep`, pixels", "fashion-mnist", _PIXELS, "20x"),
]


@dataclass
class Turns:
    """What one side has done in all its turns."""

    answers: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    client_cpu: float = 0.0

    def take(self, apart: Apart, port: int, pid: int, request: bytes, clients: int, seconds: float) -> None:
        """One more turn; answers other than 200 end the measurement."""
        spent = _cpu_seconds(pid)
        done = apart.run(closed, port, [request], clients, seconds)
        self.cpu += _cpu_seconds(pid) - spent
        if set(done.result.counts) != {200}:
            raise RuntimeError(f"expected 200 only, received {dict(done.result.counts)}")
        self.answers += done.result.counts[200]
        self.seconds += done.result.took
        self.client_cpu += done.cpu_seconds

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.answers / self.seconds

    @property
    def cores(self) -> float:
        """Taken by the service."""
        return self.cpu / self.seconds


def throughput(data: Path) -> list[str]:
    """Both services in turns, ours as one process and as two, then with one client."""
    subjects = {"titanic": passengers(data), "fashion-mnist": images(data)}
    lines = [
        "## Throughput",
        "",
        f"{CLIENTS} clients that ask again once they are answered, against FastAPI with one lock around shap.DeepExplainer on",
        f"the same network; ours as one process, as {WORKERS} (`--workers {WORKERS}`), and with one client. What bounds ours:",
        "processor time for each answer, and the cores that service and clients take.",
        "",
        f"| one request | rows, ours and shap's | ours | {WORKERS} workers | shap's | faster | goal | ours, 1 client |"
        f" {CLIENTS} against 1 | processor time, 1 / {CLIENTS} | cores, 1 / {WORKERS} workers |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    with TemporaryDirectory() as work:
        for subject in subjects.values():
            shutil.copytree(subject.folder.path, Path(work) / "models" / subject.folder.path.name)
            if any(asked.same for asked in ASKED if asked.model == subject.folder.manifest.name):
                write_model(Path(work) / "models", subject)
        models = str(Path(work) / "models")
        servers = [Server(SHAPSERVE_MODELS=models, arguments=options) for options in ((), ("--workers", str(WORKERS)))]
        try:
            for server in servers:
                _wait_until_ready(server)
            for name, subject in subjects.items():
                with peer(Path(work), subject) as (port, pid), Apart() as apart:
                    for asked in (asked for asked in ASKED if asked.model == name):
                        lines.append(_measure(apart, asked, _rows(asked, subject), servers, (port, pid)))
        finally:
            for server in servers:
                server.stop()
    return lines


def _measure(apart: Apart, asked: Asked, rows: str, servers: list[Server], peer: tuple[int, int]) -> str:
    ours, more, theirs, alone, warm = Turns(), Turns(), Turns(), Turns(), Turns()
    us, workers = ((server.port, server.pid) for server in servers)
    for port, pid in (us, workers, peer):
        warm.take(apart, port, pid, asked.request(), CLIENTS, SECONDS / 2)
    for _ in range(ROUNDS):
        theirs.take(apart, *peer, asked.request(), CLIENTS, SECONDS)
        ours.take(apart, *us, asked.request(), CLIENTS, SECONDS)
        more.take(apart, *workers, asked.request(), CLIENTS, SECONDS)
        alone.take(apart, *us, asked.request(), 1, SECONDS / 2)
    cores = " / ".join(f"{turns.cores:.2f} + {turns.client_cpu / turns.seconds:.2f}" for turns in (ours, more)) + f" of {_CORES}"
    return (
        f"| {asked.what} | {rows} | {ours.rate:.0f}/s | {more.rate:.0f}/s | {theirs.rate:.1f}/s |"
        f" {ours.rate / theirs.rate:.1f}x, {more.rate / theirs.rate:.1f}x | {asked.goal} |"
        f" {alone.rate:.0f}/s | {ours.rate / alone.rate:.2f}x |"
        f" {alone.cpu / alone.answers * 1e3:.2f} / {ours.cpu / ours.answers * 1e3:.2f} ms | {cores} |"
    )


def _cpu_seconds(pid: int) -> float:
    """With its workers."""
    return sum(map(proc.cpu_seconds, [pid, *proc.descendants(pid)]))


def _wait_until_ready(server: Server) -> None:
    """Whichever of the workers is asked: many times in a row, each on a new connection."""
    server.wait_until_ready()
    row = 0
    while row < 10 * WORKERS:
        row = row + 1 if httpx.get(f"{server.url}/readyz").status_code == 200 else 0
        time.sleep(0.05)


def _rows(asked: Asked, subject: Subject) -> str:
    theirs = len(subject.background.x)
    return f"{theirs if asked.same else len(subject.folder.background.x)} and {theirs}, {subject.source}"


def write_model(folder: Path, subject: Subject) -> None:
    """The shipped network with this background, under another name, so that both services do the same work."""
    model: Any = read_network(subject.folder.model_path)
    manifest = subject.folder.manifest.model_copy(
        update={"name": subject.folder.manifest.name + _SAME, "samples": False, "audit": {}}
    )
    background = replace(subject.background, x=np.asarray(subject.background.x, np.float32))
    write_folder(folder / manifest.name, manifest, model, background, "", force=True, file=subject.folder.model_path.name)


@contextmanager
def peer(work: Path, subject: Subject) -> Iterator[tuple[int, int]]:
    """The hand-written service in a process of its own: port and process id."""
    port, rows = free_port(), work / f"{subject.folder.manifest.name}.npy"
    np.save(rows, subject.background.x)
    command = [sys.executable, "-m", "benchmarks.peer_service", "--folder", str(subject.folder.path), "--background", str(rows)]
    process = subprocess.Popen([*command, "--port", str(port)], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 120
        while not proc.listens(port):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the hand-written service did not start")
            time.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)
