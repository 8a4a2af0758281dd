"""Answers as JSON: numbers rounded to what they are worth, arrays as nested lists."""

from typing import Any

import numpy as np
import orjson

from models.arrays import Floats

Json = dict[str, Any]
_DIGITS = 9
_PIECE = 2**16
"""Numbers that are encoded at once: some milliseconds."""


def rounded(values: Floats, scale: Floats | None = None) -> Floats:
    """Values rounded to nine digits below the leading digit of `scale` (broadcast), by default their own."""
    size = np.abs(values if scale is None else scale)
    decimals = np.where(size > 0, _DIGITS - np.ceil(np.log10(np.where(size > 0, size, 1))), 0)
    up, down = 10.0 ** np.maximum(decimals, 0), 10.0 ** np.maximum(-decimals, 0)
    return np.round(values * up / down) / up * down + 0.0  # no negative zeros


def to_json(content: Json) -> bytes:
    """The body; raises orjson's TypeError rather than sending what is no JSON."""
    return _encoded(_pieces(content))


def _encoded(value: Any) -> bytes:
    return orjson.dumps(value, default=_listed, option=orjson.OPT_SERIALIZE_NUMPY)


def _pieces(value: Any) -> Any:
    """What may be long, encoded piece by piece: while a piece is encoded nothing else of Python runs, the event loop included."""
    if isinstance(value, dict):
        return {key: _pieces(member) for key, member in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [orjson.Fragment(_encoded(_pieces(member))) for member in value]
    if isinstance(value, np.ndarray) and value.size > _PIECE:
        step = max(1, _PIECE * len(value) // value.size)
        parts = (_encoded(value[begin : begin + step])[1:-1] for begin in range(0, len(value), step))
        return orjson.Fragment(b"[%b]" % b",".join(parts))
    return value


def _listed(value: Any) -> Any:
    """What orjson does not take as it is: arrays that are not contiguous."""
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value)
    raise TypeError(f"no JSON for {type(value)}")
