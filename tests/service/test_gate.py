"""The gate of a full service: who passes, who is turned away, and what that costs."""

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from fastapi import Request, Response

from explainers.game import Attribution, Question
from service.app import create_app
from service.catalog import Catalog
from service.gate import Gate
from service.lane import Clock
from service.life import Life
from service.metrics import Metrics
from service.routes import compute
from service.settings import Settings
from tests.conftest import serving, until
from tests.fakes import Full, LinearExplainer, linear_catalog, linear_model

HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


class Held(LinearExplainer):
    """Waits until it is told to go on."""

    def __init__(self) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()

    def attribute(self, question: Question) -> Attribution:
        """See Explainer."""
        self.begun.set()
        assert self.go_on.wait(20)
        return super().attribute(question)


def test_a_full_service_says_so_before_the_body_is_read() -> None:
    """With the time to come again; health answers; and there is room again once the work has ended."""
    held = Held()
    model = replace(linear_model(), explainers={"deep": held})
    settings = Settings(threads=1, max_waiting=0)
    ask = {"model": "linear", "instances": [{"Count": 1}], "method": "deep"}
    with serving(create_app(settings, Catalog({"linear": model}))) as client, ThreadPoolExecutor(1) as pool:
        working = pool.submit(client.post, "/explain", json=ask)
        assert held.begun.wait(20)
        with socket.create_connection((client.base_url.host, client.base_url.port or 80)) as connection:
            connection.settimeout(20)
            connection.sendall(HEAD % 1000)
            said = connection.recv(10_000).lower()
        for part in (b" 503 ", b"retry-after: 1", b"/problems/busy", b"x-request-id", b"nosniff", b"application/problem+json"):
            assert part in said
        assert client.get("/livez").status_code == 200
        refused = client.post("/v2/models/linear/infer", json={})
        assert refused.json()["error"] == refused.json()["detail"]
        assert client.options("/predict").status_code == 405
        text = client.get("/metrics").text
        assert 'shapserve_requests_total{method="POST",route="/predict",status="503"} 1.0' in text
        assert "shapserve_computing 1.0" in text
        held.go_on.set()
        assert working.result().status_code == 200
        assert client.post("/predict", json={"model": "linear", "instances": [{"Count": 1}]}).status_code == 200
        assert "shapserve_computing 0.0" in client.get("/metrics").text


