"""Bounds: body size, waiting requests, the deadline; and what a fault looks like from outside."""

import asyncio
import gc
import socket
import threading
import time
import tracemalloc
import weakref
from dataclasses import replace
from functools import partial

import numpy as np
import orjson
import pytest

from schemas.predict import PredictRequest
from service.app import create_app
from service.body import parse
from service.catalog import Catalog
from service.errors import BodyTooLarge, Busy, DeadlinePassed
from service.image_reader import _decode
from service.lane import Clock, Lane
from service.life import Life
from service.metrics import Metrics
from service.settings import Settings
from tests.conftest import serving, until
from tests.fakes import Broken, Endless, linear_catalog, linear_model


def lane_of_one() -> Lane:
    """One computes, one waits."""
    metrics = Metrics()
    return Lane(1, 1, phases=("queue", "respond"), waiting=metrics.waiting, computing=metrics.computing)


async def staying() -> None:
    """A client that does not leave."""
    await asyncio.sleep(3600)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_too_large_is_413(chunked: bool) -> None:
    """Declared or not."""
    with serving(create_app(Settings(max_body_bytes=1000), linear_catalog())) as client:
        content = iter([b" " * 600, b" " * 600]) if chunked else b" " * 1200
        response = client.post("/predict", content=content, headers={"content-type": "application/json"})
        assert response.status_code == 413
        assert response.json()["type"] == "/problems/body-too-large"
        assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body", [b"1," * 1_000_001 + b"1", b"[]" * 1_000_001, b'{"":{}},' * 600_000], ids=["commas", "lists", "objects"]
)
def test_a_body_of_too_many_values_is_not_parsed(body: bytes) -> None:
    """Nothing else of Python runs while it is."""
    with pytest.raises(BodyTooLarge, match="1,000,000 values"):
        parse(PredictRequest, b"[%b]" % body)


def test_lists_in_lists_count_once() -> None:
    """An image of one channel has a bracket for every value."""
    images = np.zeros((800, 28, 28, 1)).tolist()
    assert parse(PredictRequest, orjson.dumps({"model": "m", "instances": images})).instances == images


