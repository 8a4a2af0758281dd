"""The OpenAPI document: bodies are parsed strictly and off the event loop, so their schemas are added by hand."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from schemas.examples import EXAMPLES
from schemas.picture import PNG, SVG
from schemas.problem import Problem, ProtocolProblem
from schemas.wire import Sent
from service.access import is_free

Responses = dict[int | str, dict[str, Any]]
"""What an endpoint may answer, by status."""

_REF = "#/components/schemas/{model}"


def reference(schema: type[BaseModel]) -> dict[str, str]:
    """To a schema that `complete` adds."""
    return {"$ref": _REF.format(model=schema.__name__)}


def takes(schema: type[Sent]) -> dict[str, Any]:
    """What an endpoint that parses its own body says of it."""
    examples = {name: {"value": body} for name, body in EXAMPLES[schema].items()}
    content = {"schema": reference(schema), "examples": examples}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def drawn() -> Responses:
    """What an endpoint that also answers pictures says of them."""
    return {200: {"content": {media: {"schema": {"type": "string", "format": "binary"}} for media in (SVG, PNG)}}}


def complete(app: FastAPI, everywhere: Responses, *, keys: bool) -> None:
    """Add the schemas of bodies and problems, and what may be answered everywhere; leave out the framework's own errors, which
    are never sent. keys: whether they are needed.
    """
    document = app.openapi()
    bodies: list[type[BaseModel]] = [*EXAMPLES, Problem, ProtocolProblem]
    _, ours = models_json_schema([(schema, "validation") for schema in bodies], ref_template=_REF)
    schemas = document["components"]["schemas"]
    schemas |= ours["$defs"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    if keys:
        document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            free = is_free(path)
            answers = {str(status): said for status, said in everywhere.items() if not free or status not in (401, 429)}
            operation["responses"] = answers | operation["responses"]
            if keys and not free:
                operation["security"] = [{"key": []}]
            operation["summary"] = operation.pop("description").split("\n")[0]
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
