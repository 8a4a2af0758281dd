"""What a part of the battery is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Tally = dict[str, Any]
"""What one step has counted, as JSON."""


@dataclass(frozen=True)
class Figure:
    """What a part has measured, beside its goal."""

    measured: str
    reached: bool


@dataclass(frozen=True)
class Part:
    """Some thousands of cases, done in steps so that a run that was stopped goes on where it stood."""

    title: str
    """What is tried."""
    goal: str
    total: int
    """Cases in all."""
    step: int
    """Cases after which the tally is kept."""
    run: Callable[[range], Tally]
    """Do these cases, the same ones for the same range; a case is drawn from its number alone."""
    figure: Callable[[Sequence[Tally]], Figure]
    """From the tallies of all steps."""
