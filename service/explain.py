"""The life of an explain request, top to bottom."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from explainers.game import Attribution, Indices, Players, Question, base_values, player_names, players_of
from explainers.proof import Proof, prove
from models.arrays import Floats, Outputs
from models.backgrounds import Background, equal_weights
from models.tabular import Instances
from schemas.explain import BackgroundInstances, ExplainRequest
from schemas.problem import ProblemError
from service.body import parse
from service.catalog import Catalog, Model
from service.errors import Invalid, NotFinite
from service.lane import Clock
from service.predict import predict_finite, read_instances
from service.respond import Json, rounded, to_json
from service.settings import Settings


def explain(body: bytes | bytearray, catalog: Catalog, settings: Settings, clock: Clock) -> bytes:
    """Parse, look up, encode, predict, choose, attribute, prove, respond. Raises Problem."""
    request = parse(ExplainRequest, body)
    clock.lower(request.deadline_ms)
    model = catalog.get(request.model)
    instances = read_instances(model, request.instances, clock)
    clock.mark("parse")
    predictions = predict_finite(model, instances.inputs, clock)
    clock.mark("predict")
    choice = _choose(request, model, instances, predictions, settings, clock)
    attribution = model.explainers[choice.method].attribute(choice.question)
    clock.mark("explain")
    answers = _prove(choice, attribution, predictions)
    return _respond(model, instances, choice, attribution, answers)


@dataclass(frozen=True)
class _Choice:
    """The question, and who answers it."""

    method: str
    why: str
    background: str
    background_predictions: Floats
    question: Question
    warnings: list[str]


@dataclass(frozen=True)
class _Answers:
    """What is sent for all instances; arrays are float64 and rounded as sent."""

    predictions: Floats
    base_values: Floats
    values: Floats
    stderr: Floats | None
    proofs: list[Proof]


def _choose(
    request: ExplainRequest, model: Model, instances: Instances, predictions: Outputs, settings: Settings, clock: Clock
) -> _Choice:
    players = _players(request, model)
    outputs = _outputs(request, model, predictions)
    method, why = _method(request, model)
    _check_size(outputs.size * int(np.prod(players.shape)), settings.max_values)
    name, background, answers = _background(request, model, clock)
    question = Question(instances.inputs, outputs, players, background, clock.check)
    _check_cost(method, model.explainers[method].cost(question), request.max_evaluations or model.manifest.max_evaluations)
    warnings = [f"`{method}` gives values per {_UNIT[players.name]}; those of one player were added up"]
    return _Choice(method, why, name, answers, question, warnings if players.name in ("fields", "patches") else [])


_UNIT = {"fields": "column", "columns": "column", "pixels": "pixel", "patches": "pixel"}


def _players(request: ExplainRequest, model: Model) -> Players:
    allowed = player_names(model.manifest.kind)
    name = request.players or ("patches" if request.patches is not None else allowed[0])
    if request.patches is not None and name != "patches":
        raise _invalid("patches", "expected only with the players `patches`")
    if name not in allowed:
        raise _invalid("players", f"expected {_or(allowed)} for a model of kind {model.manifest.kind}")
    try:
        return players_of(model.manifest, name, request.patches or 4)
    except ValueError as error:
        raise _invalid("patches", str(error)) from None


def _outputs(request: ExplainRequest, model: Model, predictions: Outputs) -> Indices:
    """(instances, outputs asked for)"""
    names = model.manifest.output_names
    asked = model.manifest.default_outputs if request.outputs is None else request.outputs
    if asked == "predicted":
        return predictions.argmax(axis=1)[:, None]
    chosen = names if asked == "all" else asked
    if not chosen or len(set(chosen)) != len(chosen) or not set(chosen) <= set(names):
        raise _invalid("outputs", f"expected all, predicted, or a list without repeats of {_or(names)}")
    return np.tile([names.index(name) for name in chosen], (len(predictions), 1))


def _background(request: ExplainRequest, model: Model, clock: Clock) -> tuple[str, Background, Floats]:
    """Its name, its rows, and what the model answers for them."""
    if isinstance(request.background, BackgroundInstances):
        x = read_instances(model, request.background.instances, clock, "/background/instances").inputs
        return "instances", Background(x, equal_weights(len(x))), predict_finite(model, x, clock).astype(np.float64)
    if request.background != "default":
        raise _invalid("background", "expected `default`, or an object with `instances`")
    return "default", model.background, model.background_predictions


def _method(request: ExplainRequest, model: Model) -> tuple[str, str]:
    """The method, and why it is taken."""
    method = "deep" if request.method == "auto" else request.method
    if method in model.unsupported:
        raise _invalid("method", f"`{method}` cannot explain this model: {model.unsupported[method]}")
    if method not in model.explainers:
        raise _invalid("method", f"expected auto or {_or(list(model.explainers))} for this model")
    if request.method == "auto":
        return method, "`auto` takes `deep`: one backward pass per background row"
    return method, "the request names it"


def _check_size(values: int, limit: int) -> None:
    if values > limit:
        detail = f"the answer would hold {values} Shapley values, more than the {limit} allowed; send fewer instances or outputs"
        raise Invalid(detail, [ProblemError(pointer="/instances", detail=detail)])


def _check_cost(method: str, cost: int, limit: int) -> None:
    if cost > limit:
        detail = f"`{method}` needs {cost} evaluations per instance; expected at least as many, or a smaller background"
        raise _invalid("max_evaluations", detail)


def _prove(choice: _Choice, attribution: Attribution, predictions: Outputs) -> _Answers:
    question = choice.question
    if not np.isfinite(attribution.values).all():
        raise NotFinite(f"`{choice.method}` found NaN or infinity for at least one value; another method may not")
    base = np.take_along_axis(base_values(choice.background_predictions, question.background)[None], question.outputs, 1)
    asked = np.take_along_axis(predictions.astype(np.float64), question.outputs, 1)
    reference = choice.background_predictions
    scale = np.maximum(np.abs(asked), np.abs(reference).max(axis=0)[question.outputs])  # (n, outputs asked for)
    scale = scale.reshape(len(scale), *[1] * len(question.players.shape), -1)
    stderr = None if attribution.stderr is None else rounded(attribution.stderr, scale)
    sent = rounded(asked), rounded(base), rounded(attribution.values, scale)
    return _Answers(*sent, stderr, prove(*sent, stderr, reference, exact=attribution.exact))


def _respond(model: Model, instances: Instances, choice: _Choice, attribution: Attribution, answers: _Answers) -> bytes:
    question, names = choice.question, model.manifest.output_names
    data: Any = instances.columns if question.players.name == "columns" else instances.data
    explanations: list[Json] = []
    for i, proof in enumerate(answers.proofs):
        explanations.append(
            {
                "outputs": [names[k] for k in question.outputs[i]],
                "prediction": answers.predictions[i],
                "base_values": answers.base_values[i],
                "shap_values": answers.values[i],
                "data": None if data is None else data[i],
                "imputed": instances.imputed[i],
                "proof": {
                    "exact": proof.exact,
                    "residual": proof.residual,
                    "tolerance": proof.tolerance,
                    "ok": proof.ok,
                    "stderr": None if answers.stderr is None else answers.stderr[i],
                    "converged": None,
                    "evaluations": attribution.evaluations,
                    "seed": attribution.seed,
                },
            }
        )
    return to_json(
        {
            "model": {"name": model.manifest.name, "version": model.manifest.version},
            "method": choice.method,
            "why": choice.why,
            "players": question.players.name,
            "background": {"name": choice.background, "rows": len(question.background.x)},
            "feature_names": question.players.names,
            "output_names": names,
            "explanations": explanations,
            "warnings": instances.warnings + choice.warnings,
        }
    )


def _invalid(key: str, detail: str) -> Invalid:
    return Invalid(f"`{key}`: {detail}", [ProblemError(pointer=f"/{key}", detail=detail)])


def _or(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
