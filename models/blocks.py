"""Rows in blocks of one size: what is compiled for a shape, and what answers the same bytes whatever stands beside it."""

import numpy as np

from models.arrays import Array


def blocks(x: Array, size: int) -> list[Array]:
    """X in blocks of `size`, the last one padded with zeros."""
    padded = np.concatenate([x, np.zeros((-len(x) % size, *x.shape[1:]), x.dtype)])
    return np.split(padded, len(padded) // size) if len(padded) else []
