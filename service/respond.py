"""Answers as JSON: numbers rounded to what they are worth, arrays as nested lists."""

from typing import Any

import numpy as np
import orjson

from models.arrays import Floats
from models.manifest import Manifest
from models.tabular import Instances, decode

Json = dict[str, Any]
_DIGITS = 9


def rounded(values: Floats, scale: float) -> Floats:
    """Values rounded to nine digits behind the leading digit of `scale`: more than float32 resolves."""
    decimals = _DIGITS - int(np.ceil(np.log10(scale))) if scale > 0 else _DIGITS
    return np.round(values, decimals) + 0.0  # no negative zeros


def column_data(manifest: Manifest, instances: Instances) -> list[list[float]]:
    """Unscaled column values per instance."""
    return list(decode(manifest.columns, instances.inputs).tolist())


def to_json(content: Json) -> bytes:
    """The body; raises orjson's TypeError rather than sending what is no JSON."""
    return orjson.dumps(content, default=_listed, option=orjson.OPT_SERIALIZE_NUMPY)


def _listed(value: Any) -> Any:
    """What orjson does not take as it is: arrays that are not contiguous."""
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value)
    raise TypeError(f"no JSON for {type(value)}")
