"""How a request is read from a body and an answer written into one: our own way; other protocols have theirs."""

from typing import Protocol, TypeVar

from pydantic import BaseModel

from models.arrays import Outputs
from service.body import parse
from service.respond import Json, to_json

S = TypeVar("S", bound=BaseModel)


class Wire(Protocol):
    """One request's body and the body of its answer."""

    def read(self, schema: type[S], body: bytes | bytearray) -> S:
        """The request that the body stands for. Raises Problem."""

    def write(self, content: Json, predictions: Outputs) -> bytes:
        """The body of the answer; predictions: (n, outputs), of every output."""


class Native:
    """The bodies of `schemas`, as they are."""

    def read(self, schema: type[S], body: bytes | bytearray) -> S:
        """See `parse`."""
        return parse(schema, body)

    def write(self, content: Json, predictions: Outputs) -> bytes:
        """See `to_json`."""
        return to_json(content)


NATIVE = Native()
