"""The columns of a table against the manifest: all known, none missing, before anything is computed."""

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from models.manifest import Manifest
from service.batch.job import Unusable

_MOST = 10


@dataclass(frozen=True)
class Column:
    """What the model makes of a column."""

    name: str
    numeric: bool
    categories: frozenset[str]
    required: bool


def match(header: Sequence[str], manifest: Manifest, where: str) -> list[Column | None]:
    """The column that each name of the header stands for; None where it is ignored. Raises Unusable, naming all that is wrong."""
    known = {column.name: column for column in _columns(manifest)}
    twice = [name for name, count in Counter(header).items() if count > 1]
    unknown = [name for name in dict.fromkeys(header) if name not in known and name not in manifest.ignored_fields]
    missing = [column.name for column in known.values() if column.required and column.name not in header]
    if wrong := [
        *_listed("columns that stand there twice", [_quoted(name) for name in twice]),
        *_listed("unknown columns", [_with_hint(name, [*known, *manifest.ignored_fields]) for name in unknown]),
        *_listed("missing columns", [_quoted(name) for name in missing]),
    ]:
        raise Unusable(f"{where}: {'; '.join(wrong)}; expected a header with {', '.join(known)}, or --ignore NAME")
    return [known.get(name) for name in header]


def _columns(manifest: Manifest) -> list[Column]:
    if manifest.kind == "image":
        return [Column("b64", False, frozenset(), True)]
    return [
        Column(field.name, field.type != "category", frozenset(field.categories or []), field.missing is None)
        for field in manifest.fields
    ]


def _listed(what: str, names: list[str]) -> list[str]:
    more = [f"and {len(names) - _MOST} more"] if len(names) > _MOST else []
    return [f"{what}: {', '.join(names[:_MOST] + more)}"] if names else []


def _with_hint(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name[:64], known, n=1) or [k for k in known if k.lower() == name.strip().lower()]
    return f"{_quoted(name)} (did you mean `{close[0]}`?)" if close else _quoted(name)


def _quoted(name: str) -> str:
    return "`" + "".join(c if c.isprintable() else "?" for c in name[:64]) + "`"
