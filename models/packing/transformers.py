"""Fitted transformers of scikit-learn, read as data: which field each column is made of, and by which codes, mean and scale.

A column is (value - mean) / scale of a number, or of a category's code. What is more than that (principal components, powers,
bins, code of one's own) has no rule and is refused. A new transformer is one function and one line of the table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from sklearn.feature_selection import SelectorMixin

from models.arrays import Array
from models.manifest import ColumnSpec, Value
from models.tabular import category_text

MISSING = "(missing)"
"""The category of an absent value, where an encoder has learned one."""


class Unpackable(ValueError):
    """The model, its transformer or its data cannot be packed; the message says why, and what can."""


@dataclass(frozen=True)
class Source:
    """A column on its way to the model: (value - mean) / scale, of a field's number or of its category's code."""

    name: str
    field: str
    codes: dict[str, float] | None = None
    mean: float = 0.0
    scale: float = 1.0
    missing: Value | None = None
    """What stands in for an absent value of the field, on this column's way."""

    @property
    def untouched(self) -> bool:
        """Whether it still is the field's own value."""
        return self.codes is None and (self.mean, self.scale) == (0.0, 1.0)

    def scaled(self, mean: float, scale: float) -> "Source":
        """One more step of (value - mean) / scale."""
        return replace(self, mean=self.mean + mean * self.scale, scale=self.scale * scale)

    def column(self) -> ColumnSpec:
        """As the manifest holds it. Raises Unpackable."""
        if not (np.isfinite([self.mean, self.scale]).all() and self.scale > 0):
            raise Unpackable(f"column {self.name}: expected a finite mean and a positive scale")
        return ColumnSpec(name=self.name, field=self.field, codes=self.codes, mean=self.mean, scale=self.scale)


Rule = Callable[[Any, list[Source]], list[Source]]


def trace(transformer: Any, sources: list[Source]) -> list[Source]:
    """The columns that a fitted transformer makes of these. Raises Unpackable for what has no rule."""
    if transformer is None or (isinstance(transformer, str) and transformer == "passthrough"):
        return sources
    if isinstance(transformer, str) and transformer == "drop":
        return []
    if isinstance(transformer, SelectorMixin):
        return [source for source, kept in zip(sources, transformer.get_support(), strict=True) if kept]
    kind = type(transformer)
    rule = RULES.get(kind.__name__)
    if rule is None or not kind.__module__.startswith("sklearn."):
        raise _no_rule(kind.__name__)
    if not hasattr(transformer, "n_features_in_") and kind.__name__ != "Pipeline":  # whose steps speak for themselves
        raise Unpackable(f"{kind.__name__} is not fitted")
    if (expected := getattr(transformer, "n_features_in_", len(sources))) != len(sources):
        raise Unpackable(f"{kind.__name__} was fitted to {expected} columns, and is given {len(sources)}")
    return rule(transformer, sources)


def _no_rule(what: str) -> Unpackable:
    known = ", ".join(RULES)
    return Unpackable(f"{what} cannot be written as data, as (value - mean) / scale or as codes of categories; expected {known}")


def _function(transformer: Any, sources: list[Source]) -> list[Source]:
    """Only the one that does nothing: a ColumnTransformer's `passthrough`."""
    if transformer.func is not None:
        raise _no_rule("FunctionTransformer with a function")
    return sources


def _scaler(sources: list[Source], mean: Any, scale: Any) -> list[Source]:
    means = np.zeros(len(sources)) if mean is None else np.asarray(mean, np.float64)
    scales = np.ones(len(sources)) if scale is None else np.asarray(scale, np.float64)
    return [source.scaled(float(m), float(s)) for source, m, s in zip(sources, means, scales, strict=True)]


def _standard(scaler: Any, sources: list[Source]) -> list[Source]:
    return _scaler(sources, scaler.mean_ if scaler.with_mean else None, scaler.scale_)


def _min_max(scaler: Any, sources: list[Source]) -> list[Source]:
    if scaler.clip:
        raise Unpackable("MinMaxScaler(clip=True) cannot be written as (value - mean) / scale; expected clip=False")
    return _scaler(sources, -scaler.min_ / scaler.scale_, 1 / scaler.scale_)


def _max_abs(scaler: Any, sources: list[Source]) -> list[Source]:
    return _scaler(sources, None, scaler.scale_)


def _robust(scaler: Any, sources: list[Source]) -> list[Source]:
    return _scaler(sources, scaler.center_ if scaler.with_centering else None, scaler.scale_ if scaler.with_scaling else None)


def _imputer(imputer: Any, sources: list[Source]) -> list[Source]:
    """What stands in is a value of the field: brought back to before any scaling. Columns that were all empty are gone."""
    if imputer.indicator_ is not None:
        raise Unpackable("SimpleImputer(add_indicator=True) makes a column of absence; expected add_indicator=False")
    if not pd.isna(imputer.missing_values):
        raise Unpackable("SimpleImputer takes a value for an absent one; expected missing_values to be NaN, None or NA")
    made = []
    for source, statistic in zip(sources, imputer.statistics_, strict=True):
        if source.codes is not None:
            raise Unpackable(f"SimpleImputer after an encoder of {source.field}; expected it before")
        if pd.isna(statistic):
            if getattr(imputer, "keep_empty_features", False):
                raise Unpackable(f"{source.field} was empty when SimpleImputer was fitted; expected some values, or it left out")
            continue
        if source.missing is not None:
            made.append(source)
        elif isinstance(statistic, str | bool | np.bool_):
            made.append(replace(source, missing=category_text(statistic)))
        else:
            made.append(replace(source, missing=float(statistic) * source.scale + source.mean))
    return made


