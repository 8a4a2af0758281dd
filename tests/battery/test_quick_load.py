"""Load and faults in small: clients that are too many, that leave, that are slow; a service that is ended or killed."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from benchmarks import proc
from benchmarks.battery import kill, leaving, overload, sigterm, slow, soak
from benchmarks.battery.part import Part, Tally
from benchmarks.battery.small import asked, write_small
from benchmarks.battery.supervisor import Supervisor
from benchmarks.load import mixed
from benchmarks.load.apart import Apart
from benchmarks.load.bodies import post
from benchmarks.load.loops import closed, quantile
from benchmarks.load.persistent import Fate
from benchmarks.load.through import Moment, ask_through
from benchmarks.load.wire import Answer, request, whole
from benchmarks.process import Server
from tests.conftest import serving

pytestmark = pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="what a process holds is read in /proc")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_small(folder)
    return folder


@pytest.fixture(scope="module")
def supervisor(folder: Path) -> Iterator[Supervisor]:
    """Starts fast, is full soon, and comes back."""
    settings = {"SHAPSERVE_THREADS": "1", "SHAPSERVE_MAX_WAITING": "20", "SHAPSERVE_DEADLINE_MS": "5000"}
    supervisor = Supervisor(SHAPSERVE_MODELS=str(folder), **settings)
    yield supervisor
    supervisor.stop()


@pytest.fixture
def small(supervisor: Supervisor) -> Server:
    server = supervisor.server()
    server.wait_until_ready()
    return server


LONG = asked(method="permutation", max_stderr=1e-12, max_evaluations=10**9)


def test_a_full_service_says_no_fast_and_goes_on_answering(small: Server) -> None:
    busy = [post("/explain", LONG | {"max_evaluations": 2000})]
    tally = overload.overload(small.port, small.pid, busy, seconds=3, peak_seconds=1.5)
    assert {"200", "503"} <= set(tally["counts"]) <= {"200", "503", "-1"}  # of too many under way some are not sent
    assert tally["offered"] > tally["peak"]
    assert tally["goodput"] > 0
    assert tally["reject_p99_ms"] < 5_000  # in seconds, beside other tests
    assert tally["livez_p99_ms"] < 5_000
    assert "answers/s" in overload.figure([tally]).measured


def test_who_leaves_is_not_worked_for(small: Server) -> None:
    large = [post("/predict", asked(instances=asked()["instances"] * 5000))]
    tally = leaving.one(small, range(20), [post("/explain", LONG)], large, post("/predict", asked()), spread=2)
    assert sum(tally["moments"].values()) == 20
    assert tally["status"] == 200
    assert tally["answered_s"] < 10
    assert tally["cores"] < 0.5


def test_slow_clients_do_not_hold_up_the_others(small: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow, "CLIENTS", 24)
    monkeypatch.setattr(slow, "RATE", 10.0)
    large = post("/predict", asked(instances=asked()["instances"] * 500))
    tally = slow.turn(small.port, [post("/predict", asked())], large, seconds=3, settles=1)
    assert tally["failed"] == 0
    assert len(tally["among_ms"]) == 30
    assert quantile(tally["among_ms"], 0.1) < quantile(tally["alone_ms"], 0.5) + 250


def test_kill_9_and_it_serves_again_and_the_disk_is_as_it_was(supervisor: Supervisor, small: Server, folder: Path) -> None:
    before = kill.contents(folder)
    with Apart() as apart:
        load = apart.begin(ask_through, supervisor.port, [post("/predict", asked())], 2, 30.0, 6)
        time.sleep(0.5)
        killed = time.monotonic()
        small.send(signal.SIGKILL)
        moments = load.result().result
    seen = kill._seen(moments, killed, limit=30)
    assert (seen["never"], seen["failed later"]) == (0, 0)
    assert seen["refused"] > 0
    assert kill.contents(folder) == before


def test_sigterm_under_load_ends_in_time_and_every_request_is_accounted_for(small: Server) -> None:
    ending = sigterm.end(small, sigterm.small_requests(), np.random.default_rng(4))
    assert ending.refused
    assert ending.seconds < sigterm.DEADLINE + sigterm.GRACE + 5
    assert ending.open_at <= ending.closed_at
    counts = ending.count()
    assert sum(counts.values()) == len(ending.fates)
    assert counts["answered 200"] > 5


def test_gauges_of_several_workers_are_added_up() -> None:
    app = FastAPI()
    text = 'shapserve_computing{pid="1"} 1.0\nshapserve_computing{pid="2"} 2.0\nshapserve_waiting 0.0\nshapserve_waiting_x 7\n'
    app.get("/metrics", response_class=PlainTextResponse)(lambda: text)
    with serving(app) as client:
        assert leaving.gauges(client.base_url.port or 0) == {"shapserve_computing": 3.0, "shapserve_waiting": 0.0}


def fate(sent: float | None, end: str) -> Fate:
    return Fate("new", sent, 0.0, end)


def test_what_counts_as_lost() -> None:
    """Sent before the listener was gone, and no whole answer."""
    fates = [
        fate(1, "200"),
        fate(1, "no byte"),
        fate(2, "truncated"),
        fate(3.5, "no byte"),
        fate(9, "no byte"),
        fate(None, "no byte"),
    ]
    assert sigterm.Ending(fates, True, open_at=3, closed_at=4, seconds=1, code=0).count() == {
        "answered 200": 1,
        "lost (new, no byte)": 1,
        "lost (new, truncated)": 1,
        "sent as it closed (new, no byte)": 1,
        "sent after it closed (new, no byte)": 1,
        "not sent whole (new, no byte)": 1,
    }


def test_serving_again_means_every_kind_of_request() -> None:
    said = [(0.5, 0, "200"), (2, 0, "refused"), (3, 0, "200"), (4, 1, "503"), (5, 1, "200"), (6, 0, "503")]
    moments = [Moment(at, at + 0.1, kind, what) for at, kind, what in said]
    seen = kill._seen(moments, killed=1, limit=3)
    assert seen["seconds"] == [pytest.approx(4.1)]
    assert (seen["late"], seen["never"], seen["failed later"], seen["refused"], seen["answered"]) == (1, 0, 1, 1, 3)


def test_an_answer_is_whole_or_it_is_none() -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nconnection: close\r\n\r\nabc"
    assert all(whole(data[:n]) is None for n in range(len(data)))
    answer = whole(data)
    assert answer == Answer(200, data[: data.index(b"\r\n\r\n")], b"abc")
    assert answer.closes


def test_closed_clients_wait_for_their_answers(small: Server) -> None:
    with Apart() as apart:
        done = apart.run(closed, small.port, [request("/livez"), request("/nowhere")], 2, 0.5)
    assert set(done.result.counts) == {200, 404}
    assert done.result.rate > 0
    assert done.cpu_seconds > 0


def test_what_comes_from_apart_is_whole_however_large_and_whatever_is_printed_there(capfd: pytest.CaptureFixture[str]) -> None:
    with Apart() as apart:
        assert apart.run(os.write, 1, b"\0noise").result == 6
        assert apart.run(list, range(10**6)).result == list(range(10**6))
        with pytest.raises(RuntimeError, match="listdir failed"):
            apart.run(os.listdir, "/nowhere")
    assert capfd.readouterr().err.startswith("\0noise")


def test_the_mixture_is_drawn_from_numbers_alone() -> None:
    drawn = [mixed.draw(number) for number in range(2000)]
    assert drawn[:50] == [mixed.draw(number) for number in range(50)]
    kinds = Counter(expected for expected, _ in drawn)
    assert 60 < kinds["bad"] < 140
    assert kinds["leaves"] > 10


def test_the_soak_names_what_it_did_not_expect() -> None:
    answers = {"good: 200": 5, "bad: 422": 2, "left": 1, "leaves: 503": 1, "good: 500": 1, "bad: 200": 1, "bad: broken": 1}
    assert soak.unexpected(answers) == {"good: 500": 1, "bad: 200": 1, "bad: broken": 1}


def test_a_process_and_its_sockets(small: Server) -> None:
    assert proc.listens(small.port)
    assert proc.listeners([small.pid], small.port) == [small.pid]
    assert proc.threads(small.pid) > 1
    assert proc.open_files(small.pid) > 3
    assert (proc.memory(small.pid) or 0) > 20
    assert proc.alive(small.pid)


TALLIES: list[tuple[Part, Tally, bool]] = [
    (kill.PART, {"skipped": 4}, False),
    (slow.PART, {"way": "nginx", "skipped": "nginx is not installed"}, False),
]


@pytest.mark.parametrize(("part", "tally", "reached"), TALLIES, ids=["kill", "slow"])
def test_what_was_not_tried_is_said_and_not_reached(part: Part, tally: Tally, reached: bool) -> None:
    figure = part.figure([json.loads(json.dumps(tally))])
    assert "not tried" in figure.measured
    assert figure.reached is reached
