"""Fitted transformers as data: the manifest encodes as the transformer does, or says why it cannot."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from models.manifest import FieldSpec, Manifest
from models.packing.fields import complete_rows, complete_values, fields_of
from models.packing.transformers import Source, Unpackable, trace, unique_names
from models.tabular import RecordReader, encode


def people(missing: bool = False) -> pd.DataFrame:
    """Numbers, whole numbers, text, booleans; perhaps with gaps."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": rng.normal(40, 12, 60).round(1),
            "rooms": rng.integers(1, 6, 60),
            "town": rng.choice(["Ghent", "Oslo", "Rome", "Turin"], 60),
            "owner": rng.random(60) < 0.5,
            "constant": np.ones(60),
        }
    )
    if missing:
        frame.loc[::7, "age"] = np.nan
        frame.loc[::9, "town"] = np.nan
    return frame


NUMBERS, WORDS = ["age", "rooms"], ["town", "owner"]
CASES: dict[str, tuple[Callable[[], Any], list[str], bool]] = {
    "standard": (StandardScaler, NUMBERS, False),
    "standard without mean": (lambda: StandardScaler(with_mean=False), NUMBERS, False),
    "standard without scale": (lambda: StandardScaler(with_std=False), [*NUMBERS, "constant"], False),
    "min-max": (lambda: MinMaxScaler((-1, 3)), [*NUMBERS, "constant"], False),
    "max-abs": (MaxAbsScaler, NUMBERS, False),
    "robust": (RobustScaler, NUMBERS, False),
    "robust without anything": (lambda: RobustScaler(with_centering=False, with_scaling=False), NUMBERS, False),
    "two scalers": (lambda: make_pipeline(RobustScaler(), MinMaxScaler()), NUMBERS, False),
    "one-hot": (OneHotEncoder, WORDS, False),
    "one-hot, dense": (lambda: OneHotEncoder(sparse_output=False, dtype=np.float32), WORDS, False),
    "one-hot without the first": (lambda: OneHotEncoder(drop="first"), WORDS, False),
    "one-hot without one of two": (lambda: OneHotEncoder(drop="if_binary"), WORDS, False),
    "one-hot, rare ones together": (lambda: OneHotEncoder(min_frequency=16), ["town", "rooms"], False),
    "one-hot, at most three": (lambda: OneHotEncoder(max_categories=3, handle_unknown="infrequent_if_exist"), ["town"], False),
    "one-hot of whole numbers": (OneHotEncoder, ["rooms"], False),
    "one-hot of absence": (OneHotEncoder, ["town"], True),
    "ordinal": (OrdinalEncoder, WORDS, False),
    "ordinal of absence": (lambda: OrdinalEncoder(encoded_missing_value=-1), ["town"], True),
    "one-hot, standardised": (lambda: make_pipeline(OneHotEncoder(sparse_output=False), StandardScaler()), WORDS, False),
    "mean imputed": (SimpleImputer, NUMBERS, True),
    "imputed, scaled": (lambda: make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), NUMBERS, True),
    "scaled, imputed": (lambda: make_pipeline(StandardScaler(), SimpleImputer()), NUMBERS, True),
    "most frequent, one-hot": (
        lambda: make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(drop="first")),
        ["town"],
        True,
    ),
    "constant, ordinal": (
        lambda: make_pipeline(SimpleImputer(strategy="constant", fill_value="Rome"), OrdinalEncoder()),
        ["town"],
        True,
    ),
    "columns by name": (
        lambda: ColumnTransformer([("n", StandardScaler(), NUMBERS), ("w", OneHotEncoder(), WORDS)]),
        [*NUMBERS, *WORDS],
        False,
    ),
    "columns left over": (
        lambda: make_column_transformer((OneHotEncoder(), ["town"]), remainder=MinMaxScaler()),
        [*NUMBERS, "town"],
        False,
    ),
    "columns passed through, dropped, sliced": (
        lambda: make_column_transformer(
            ("passthrough", slice(0, 1)), ("drop", [1]), (OneHotEncoder(), [False, False, True]), remainder="drop"
        ),
        [*NUMBERS, "town"],
        False,
    ),
    "columns by their type": (
        lambda: make_column_transformer(
            (make_pipeline(SimpleImputer(), RobustScaler()), make_column_selector(dtype_include="number")),
            (
                make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()),
                make_column_selector(dtype_exclude="number"),
            ),
        ),
        [*NUMBERS, "town"],
        True,
    ),
    "a union": (lambda: FeatureUnion([("a", StandardScaler()), ("b", MinMaxScaler())]), NUMBERS, False),
    "a selection": (lambda: make_pipeline(VarianceThreshold(), StandardScaler()), [*NUMBERS, "constant"], False),
    "nothing": (lambda: Pipeline([("p", "passthrough")]), NUMBERS, False),
}


