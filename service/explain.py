"""The life of an explain request, top to bottom."""

from schemas.explain import ExplainRequest
from schemas.picture import JSON
from service.answer import answer
from service.ask import ask
from service.choose import choose
from service.context import Context
from service.lane import Clock
from service.pictures.pose import pose, sketch
from service.pictures.sketch import Sketch
from service.predict import predict_finite, read_instances
from service.wire import NATIVE, Wire


def explain(body: bytes | bytearray, context: Context, clock: Clock, *, media: str = JSON, wire: Wire = NATIVE) -> bytes | Sketch:
    """Parse, look up, encode, predict, ask, choose, attribute, prove, respond; a picture is drawn elsewhere. Raises Problem."""
    request = wire.read(ExplainRequest, body)
    clock.lower(request.deadline_ms)
    model = context.catalog.get(request.model)
    instances = read_instances(model, request.instances, clock)
    clock.mark("parse")
    predictions = predict_finite(model, instances.inputs, clock)
    clock.mark("predict")
    if media != JSON:
        request = pose(request, model, predictions)
    limit, pairs = context.settings.max_values, request.interactions
    asked = ask(request, [request.method], model, instances, predictions, clock, limit, interactions=pairs)
    choice = choose(request.method, asked)
    attribution = choice.explainer.attribute(asked.question)
    clock.mark("explain")
    content = answer(asked, choice, attribution, context)
    return wire.write(content, predictions) if media == JSON else sketch(request, media, asked, content)