def test_a_connection_goes_on_after_it_was_turned_away() -> None:
    """Whatever still comes of the body is not taken for a request; who asks for the last answer gets the last one."""
    app = create_app(Settings(cors_origins=("https://shop.example",)), linear_catalog())
    app.state.gate._lane = Full()
    with serving(app) as client, socket.create_connection((client.base_url.host, client.base_url.port or 80)) as connection:
        connection.settimeout(20)
        connection.sendall(HEAD.replace(b"Host", b"Origin: https://shop.example\r\nHost") % len(b"POST /\n"))
        said = connection.recv(10_000).lower()
        assert said.count(b"http/1.1 503") == 1
        for part in (b"access-control-allow-origin: https://shop.example", b"server-timing, retry-after", b"\r\ndate: "):
            assert part in said
        connection.sendall(b"POST /\n" + b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b'"alive"' in connection.recv(10_000)
        connection.sendall((HEAD % 2 + b"{}") * 3)
        said = b""
        while said.count(b"HTTP/1.1 503") < 3 or not said.endswith(b"}"):
            said += connection.recv(100_000)
        connection.sendall((HEAD % 2).replace(b"HTTP/1.1", b"HTTP/1.0") + b"{}")
        rest = b"".join(iter(lambda: connection.recv(10_000), b""))
        assert b"connection: close" in rest
        assert b"access-control" not in rest


def test_a_connection_that_was_turned_away_is_not_kept_for_ever() -> None:
    """Its body ends after its answer."""
    app = create_app(Settings(), linear_catalog())
    app.state.gate._lane = Full()
    with (
        serving(app, timeout_keep_alive=1) as client,
        socket.create_connection((client.base_url.host, client.base_url.port or 80)) as connection,
    ):
        connection.settimeout(20)
        connection.sendall(HEAD % 7)
        assert connection.recv(10_000)
        connection.sendall(b"1234567")
        assert connection.recv(10) == b""


def test_those_who_are_turned_away_together_cost_one_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop sleeps after each handful of rejects, and only while there is no place."""
    rests: list[float] = []
    monkeypatch.setattr("service.gate.time.sleep", rests.append)
    lane = Full()
    gate = Gate(lane, Metrics(), Life(), ())  # type: ignore[arg-type]

    async def scene(full: bool) -> int:
        rests.clear()
        for _ in range(3):
            gate.turn_away("/predict", "", ())
        lane.free = int(not full)
        await asyncio.sleep(0)
        return len(rests)

    assert [asyncio.run(scene(full)) for full in (True, True, False, True)] == [1, 1, 0, 1]


def test_there_is_no_rest_while_more_stand_at_the_door(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop lets in one of them at a time."""
    rests: list[float] = []
    monkeypatch.setattr("service.gate.time.sleep", rests.append)
    gate = Gate(Full(), Metrics(), Life(), ())  # type: ignore[arg-type]

    async def scene() -> list[int]:
        seen = []
        for _ in range(3):
            gate.knock()
            gate.turn_away("/predict", "", ())
            await asyncio.sleep(0)
            seen.append(len(rests))
        for _ in range(5):
            await asyncio.sleep(0)
        return [*seen, len(rests)]

    assert asyncio.run(scene()) == [0, 0, 0, 1]


def test_those_who_come_together_do_not_all_pass_for_the_last_place() -> None:
    """Whoever is in has a place before it is taken; the others are turned away at the door, not by the application."""
    app, let_in = create_app(Settings(threads=1, max_waiting=0), linear_catalog()), list[str]()
    gate, expect = app.state.gate, app.state.gate.expect
    body = b'{"model":"linear","instances":[{"Count":1}]}'
    blocked, there = threading.Event(), threading.Event()

    async def block() -> None:
        blocked.set()
        assert there.wait(20)  # meanwhile all of them come

    def counted(ticket: object) -> None:
        let_in.append("one")
        expect(ticket)

    gate.expect = counted
    app.add_api_route("/block", block)
    with serving(app) as client:
        address = (client.base_url.host, client.base_url.port or 80)
        connections = [socket.create_connection(address) for _ in range(6)]
        for connection in connections:
            connection.settimeout(20)
            connection.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b"alive" in connection.recv(10_000)
        connections[0].sendall(b"GET /block HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert blocked.wait(20)
        for connection in connections[1:]:
            connection.sendall(HEAD % len(body) + body)
        there.set()
        said = [connection.recv(10_000)[9:12] for connection in connections[1:]]
        for connection in connections:
            connection.close()
        assert sorted(said) == [b"200", b"503", b"503", b"503", b"503"]
        assert len(let_in) == 1
        until(lambda: not gate._coming)


def test_who_computes_has_one_place() -> None:
    """And not another one as somebody who comes."""
    app = create_app(Settings(threads=2, max_waiting=0), linear_catalog())
    seen, begun = list[bool](), threading.Barrier(2)

    def work(_: bytes | bytearray, context: object, clock: Clock) -> bytes:
        begun.wait(5)
        seen.append(app.state.gate.is_shut)
        begun.wait(5)
        return b"{}"

    async def both(request: Request) -> Response:
        return await compute(request, work, "application/json")

    app.add_api_route("/both", both, methods=["POST"])
    with serving(app) as client, ThreadPoolExecutor(2) as threads:
        answers = [threads.submit(client.post, "/both", json={}) for _ in range(2)]
        assert [answer.result().status_code for answer in answers] == [200, 200]
    assert seen == [True, True]


def test_nobody_is_expected_for_ever() -> None:
    """However a request ends that was let in: its place is not kept for it."""
    app = create_app(Settings(), linear_catalog())
    body = b'{"model":"linear","instances":[{"Count":1}]}'
    head = HEAD % len(body)
    with serving(app) as client:
        address = (client.base_url.host, client.base_url.port or 80)
        for request in (
            head + body,
            (head + body) * 3,
            head.replace(b"POST /predict", b"POST /nothing") + body,
            head.replace(b"application/json", b"text/plain") + body,
            head.replace(b"Host: localhost", b"Host: elsewhere") + body,
            head.replace(b"Host", b"Connection: Upgrade\r\nUpgrade: h2c\r\nHost") + body,
            HEAD % 2 + b"{}",
        ):
            with socket.create_connection(address) as connection:
                connection.sendall(request)
                connection.settimeout(5)
                assert connection.recv(10_000)
            with socket.create_connection(address) as connection:  # and leaves at once
                connection.sendall(request)
        until(lambda: not app.state.gate._coming)
        assert not app.state.gate.is_shut
