"""The server against its own OpenAPI document: schemathesis thinks of requests and checks every answer."""

import json
import logging
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.battery.part import Figure, Part, Tally
from benchmarks.process import ROOT, Server

PROCESSES = 2
_SHOWN = 30
_SERVER = {"SHAPSERVE_DEADLINE_MS": "1000"}
"""Some valid requests ask for minutes of work; a deadline that passes is a declared answer too."""
_SHARE = 25
"""Of a process's cases go to each operation while fuzzing; what is left is sent in sequences."""


def settings(seed: int, examples: int, *, once: bool) -> dict[str, Any]:
    """Of schemathesis: all checks. once: also the phases that send the same whatever the seed."""
    declared = ["2xx", "3xx", "4xx"]
    return {
        "seed": seed,
        "continue-on-failure": True,
        "request-timeout": 60,
        "phases": {"examples": {"enabled": once}, "coverage": {"enabled": once}},
        "generation": {"max-examples": examples, "database": "none", "no-shrink": True},
        "checks": {
            # 503 and 504 are declared and mean what they say; 500 is declared for models whose answer is not finite: none here.
            "not_a_server_error": {"expected-statuses": [*declared, "503", "504"]},
            # One document describes the requests to every model; /models/{name} says which records and methods one takes.
            "positive_data_acceptance": {"expected-statuses": ["2xx", "404", "406", "422", "503", "504"]},
        },
    }


@dataclass
class Seen:
    """What one process has counted."""

    cases: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    checks: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    flaws: dict[str, dict[str, str]] = field(default_factory=dict)
    """One example of each kind of failure."""

    def tally(self) -> Tally:
        """As JSON."""
        return {
            "cases": self.cases,
            "checks": self.checks,
            "statuses": dict(self.statuses),
            "phases": dict(self.phases),
            "failures": dict(self.failures),
            "flaws": list(self.flaws.values())[:_SHOWN],
        }


def attack(url: str, seed: int, cases: int, paths: str = "") -> Tally:
    """Runs with seeds that follow each other until as many cases were sent; the last is stopped when there are enough.

    paths: a regular expression of those to ask; all by default. The seed 0 also begins the phases that need none.
    """
    seen, once = Seen(), seed == 0
    while seen.cases < cases:
        configuration = settings(seed, max(2, cases // _SHARE), once=once)
        _run(url, configuration, paths, seen, cases)
        seed, once = seed + 1, False
    return seen.tally()


def _run(url: str, configuration: dict[str, Any], paths: str, seen: Seen, cases: int) -> None:
    import schemathesis
    from schemathesis.engine import events, from_schema

    config = schemathesis.Config.from_dict(configuration)
    document = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config)
    stream = from_schema(document.include(path_regex=paths) if paths else document).execute()
    for event in stream:
        if isinstance(event, events.ScenarioFinished):
            _count(event, seen)
        elif isinstance(event, events.NonFatalError):
            _fail(seen, "error", event.label, str(event.value), "")
        elif isinstance(event, events.FatalError):
            raise event.exception
        if seen.cases >= cases:
            stream.stop()
            break


def _count(event: Any, seen: Seen) -> None:
    for sent in event.recorder.interactions.values():
        seen.cases += 1
        seen.phases[event.phase.value] += 1
        if sent.response:
            seen.statuses[str(sent.response.status_code)] += 1
        else:
            _fail(seen, "no answer", event.label or "", "the connection failed or timed out", "")
    for number, checks in event.recorder.checks.items():
        seen.checks += len(checks)
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                sent = event.recorder.interactions.get(number)
                got = f"{sent.response.status_code} {sent.response.content[:500]!r}" if sent and sent.response else ""
                what = f"{failure.title}: {failure.message}"
                _fail(seen, check.name, event.label or "", what, check.failure_info.code_sample, got)


def _fail(seen: Seen, check: str, label: str, what: str, sample: str, got: str = "") -> None:
    kind = f"{check} {label}".strip()
    seen.failures[kind] += 1
    seen.flaws.setdefault(kind, {"kind": kind, "what": what[:600], "request": sample[:1500], "answer": got})


def run(cases: range) -> Tally:
    """Two processes against one server, each with half of the cases and seeds of its own."""
    server = Server(**_SERVER)
    try:
        server.wait_until_ready()
        return together(server.url, cases, PROCESSES)
    finally:
        server.stop()


def together(url: str, cases: range, processes: int) -> Tally:
    """The tallies of all processes, added up."""
    share = -(-len(cases) // processes)
    command = [sys.executable, "-m", "benchmarks.battery.schema", url]
    children = [
        subprocess.Popen(
            [*command, str(cases.start + len(cases) * k // processes), str(share)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for k in range(processes)
    ]
    said = [child.communicate()[0] for child in children]
    if failed := [child.returncode for child in children if child.returncode]:
        raise RuntimeError(f"schemathesis ended with code {failed[0]}")
    return added([json.loads(text.splitlines()[-1]) for text in said])


def added(tallies: Sequence[Tally]) -> Tally:
    """Of several processes or steps."""
    total: Tally = {"cases": sum(one["cases"] for one in tallies), "checks": sum(one["checks"] for one in tallies)}
    for name in ("statuses", "phases", "failures"):
        total[name] = dict(sum((Counter(one[name]) for one in tallies), Counter[str]()))
    flaws = {flaw["kind"]: flaw for one in tallies for flaw in one["flaws"]}
    return total | {"flaws": list(flaws.values())}


def figure(tallies: Sequence[Tally]) -> Figure:
    """No check failed."""
    total = added(tallies)
    failed = sum(total["failures"].values())
    kinds = "".join(f"; {kind}: {count}" for kind, count in sorted(total["failures"].items()))
    unexpected = total["statuses"].get("500", 0)
    phases = ", ".join(f"{count:,} {phase}" for phase, count in sorted(total["phases"].items()))
    measured = (
        f"{unexpected} x 500 and {failed} of {total['checks']:,} checks failed in {total['cases']:,} cases ({phases}){kinds}"
    )
    return Figure(measured, failed == unexpected == 0)


PART = Part(
    title="schemathesis on the OpenAPI document of the real server: examples, coverage, fuzzing, stateful",
    goal="no 500, no undeclared status, every body as declared in 100,000 cases",
    total=100_000,
    step=10_000,
    run=run,
    figure=figure,
)

if __name__ == "__main__":
    logging.disable(logging.WARNING)
    print(json.dumps(attack(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
