"""How the service ends and begins again: a real process with a small model of scikit-learn."""

import contextlib
import json
import os
import select
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from prometheus_client.mmap_dict import MmapedDict
from sklearn.tree import DecisionTreeRegressor

from benchmarks import proc
from benchmarks.process import Server
from benchmarks.swaps import NAME, RECORD, write_version
from models.estimator import write_estimator
from models.folder import SKOPS
from service.workers import _add_up, _folder, _sweep
from tests.conftest import until

BODY: dict[str, object] = {"model": NAME, "instances": [RECORD]}
LONG = {
    **BODY,
    "instances": [dict(zip(RECORD, (0.7, -0.9, 1.3, -0.4), strict=True))],
    "method": "permutation",
    "max_stderr": 1e-12,
    "max_evaluations": 10**9,
}
HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"


class Tree:
    """Its orderings differ, so that sampling them has no end; in some trees that scikit-learn draws they do not."""

    def __init__(self, version: int) -> None:
        x = np.random.default_rng(version).normal(size=(200, 4))
        self._model = DecisionTreeRegressor(random_state=version).fit(x, x[:, 0] * x[:, 1] * x[:, 2] + x[:, 3])

    def save(self, path: Path) -> None:
        """As skops does."""
        write_estimator(self._model, path)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_version(folder, 1, Tree, SKOPS)
    return folder


@contextlib.contextmanager
def running(models: Path, **settings: str) -> Iterator[Server]:
    """Ready; killed in the end if it still runs."""
    server = Server(SHAPSERVE_MODELS=str(models), **{f"SHAPSERVE_{name.upper()}": value for name, value in settings.items()})
    try:
        server.wait_until_ready()
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(server.pid, signal.SIGKILL)
        server.wait()
        server.close()


def ask(server: Server, body: Mapping[str, object], path: str = "/explain") -> httpx.Response:
    return httpx.post(server.url + path, json=body, timeout=30)


def test_what_was_accepted_is_answered(models: Path) -> None:
    """One computes when the signal comes and one is in the queue; more signals change nothing; then the port is free."""
    settings = {"threads": "1", "deadline_ms": "12000", "drain_seconds": "3"}
    with running(models, **settings) as server, ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(ask, server, LONG | {"deadline_ms": 5000})]
        until(lambda: metric(server, "shapserve_computing") == 1)
        waiting.append(pool.submit(ask, server, BODY))
        until(lambda: metric(server, "shapserve_waiting") == 1)
        with httpx.Client(base_url=server.url) as kept:
            assert kept.get("/readyz").status_code == 200
            os.kill(server.pid, signal.SIGTERM)
            time.sleep(0.05)
            for more in (signal.SIGINT, signal.SIGTERM):
                os.kill(server.pid, more)
            ready = kept.get("/readyz")
            assert (ready.status_code, ready.headers["connection"]) == (503, "close")
        long, short = (future.result() for future in waiting)
        assert long.status_code == 504 or long.json()["explanations"][0]["proof"]["stopped_by"] == "deadline"
        assert short.status_code == 200
        assert server.wait() == -signal.SIGTERM
        with pytest.raises(httpx.ConnectError):
            ask(server, BODY)


def test_a_drain_goes_on_accepting(models: Path) -> None:
    with running(models, drain_seconds="6") as server:
        os.kill(server.pid, signal.SIGTERM)
        until(lambda: httpx.get(f"{server.url}/readyz").status_code == 503)
        assert httpx.get(f"{server.url}/v2/health/ready").status_code == 503
        assert ask(server, BODY).status_code == 200
        assert metric(server, "shapserve_ready") == 0
        assert server.wait() == -signal.SIGTERM


def upload(server: Server) -> socket.socket:
    """A body that does not come."""
    host, port = server.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=20)
    connection.sendall(HEAD)
    return connection


def answer(connection: socket.socket) -> bytes:
    """All that comes until the server closes."""
    with connection:
        return b"".join(iter(lambda: connection.recv(10_000), b""))


def test_a_body_has_its_time(models: Path) -> None:
    """And less of it once the service stops, which does not wait for it."""
    with running(models, body_seconds="0.5") as server:
        slow = answer(upload(server))
        assert b" 408 " in slow
        assert b"/problems/body-too-slow" in slow
    with running(models, body_seconds="60") as server:
        connection = upload(server)
        time.sleep(0.2)
        begin = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        stopped = answer(connection)
        assert b" 503 " in stopped
        assert b"/problems/stopping" in stopped
        assert server.wait() == -signal.SIGTERM
        assert time.monotonic() - begin < 20


