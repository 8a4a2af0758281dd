"""Clients that mix everything, against the answers that a quiet single client had of another process."""

import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx

from benchmarks.battery.mixture import one
from benchmarks.battery.part import Figure, Part, Tally
from benchmarks.battery.subjects import Ask, Subject
from benchmarks.process import Server
from models.folder import TRAINED
from models.manifest import Manifest

CLIENTS = 8
POOL = 150
"""Different requests in a step."""
SHIPPED = ("titanic", "fashion-mnist")
_PATIENT = {"SHAPSERVE_DEADLINE_MS": "600000"}
"""Answers that a deadline stops are the only ones that may differ."""
_REQUEST_ID = re.compile(rb'("instance":")[^"]*(")')


@dataclass(frozen=True)
class Answer:
    """What has to be the same whenever it is asked: everything but the request's id."""

    status: int
    kind: str
    body: bytes


def answer(ask: Ask, client: httpx.Client) -> Answer:
    """Of one request."""
    response = ask.send(client)
    problem = response.status_code >= 400
    body = _REQUEST_ID.sub(rb"\1\2", response.content) if problem else response.content
    return Answer(response.status_code, response.headers.get("content-type", ""), body)


def run(cases: range) -> Tally:
    """A fresh server for the golden answers, and another for the load."""
    with _serving() as url:
        pool = pool_of(url, cases.start, POOL)
        golden = collect(url, pool)
    with _serving() as url:
        return load(url, pool, golden, cases)


def pool_of(url: str, start: int, size: int, names: Sequence[str] = SHIPPED) -> list[Ask]:
    """Requests about these models, drawn from the number of the first case."""
    random, subjects = Random(start), [_subject(url, name) for name in names]
    return [one(random, subjects) for _ in range(size)]


def collect(url: str, pool: Sequence[Ask]) -> list[Answer]:
    """Asked one by one."""
    with httpx.Client(base_url=url, timeout=600) as client:
        return [answer(ask, client) for ask in pool]


def load(url: str, pool: Sequence[Ask], golden: Sequence[Answer], cases: range) -> Tally:
    """As many clients as there are, each in an order of its own, until as many explanations were compared as there are cases."""
    explained = [ask.explanations if right.status < 400 else 0 for ask, right in zip(pool, golden, strict=True)]
    if not any(explained):
        raise ValueError("expected a pool with explanations")
    count: Counter[str] = Counter()
    flaws: list[dict[str, Any]] = []
    lock = threading.Lock()

    def ask_on(number: int) -> None:
        random = Random(f"{cases.start} {number}")
        with httpx.Client(base_url=url, timeout=600) as client:
            while count["explanations"] < len(cases):
                for k in random.sample(range(len(pool)), len(pool)):
                    flaw = _difference(pool[k], golden[k], client)
                    with lock:
                        count["requests"] += 1
                        count["explanations"] += explained[k]
                        if flaw:
                            count["wrong"] += 1
                            flaws.append(
                                {"path": pool[k].path, "body": pool[k].body.decode("utf-8", "replace")[:2000], "flaw": flaw}
                            )
                    if count["explanations"] >= len(cases):
                        break

    clients = [threading.Thread(target=ask_on, args=(number,)) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    statuses = Counter(str(one.status) for one in golden)
    return {**count, "wrong": count["wrong"], "different": len(pool), "statuses": dict(statuses), "flaws": flaws[:10]}


def _difference(ask: Ask, golden: Answer, client: httpx.Client) -> str:
    """Empty when the answer is the golden one."""
    try:
        got = answer(ask, client)
    except httpx.HTTPError as error:
        return repr(error)[:200]
    if got == golden:
        return ""
    if got.status != golden.status or got.kind != golden.kind:
        return f"{got.status} {got.kind} {got.body[:300]!r} instead of {golden.status} {golden.kind}"
    at = next((k for k, (a, b) in enumerate(zip(got.body, golden.body, strict=False)) if a != b), len(golden.body))
    return (
        f"differs from byte {at}: {got.body[max(0, at - 30) : at + 30]!r} instead of {golden.body[max(0, at - 30) : at + 30]!r}"
    )


def figure(tallies: Sequence[Tally]) -> Figure:
    """Nothing wrong."""
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update({name: tally[name] for name in ("explanations", "requests", "wrong", "different")})
    statuses = sorted({status for tally in tallies for status in tally["statuses"]})
    measured = (
        f"{total['wrong']} wrong in {total['explanations']:,} explanations, {total['requests']:,} requests"
        f" of {total['different']:,} different ones, answered {', '.join(statuses)}"
    )
    return Figure(measured, total["wrong"] == 0)


@contextmanager
def _serving() -> Iterator[str]:
    server = Server(**_PATIENT)
    try:
        server.wait_until_ready()
        yield server.url
    finally:
        server.stop()


def _subject(url: str, name: str) -> Subject:
    manifest = Manifest.model_validate_json((TRAINED / name / "manifest.json").read_bytes())
    shown = httpx.get(f"{url}/models/{name}/samples").raise_for_status().json()
    return Subject(manifest, [*shown["instances"], *(example["instance"] for example in shown["examples"])])


PART = Part(
    title=f"{CLIENTS} clients mixing everything, against the answers that a quiet client had of another process",
    goal="0 wrong in 50,000 explanations, byte for byte",
    total=50_000,
    step=5_000,
    run=run,
    figure=figure,
)
