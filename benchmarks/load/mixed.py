"""Everything that the service answers, one in twenty wrong, some clients leaving."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.load.bodies import IMAGE, PASSENGER, PASSENGERS, endless, post
from benchmarks.load.connection import Connection
from benchmarks.load.wire import Broken, request
from benchmarks.process import ROOT

Drawn = tuple[str, bytes]
"""What is expected (good, bad, leaves), and the request."""
_METHODS = ("auto", "exact", "permutation", "deep", "deep_shap", "monte_carlo", "kernel", "gradient")
_BAD, _LEAVES = 0.05, 0.02
_PAUSE = 0.02
_IMAGES = {"model": "fashion-mnist", "instances": IMAGE["instances"]}
_V2 = (ROOT / "examples" / "v2-image.json").read_bytes()


def draw(number: int) -> Drawn:
    """From its number alone."""
    rng = np.random.default_rng([9, number])
    chance = rng.random()
    if chance < _BAD:
        return "bad", _BROKEN[int(rng.integers(len(_BROKEN)))]
    if chance < _BAD + _LEAVES:
        return "leaves", post("/explain", endless(seed=number))
    return "good", _MAKERS[int(rng.choice(len(_MAKERS), p=_SHARES))](rng)


def _passengers(rng: np.random.Generator, most: int) -> dict[str, Any]:
    rows = PASSENGERS["instances"]
    return {"model": "titanic", "instances": [rows[int(k)] for k in rng.integers(len(rows), size=int(rng.integers(1, most + 1)))]}


def _predict(rng: np.random.Generator) -> bytes:
    return post("/predict", _passengers(rng, 60))


def _predict_images(rng: np.random.Generator) -> bytes:
    return post("/predict", _IMAGES | {"instances": IMAGE["instances"] * int(rng.integers(1, 9))})


def _explain(rng: np.random.Generator) -> bytes:
    options = {"method": str(rng.choice(_METHODS)), "players": str(rng.choice(["fields", "columns"])), "max_evaluations": 50_000}
    return post("/explain", _passengers(rng, 6) | options | {"seed": int(rng.integers(1000))})


def _explain_image(rng: np.random.Generator) -> bytes:
    body = _IMAGES | {"players": "pixels", "method": "deep", "instances": IMAGE["instances"] * int(rng.integers(1, 4))}
    return post("/explain", body)


def _explain_patches(rng: np.random.Generator) -> bytes:
    return post("/explain", _IMAGES | {"players": "patches", "patches": int(rng.integers(2, 5)), "max_evaluations": 20_000})


def _summary(rng: np.random.Generator) -> bytes:
    return post("/summary", _passengers(rng, 40) if rng.random() < 0.7 else {"model": "titanic", "method": "deep"})


def _compare(rng: np.random.Generator) -> bytes:
    methods = [str(method) for method in rng.choice(_METHODS[1:], 2, replace=False)]
    return post("/compare", PASSENGER | {"methods": methods, "max_evaluations": 50_000})


def _picture(rng: np.random.Generator) -> bytes:
    return post("/explain", PASSENGER, accept=str(rng.choice(["image/svg+xml", "image/png"])))


def _v1(rng: np.random.Generator) -> bytes:
    return post(f"/v1/models/titanic:{rng.choice(['predict', 'explain'])}", {"instances": _passengers(rng, 5)["instances"]})


def _v2(_: np.random.Generator) -> bytes:
    return request("/v2/models/fashion-mnist/infer", _V2)


def _look(rng: np.random.Generator) -> bytes:
    return request(
        str(rng.choice(["/livez", "/readyz", "/metrics", "/models", "/models/titanic", "/models/titanic/samples", "/"]))
    )


_MADE: dict[Callable[[np.random.Generator], bytes], float] = {
    _predict: 20,
    _predict_images: 6,
    _explain: 30,
    _explain_image: 8,
    _explain_patches: 4,
    _summary: 3,
    _compare: 4,
    _picture: 1,
    _v1: 8,
    _v2: 4,
    _look: 12,
}
_MAKERS = list(_MADE)
_SHARES = np.array(list(_MADE.values())) / sum(_MADE.values())
_BROKEN = [
    request("/predict", b"{"),
    request("/predict", b'{"model": "titanic", "model": "titanic", "instances": []}'),
    request("/explain", b'{"model": "titanic", "instances": [{"Pclass": NaN}]}'),
    request("/explain", b"[" * 5000),
    request("/explain", b'{"model": "titanic", "instances": [{"Sex": "\xff"}]}'),
    post("/explain", {"model": "nobody", "instances": [{}]}),
    post("/explain", PASSENGER | {"method": "magic"}),
    post("/explain", _IMAGES | {"instances": [{"b64": "aGVsbG8="}]}),
    post("/compare", PASSENGER | {"methods": []}),
    post("/v1/models/titanic:predict", {"instances": 3}),
    request("/v2/models/titanic/infer", json.dumps({"inputs": [{"name": "Age"}]}).encode()),
    request("/nowhere"),
]


async def mix(port: int, clients: int, seconds: float) -> Counter[str]:
    """Each client asks, waits and pauses; answers by what was expected and what came."""
    until, seen = time.monotonic() + seconds, Counter[str]()

    async def client(number: int) -> None:
        connection = await Connection.to(port)
        while time.monotonic() < until:
            expected, data = draw(number)
            seen[await _one(connection, expected, data)] += 1
            number += clients
            connection = connection if connection.open else await Connection.to(port)
            await asyncio.sleep(_PAUSE)
        connection.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return seen


async def _one(connection: Connection, expected: str, data: bytes) -> str:
    """Ask; who leaves does so after a while."""
    try:
        if expected == "leaves":
            with_patience = asyncio.wait_for(connection.ask(data), 0.1)
            status = (await with_patience).status
        else:
            status = (await connection.ask(data)).status
    except TimeoutError:
        connection.close()
        return "left"
    except Broken:
        return f"{expected}: broken"
    return f"{expected}: {status}"
