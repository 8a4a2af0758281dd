"""The same stories for other protocols: their bodies become native requests, and what is wrong points into what was sent."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel

from schemas.explain import ExplainOptions
from schemas.problem import ProblemError
from service.context import Context
from service.errors import Problem
from service.lane import Clock
from service.pictures.sketch import Sketch
from service.wire import Wire

S = TypeVar("S", bound=BaseModel)
Story = Callable[..., bytes | Sketch]
"""`predict` or `explain`."""


class Foreign(Wire, Protocol):
    """The wire of another protocol, of one request and its answer."""

    def point(self, pointer: str) -> str:
        """Where in the body stands what the native request has at `pointer`; once the body is read, before that `pointer`."""


Speak = Callable[[Context], Foreign]
"""Makes the wire of one request, which sees the models that the request sees."""


def tell(story: Story, speak: Speak, body: bytes | bytearray, context: Context, clock: Clock) -> bytes | Sketch:
    """The life of a request in another protocol. Raises Problem, in its terms."""
    wire = speak(context)
    try:
        return story(body, context, clock, wire=wire)
    except Problem as problem:
        problem.errors = [ProblemError(pointer=wire.point(error.pointer), detail=error.detail) for error in problem.errors]
        raise


def native(schema: type[S], model: str, instances: Sequence[Any], options: ExplainOptions | None) -> S:
    """The request of the story, made of parts that were checked."""
    said = {name: getattr(options, name) for name in ExplainOptions.model_fields} if options else {}
    return schema.model_construct(model=model, instances=instances, **said)
