"""A request body: strict JSON, then a schema."""

import json
from collections.abc import Iterator
from typing import Any, TypeVar, get_args

import orjson
from pydantic import BaseModel, ValidationError

from models.tabular import expected
from schemas.explain import TAGS
from schemas.problem import ProblemError
from service.errors import MAX_ERRORS, BodyTooLarge, NotJson, pointer, several

S = TypeVar("S", bound=BaseModel)
_MAX_MEMBERS = 10_000
_MAX_VALUES = 1_000_000
"""Of a body: commas, and as many opening brackets. Each takes parsing up to half a microsecond, in which nothing else of Python
runs, and much memory."""


def parse(schema: type[S], body: bytes | bytearray) -> S:
    """Raises NotJson for what is no JSON, repeats a key or holds a number that is not finite; Invalid for the rest.

    BodyTooLarge for what has too many values to be looked at.
    """
    if max(body.count(b","), body.count(b"[") + body.count(b"{")) > _MAX_VALUES:
        raise BodyTooLarge(f"expected at most {_MAX_VALUES:,} values in a body; send fewer instances at once")
    try:
        content = strict(body)
    except (ValueError, RecursionError) as error:
        raise NotJson(f"expected one JSON object: {_place(error)}") from None
    try:
        return schema.model_validate(content)
    except ValidationError as error:
        errors = [_flaw(schema, e) for e in error.errors(include_input=False, include_url=False)[:MAX_ERRORS]]
        raise several(errors) from None


def strict(text: bytes | bytearray) -> Any:
    """JSON without keys that repeat and numbers that are not finite. Raises ValueError, RecursionError."""
    orjson.loads(text)  # refuses NaN, numbers out of range, lone surrogates, invalid UTF-8, too deep nesting
    return json.loads(text, object_pairs_hook=_no_duplicates, parse_float=_number)


def _number(text: str) -> float:
    """In Python, and hardly slower for it: between two numbers of a million another thread may go on."""
    return float(text)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands twice in one object")
    if len(content) > _MAX_MEMBERS:
        raise ValueError(f"an object has more than {_MAX_MEMBERS} members")
    return content


def _place(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} (line {error.lineno}, column {error.colno})"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _flaw(schema: type[BaseModel], error: Any) -> ProblemError:
    *above, last = error["loc"] or ("",)
    path = [part for part in above if part not in TAGS]
    if error["type"] == "extra_forbidden":
        known = ", ".join(_at(schema, path).model_fields)
        return ProblemError(pointer=pointer([*path, last]), detail=f"unknown key; expected {known}")
    if error["loc"] and last not in TAGS:
        path.append(last)
    detail = "expected an object" if error["type"] == "model_type" else expected(error["msg"])
    return ProblemError(pointer=pointer(path), detail=detail)


def _at(schema: type[BaseModel], path: list[Any]) -> type[BaseModel]:
    """The schema of the object that stands at `path`."""
    for part in path:
        if part in schema.model_fields:
            schema = next(_schemas(schema.model_fields[part].annotation), schema)
    return schema


def _schemas(annotation: Any) -> Iterator[type[BaseModel]]:
    """Those that stand in an annotation, in its lists and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _schemas(part)
