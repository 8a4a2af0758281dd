"""What a request is, and what it is asked about."""

import base64
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx

from benchmarks.battery.pictures import drawn
from benchmarks.process import ROOT
from models.manifest import FieldSpec, Manifest

_PASSENGERS = json.loads((ROOT / "examples" / "passengers.json").read_text("utf-8"))["instances"]


@dataclass(frozen=True)
class Ask:
    """A request, and how many explanations its answer holds if it is answered."""

    path: str
    body: bytes
    explanations: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, client: httpx.Client) -> httpx.Response:
        """With JSON's media type unless the headers say something else; without a body it is a GET."""
        if not self.body:
            return client.get(self.path, headers=self.headers)
        return client.post(self.path, content=self.body, headers={"Content-Type": "application/json"} | self.headers)


@dataclass(frozen=True)
class Subject:
    """A model to ask about, and instances that it shows of itself."""

    manifest: Manifest
    shown: Sequence[Any] = ()

    def instances(self, random: Random, count: int) -> list[Any]:
        """Some that are shown, some from anywhere in the fields' ranges; pictures drawn for the purpose."""
        return [self._instance(random) for _ in range(count)]

    def _instance(self, random: Random) -> Any:
        if self.shown and random.random() < 0.5:
            return random.choice(self.shown)
        if self.manifest.image:
            return _picture(random)
        if self.manifest.name == "titanic" and random.random() < 0.3:
            return random.choice(_PASSENGERS)
        return {one.name: _value(random, one) for one in self.manifest.fields}


def _value(random: Random, one: FieldSpec) -> Any:
    if one.missing is not None and random.random() < 0.1:
        return None
    if one.categories:
        return random.choice(one.categories)
    low, high = one.observed or (one.minimum or 0.0, one.maximum or 1.0)
    return random.randint(int(low), int(high)) if one.type == "integer" else round(random.uniform(low, high), 3)


def _picture(random: Random) -> dict[str, str]:
    image = drawn(random.choice(("L", "RGB", "RGBA", "P")), random.choice(((28, 28), (40, 20), (90, 90))))
    file = io.BytesIO()
    image.rotate(random.randrange(360)).save(file, "PNG")
    return {"b64": base64.b64encode(file.getvalue()).decode()}
