"""What stands around requests on a connection: offers, trailers, silence, haste."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from service.access import new_key
from service.app import create_app
from service.catalog import Catalog
from service.connection import HEAD_BYTES, Connection
from service.settings import Settings
from tests.conftest import serving, until
from tests.fakes import Endless, Full, linear_catalog, linear_model

BODY = json.dumps({"model": "linear", "instances": [{"Count": 1}]}).encode()
LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"
OFFER = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
LENGTH, CHUNKED = b"Content-Length: %d\r\n" % len(BODY), b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


def head(*lines: bytes, path: bytes = b"/predict") -> bytes:
    """Of a POST."""
    return b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%b\r\n" % (path, b"".join(lines))


@pytest.fixture(autouse=True)
def long_farewell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that are held up while they send find the connection as they left it."""
    monkeypatch.setattr("service.connection._LINGER", 30)


@contextmanager
def connected(client: httpx.Client) -> Iterator[socket.socket]:
    with socket.create_connection((client.base_url.host, client.base_url.port or 80)) as connection:
        connection.settimeout(20)
        yield connection


def answers(connection: socket.socket, count: int) -> list[int]:
    """The statuses of so many answers, in turn, or of fewer if the other side closes."""
    seen: list[int] = []
    said = b""
    while len(seen) < count:
        before, end, rest = said.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in before.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        if end and len(rest) >= length:
            seen.append(int(before[9:12]))
            said = rest[length:]
        elif more := connection.recv(2**16):
            said += more
        else:
            break
    return seen


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(("framing", "body"), [(LENGTH, BODY), (CHUNKED, CHUNKS)], ids=["length", "chunks"])
def test_the_body_of_a_request_that_offers_an_upgrade(framing: bytes, body: bytes, at_once: bool) -> None:
    """Belongs to it, as clients of HTTP/2 expect that ask without TLS, and is not taken for another request."""
    with serving(create_app(Settings(), linear_catalog())) as client, connected(client) as connection:
        for _ in range(2):
            if at_once:
                connection.sendall(head(OFFER, framing) + body + LIVE)
            else:
                for part in (head(OFFER, framing), body[:9], body[9:], LIVE):
                    connection.sendall(part)
                    time.sleep(0.05)
            assert answers(connection, 2) == [200, 200]
        connection.sendall(head(OFFER, b"Content-Length: %d\r\n" % len(LIVE)))
        time.sleep(0.1)
        connection.sendall(LIVE + LIVE.replace(b"Host", OFFER + b"Host") + LIVE)
        assert answers(connection, 3) == [400, 200, 200]


@pytest.mark.parametrize("body", [b"zz\r\n", b"2\r\n{}X\r\n"])
def test_a_body_whose_framing_is_broken_has_an_answer(body: bytes) -> None:
    with serving(create_app(Settings(), linear_catalog())) as client, connected(client) as connection:
        for part in (head(CHUNKED), body):
            connection.sendall(part)
            time.sleep(0.05)
        assert answers(connection, 2) == [400]


@pytest.mark.parametrize("nonsense", [b"nonsense\r\n\r\n", head(CHUNKED) + b"zz\r\n", head(OFFER, CHUNKED) + b"zz\r\n"])
def test_what_comes_whole_before_nonsense_is_answered(nonsense: bytes) -> None:
    """All of it, then the nonsense, and then the connection ends."""
    with serving(create_app(Settings(), linear_catalog())) as client:
        for count in (1, 3):
            with connected(client) as connection:
                connection.sendall(count * (head(LENGTH) + BODY) + nonsense + LIVE)
                assert answers(connection, count + 2) == [200] * count + [400]
        with connected(client) as connection:
            connection.sendall(nonsense + LIVE)
            assert answers(connection, 2) == [400]


def test_a_broken_body_has_one_answer() -> None:
    """Also while earlier ones are not taken, and not when the request has had its answer."""
    with serving(create_app(Settings(), linear_catalog())) as client:
        count = 2**18 // len(client.get("/openapi.json").content) + 12
        with closing(socket.socket()) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(20)
            connection.connect((client.base_url.host, client.base_url.port or 80))
            connection.sendall(LIVE.replace(b"/livez", b"/openapi.json") * count + head(CHUNKED, path=b"/nowhere") + b"zz\r\n")
            time.sleep(0.3)
            assert answers(connection, count + 2) == [200] * count + [400]
        with connected(client) as connection:
            connection.sendall(head(CHUNKED, path=b"/nowhere"))
            assert answers(connection, 1) == [404]
            connection.sendall(b"zz\r\n")
            assert answers(connection, 1) == []


def test_trailers_say_nothing_and_have_a_limit() -> None:
    key, digest = new_key()
    with serving(create_app(Settings(api_keys=f"shop:{digest}"), linear_catalog())) as client:
        with connected(client) as connection:
            trailer = b"Authorization: Bearer %b\r\n" % key.encode()
            connection.sendall(head(CHUNKED) + CHUNKS[:-2] + trailer + b"\r\n" + LIVE)
            assert answers(connection, 2) == [401, 200]
            connection.sendall(head(CHUNKED, trailer) + CHUNKS[:-2] + b"x: y\r\n\r\n" + LIVE)
            assert answers(connection, 2) == [200, 200]
        with connected(client) as connection:
            connection.sendall(head(CHUNKED, trailer) + CHUNKS[:-2])
            send_trailers(connection, 2 * HEAD_BYTES)
            assert answers(connection, 2) == [431]


