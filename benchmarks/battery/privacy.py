"""A row that is unlike all others, in a background of everybody's rows: its values must not leave the service."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import httpx

from benchmarks.battery.crowd import FOREST, NET, pattern, write_forest, write_net
from benchmarks.battery.json_bodies import case
from benchmarks.battery.mixture import one, summarise
from benchmarks.battery.part import Figure, Part, Tally
from benchmarks.battery.subjects import Ask, Subject
from benchmarks.process import Server


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


PART = Part(
    title="a row of unique values in a background of everybody's rows, looked for in every body and log",
    goal="its values occur in no body and no log, in no rounding, scaled or not",
    total=10_000,
    step=2_000,
    run=run,
    figure=figure,
)
