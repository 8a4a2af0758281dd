"""Rows on their way from a source to the service."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One instance, or what keeps it from being one."""

    number: int
    """From 1, through all inputs; lines that are blank are no rows."""
    place: str
    """Where a person finds it: `line 18 of passengers.csv`."""
    instance: bytes = b""
    """As JSON, in the words of the API."""
    flaws: tuple[str, ...] = ()
    """`Age: expected a number`; a row with flaws is left out."""
    file: str | None = None
    """Of an image."""


@dataclass(frozen=True)
class Batch:
    """Consecutive rows."""

    rows: list[Row]
    """To be answered."""
    bad: list[Row]
    """Left out."""
