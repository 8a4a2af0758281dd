"""Everything that is wrong: application/problem+json (RFC 9457)."""

from typing import Annotated

from pydantic import Field

from schemas.wire import Answer


class ProblemError(Answer):
    """One flaw of the request."""

    pointer: Annotated[str, Field(description="Where, as a JSON pointer (RFC 6901).", examples=["/instances/3/Age"])]
    detail: str


class Problem(Answer):
    """What is wrong, and what would be right."""

    type: Annotated[str, Field(examples=["/problems/invalid"])]
    title: str
    status: int
    detail: str
    instance: Annotated[str, Field(description="The request id, as in X-Request-ID.")]
    errors: list[ProblemError]


class ProtocolProblem(Problem):
    """The same below /v1 and /v2, with the member that these protocols look for."""

    error: Annotated[str, Field(description="`detail` again.")]