def test_line_ends_in_a_file_cost_no_more_than_the_file() -> None:
    """Wherever they stand."""
    text = "AA\n" * 2**20
    tracemalloc.start()
    try:
        assert _decode(text) == bytes(len(text) // 2)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(text)
    finally:
        tracemalloc.stop()


def test_too_many_values_are_refused_before_work() -> None:
    with serving(create_app(Settings(max_values=5), linear_catalog())) as client:
        response = client.post("/explain", json={"model": "linear", "instances": [{"Count": 1}], "method": "deep"})
        assert response.status_code == 422
        assert "6 Shapley values, more than the 5" in response.json()["detail"]


def test_a_model_that_still_loads_is_503() -> None:
    """With the time after which to come again."""
    app = create_app(Settings(), Catalog())
    with serving(app) as client:
        response = client.post("/predict", json={"model": "titanic", "instances": [{}]})
        assert (response.status_code, response.json()["type"]) == (503, "/problems/loading")
        assert int(response.headers["retry-after"]) > 0
        assert client.get("/readyz").status_code == 503
        assert client.get("/livez").status_code == 200


def test_a_fault_is_a_problem_without_details(caplog: pytest.LogCaptureFixture) -> None:
    """The log has them."""
    app = create_app(Settings(), linear_catalog())
    app.state.lane = None
    with serving(app) as client:
        response = client.post("/predict", json={"model": "linear", "instances": [{"Count": 1}]})
        assert (response.status_code, response.json()["type"]) == (500, "/problems/unexpected")
        assert "NoneType" not in response.text
        assert response.headers["x-request-id"] == response.json()["instance"]
    assert f"request {response.json()['instance']} failed" in caplog.text


def test_a_full_lane_is_busy_at_once() -> None:
    """One computes, one waits, the third is turned away; afterwards there is room again."""

    async def scene() -> None:
        lane, release = lane_of_one(), threading.Event()
        two = [asyncio.create_task(lane.run(lambda _: release.wait(5), Clock(5000), staying())) for _ in range(2)]
        await asyncio.sleep(0.05)
        with pytest.raises(Busy):
            await lane.run(lambda _: True, Clock(5000), staying())
        release.set()
        assert await asyncio.gather(*two) == [True, True]
        assert await lane.run(lambda _: 3, Clock(5000), staying()) == 3
        lane.close()

    asyncio.run(scene())


def test_waiting_counts_towards_the_deadline() -> None:
    async def scene() -> None:
        lane, release = lane_of_one(), threading.Event()
        first = asyncio.create_task(lane.run(lambda _: release.wait(20), Clock(60_000), staying()))
        await asyncio.sleep(0.05)
        begun: list[int] = []
        with pytest.raises(DeadlinePassed):
            await lane.run(lambda _: begun.append(1), Clock(50), staying())
        assert not first.done()
        release.set()
        await first
        assert begun == []
        lane.close()

    asyncio.run(scene())


def test_work_stops_when_the_client_has_left() -> None:
    """A closed connection is noticed while the work runs; the next check between blocks ends it."""
    endless = Endless()
    model = replace(linear_model(), explainers={"deep": endless})
    body = b'{"model":"linear","instances":[{"Count":1}],"method":"deep"}'
    with serving(create_app(Settings(), Catalog({"linear": model}))) as client:
        with socket.create_connection((client.base_url.host, client.base_url.port or 80)) as connection:
            connection.sendall(HEAD.replace(b"/predict", b"/explain") % len(body) + body)
            assert endless.begun.wait(20)
            assert not endless.stopped.is_set()
        assert endless.stopped.wait(20)


def test_values_that_are_not_finite_never_leave() -> None:
    """Neither as NaN nor as null."""
    model = replace(linear_model(), explainers={"deep": Broken()})
    with serving(create_app(Settings(), Catalog({"linear": model}))) as client:
        response = client.post("/explain", json={"model": "linear", "instances": [{"Count": 1}], "method": "deep"})
        assert (response.status_code, response.json()["type"]) == (500, "/problems/not-finite")


HEAD = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


def test_an_upload_that_breaks_off_is_no_fault(caplog: pytest.LogCaptureFixture) -> None:
    with serving(create_app(Settings(), linear_catalog())) as client:
        with socket.create_connection((client.base_url.host, client.base_url.port or 80)) as connection:
            connection.sendall(HEAD % 1000 + b"{")
            time.sleep(0.1)
        assert client.get("/livez").status_code == 200
    assert "failed" not in caplog.text


def test_a_declared_length_is_enough_to_refuse() -> None:
    """Before a byte of the body has come."""
    with (
        serving(create_app(Settings(), linear_catalog())) as client,
        socket.create_connection((client.base_url.host, client.base_url.port or 80)) as connection,
    ):
        connection.sendall(HEAD % 99999999999)
        connection.settimeout(20)
        assert b" 413 " in connection.recv(1000)


def test_a_deadline_can_only_be_lowered() -> None:
    clock = Clock(1)
    clock.lower(60_000)
    time.sleep(0.01)
    with pytest.raises(DeadlinePassed):
        clock.check()


def test_all_bodies_together_have_a_limit() -> None:
    """One that arrives slowly holds its part; when it has gone there is room again."""
    body = {"model": "linear", "instances": [{"Count": 1}]}
    with serving(create_app(Settings(max_body_bytes=1000, max_bodies_bytes=1000), linear_catalog())) as client:
        with socket.create_connection((client.base_url.host, client.base_url.port or 80)) as connection:
            connection.sendall(HEAD % 1000 + b" " * 990)
            until(lambda: client.post("/predict", json=body).status_code == 503)
            assert client.post("/predict", json=body).json()["type"] == "/problems/busy"
        until(lambda: client.post("/predict", json=body).status_code == 200)


def test_a_body_that_arrives_while_the_service_begins_to_stop() -> None:
    """Its time may have run out and its task not have had its turn."""
    stopped: list[bool] = []

    async def scene() -> None:
        life = Life()

        def stop() -> None:
            life.stop()
            stopped.append(life.ending)

        async def slow() -> None:
            with pytest.raises(TimeoutError):
                async with life.body(0.01):
                    await asyncio.sleep(5)

        task = asyncio.create_task(slow())
        await asyncio.sleep(0)
        time.sleep(0.05)  # the loop lags
        asyncio.get_running_loop().call_later(0, stop)
        await task
        assert stopped == [True]

    asyncio.run(scene())


def test_who_may_not_step_back_computes_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr("os.setpriority", refuse)
    with serving(create_app(Settings(), linear_catalog())) as client:
        assert client.post("/predict", json={"model": "linear", "instances": [{"Count": 1}]}).status_code == 200


def test_a_place_is_given_back_when_there_is_no_thread() -> None:
    async def scene() -> None:
        lane = lane_of_one()
        lane.close()
        for _ in range(5):
            with pytest.raises(Busy):
                await lane.run(lambda _: None, Clock(1000), staying())
        assert lane.free > 0

    asyncio.run(scene())


def test_who_leaves_the_queue_takes_the_body_along() -> None:
    """What waits behind a long computation holds nothing of those who have gone."""

    class Body(bytearray):
        """Can be watched."""

    async def leave(lane: Lane) -> "weakref.ref[Body]":
        body = Body(10)
        with pytest.raises(DeadlinePassed):
            await lane.run(partial(lambda body, _: body, body), Clock(20), staying())
        return weakref.ref(body)

    async def scene() -> None:
        lane, release = lane_of_one(), threading.Event()
        long = asyncio.create_task(lane.run(lambda _: release.wait(5), Clock(5000), staying()))
        await asyncio.sleep(0.05)
        watched = await leave(lane)
        await asyncio.sleep(0.05)
        gc.collect()
        assert watched() is None
        release.set()
        await long
        lane.close()

    asyncio.run(scene())
