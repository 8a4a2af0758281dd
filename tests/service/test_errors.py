"""The error tree is what its docstring draws."""

import re

from schemas.problem import ProblemError
from service import errors
from service.errors import MAX_BYTES, Invalid, Problem


def below(kind: type[Problem]) -> list[type[Problem]]:
    """All subclasses."""
    return [k for child in kind.__subclasses__() for k in (child, *below(child))]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Name, status and code of every problem."""
    drawn = {(name, int(status), code) for name, status, code in re.findall(r"(\w+) +(\d{3}) +([\w-]+)", errors.__doc__ or "")}
    assert drawn == {(kind.__name__, kind.status, kind.code) for kind in below(Problem)}


def test_a_body_stays_small_whatever_is_wrong() -> None:
    """Sixteen KiB, with the longest pointers and details."""
    flaws = [ProblemError(pointer="/" + "\u00e9" * 2000, detail="\u00e9" * 2000)] * 50
    assert len(Invalid("\u00e9" * 5000, flaws).body("id")) <= MAX_BYTES
