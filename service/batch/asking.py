"""Rows asked about as if over HTTP; what cannot be answered is found and left out, the rest is answered."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import orjson

from service.batch.job import Job, Unusable
from service.batch.rows import Row
from service.context import Context
from service.errors import Problem
from service.explain import explain
from service.lane import Clock
from service.predict import predict

Ask = Callable[[list[bytes]], dict[str, Any]]
"""From instances to the body of the answer. Raises Problem."""
_FOR_EVER = 10**12
"""Milliseconds: nobody waits."""


@dataclass(frozen=True)
class Answered:
    """Rows, and what the service answers to the request that they make."""

    rows: list[Row]
    content: dict[str, Any]


def asker(job: Job, name: str, context: Context) -> Ask:
    """The service's own function of the task, about a model with the options of the job."""
    begin = orjson.dumps({"model": name} | job.options)[:-1] + b',"instances":['

    def ask(instances: list[bytes]) -> dict[str, Any]:
        body = begin + b",".join(instances) + b"]}"
        answer: Any = (predict if job.task == "predict" else explain)(body, context, Clock(_FOR_EVER))
        return dict(orjson.loads(answer))

    return ask


def answer_rows(rows: list[Row], ask: Ask) -> Iterator[Answered | Row]:
    """All that can be answered, in order, and between them the bad rows with their flaws. Raises Unusable.

    Rows that the service points at are left out; where it points at none, the rows are halved until one is left.
    """
    waiting = [rows] if rows else []
    while waiting:
        part = waiting.pop()
        try:
            yield Answered(part, ask([row.instance for row in part]))
        except Problem as problem:
            flaws = _by_row(problem)
            yield from (replace(part[i], flaws=tuple(said)) for i, said in flaws.items())
            if flaws:
                waiting += [rest] if (rest := [row for i, row in enumerate(part) if i not in flaws]) else []
            elif len(part) > 1:
                waiting += [part[len(part) // 2 :], part[: len(part) // 2]]
            elif problem.errors:
                raise Unusable(problem.detail) from None
            else:
                yield replace(part[0], flaws=(problem.detail,))
        except Exception as error:  # whatever the model's library raises for a row
            if len(part) > 1:
                waiting += [part[len(part) // 2 :], part[: len(part) // 2]]
            else:
                yield replace(part[0], flaws=(f"the model cannot answer ({type(error).__name__})",))


def _by_row(problem: Problem) -> dict[int, list[str]]:
    """Flaws by the position of their row; none when the problem points at no row. Raises Unusable when an option is wrong."""
    found: dict[int, list[str]] = {}
    for error in problem.errors:
        _, member, *path = *error.pointer.split("/"), ""
        if member != "instances":
            raise Unusable(f"--{member.replace('_', '-')}: {error.detail}")
        if any(path):
            field = "/".join(path[1:-1]).replace("~1", "/").replace("~0", "~")
            found.setdefault(int(path[0]), []).append(f"{field}: {error.detail}" if field not in ("", "b64") else error.detail)
    return found
