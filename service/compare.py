"""The life of a compare request, top to bottom: one question, several methods."""

from dataclasses import replace
from itertools import combinations

import numpy as np

from explainers.game import Attribution
from models.arrays import Floats
from schemas.compare import CompareRequest
from service.answer import answer
from service.ask import ask
from service.body import parse
from service.choose import choose
from service.context import Context
from service.errors import invalid
from service.lane import Clock
from service.predict import predict_finite, read_instances
from service.respond import Json, to_json


def compare(body: bytes | bytearray, context: Context, clock: Clock) -> bytes:
    """Parse, look up, encode, predict, ask; per method choose, attribute, prove; compare, respond. Raises Problem."""
    request = parse(CompareRequest, body)
    if len(set(request.methods)) < len(request.methods):
        raise invalid("/methods", "expected no method twice")
    clock.lower(request.deadline_ms)
    model = context.catalog.get(request.model)
    instances = read_instances(model, request.instances, clock)
    clock.mark("parse")
    predictions = predict_finite(model, instances.inputs, clock)
    clock.mark("predict")
    limit = context.settings.max_values // len(request.methods)
    asked = ask(request, list(request.methods), model, instances, predictions, clock, limit)
    choices = {str(name): choose(name, asked, f"/methods/{k}") for k, name in enumerate(request.methods)}
    found: dict[str, Attribution] = {}
    samplers = sum(choice.explainer.sampling for choice in choices.values())
    for name, choice in sorted(choices.items(), key=lambda item: item[1].explainer.sampling):  # these take what time is left
        question = replace(asked.question, effort=asked.question.effort.until(clock.remaining() / max(1, samplers)))
        found[name] = choice.explainer.attribute(question if choice.explainer.sampling else asked.question)
        samplers -= choice.explainer.sampling
        clock.mark(choice.method)
    explanations = {name: answer(asked, choice, found[name], context) for name, choice in choices.items()}
    return to_json({"explanations": explanations, "differences": differences(explanations)})


def differences(explanations: dict[str, Json]) -> list[Json]:
    """Every pair of methods, from the numbers as sent."""
    values = {name: np.stack([e["shap_values"] for e in body["explanations"]]) for name, body in explanations.items()}
    return [{"a": a, "b": b, **_difference(values[a], values[b])} for a, b in combinations(values, 2)]


def _difference(a: Floats, b: Floats) -> Json:
    """Of values (n, players..., outputs)."""
    apart = np.abs(a - b)
    return {
        "mean": float(apart.mean()),
        "max": float(apart.max()),
        "sign_flips": int((a * b < 0).sum()),
        "rank_correlation": _rank_correlation(a, b),
    }


def _rank_correlation(a: Floats, b: Floats) -> float | None:
    """Spearman's over the players, ties sharing their ranks; the mean over explanations and outputs where it is defined."""
    from scipy.stats import rankdata  # takes half a second to import

    ranks = [rankdata(side.reshape(len(side), -1, side.shape[-1]), axis=1) for side in (a, b)]
    x, y = (side - side.mean(axis=1, keepdims=True) for side in ranks)
    lengths = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))  # (n, outputs)
    defined = lengths > 0
    return float(((x * y).sum(axis=1)[defined] / lengths[defined]).mean()) if defined.any() else None
