"""The life of an explain request, top to bottom."""

from schemas.explain import ExplainRequest
from service.answer import answer
from service.ask import ask
from service.body import parse
from service.choose import choose
from service.context import Context
from service.lane import Clock
from service.predict import predict_finite, read_instances
from service.respond import to_json


def explain(body: bytes | bytearray, context: Context, clock: Clock) -> bytes:
    """Parse, look up, encode, predict, ask, choose, attribute, prove, respond. Raises Problem."""
    request = parse(ExplainRequest, body)
    clock.lower(request.deadline_ms)
    model = context.catalog.get(request.model)
    instances = read_instances(model, request.instances, clock)
    clock.mark("parse")
    predictions = predict_finite(model, instances.inputs, clock)
    clock.mark("predict")
    limit, pairs = context.settings.max_values, request.interactions
    asked = ask(request, [request.method], model, instances, predictions, clock, limit, interactions=pairs)
    choice = choose(request.method, asked)
    attribution = choice.explainer.attribute(asked.question)
    clock.mark("explain")
    return to_json(answer(asked, choice, attribution, context))
