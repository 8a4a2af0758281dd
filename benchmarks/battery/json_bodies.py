"""Broken and hostile bodies, in process: from the bytes to the encoded instances."""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.battery.mutate import CANARY, mutated
from benchmarks.battery.part import Figure, Part, Tally
from models.folder import TRAINED
from models.manifest import Manifest
from models.tabular import Flaw, InvalidInstances, RecordReader
from schemas.examples import EXAMPLES
from schemas.explain import BackgroundInstances
from schemas.problem import ProblemError
from schemas.v2 import V2InferRequest
from schemas.wire import Sent
from service.body import parse
from service.errors import MAX_BYTES, Problem, pointer, several
from service.image_reader import ImageReader
from service.protocols.inputs import receive

SLOW = 0.05
"""Seconds of CPU time."""
_SHARE = 0.9999
_SHOWN = 20
_KINDS = list(EXAMPLES)
Reader = RecordReader | ImageReader


@cache
def bodies() -> list[tuple[type[Sent], bytes]]:
    """Those of the documentation, by what they are read as; each also with values that no answer may say."""
    whole = [(schema, json.dumps(body)) for schema, examples in EXAMPLES.items() for body in examples.values()]
    marked = [(schema, body.replace('"female"', f'"{CANARY}"').replace('"S"', f'"{CANARY}"')) for schema, body in whole]
    return [(schema, body.encode()) for schema, body in whole + marked]


@cache
def _readers() -> dict[str, tuple[Manifest, Reader]]:
    manifests = [Manifest.model_validate_json(_manifest(name).read_bytes()) for name in ("titanic", "fashion-mnist")]
    return {one.name: (one, ImageReader(one.image) if one.image else RecordReader(one)) for one in manifests}


def _manifest(name: str) -> Path:
    return TRAINED / name / "manifest.json"


def read(schema: type[Sent], body: bytes) -> None:
    """What the service does with a body before the model runs. Raises Problem."""
    request: Any = parse(schema, body)
    manifest, reader = _readers().get(getattr(request, "model", ""), _readers()["titanic"])
    sent = receive(request.inputs, manifest).instances if isinstance(request, V2InferRequest) else request.instances
    background = getattr(request, "background", None)
    own = background.instances if isinstance(background, BackgroundInstances) else []
    for instances in filter(None, (sent, own)):
        try:
            reader.read(instances, lambda: None)
        except InvalidInstances as error:
            raise several([_error(flaw) for flaw in error.flaws]) from None


def _error(flaw: Flaw) -> ProblemError:
    return ProblemError(pointer="/instances" + pointer(flaw.path), detail=flaw.detail)


def case(number: int) -> tuple[type[Sent], bytes]:
    """A body, and what it is read as: sometimes something else than it was written for."""
    random = Random(number)
    schema, body = random.choice(bodies())
    made = mutated(random, body, [other for _, other in bodies()])
    return (random.choice(_KINDS) if random.random() < 0.1 else schema), made


def wrong(schema: type[Sent], body: bytes) -> tuple[str, str]:
    """What became of it (a status), and what is wrong with that: nothing, as a rule."""
    try:
        read(schema, body)
    except Problem as problem:
        said = problem.body("0" * 32, protocol=True)
        if len(said) > MAX_BYTES:
            return str(problem.status), f"a problem of {len(said)} bytes"
        told = json.loads(said)
        words = [told["detail"], told["error"], *(error["detail"] for error in told["errors"])]
        echoed = any(CANARY in word for word in words)
        return str(problem.status), "a value of the body stands in the problem" if echoed else ""
    except BaseException as error:
        return "exception", f"{type(error).__name__}: {str(error)[:200]}"
    return "200", ""


def run(cases: range) -> Tally:
    """Each in turn; CPU time of this thread."""
    outcomes: Counter[str] = Counter()
    flaws: list[dict[str, Any]] = []
    slow, worst, at = 0, 0.0, cases.start
    for number in cases:
        schema, body = case(number)
        begin = time.thread_time()
        outcome, flaw = wrong(schema, body)
        took = time.thread_time() - begin
        outcomes[outcome] += 1
        slow += took > SLOW
        if took > worst:
            worst, at = took, number
        if flaw:
            outcomes["flaw"] += 1
            flaws += [{"case": number, "schema": schema.__name__, "flaw": flaw}][: _SHOWN - len(flaws)]
    return {"cases": len(cases), "outcomes": dict(outcomes), "slow": slow, "worst": worst, "at": at, "flaws": flaws}


def figure(tallies: Sequence[Tally]) -> Figure:
    """No flaw, and hardly any body slow."""
    cases = sum(tally["cases"] for tally in tallies)
    total = _added(tallies, lambda tally: tally["outcomes"])
    slow, worst = sum(tally["slow"] for tally in tallies), max(tally["worst"] for tally in tallies)
    quick = 1 - slow / cases
    taken = ", ".join(f"{total[status]:,} x {status}" for status in ("200", "400", "422") if total[status])
    measured = (
        f"{total['flaw']} exceptions, echoes or problems too large in {cases:,} ({taken});"
        f" {100 * quick:.4f} % within {SLOW * 1e3:.0f} ms, worst {worst * 1e3:.0f} ms"
    )
    return Figure(measured, total["flaw"] == 0 and quick >= _SHARE)


def _added(tallies: Sequence[Tally], counts: Callable[[Tally], dict[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update(counts(tally))
    return total


PART = Part(
    title="broken and hostile JSON bodies, in process, from the bytes to the encoded instances",
    goal="no exception but problems, of at most 16 KiB, that echo nothing; 99.99 % within 50 ms of CPU time",
    total=1_000_000,
    step=20_000,
    run=run,
    figure=figure,
)
