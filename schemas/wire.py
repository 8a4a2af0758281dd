"""What every message has in common."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypeAliasType


class Sent(BaseModel):
    """Something that a client sends: unknown keys are refused, and no value is coerced."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Answer(BaseModel):
    """Something that the service answers."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class ModelRef(Answer):
    """Which model answered."""

    name: str
    version: str


Nested = TypeAliasType("Nested", "list[float | Nested]")
"""An array of numbers of any depth."""

Warnings = Annotated[list[str], Field(description="What the client should know about its input.")]
