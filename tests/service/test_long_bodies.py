"""Long bodies: while they are read and written another thread, which may be the event loop's, goes on."""

import gc
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import orjson
import pytest

from service.body import strict
from service.respond import to_json

RNG = np.random.default_rng(0)
CONTENT: dict[str, Any] = {
    "predictions": RNG.normal(size=(100_000, 3)),
    "explanations": [
        {"values": RNG.normal(size=(9, 300, 40)).swapaxes(0, 1), "data": [1, None, "x"], "proof": {"seed": None}}
        for _ in range(4)
    ],
    "outputs": [
        {"data": np.arange(200_000, dtype=np.uint8)},
        {"data": RNG.normal(size=300_000).astype(np.float32)},
        {"data": []},
    ],
    "empty": np.zeros((0, 4)),
    "warnings": ["none", "some"],
}


@pytest.fixture(autouse=True)
def no_tidying() -> Iterator[None]:
    """Which stops all threads, and which the service keeps short by other means."""
    gc.disable()
    yield
    gc.enable()


def longest_hold(work: Callable[[], object]) -> float:
    """For how much of the time of `work` nothing else ran at a stretch: the least of some, because the machine has other work."""

    def once() -> float:
        gaps, over = [0.0], threading.Event()
        last = time.perf_counter()

        def go_on() -> None:
            nonlocal last
            while not over.is_set():
                time.sleep(0.0005)
                now = time.perf_counter()
                gaps.append(now - last)
                last = now

        other = threading.Thread(target=go_on)
        other.start()
        begin = time.perf_counter()
        work()
        took = time.perf_counter() - begin
        over.set()
        other.join()
        return max(gaps) / took

    least = 1.0
    for _ in range(20):
        least = min(least, once())
        if least < 0.5:
            break
    return least


def test_pieces_make_the_same_bytes() -> None:
    whole = orjson.dumps(CONTENT, default=np.ascontiguousarray, option=orjson.OPT_SERIALIZE_NUMPY)
    assert to_json(CONTENT) == whole


def test_others_go_on_while_an_answer_is_encoded() -> None:
    """One piece would hold them up from the begin to the end."""
    content = {"explanations": [{"shap_values": RNG.normal(size=(9, 2))}] * 10_000, "predictions": RNG.normal(size=(100_000, 3))}
    assert longest_hold(lambda: to_json(content)) < 0.5


def test_others_go_on_while_a_body_is_read() -> None:
    """What stays in one piece is a first look at the whole."""
    body = json.dumps({"data": RNG.normal(size=300_000).tolist()}).encode()
    assert longest_hold(lambda: strict(body)) < 0.5