def _one_hot(encoder: Any, sources: list[Source]) -> list[Source]:
    """The encoder itself is asked for the codes, so that dropped and infrequent categories are as it has them."""
    infrequent = getattr(encoder, "infrequent_categories_", None) or [None] * len(sources)
    dropped = encoder.drop_idx_ if encoder.drop_idx_ is not None else [None] * len(sources)
    names = iter(encoder.get_feature_names_out([source.name for source in sources]))
    made, begin = [], 0
    for j, (source, values) in enumerate(zip(sources, encoder.categories_, strict=True)):
        rare = 0 if infrequent[j] is None else len(infrequent[j])
        width = len(values) - rare + bool(rare) - (dropped[j] is not None)
        codes = _asked(encoder, j)[:, begin : begin + width]
        made += [_coded(source, values, codes[:, k], str(next(names))) for k in range(width)]
        begin += width
    return made


def _ordinal(encoder: Any, sources: list[Source]) -> list[Source]:
    categories = zip(sources, encoder.categories_, strict=True)
    return [_coded(source, values, _asked(encoder, j)[:, j], source.name) for j, (source, values) in enumerate(categories)]


def _asked(encoder: Any, j: int) -> Array:
    """The encoder's answers (categories, columns) for each category of field j, the other fields at their first."""
    rows = [
        [values[i] if k == j else values[0] for k, values in enumerate(encoder.categories_)]
        for i in range(len(encoder.categories_[j]))
    ]
    frame = pd.DataFrame(rows, columns=getattr(encoder, "feature_names_in_", None), dtype=object)
    made = encoder.transform(frame if hasattr(encoder, "feature_names_in_") else frame.to_numpy())
    return np.asarray(made.toarray() if hasattr(made, "toarray") else made, np.float64)


def _coded(source: Source, values: Array, codes: Array, name: str) -> Source:
    if not source.untouched:
        raise Unpackable(f"{source.field} is scaled or encoded before it is encoded as a category; expected its own values")
    texts = [MISSING if pd.isna(value) else category_text(value) for value in values]
    known = {text: float(code) for text, code in zip(texts, codes, strict=True) if np.isfinite(code)}
    if not all(isinstance(text, str) for text in texts):
        raise Unpackable(f"{source.field} has categories that are neither text, numbers nor booleans")
    if len(set(texts)) < len(texts):
        raise Unpackable(f"{source.field} has two categories that read the same, as a number and as text")
    missing = source.missing if source.missing is None else category_text(source.missing)
    if missing is None and MISSING in known:
        missing = MISSING
    return replace(source, name=name, codes=known, missing=missing if missing in known else None)


def _pipeline(pipeline: Any, sources: list[Source]) -> list[Source]:
    for _, step in pipeline.steps:
        sources = trace(step, sources)
    return sources


def _union(union: Any, sources: list[Source]) -> list[Source]:
    if any(weight != 1 for weight in (union.transformer_weights or {}).values()):
        raise Unpackable("FeatureUnion with weights; expected none")
    return [column for _, part in union.transformer_list for column in trace(part, sources)]


def _columns(transformer: Any, sources: list[Source]) -> list[Source]:
    if any(weight != 1 for weight in (transformer.transformer_weights or {}).values()):
        raise Unpackable("ColumnTransformer with weights; expected none")
    made = []
    for _, part, chosen in transformer.transformers_:
        own = [sources[k] for k in _positions(chosen, [source.name for source in sources])]
        if own:
            made += trace(part, own)
    return made


def _positions(chosen: Any, names: list[str]) -> list[int]:
    """What a ColumnTransformer takes: names, positions, slices or masks."""
    index = pd.Index(names)
    if isinstance(chosen, str):
        return [names.index(chosen)]
    if isinstance(chosen, slice):
        by_name = isinstance(chosen.start, str) or isinstance(chosen.stop, str)
        return list(range(len(names)))[index.slice_indexer(chosen.start, chosen.stop, chosen.step) if by_name else chosen]
    if isinstance(chosen, int | np.integer):
        return [range(len(names))[int(chosen)]]
    many = np.asarray(chosen)
    if many.dtype == bool:
        return np.flatnonzero(many).tolist()
    if many.dtype.kind in "iu":
        return [range(len(names))[k] for k in many]
    return [names.index(str(name)) for name in many]


RULES: dict[str, Rule] = {
    "StandardScaler": _standard,
    "MinMaxScaler": _min_max,
    "MaxAbsScaler": _max_abs,
    "RobustScaler": _robust,
    "SimpleImputer": _imputer,
    "OneHotEncoder": _one_hot,
    "OrdinalEncoder": _ordinal,
    "ColumnTransformer": _columns,
    "FeatureUnion": _union,
    "FunctionTransformer": _function,
    "Pipeline": _pipeline,
}
"""By the class's name."""


def unique_names(sources: Sequence[Source]) -> list[Source]:
    """Columns of the same name are told apart by a number: a field may be encoded twice."""
    seen: dict[str, int] = {}
    made = []
    for source in sources:
        seen[source.name] = count = seen.get(source.name, 0) + 1
        made.append(source if count == 1 else replace(source, name=f"{source.name}#{count}"))
    return made
