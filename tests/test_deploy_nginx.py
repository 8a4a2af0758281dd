"""deploy/nginx.conf on a real nginx: what it passes on is unchanged, and what it refuses does not reach the service."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request

from benchmarks.battery.front import CONF, NGINX
from benchmarks.battery.supervisor import free_port
from schemas.problem import Problem, ProtocolProblem
from service.app import create_app
from service.settings import Settings
from tests.conftest import serving
from tests.fakes import linear_catalog
from tests.proxy import fronted, silence, talk, until_closed

QUESTION = {"model": "linear", "instances": [{"Size": 3.5, "Count": 2, "Colour": "blue"}]}
MIB = 2**20

pytestmark = pytest.mark.skipif(NGINX is None, reason="there is no nginx on this machine: install the package nginx")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For the files of several of them."""
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def direct() -> Iterator[httpx.Client]:
    """The service, which takes bodies of 1 MiB at most."""
    with serving(create_app(Settings(max_body_bytes=MIB), linear_catalog())) as client:
        yield client


@pytest.fixture(scope="module")
def through(folder: Path, direct: httpx.Client) -> Iterator[httpx.Client]:
    """The same behind nginx, with less patience."""
    port = direct.base_url.port
    assert port
    changes = {"client_header_timeout": "1s", "client_body_timeout": "1s", "client_max_body_size": "2m"}
    with fronted(folder / "through", port, **changes) as client:
        yield client


def problem_of(response: httpx.Response, *, protocol: bool = False) -> Problem:
    """As the service's own: the shape, the media type, the id."""
    assert response.headers["content-type"] == "application/problem+json"
    problem = (ProtocolProblem if protocol else Problem).model_validate_json(response.content)
    assert (problem.status, problem.instance) == (response.status_code, response.headers["x-request-id"])
    assert set(json.loads(response.content)) == set(type(problem).model_fields)
    return problem


@pytest.mark.parametrize(("method", "path"), [("POST", "/explain"), ("POST", "/predict"), ("GET", "/models"), ("GET", "/")])
def test_what_is_passed_on_is_the_same_bytes(direct: httpx.Client, through: httpx.Client, method: str, path: str) -> None:
    body = QUESTION if method == "POST" else None
    ours, theirs = (client.request(method, path, json=body) for client in (through, direct))
    assert (ours.status_code, ours.content) == (200, theirs.content)
    own = {"date", "server", "connection", "x-request-id", "server-timing"}
    assert {k: v for k, v in ours.headers.items() if k not in own} == {k: v for k, v in theirs.headers.items() if k not in own}
    assert len(ours.headers.get_list("x-request-id")) == 1


def test_a_problem_of_the_service_stays_its_own(through: httpx.Client) -> None:
    """The proxy takes a little more, so that the service can say what is too large."""
    answer = through.post("/predict", content=b" " * (MIB + 1), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert problem_of(answer).detail != "expected at most 32 MiB"


@pytest.mark.parametrize("path", ["/explain", "/v1/models/linear:predict"])
def test_a_body_beyond_that_is_refused_by_nginx(through: httpx.Client, path: str) -> None:
    answer = through.post(path, content=b" " * (2 * MIB + 1))
    problem = problem_of(answer, protocol=path.startswith("/v1"))
    assert (answer.status_code, problem.type, problem.detail) == (413, "/problems/body-too-large", "expected at most 32 MiB")


REFUSED = {
    "long": (400, b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 9000 + b"\r\n\r\n"),
    "trace": (405, b"TRACE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    "garbage": (400, b"what is\r\n\r\n"),
    "smuggled": (400, b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_request_is_a_problem(through: httpx.Client, name: str) -> None:
    status, sent = REFUSED[name]
    head, _, body = talk(through, sent).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d" % status)
    assert b"application/problem+json" in head
    assert Problem.model_validate_json(body).status == status


def seconds_of(work: Callable[[], bytes]) -> float:
    """How long it took."""
    begin = time.monotonic()
    work()
    return time.monotonic() - begin


def test_a_client_that_is_slow_with_its_headers_is_cut_off(through: httpx.Client) -> None:
    """However regularly it sends: the time is for all of them."""
    head = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: " + b"x" * 60
    assert 0.8 < seconds_of(lambda: talk(through, head, drip=0.1)) < 9


def test_a_body_that_stops_coming_never_reaches_the_service(folder: Path) -> None:
    """The service hears of a request when all of it is there."""
    heard: list[str] = []
    app = FastAPI()

    @app.post("/{path:path}")
    async def hear(request: Request) -> int:
        heard.append(request.headers["host"])
        return len(await request.body())

    head = b"POST /explain HTTP/1.1\r\nHost: localhost:8000\r\nContent-Length: 100\r\nConnection: close\r\n\r\n"
    with serving(app) as service, fronted(folder / "slow", service.base_url.port or 0, client_body_timeout="1s") as client:
        with socket.create_connection(("127.0.0.1", client.base_url.port or 0), timeout=20) as caller:
            caller.sendall(head + b"x" * 50)
            begin = time.monotonic()
            assert until_closed(caller) == b""
            assert time.monotonic() - begin < 9
        assert heard == []
        assert talk(client, head + b"x" * 100).endswith(b"100")
        assert heard == ["localhost:8000"]


@pytest.mark.parametrize("path", ["/predict", "/v2/models/linear/infer"])
def test_a_service_that_is_not_there_is_a_problem_too(folder: Path, path: str) -> None:
    with fronted(folder / path.replace("/", "-"), free_port()) as client:
        answer = client.post(path, json=QUESTION)
        problem = problem_of(answer, protocol=path.startswith("/v2"))
    assert (answer.status_code, problem.type, answer.headers["retry-after"]) == (502, "/problems/unreachable", "1")


def test_a_question_is_never_asked_twice(folder: Path) -> None:
    """A service that hangs up on it gets it once, and another machine not at all."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            while True:
                caller, _ = listener.accept()
                with caller:
                    if not (said := caller.recv(65536)):
                        return
                    asked.append(said)

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        port = listener.getsockname()[1]
        with fronted(folder / "once", port, server=f"127.0.0.1:{port}; server localhost:{port}") as client:
            assert client.post("/explain", json=QUESTION).status_code == 502
        socket.create_connection(listener.getsockname()).close()
        thread.join(timeout=10)
    assert len(asked) == 1


def test_an_answer_that_does_not_come_is_too_late(folder: Path) -> None:
    with silence() as port, fronted(folder / "late", port, proxy_read_timeout="1s") as client:
        answer = client.post("/explain", json=QUESTION)
    assert (answer.status_code, problem_of(answer).type) == (504, "/problems/deadline-passed")


def test_one_address_has_a_bound(folder: Path) -> None:
    """Of requests at the same time, which are turned away with the time to come again."""
    with silence() as service, fronted(folder / "many", service, limit_conn="addresses 2") as client:
        held = [socket.create_connection(("127.0.0.1", client.base_url.port or 0)) for _ in range(2)]
        for each in held:
            each.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.3)
        answer = client.get("/livez")
        for each in held:
            each.close()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert problem_of(answer).type == "/problems/too-many"


def test_its_bounds_stand_above_those_of_the_service() -> None:
    """So that the service answers, and nginx only where it cannot."""
    fields = Settings.model_fields
    (body,), (read,) = re.findall(r"client_max_body_size (\d+)m", CONF), re.findall(r"proxy_read_timeout (\d+)s", CONF)
    assert int(body) * MIB > fields["max_body_bytes"].default
    assert int(read) * 1000 > fields["deadline_ms"].default
