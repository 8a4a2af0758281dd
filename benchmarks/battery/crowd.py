"""Generated people, one of them unlike all others; models whose background they are; how that one's numbers may be written."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.battery.subjects import Subject
from models.manifest import Manifest
from models.tabular import encode

FOREST, NET = "crowd", "crowd-net"
CANARY: dict[str, Any] = {
    "income": 48_317.26,
    "height": 163.8472,
    "distance": 7.293846,
    "pulse": 71.61934,
    "town": "Oslo",
    "rooms": 3,
}
"""Somebody: the numbers are nobody else's and well inside the range of all."""
_LEAST = 5
"""Digits from which on a number is told by them."""


def people(count: int = 120) -> pd.DataFrame:
    """Generated; the canary somewhere among them."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(
        {
            "income": rng.uniform(9_000, 90_000, count).round(-2),
            "height": rng.uniform(150, 200, count).round(),
            "distance": rng.uniform(1, 20, count).round(),
            "pulse": rng.uniform(50, 110, count).round(),
            "town": rng.choice(["Ghent", "Oslo", "Rome"], count),
            "rooms": rng.integers(1, 6, count),
        }
    )
    frame.loc[count // 3] = CANARY
    return frame


def write_forest(folder: Path) -> Subject:
    """A forest with an encoder, packed as its owner would; all rows are the background."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    from models.packing import pack

    frame = people()
    numbers = [name for name in frame if name != "town"]
    encoder = ColumnTransformer([("numbers", StandardScaler(), numbers), ("words", OneHotEncoder(), ["town"])])
    labels = np.where(frame["income"] + 300 * frame["pulse"] > 72_000, "yes", "no")
    forest = make_pipeline(encoder, RandomForestClassifier(12, max_depth=4, random_state=0)).fit(frame, labels)
    example = {"name": "made up", "instance": {**frame.iloc[0].to_dict(), "town": "Rome"}}
    packed = pack(forest, folder / FOREST, frame, background="all", max_evaluations=20_000, examples=[example])
    return Subject(packed.manifest, [example["instance"]])


def write_net(folder: Path, like: Manifest) -> Subject:
    """A net over the same columns and rows."""
    import keras

    from models.backgrounds import Background, equal_weights
    from models.folder import KERAS, write_folder

    keras.utils.set_random_seed(0)
    width = len(like.columns)
    net = keras.Sequential([keras.Input((width,)), keras.layers.Dense(12, "relu"), keras.layers.Dense(2, "softmax")])
    frame = people()
    rows = encode(like.columns, {field.name: frame[field.name].tolist() for field in like.fields})
    manifest = like.model_copy(update={"name": NET, "files": {}})
    write_folder(folder / NET, manifest, net, Background(rows, equal_weights(len(rows))), "", force=False, file=KERAS)
    return Subject(manifest)


def spellings(manifest: Manifest) -> list[str]:
    """How the canary's numbers may be written: as they are and as the model sees them, in any rounding that still tells."""
    numbers = [float(value) for name, value in CANARY.items() if name not in ("town", "rooms")]
    fields = {field.name: [CANARY[field.name]] for field in manifest.fields}
    numbers += [
        float(x) for x, column in zip(encode(manifest.columns, fields)[0], manifest.columns, strict=True) if _tells(column.field)
    ]
    texts = {text for number in numbers for size in (abs(number),) for text in _written(size)}
    return sorted(text for text in texts if len(_digits(text)) >= _LEAST)


def _tells(field: str) -> bool:
    return field not in ("town", "rooms")


def _written(number: float) -> Iterator[str]:
    for digits in range(_LEAST, 18):
        yield f"{number:.{digits}g}"
    for decimals in range(12):
        yield f"{number:.{decimals}f}"
    yield repr(float(np.float32(number)))
    yield f"{number:,.2f}"


def _digits(text: str) -> str:
    return re.sub(r"e.*|\D", "", text).strip("0")


def pattern(manifest: Manifest) -> re.Pattern[str]:
    """Finds them where no other number goes on."""
    return re.compile(r"(?<![\d.,])(?:" + "|".join(re.escape(text) for text in spellings(manifest)) + r")(?!\.?\d)")
