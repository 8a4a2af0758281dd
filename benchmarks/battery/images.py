"""Broken and hostile image files, read in child processes: one that dies is seen, and so is the memory that it takes."""

import base64
import json
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.battery.part import Figure, Part, Tally
from benchmarks.process import ROOT
from models.manifest import ImageSpec
from models.tabular import InvalidInstances
from service.image_reader import ImageReader

MEMORY_MIB = 64
_SECONDS = 600
"""For a step; a file that hangs the decoder counts as a crash."""
_SPECS = (
    ImageSpec(height=28, width=28, channels=1, scale=1 / 255),
    ImageSpec(height=32, width=48, channels=3, scale=1 / 127.5, offset=-1.0),
)


def run(cases: range) -> Tally:
    """In children; after a crash another goes on with the next case."""
    outcomes: Counter[str] = Counter()
    flaws: list[dict[str, Any]] = []
    grown, at, start = 0.0, None, cases.start
    while start < cases.stop:
        done, tally = _child(range(start, cases.stop))
        outcomes.update(tally["outcomes"])
        flaws += tally["flaws"]
        if tally["grown"] > grown:
            grown, at = tally["grown"], tally["at"]
        start = done
    return {"cases": len(cases), "outcomes": dict(outcomes), "grown": grown, "at": at, "flaws": flaws[:20]}


def _child(cases: range) -> tuple[int, Tally]:
    """The first case that it did not come to, and what it counted."""
    command = [sys.executable, "-m", "benchmarks.battery.images", str(cases.start), str(cases.stop)]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_SECONDS)
        said, ended = done.stdout, f"ended with code {done.returncode}: {done.stderr[-200:]}"
    except subprocess.TimeoutExpired as error:
        said, ended = (error.stdout or b"").decode(), f"did not end within {_SECONDS} s"
    last = said.splitlines()[-1] if said.strip() else str(cases.start)
    if last.startswith("{"):
        return cases.stop, json.loads(last)
    flaw = {"case": int(last), "flaw": f"the process {ended}"}
    return int(last) + 1, {"outcomes": {"crash": 1}, "flaws": [flaw], "grown": 0.0}


def read_all(cases: range) -> Tally:
    """In the child: the number of each case before it, so that the parent knows where it died."""
    from benchmarks.battery.pictures import mutated, whole

    readers = [ImageReader(spec) for spec in _SPECS]
    for file in whole():
        for reader in readers:
            reader.read([{"b64": base64.b64encode(file).decode()}], lambda: None)
    outcomes: Counter[str] = Counter()
    flaws: list[dict[str, Any]] = []
    first = highest = _peak()
    at, worst = None, 0.0
    for number in cases:
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()
        file = mutated(number)
        begin = time.thread_time()
        outcome, flaw = wrong(readers[number % 2], file)
        worst = max(worst, time.thread_time() - begin)
        outcomes[outcome] += 1
        if flaw:
            flaws.append({"case": number, "flaw": flaw})
        if _peak() > highest:
            highest, at = _peak(), number
    return {"outcomes": dict(outcomes), "flaws": flaws[:20], "grown": highest - first, "at": at, "worst": worst}


def wrong(reader: ImageReader, file: bytes) -> tuple[str, str]:
    """What became of it, and what is wrong with that: nothing, as a rule."""
    try:
        reader.read([{"b64": base64.b64encode(file).decode()}], lambda: None)
    except InvalidInstances:
        return "refused", ""
    except BaseException as error:
        return "exception", f"{type(error).__name__}: {str(error)[:200]}"
    return "read", ""


def figure(tallies: Sequence[Tally]) -> Figure:
    """No process died, nothing else was raised, memory stayed."""
    total: Counter[str] = Counter()
    for tally in tallies:
        total.update(tally["outcomes"])
    grown = max(tally["grown"] for tally in tallies)
    measured = (
        f"{total['crash']} crashes and {total['exception']} other exceptions in {sum(tally['cases'] for tally in tallies):,}"
        f" ({total['read']:,} read, {total['refused']:,} refused); memory + {grown:.0f} MiB"
    )
    return Figure(measured, total["crash"] == total["exception"] == 0 and grown <= MEMORY_MIB)


def _peak() -> float:
    """Of this process's resident memory, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # `ru_maxrss` begins with what the parent had
        return int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


PART = Part(
    title="broken and hostile PNG and JPEG files, read in child processes",
    goal=f"no crash, nothing but a refusal; memory + {MEMORY_MIB} MiB at most",
    total=200_000,
    step=5_000,
    run=run,
    figure=figure,
)

if __name__ == "__main__":
    print(json.dumps(read_all(range(int(sys.argv[1]), int(sys.argv[2])))))
