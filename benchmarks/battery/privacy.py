"""A row that is unlike all others, in a background of everybody's rows: its values must not leave the service."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import numpy as np
import pandas as pd

from benchmarks.battery.json_bodies import case
from benchmarks.battery.mixture import Ask, Subject, one, summarise
from benchmarks.battery.part import Figure, Part, Tally
from benchmarks.process import Server
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


def asks(subjects: Sequence[Subject], cases: range) -> Iterator[Ask]:
    """The mixture, summaries of the background, mutated bodies; one for each case, from its number alone."""
    paths = {
        "PredictRequest": "/predict",
        "ExplainRequest": "/explain",
        "SummaryRequest": "/summary",
        "CompareRequest": "/compare",
    }
    for number in cases:
        random = Random(number)
        kind = number % 10
        if kind == 0:
            subject = random.choice(subjects)
            body = {"model": subject.manifest.name, "method": random.choice(("auto", "tree", "deep", "kernel"))}
            drawn = random.choice(({}, {"Accept": "image/svg+xml"}, {"Accept": "application/json"}))
            yield Ask("/summary", json.dumps(body | {"plot": random.choice(("bar", "beeswarm", None))}).encode(), headers=drawn)
        elif kind == 1:
            schema, sent = case(number)
            yield Ask(paths.get(schema.__name__, f"/v1/models/{NET}:explain"), sent.replace(b"titanic", FOREST.encode()) or b"{}")
        elif kind == 2:
            yield summarise(random, random.choice(subjects))
        else:
            yield one(random, subjects)


def read_paths(url: str, subjects: Sequence[Subject]) -> list[str]:
    """Whatever can be read: the document's paths, the page, its files."""
    document = httpx.get(f"{url}/openapi.json").json()
    of_models = [
        path.replace("{name}", subject.manifest.name).replace("{version}", subject.manifest.version)
        for path, operations in document["paths"].items()
        if "get" in operations
        for subject in subjects
    ]
    return list(dict.fromkeys([*of_models, "/", "/docs", "/openapi.json", "/metrics", "/favicon.svg", "/nothing"]))


def look_for(url: str, subjects: Sequence[Subject], asked: Iterable[Ask]) -> Tally:
    """Ask, read what there is, and look at every body and header."""
    found = pattern(subjects[0].manifest)
    count: Counter[str] = Counter()
    flaws: list[dict[str, str]] = []
    with httpx.Client(base_url=url, timeout=600) as client:
        for ask in [*asked, *(Ask(path, b"") for path in read_paths(url, subjects))]:
            response = ask.send(client)
            count["bodies"] += 1
            count[f"status {response.status_code}"] += 1
            text = f"{dict(response.headers)}\n{response.text}"
            if match := found.search(text):
                count["leaks"] += 1
                near = text[max(0, match.start() - 80) : match.end() + 20]
                flaws.append({"path": ask.path, "asked": ask.body.decode("utf-8", "replace")[:500], "near": near})
    return {**count, "leaks": count["leaks"], "flaws": flaws[:20]}


def run(cases: range) -> Tally:
    """Against a server that logs all it can; its log is looked at too."""
    with TemporaryDirectory() as work:
        forest = write_forest(Path(work))
        subjects = [forest, write_net(Path(work), forest.manifest)]
        with _serving(Path(work)) as server:
            tally = look_for(server.url, subjects, asks(subjects, cases))
            log = server.log()
        return tally | logged(log, subjects)


def logged(log: str, subjects: Sequence[Subject]) -> Tally:
    """What the log tells."""
    lines = log.splitlines()
    found = pattern(subjects[0].manifest)
    told = [line[:500] for line in lines if found.search(line)]
    return {"lines": len(lines), "leaks in the log": len(told), "told": told[:5]}


@contextmanager
def _serving(models: Path) -> Iterator[Server]:
    server = Server(
        SHAPSERVE_MODELS=str(models),
        SHAPSERVE_LOG_LEVEL="debug",
        SHAPSERVE_LOG_FORMAT="json",
        SHAPSERVE_DEADLINE_MS="20000",
    )
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


def figure(tallies: Sequence[Tally]) -> Figure:
    """Nothing was told."""
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update({name: tally[name] for name in ("bodies", "leaks", "lines", "leaks in the log")})
    told = f"{total['leaks']} of {total['bodies']:,} bodies and {total['leaks in the log']} of {total['lines']:,} lines of log"
    return Figure(f"{told} tell a value", total["leaks"] == total["leaks in the log"] == 0)


PRIVACY = Part(
    title="a row of unique values in a background of everybody's rows, looked for in every body and log",
    goal="its values occur in no body and no log, in no rounding, scaled or not",
    total=10_000,
    step=2_000,
    run=run,
    figure=figure,
)