@pytest.mark.parametrize("case", CASES)
def test_the_manifest_encodes_as_the_transformer_does(case: str) -> None:
    """Sent as JSON would send them, with absent values left out."""
    make, used, missing = CASES[case]
    frame = people(missing)[used]
    transformer = make().fit(frame)
    sources = unique_names(trace(transformer, [Source(name, name) for name in used]))
    columns, fields = [source.column() for source in sources], fields_of(frame, sources, {})
    assert complete_rows(frame, fields).all()
    theirs = transformer.transform(frame)
    theirs = np.asarray(theirs.toarray() if hasattr(theirs, "toarray") else theirs, np.float64)
    np.testing.assert_allclose(encode(columns, complete_values(frame, fields)), theirs, atol=1e-5)

    manifest = Manifest(name="m", version="1", kind="tabular", output_names=["y"], fields=fields, columns=columns)
    rows = frame[[field.name for field in fields]].astype(object)
    records = [{k: v for k, v in row.items() if not pd.isna(v)} for row in rows.to_dict("records")]
    read = RecordReader(manifest).read(records, lambda: None)
    np.testing.assert_allclose(read.inputs, theirs, atol=1e-5)


REFUSED: dict[str, tuple[Callable[[], Any], list[str], str]] = {
    "components": (PCA, NUMBERS, "PCA cannot be written as data"),
    "bins": (
        lambda: KBinsDiscretizer(quantile_method="averaged_inverted_cdf"),
        NUMBERS,
        "KBinsDiscretizer cannot be written as data",
    ),
    "a function": (
        lambda: FunctionTransformer(np.log1p),
        NUMBERS,
        "FunctionTransformer with a function cannot be written as data",
    ),
    "clipped": (lambda: MinMaxScaler(clip=True), NUMBERS, r"MinMaxScaler\(clip=True\)"),
    "another absence": (lambda: SimpleImputer(missing_values=2), ["rooms"], "takes a value for an absent one"),
    "an indicator": (lambda: SimpleImputer(add_indicator=True), NUMBERS, "makes a column of absence"),
    "scaled, then encoded": (lambda: make_pipeline(StandardScaler(), OneHotEncoder()), ["rooms"], "rooms is scaled or encoded"),
    "encoded, then imputed": (lambda: make_pipeline(OrdinalEncoder(), SimpleImputer()), ["town"], "after an encoder of town"),
    "weights": (
        lambda: ColumnTransformer([("n", StandardScaler(), NUMBERS)], transformer_weights={"n": 2}),
        NUMBERS,
        "with weights",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_written_as_data_is_refused_with_the_reason(case: str) -> None:
    make, used, says = REFUSED[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        transformer = make().fit(people(missing=case == "an indicator")[used])
    with pytest.raises(Unpackable, match=says):
        trace(transformer, [Source(name, name) for name in used])


def test_a_transformer_that_is_not_fitted_is_refused() -> None:
    with pytest.raises(Unpackable, match="StandardScaler is not fitted"):
        trace(StandardScaler(), [Source("age", "age")])


class Scaler(StandardScaler):  # type: ignore[misc]
    """Somebody's own."""


Scaler.__name__ = "StandardScaler"


def test_a_class_of_somebodys_own_is_not_taken_for_scikit_learns() -> None:
    """Its name is no proof."""
    with pytest.raises(Unpackable, match="StandardScaler cannot be written"):
        trace(Scaler().fit(people()[["age"]]), [Source("age", "age")])


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: ColumnTransformer([("n", "passthrough", ["age"]), ("c", OneHotEncoder(), ["age"])]), "as a number and as a cat"),
        (
            lambda: FeatureUnion([("a", SimpleImputer()), ("b", SimpleImputer(strategy="median"))]),
            "age: an absent value is replaced by different values",
        ),
    ],
)
def test_a_field_has_one_meaning(build: Callable[[], Any], says: str) -> None:
    frame = people(missing="Union" in type(build()).__name__)[["age"]]
    sources = trace(build().fit(frame), [Source("age", "age")])
    with pytest.raises(Unpackable, match=says):
        fields_of(frame, sources, {})


def test_what_is_said_by_hand_stands_in_the_field() -> None:
    """Units, descriptions, hard limits; nothing else, and of no other field."""
    frame = people()[["age"]]
    by_hand = {"age": {"unit": "years", "description": "age", "minimum": 0, "maximum": 120}}
    (field,) = fields_of(frame, [Source("age", "age")], by_hand)
    low, high = frame["age"].min(), frame["age"].max()
    assert field == FieldSpec(name="age", type="number", observed=(low, high), **by_hand["age"])
    with pytest.raises(Unpackable, match="height: described by hand, but no field of the model"):
        fields_of(frame, [Source("age", "age")], {"height": {}})
    with pytest.raises(Unpackable, match="age: colour cannot be said by hand"):
        fields_of(frame, [Source("age", "age")], {"age": {"colour": "red"}})
    with pytest.raises(Unpackable, match="not to be above"):
        fields_of(frame, [Source("age", "age")], {"age": {"minimum": 3, "maximum": 1}})
