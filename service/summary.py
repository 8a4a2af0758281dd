"""The life of a summary request, top to bottom: many explanations, added up."""

import numpy as np

from models.arrays import Floats, Outputs, Weights
from models.backgrounds import equal_weights, exact_weights
from models.tabular import Instances
from schemas.picture import JSON
from schemas.summary import SummaryRequest
from service.answer import answer
from service.ask import Asked, ask
from service.body import parse
from service.catalog import Model
from service.choose import choose
from service.context import Context
from service.errors import invalid
from service.lane import Clock
from service.pictures.pose import pose, sketch
from service.pictures.sketch import Sketch
from service.predict import predict_finite, read_instances
from service.respond import Json, rounded, to_json
from service.samples import is_shown


def summary(body: bytes | bytearray, context: Context, clock: Clock, *, media: str = JSON) -> bytes | Sketch:
    """Parse, look up, encode, predict, ask, choose, attribute, prove, add up, respond. Raises Problem."""
    request = parse(SummaryRequest, body)
    clock.lower(request.deadline_ms)
    model = context.catalog.get(request.model)
    instances, predictions, weights = _subject(request, model, clock)
    shown = bool(request.instances) or is_shown(model, context.settings)
    clock.mark("predict")
    if media != JSON:
        if request.plot == "beeswarm" and not shown:
            raise invalid("/plot", "the rows of this model's background are not shown; expected `bar`, or instances")
        request = pose(request, model, predictions, overall=True)
    limit, pairs = context.settings.max_values, request.interactions
    asked = ask(request, [request.method], model, instances, predictions, clock, limit, interactions=pairs)
    choice = choose(request.method, asked)
    attribution = choice.explainer.attribute(asked.question)
    clock.mark("explain")
    content = answer(asked, choice, attribution, context)
    content |= add_up(content, asked, weights)
    if media != JSON:
        return sketch(request, media, asked, content)
    return to_json(content if shown else content | {"explanations": []})  # values would tell what the rows are


def _subject(request: SummaryRequest, model: Model, clock: Clock) -> tuple[Instances, Outputs, Weights]:
    """The instances that were sent, all alike; or the rows of the background by their weights. Raises Invalid."""
    if request.instances:
        sent = read_instances(model, request.instances, clock)
        return sent, predict_finite(model, sent.inputs, clock), equal_weights(len(sent.inputs))
    known = model.backgrounds.named("default")
    return model.reader.restore(known.background.x), known.predictions.astype(np.float32), known.background.weights


def add_up(content: Json, asked: Asked, weights: Weights) -> Json:
    """Mean |Shapley value| per output that was explained, over the instances for which it was."""
    explained = asked.question.outputs
    same = (explained == explained[0]).all()
    outputs = explained[0] if same else np.unique(explained[weights > 0])
    sizes = np.abs(np.stack([explanation["shap_values"] for explanation in content["explanations"]]))
    means = np.stack([_mean(sizes, explained == k, exact_weights(weights)) for k in outputs], axis=-1)
    names = asked.model.manifest.output_names
    return {"outputs": [names[k] for k in outputs], "mean_abs_shap_values": rounded(means)}


def _mean(sizes: Floats, chosen: np.ndarray, weights: Floats) -> Floats:
    """Of values (n, players..., outputs asked for), where `chosen` (n, outputs asked for), by the weights (n,): (players...)."""
    share = weights[:, None] * chosen
    return np.asarray(np.einsum("nk,n...k->...", share / share.sum(), sizes), np.float64)
