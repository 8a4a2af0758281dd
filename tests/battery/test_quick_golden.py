"""Golden answers: a small pool on the server that all tests share, and answers that are wrong."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import httpx
import pytest

from benchmarks.battery.golden import PART, Answer, collect, load, pool_of
from benchmarks.battery.mixture import KINDS, look, one
from benchmarks.battery.subjects import Ask, Subject
from benchmarks.process import Server
from tests.fakes import MANIFEST


@pytest.fixture(scope="module")
def pool(server: Server) -> list[Ask]:
    return [*pool_of(server.url, 3, 25, ["titanic"]), *pool_of(server.url, 4, 3, ["fashion-mnist"])]


@pytest.fixture(scope="module")
def golden(server: Server, pool: list[Ask]) -> list[Answer]:
    return collect(server.url, pool)


def test_eight_clients_get_the_bytes_that_one_got(server: Server, pool: list[Ask], golden: list[Answer]) -> None:
    tally = load(server.url, pool, golden, range(20))
    assert PART.figure([tally]).reached, tally["flaws"]
    assert tally["explanations"] >= 20
    assert "200" in tally["statuses"]
    assert tally["statuses"].keys() <= {"200", "400", "404", "406", "415", "422"}


def test_another_byte_type_or_status_is_wrong(server: Server) -> None:
    pool = [Ask("/v2", b"", 1)]
    (golden,) = collect(server.url, pool)
    changes: tuple[Callable[[Answer], Answer], ...] = (
        lambda right: replace(right, body=right.body.replace(b"s", b"z", 1)),
        lambda right: replace(right, body=right.body + b" "),
        lambda right: replace(right, kind="text/plain"),
        lambda right: replace(right, status=201),
    )
    for change in changes:
        tally = load(server.url, pool, [change(golden)], range(1))
        assert tally["wrong"] == tally["requests"] >= 1
        assert not PART.figure([tally]).reached


def test_a_server_that_is_gone_is_wrong() -> None:
    tally = load("http://127.0.0.1:9", [Ask("/livez", b"", 1)], [Answer(200, "", b"")], range(1))
    assert tally["wrong"] >= 1
    assert "ConnectError" in tally["flaws"][0]["flaw"]


def test_a_pool_without_explanations_is_no_pool() -> None:
    with pytest.raises(ValueError, match="with explanations"):
        load("http://127.0.0.1:9", [Ask("/livez", b"")], [Answer(200, "", b"")], range(1))


def test_the_mixture_has_everything_and_comes_from_its_number() -> None:
    subject = Subject(MANIFEST)
    asks = [one(Random(number), [subject]) for number in range(300)]
    assert asks == [one(Random(number), [subject]) for number in range(300)]
    assert {ask.path.split("/")[1] for ask in asks} >= {"explain", "predict", "compare", "summary", "v1", "v2", "models"}
    assert look in KINDS
    assert {ask.headers.get("Accept") for ask in asks} >= {None, "image/svg+xml", "image/png"}


def test_get_requests_have_no_body() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=f"{request.method} {request.headers.get('content-type')}")

    client: Any = httpx.Client(base_url="http://here", transport=httpx.MockTransport(answer))
    assert Ask("/livez", b"").send(client).text == "GET None"
    assert Ask("/predict", b"{}").send(client).text == "POST application/json"
