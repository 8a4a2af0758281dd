"""New versions under load: a model's folder is replaced again and again while clients ask; nothing may fail."""

import os
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np

from benchmarks.process import Server
from models.backgrounds import Background, equal_weights
from models.folder import KERAS, write_folder
from models.manifest import ColumnSpec, FieldSpec, Manifest

NAME, COLUMNS = "swapped", 4
SWAPS, CLIENTS = 100, 4
RECORD = {f"c{k}": 0.0 for k in range(COLUMNS)}
Made = Callable[[int], Any]
"""A model that answers its version, 1, 2, ..., to `RECORD`; something with `save(path)`."""


def write_version(folder: Path, version: int, made: Made, file: str) -> None:
    """Into `folder`/swapped, in the place of the version before."""
    names = list(RECORD)
    manifest = Manifest(
        name=NAME,
        version=str(version),
        kind="tabular",
        output_names=["version"],
        fields=[FieldSpec(name=name, type="number") for name in names],
        columns=[ColumnSpec(name=name, field=name) for name in names],
    )
    rows = Background(np.eye(3, COLUMNS, dtype=np.float32), equal_weights(3))
    write_folder(folder / NAME, manifest, made(version), rows, "", force=True, file=file)


@dataclass
class Watch:
    """What the clients saw."""

    answered: int = 0
    failures: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    versions: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, client: httpx.Client, path: str) -> None:
        """One request; the answer has to be whole, and of the version that it names."""
        begin = time.perf_counter()
        wrong = ""
        try:
            response = client.post(path, json={"model": NAME, "instances": [RECORD]})
            content = response.json()
            if response.status_code != 200:
                wrong = f"{response.status_code}: {content.get('detail')}"
            else:
                version = content["model"]["version"]
                (said,) = content["predictions"][0] if path == "/predict" else content["explanations"][0]["prediction"]
                wrong = "" if abs(said - float(version)) < 1e-3 else f"version {version} answered {said}"
                self.versions.add(version)
        except Exception as error:
            wrong = repr(error)
        with self.lock:
            self.answered += 1
            self.seconds.append(time.perf_counter() - begin)
            self.failures += [wrong] if wrong else []


def swap(url: str, folder: Path, made: Made, *, file: str, swaps: int, clients: int = CLIENTS) -> Watch:
    """Replace version 1, which serves, by 2 and so on, each once its predecessor answers, while clients ask without a pause."""
    watch, stop = Watch(), threading.Event()

    def load(path: str) -> None:
        with httpx.Client(base_url=url, timeout=60) as client:
            while not stop.is_set():
                watch.ask(client, path)

    threads = [threading.Thread(target=load, args=(("/predict", "/explain")[k % 2],)) for k in range(clients)]
    for thread in threads:
        thread.start()
    try:
        for version in range(2, swaps + 2):
            write_version(folder, version, made, file)
            _wait_for(url, str(version))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    return watch


def _wait_for(url: str, version: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        (listed,) = httpx.get(f"{url}/models").json()["models"]
        if listed["version"] == version:
            return
        time.sleep(0.01)
    raise TimeoutError(f"version {version} did not appear: {listed}")


def keras_version(version: int) -> Any:
    """A net whose answer to zeros is its last bias."""
    import keras

    model = keras.Sequential([keras.Input((COLUMNS,)), keras.layers.Dense(16, activation="relu"), keras.layers.Dense(1)])
    model.layers[-1].bias.assign([float(version)])
    return model


def swaps(_: Path) -> list[str]:
    """A hundred versions of a small Keras net, on a real server."""
    with TemporaryDirectory() as work:
        folder = Path(work)
        write_version(folder, 1, keras_version, KERAS)
        server = Server(SHAPSERVE_MODELS=work, SHAPSERVE_POLL_SECONDS="0.1")
        server.wait_until_ready()
        before, begin = server.memory(), time.monotonic()
        watch = swap(server.url, folder, keras_version, file=KERAS, swaps=SWAPS)
        took, after = time.monotonic() - begin, server.memory()
        files = len(os.listdir(f"/proc/{server.pid}/fd")) if Path(f"/proc/{server.pid}/fd").exists() else 0
        server.stop()
    p50, p99 = statistics.median(watch.seconds), sorted(watch.seconds)[int(0.99 * len(watch.seconds))]
    memory = f"{before:.0f} MiB before, {after:.0f} after" if before and after else "not known"
    return [
        "## New versions under load",
        "",
        "| what | measured | goal |",
        "| --- | --- | --- |",
        f"| versions swapped, {CLIENTS} clients asking without a pause | {SWAPS} in {took:.0f} s | 100 |",
        f"| requests answered meanwhile | {watch.answered} | |",
        f"| of these failed, or with another version's numbers | {len(watch.failures)} | 0 |",
        f"| latency while loading, p50 / p99 | {p50 * 1e3:.1f} / {p99 * 1e3:.1f} ms | |",
        f"| memory | {memory} | |",
        f"| open files at the end | {files} | |",
    ]
