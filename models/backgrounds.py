"""Backgrounds: weighted reference instances that stand in for what is unknown."""

import re
from dataclasses import dataclass

import numpy as np

from models.arrays import Floats, Inputs, Weights


@dataclass(frozen=True, eq=False)
class Background:
    """x (n, ...) and weights (n,), summing to 1. Two are equal when they are the same object: what is made for one is kept."""

    x: Inputs
    weights: Weights


def parse_background(text: str) -> tuple[str, int]:
    """`all`, `N` or `kmeans:N` as (how, N); N is 0 for all. Raises ValueError."""
    if text == "all":
        return "all", 0
    if match := re.fullmatch(r"(kmeans:)?([1-9][0-9]{0,8})", text):
        return "kmeans" if match[1] else "rows", int(match[2])
    raise ValueError(f"expected a background `all`, `N` or `kmeans:N` with N of 1 or more, received {text!r}")


def equal_weights(n: int) -> Weights:
    """(n,) weights of 1/n."""
    return np.full(n, 1 / n, np.float32)


def exact_weights(weights: Weights) -> Floats:
    """The weights in float64, summing to 1 as closely as float64 can."""
    wide = weights.astype(np.float64)
    return np.asarray(wide / wide.sum(), np.float64)