def test_connections_that_open_while_it_stops_are_answered_or_refused(models: Path) -> None:
    """A client of its own connection for each request, several at once: none is reset."""
    with running(models) as server:
        lost: list[str] = []
        answered = threading.Semaphore(0)

        def knock() -> None:
            while True:
                try:
                    ask(server, BODY, "/predict").raise_for_status()
                    answered.release()
                except httpx.ConnectError:
                    return
                except httpx.HTTPError as error:
                    lost.append(repr(error))

        with ThreadPoolExecutor(4) as pool:
            done = [pool.submit(knock) for _ in range(4)]
            for _ in range(50):
                assert answered.acquire(timeout=10)
            os.kill(server.pid, signal.SIGTERM)
            for future in done:
                future.result(timeout=30)
        assert lost == []


def test_workers_share_a_port_and_are_replaced(models: Path) -> None:
    """Their metrics add up; nobody notices that one is killed but who had asked it; all end with the signal."""
    with running(models, workers="2") as server:
        until(lambda: metric(server, "shapserve_ready") == 2)
        before = metric(server, 'shapserve_choices_total{asked="auto",method="exact",model="swapped"}')
        for _ in range(20):
            assert ask(server, BODY).status_code == 200
        after = metric(server, 'shapserve_choices_total{asked="auto",method="exact",model="swapped"}')
        assert after - before == 20
        workers = workers_of(server)
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        for _ in range(20):
            assert httpx.get(f"{server.url}/readyz").status_code == 200
        until(lambda: len(workers_of(server)) == 2 and metric(server, "shapserve_ready") == 2)
        os.kill(server.pid, signal.SIGTERM)
        assert server.wait() == 0
        assert not any(proc.alive(worker) for worker in workers)


def test_what_ended_workers_have_counted_is_kept_in_one_file(tmp_path: Path) -> None:
    """Also when one ends before it has counted anything, or in the middle of making its file."""
    for name, value in (("counter_1", 3.0), ("counter_2", 4.0), ("counter_3", 0.0)):
        counted = MmapedDict(str(tmp_path / f"{name}.db"))
        counted.write_value("key", value, 0.0)
        counted.close()
    (tmp_path / "counter_4.db").touch()
    for name in "1234":
        _add_up(tmp_path / f"counter_{name}.db")
    assert [file.name for file in tmp_path.iterdir()] == ["counter_ended.db"]
    assert [(key, value) for key, value, _, _ in MmapedDict.read_all_values_from_file(str(tmp_path / "counter_ended.db"))] == [
        ("key", 7.0)
    ]


def test_one_worker_may_end_alone(models: Path) -> None:
    """The door that all share stays open."""
    with running(models, workers="2") as server:
        until(lambda: metric(server, "shapserve_ready") == 2)
        first, _ = workers_of(server)
        os.kill(first, signal.SIGTERM)
        until(lambda: not proc.alive(first))
        for _ in range(10):
            assert httpx.get(f"{server.url}/livez", timeout=5).status_code == 200


def test_heads_of_requests_have_a_limit(models: Path) -> None:
    """In bytes; that of seconds is ten."""
    with running(models) as server, socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        silent = socket.create_connection(("127.0.0.1", server.port), timeout=15)
        with socket.create_connection(("127.0.0.1", server.port), timeout=15) as other:
            other.sendall(b"\x16\x03\x01 a handshake of TLS\r\n\r\n")
            head, _, body = read_all(other).partition(b"\r\n\r\n")
            for part in (
                b"application/problem+json",
                b"nosniff",
                b"no-store",
                b"x-request-id: ",
                b"\r\ndate: ",
                b"connection: close",
            ):
                assert part in head
            assert json.loads(body)["type"] == "/problems/not-http"
        connection.sendall(b"GET /livez HTTP/1.1\r\n")
        while not select.select([connection], [], [], 0.001)[0]:
            connection.sendall(b"x: " + b"y" * 1000 + b"\r\n")
        assert b"/problems/head-too-large" in read_all(connection)
        with silent:
            assert silent.recv(10) == b""


def read_all(connection: socket.socket) -> bytes:
    """Until the other side closes."""
    return b"".join(iter(lambda: connection.recv(2**16), b""))


def test_workers_end_with_their_supervisor(models: Path) -> None:
    """Even when it is killed: the next one finds its port free."""
    with running(models, workers="2") as server:
        workers = workers_of(server)
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
        until(lambda: not any(proc.alive(worker) for worker in workers))


def workers_of(server: Server) -> list[int]:
    """The processes that accept connections, but for the supervisor."""
    return proc.listeners(proc.descendants(server.pid), server.port)


def metric(server: Server, name: str) -> float:
    lines = httpx.get(f"{server.url}/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_the_folder_of_a_supervisor_is_removed_when_it_is_gone_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it matter which number its process has: containers that share a folder all have the same."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left = tmp_path / "shapserve-workers-killed"
    left.mkdir()
    (left / "counter_1.db").touch()
    somebody = tmp_path / "shapserve-other"
    somebody.mkdir()
    with _folder() as folder:
        _sweep()
        assert {path.name for path in tmp_path.iterdir()} == {Path(folder).name, somebody.name}
    assert list(tmp_path.iterdir()) == [somebody]
