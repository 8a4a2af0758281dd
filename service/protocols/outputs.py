"""What a V2 answer is made of: tensors, from the native content."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from schemas.v2 import Datatype, RequestedOutput
from service.errors import invalid, one_of
from service.respond import Json

Source = Callable[[Json], Any]
"""From the content of an answer to an array; None where there is nothing."""

Offered = Mapping[str, tuple[Datatype, Source]]
"""The tensors of an answer by name."""


def _each(name: str) -> Source:
    return lambda content: _all([explanation[name] for explanation in content["explanations"]])


def _proof(name: str) -> Source:
    return lambda content: _all([explanation["proof"][name] for explanation in content["explanations"]])


def _all(values: list[Any]) -> list[Any] | None:
    return None if any(value is None for value in values) else values


def _stopped_by(content: Json) -> list[str] | None:
    reasons = [explanation["proof"]["stopped_by"] or "" for explanation in content["explanations"]]
    return reasons if any(reasons) else None


def _imputed(content: Json) -> list[list[bool]] | None:
    fields = content["fields"]
    return [[name in explanation["imputed"] for name in fields] for explanation in content["explanations"]] if fields else None


PREDICTED: Offered = {"predictions": ("FP32", lambda content: content["predictions"])}
"""/infer: (n, K)."""

EXPLAINED: Offered = {
    **PREDICTED,
    "output_names": ("BYTES", lambda content: content["output_names"]),  # (K,)
    "outputs": ("BYTES", _each("outputs")),  # (n, k): those explained
    "base_values": ("FP64", _each("base_values")),  # (n, k)
    "shap_values": ("FP64", _each("shap_values")),  # (n, players..., k)
    "shap_interaction_values": ("FP64", _each("shap_interaction_values")),  # (n, players, players, k)
    "stderr": ("FP64", _proof("stderr")),  # as shap_values
    "feature_names": ("BYTES", lambda content: content["feature_names"]),  # (players,)
    "imputed": ("BOOL", _imputed),  # (n, fields)
    "residual": ("FP64", _proof("residual")),  # (n, k)
    "tolerance": ("FP64", _proof("tolerance")),  # (n,)
    "ok": ("BOOL", _proof("ok")),  # (n,)
    "converged": ("BOOL", _proof("converged")),  # (n,)
    "stopped_by": ("BYTES", _stopped_by),  # (n,)
    "evaluations": ("INT64", _proof("evaluations")),  # (n,)
}
"""/explain; what an answer does not have is left out: stderr of exact values, feature names of images."""


def wanted(requested: list[RequestedOutput] | None, offered: Offered) -> list[str]:
    """The names of the tensors to send, in the order asked for. Raises Invalid."""
    names = [output.name for output in requested or []]
    for k, name in enumerate(names):
        if name not in offered:
            raise invalid(f"/outputs/{k}/name", f"expected {one_of(list(offered))}")
        if name in names[:k]:
            raise invalid(f"/outputs/{k}/name", "expected no tensor twice")
    return names or list(offered)


def tensors(names: list[str], offered: Offered, content: Json) -> list[Json]:
    """Those of `names` that the content has."""
    made = [(name, offered[name][0], offered[name][1](content)) for name in names]
    return [_tensor(name, datatype, np.asarray(values)) for name, datatype, values in made if values is not None]


def parameters(content: Json) -> Json:
    """What is no array, as strings, numbers and booleans."""
    said: Json = {}
    if "explanations" in content:
        proof = content["explanations"][0]["proof"]
        said = {name: content[name] for name in ("method", "why", "players")}
        said |= {"background": content["background"]["name"], "background_rows": content["background"]["rows"]}
        said |= {name: proof[name] for name in ("exact", "seed") if proof[name] is not None}
    return said | ({"warnings": "; ".join(content["warnings"])} if content["warnings"] else {})


def _tensor(name: str, datatype: Datatype, array: np.ndarray) -> Json:
    flat = array.ravel()
    return {
        "name": name,
        "shape": list(array.shape),
        "datatype": datatype,
        "data": flat.tolist() if datatype == "BYTES" else flat,
    }