def send_trailers(connection: socket.socket, size: int) -> None:
    for _ in range(size // 1000):
        connection.sendall(b"x: " + b"y" * 1000 + b"\r\n")
        time.sleep(0.001)


def test_a_head_that_is_too_long_is_told_so() -> None:
    """After the answers to what came before it, and however much of it still comes; then the connection ends."""
    with serving(create_app(Settings(), linear_catalog())) as client:
        for count in (0, 3):
            with connected(client) as connection:
                connection.sendall(count * (head(LENGTH) + BODY) + LIVE[:-2])
                send_trailers(connection, 4 * HEAD_BYTES)
                connection.sendall(b"\r\n" + LIVE)
                assert answers(connection, count + 2) == [200] * count + [431]


@pytest.mark.parametrize("waiting", [1000, 0])
def test_the_last_answer_is_waited_for(waiting: int) -> None:
    """Until its client has taken it, or takes too little of it."""
    done = list[str]()
    connection: Any = Connection.__new__(Connection)
    connection.transport = SimpleNamespace(
        get_write_buffer_size=lambda: waiting, is_closing=lambda: False, close=lambda: done.append("close")
    )
    connection.loop = SimpleNamespace(call_later=lambda _, what, *__: done.append(what.__name__))
    connection._stall = None
    connection._farewell()
    assert done == (["_look", "_farewell"] if waiting else ["close"])


def test_who_does_not_stop_sending_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.connection._LINGER", 1)
    with serving(create_app(Settings(), linear_catalog())) as client, connected(client) as connection:
        connection.sendall(LIVE[:-2])
        begin = time.monotonic()
        with pytest.raises(ConnectionError):
            send_trailers(connection, 60_000_000)
        assert time.monotonic() < begin + 30


def test_a_head_that_does_not_come_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is not: who has begun nothing waits for nothing."""
    monkeypatch.setattr("service.connection.HEAD_SECONDS", 0.3)
    with serving(create_app(Settings(), linear_catalog())) as client:
        with connected(client) as connection:
            connection.sendall(LIVE[:10])
            assert answers(connection, 2) == [408]
        with connected(client) as connection:
            assert connection.recv(10) == b""


@pytest.mark.parametrize(
    "last", [b"nonsense\r\n\r\n", LIVE[:-2] + 100 * (b"x: " + b"y" * 4000 + b"\r\n")], ids=["nonsense", "long"]
)
def test_after_the_last_answer_nothing_is_said(
    last: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even when the time for the head is over and the client is still there."""
    monkeypatch.setattr("service.connection.HEAD_SECONDS", 1.5)
    with serving(create_app(Settings(), linear_catalog())) as client, connected(client) as connection:
        for begin in range(0, len(last), 2**16):
            connection.sendall(last[begin : begin + 2**16])
            time.sleep(0.02)
        assert answers(connection, 2) in ([400], [431])
        time.sleep(1.8)
    assert [record for record in caplog.records if record.name == "asyncio"] == []


def test_nobody_is_asked_to_continue_what_is_broken() -> None:
    with serving(create_app(Settings(), linear_catalog())) as client, connected(client) as connection:
        connection.sendall(head(CHUNKED, b"Expect: 100-continue\r\n") + b"zz\r\n")
        assert answers(connection, 2) == [400]
        assert 'status="500"' not in client.get("/metrics").text


def test_what_follows_a_body_that_nobody_wanted_has_its_answer() -> None:
    with serving(create_app(Settings(), linear_catalog())) as client, connected(client) as connection:
        connection.sendall(head(LENGTH, path=b"/nowhere"))
        assert answers(connection, 1) == [404]
        connection.sendall(BODY)
        time.sleep(0.05)
        connection.sendall(b"nonsense\r\n\r\n")
        assert answers(connection, 2) == [400]


def test_the_rest_of_a_broken_body_is_read_past() -> None:
    """However large its first parts were."""
    with serving(create_app(Settings(), linear_catalog())) as client, connected(client) as connection:
        connection.sendall(head(CHUNKED) + b"18000\r\n" + b" " * 0x18000 + b"\r\nzz\r\n" + b"x" * 2**23)
        assert answers(connection, 2) == [400]


def test_who_is_turned_away_is_told_once() -> None:
    app = create_app(Settings(), linear_catalog())
    app.state.gate._lane = Full()
    with serving(app) as client, connected(client) as connection:
        connection.sendall(head(CHUNKED))
        assert answers(connection, 1) == [503]
        connection.sendall(b"zz\r\n")
        assert answers(connection, 1) == []


def test_small_chunks_are_no_head() -> None:
    """Whose sizes come by themselves."""
    with serving(create_app(Settings(), linear_catalog())) as client, connected(client) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(head(CHUNKED))
        for _ in range(30):
            for part in (b"1000\r\n", b" " * 0x1000 + b"\r\n"):
                connection.sendall(part)
                time.sleep(0.002)
        connection.sendall(CHUNKS)
        assert answers(connection, 1) == [200]


def test_requests_that_wait_for_their_turn_are_few() -> None:
    """Who sends more of them gets the last answer of the connection, and may ask again; all that is unread is not kept."""
    with serving(create_app(Settings(), linear_catalog())) as client:
        with connected(client) as connection:
            connection.sendall(LIVE * 20 + head(LENGTH) + BODY)
            assert answers(connection, 21) == [200] * 21
        with connected(client) as connection:
            connection.sendall(LIVE * 1000)
            assert answers(connection, 1000) == [200] * 65


def test_a_client_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when its connection was closed on this side; one that takes its answer slowly gets it."""
    monkeypatch.setattr("service.connection._STALL", 1)
    monkeypatch.setattr("service.connection._LEAST", 1000)
    monkeypatch.setattr("service.connection._LOOKS", 2**20)
    with serving(create_app(Settings(), linear_catalog()), timeout_keep_alive=1) as client:
        bundle = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n"
        size = len(client.get("/docs/swagger-ui-bundle.js").content)
        for slowly in (False, True):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(20)
            connection.connect((client.base_url.host, client.base_url.port or 80))
            with connection:
                connection.sendall(bundle * 8)
                taken = 0
                time.sleep(0 if slowly else 4)
                with suppress(ConnectionError):
                    while more := connection.recv(2**18):
                        taken += len(more)
                        time.sleep(0.001 if slowly else 0)
                assert (taken > 8 * size) == slowly


@pytest.mark.parametrize(("taken", "aborted"), [(0, 1), (99_999, 1), (100_000, 0)])
def test_a_large_answer_is_taken_in_time(taken: int, aborted: int) -> None:
    """A sixteenth of it between two looks, or what waits would be kept for hours."""
    cut = list[None]()
    connection: Any = Connection.__new__(Connection)
    connection.transport = SimpleNamespace(get_write_buffer_size=lambda: 1_600_000 - taken, abort=lambda: cut.append(None))
    connection.loop, connection._untaken = SimpleNamespace(call_later=lambda *_: None), 1_600_000
    connection._look(1_600_000)
    assert len(cut) == aborted


def test_answers_that_nobody_takes_fill_the_memory_for_bodies() -> None:
    with serving(create_app(Settings(max_body_bytes=50_000, max_bodies_bytes=50_000), linear_catalog())) as client:
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((client.base_url.host, client.base_url.port or 80))
        with connection:
            connection.sendall(b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 8)
            until(lambda: client.post("/predict", json=json.loads(BODY)).status_code == 503)
        until(lambda: client.post("/predict", json=json.loads(BODY)).status_code == 200)


def test_a_slow_head_does_not_cut_off_what_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.connection.HEAD_SECONDS", 0.3)
    endless = Endless()
    model = replace(linear_model(), explainers={"deep": endless})
    ask = json.dumps({"model": "linear", "instances": [{"Count": 1}], "method": "deep", "deadline_ms": 1500}).encode()
    with serving(create_app(Settings(), Catalog({"linear": model}))) as client, connected(client) as connection:
        connection.sendall(head(b"Content-Length: %d\r\n" % len(ask), path=b"/explain") + ask + LIVE[:10])
        assert answers(connection, 3) == [504, 408]


@pytest.mark.parametrize(
    ("asks", "status", "more"),
    [(head(LENGTH, path=b"/nothing"), 404, b"{"), (LIVE, 200, b"\r\n"), (LIVE, 200, b"")],
    ids=["a body that nobody wants", "a stray line end", "nothing"],
)
def test_silence_after_an_answer_has_an_end(asks: bytes, status: int, more: bytes) -> None:
    with serving(create_app(Settings(), linear_catalog()), timeout_keep_alive=1) as client, connected(client) as connection:
        connection.sendall(asks)
        assert answers(connection, 1) == [status]
        connection.sendall(more)
        assert connection.recv(10) == b""


def test_who_sends_two_requests_and_leaves_is_not_worked_for() -> None:
    for pause in (0.0, 0.2):
        endless = Endless()
        model = replace(linear_model(), explainers={"deep": endless})
        ask = json.dumps({"model": "linear", "instances": [{"Count": 1}], "method": "deep"}).encode()
        with serving(create_app(Settings(), Catalog({"linear": model}))) as client:
            with connected(client) as connection:
                connection.sendall(head(b"Content-Length: %d\r\n" % len(ask), path=b"/explain") + ask)
                time.sleep(pause)
                connection.sendall(LIVE)
                assert endless.begun.wait(20)
            assert endless.stopped.wait(20)


def test_a_full_service_lets_nobody_heap_up_answers() -> None:
    app = create_app(Settings(), linear_catalog())
    app.state.gate._lane = Full()
    with serving(app) as client, connected(client) as connection:
        connection.sendall(head(b"Content-Length: 0\r\n") * 1000)
        assert answers(connection, 1000) == [503] * 16
