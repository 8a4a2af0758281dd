"""What is asked: the examples, cheap and dear."""

import json
from typing import Any

from benchmarks.load.wire import request
from benchmarks.process import ROOT


def _example(name: str) -> dict[str, Any]:
    return json.loads((ROOT / "examples" / f"{name}.json").read_text())


PASSENGER, PASSENGERS, IMAGE = (_example(name) for name in ("passenger", "passengers", "image"))
PIXELS = IMAGE | {"players": "pixels", "method": "deep"}


def post(path: str, body: dict[str, Any], *, close: bool = False, accept: str = "*/*") -> bytes:
    """A POST request."""
    return request(path, json.dumps(body).encode(), close=close, accept=accept)


def mixture() -> list[bytes]:
    """Of three kinds, the cheap ones more often."""
    exact, pixels, predict = post("/explain", PASSENGER), post("/explain", PIXELS), post("/predict", PASSENGER)
    return [exact, predict, exact, pixels, predict, exact, predict, exact]


def endless(seed: int = 0, instances: int = 1) -> dict[str, Any]:
    """An explain body that is worked on until somebody stops it, for seconds at least."""
    body = PASSENGER | {"method": "permutation", "max_stderr": 1e-12, "max_evaluations": 10**9, "seed": seed}
    return body | {"instances": PASSENGER["instances"] * instances}
