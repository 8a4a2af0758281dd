"""Models of records: fields, encoding and background from a frame."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from models.arrays import Array, Floats, Inputs
from models.packing.backgrounds import described, of_records
from models.packing.data import Data, read_records
from models.packing.fields import complete_rows, complete_values, fields_of
from models.packing.finish import TOLERANCE, Packing, finish
from models.packing.options import Options
from models.packing.subjects import Subject, subject_of
from models.packing.transformers import MISSING, Source, Unpackable, trace, unique_names
from models.summaries import SMALLEST_GROUP
from models.tabular import category_text, encode

_COMPARED, _AT_ONCE = 1_000, 50_000
"""Rows of the data on which packed and original answers are compared, beside the background; rows encoded at once."""


def prepare_records(model: Any, name: str, data: Data, told: Options) -> Packing:
    """See `prepare`."""
    frame = read_records(data, told.columns)
    steps, rest = _split(model, told.transformer, frame)
    subject = subject_of(rest)
    used = _used(steps, subject, frame, told.columns)
    sources = [Source(column, column) for column in used]
    for step in steps:
        sources = trace(step, sources)
    sources = unique_names(sources)
    if len(sources) != subject.columns:
        made = f"the data make {len(sources)} columns" if steps else f"the data have {len(sources)} columns"
        raise Unpackable(f"the model takes {subject.columns} numbers, and {made}; say which with `columns`")
    subject.fit_to((len(sources),))
    columns, fields = [source.column() for source in sources], fields_of(frame[used], sources, told.fields)
    fits = complete_rows(frame, fields)
    if not fits.any():
        raise Unpackable("no row of the data is complete: each lacks a value that may not be absent, or has an unknown category")
    whole = frame.loc[fits, used].reset_index(drop=True)
    values = complete_values(whole, fields)
    some = np.unique(np.linspace(0, len(whole) - 1, min(_COMPARED, len(whole))).astype(int))
    every = encode(columns, values)
    for begin in range(0, len(whole), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        _compare_encodings(every[part], _transformed(steps, whole.iloc[part]), [column.name for column in columns])
    x = every[some]
    how, number = told.reference()
    try:
        reference, records = of_records(values, columns, how, number, told.seed)
    except ValueError as error:
        raise Unpackable(f"the data have no summary in which nobody is found ({error}); take a background `all` or `N`") from None
    original = model if told.transformer is None and hasattr(model, "steps") else None
    originals = np.concatenate([_answer(original, steps, subject, rows) for rows in (whole.iloc[some], _raw(whole, records))])
    ignored = [column for column in frame.columns if column not in {f.name for f in fields}]
    notes = _left_out(len(frame) - int(fits.sum()), len(frame))
    return finish(
        subject,
        told,
        np.concatenate([x, reference.x]),
        originals,
        reference,
        rows=len(frame),
        notes=notes,
        name=name,
        kind="tabular",
        fields=fields,
        columns=columns,
        ignored_fields=ignored,
        background=described(how, False, len(reference.x), len(whole), "records that it was packed with", "records"),
        samples=how == "kmeans" and len(whole) >= SMALLEST_GROUP,
    )


def _split(model: Any, transformer: Any, frame: pd.DataFrame) -> tuple[list[Any], Any]:
    """The steps that encode, and the model behind them; what comes late in a Pipeline and has no rule stays with the model."""
    steps = [] if transformer is None else [transformer]
    if type(model).__name__ != "Pipeline" or not type(model).__module__.startswith("sklearn."):
        return steps, model
    own, count = [step for _, step in model.steps], 0
    names = list(getattr(model, "feature_names_in_", range(getattr(model, "n_features_in_", 0))))
    sources = [Source(str(name), str(name)) for name in names]
    refusal: Unpackable | None = None
    for step in own[:-1]:
        try:
            sources = trace(step, sources)
        except Unpackable as error:
            refusal = error
            break
        count += 1
    if refusal is not None and count == 0 and not _takes_numbers(own[0], frame, [source.name for source in sources]):
        raise refusal
    rest = own[count:]
    return steps + own[:count], rest[0] if len(rest) == 1 else type(model)(model.steps[count:])


def _takes_numbers(step: Any, frame: pd.DataFrame, names: list[str]) -> bool:
    """Whether a step without a rule can stay with the model: it takes the raw columns as numbers, all of them."""
    numeric = all(is_numeric_dtype(frame[name]) for name in names if name in frame)
    return numeric and type(step).__name__ not in ("ColumnTransformer", "FeatureUnion", "Pipeline")


def _used(steps: list[Any], subject: Subject, frame: pd.DataFrame, columns: Sequence[str] | None) -> list[str]:
    """The data's columns that the first step takes, in its order."""
    first = steps[0] if steps else subject
    known = getattr(first, "feature_names_in_", None) if steps else subject.names
    used = list(columns or (known if known is not None else frame.columns))
    if known is not None and list(known) != used:
        raise Unpackable(f"it was fitted to the columns {', '.join(map(str, known))}, in this order")
    if missing := [name for name in used if name not in frame.columns]:
        raise Unpackable(f"expected the columns {', '.join(missing)} in the data")
    return used


def _transformed(steps: list[Any], frame: pd.DataFrame) -> Array:
    """(n, columns): what the steps themselves make of the raw rows."""
    made: Any = frame
    for step in steps:
        if not isinstance(step, str):
            made = step.transform(made)
    return np.asarray(made.toarray() if hasattr(made, "toarray") else made, np.float64)


def _answer(pipeline: Any, steps: list[Any], subject: Subject, frame: pd.DataFrame) -> Floats:
    """(n, outputs) of the original on raw rows: of the Pipeline that was given, whole, or of the model behind the steps."""
    if pipeline is not None:
        from models.estimator import answer

        return answer(pipeline, frame if hasattr(pipeline, "feature_names_in_") else frame.to_numpy())
    return subject.answer(_transformed(steps, frame))


def _raw(frame: pd.DataFrame, records: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Records as a client would send them, back in the data's own types."""
    made = {}
    for name in frame.columns:
        if name not in records:
            made[name] = [frame[name].iloc[0]] * len(next(iter(records.values())))
            continue
        own = {category_text(value): value for value in frame[name].dropna().unique()}
        textual = any(isinstance(value, str) for value in records[name])
        absent = {MISSING: np.nan}
        made[name] = [(own | absent).get(value, value) if textual else value for value in records[name]]
    return pd.DataFrame(made)[list(frame.columns)]


def _compare_encodings(ours: Inputs, theirs: Array, names: Sequence[str]) -> None:
    """Raises Unpackable, naming the columns, where the manifest encodes otherwise than the transformer."""
    if ours.shape != theirs.shape:
        raise Unpackable(f"the transformer makes {theirs.shape[1]} columns, the manifest {ours.shape[1]}")
    size = np.maximum(1.0, np.abs(theirs).max(axis=0))
    apart = np.abs(ours - theirs).max(axis=0) > TOLERANCE * size
    if apart.any():
        wrong = ", ".join(np.array(names)[apart][:5])
        raise Unpackable(f"the transformer encodes {wrong} otherwise than as (value - mean) / scale or codes")


def _left_out(count: int, of: int) -> list[str]:
    if not count:
        return []
    return [f"{count} of {of} rows are left out: they lack a value that may not be absent, or have an unknown category"]
