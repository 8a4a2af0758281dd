"""From what a client asks to the question that a method answers: players, outputs, background."""

from dataclasses import dataclass

import numpy as np

from explainers.game import Effort, Indices, Players, Question, player_names, players_of
from models.arrays import Outputs
from models.tabular import Instances
from schemas import explain as schemas
from schemas.explain import BackgroundInstances
from service.backgrounds import Known
from service.catalog import Model
from service.errors import invalid, one_of
from service.lane import Clock
from service.predict import predict_finite, read_instances


@dataclass(frozen=True)
class Asked:
    """The question, and what the answer has to say about it."""

    model: Model
    instances: Instances
    background: Known
    question: Question
    explicit_players: bool
    """Whether the client named the players."""
    warnings: list[str]


def ask(
    request: schemas.Question,
    methods: list[str],
    model: Model,
    instances: Instances,
    predictions: Outputs,
    clock: Clock,
    max_values: int,
    *,
    interactions: bool = False,
) -> Asked:
    """The same question for all `methods`. Raises Invalid."""
    players = _players(request, ["exact"] if interactions else methods, model)
    outputs = _outputs(request, model, predictions)
    _check_size(outputs.size * players.count * (1 + players.count * interactions), max_values)
    background, warnings = _background(request, model, clock)
    question = Question(
        instances.inputs,
        outputs,
        players,
        background.background,
        predictions.astype(np.float64),
        background.predictions,
        Effort(
            request.max_evaluations or model.manifest.max_evaluations,
            request.max_stderr,
            request.seed,
            clock.check,
            clock.remaining,
        ),
        interactions,
    )
    return Asked(model, instances, background, question, bool(request.players or request.patches), warnings)


def _players(request: schemas.Question, methods: list[str], model: Model) -> Players:
    allowed = player_names(model.manifest.kind)
    name = request.players or ("patches" if request.patches is not None else _default(methods, model))
    if request.patches is not None and "patches" not in {name} & set(allowed):
        raise invalid("/patches", "expected only with the players `patches`")
    if name not in allowed:
        raise invalid("/players", f"expected {one_of(allowed)} for a model of kind {model.manifest.kind}")
    try:
        return players_of(model.manifest, name, request.patches or 4)
    except ValueError as error:
        raise invalid("/patches", str(error)) from None


def _default(methods: list[str], model: Model) -> str:
    """Fields for records; pixels where every method gives values to them, otherwise patches."""
    if model.manifest.kind == "tabular":
        return "fields"
    named = ["deep" if method == "auto" else method for method in methods]
    takers = [model.explainers[name].players for name in named if name in model.explainers]
    return "pixels" if len(takers) == len(named) and all("pixels" in players for players in takers) else "patches"


def _outputs(request: schemas.Question, model: Model, predictions: Outputs) -> Indices:
    """(instances, outputs asked for)"""
    names = model.manifest.output_names
    asked = model.manifest.default_outputs if request.outputs is None else request.outputs
    if asked == "predicted":
        return predictions.argmax(axis=1)[:, None]
    chosen = names if asked == "all" else asked
    if not chosen or len(set(chosen)) != len(chosen) or not set(chosen) <= set(names):
        raise invalid("/outputs", f"expected all, predicted, or a list without repeats of {one_of(names)}")
    return np.tile([names.index(name) for name in chosen], (len(predictions), 1))


def _background(request: schemas.Question, model: Model, clock: Clock) -> tuple[Known, list[str]]:
    """The background, and what there is to say about the instances that it was sent as."""
    if isinstance(request.background, BackgroundInstances):
        read = read_instances(model, request.background.instances, clock, "/background/instances")
        known = model.backgrounds.sent(read.inputs, lambda: predict_finite(model, read.inputs, clock).astype(np.float64))
        return known, [f"background: {warning}" for warning in read.warnings]
    try:
        return model.backgrounds.named(request.background), []
    except KeyError:
        names = one_of(model.backgrounds.names())
        raise invalid("/background", f"expected {names}, or an object with `instances`") from None


def _check_size(values: int, limit: int) -> None:
    if values > limit:
        detail = f"the answer would hold {values} Shapley values, more than the {limit} allowed; send fewer instances or outputs"
        raise invalid("/instances", detail)
