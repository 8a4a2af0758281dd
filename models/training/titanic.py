"""The Titanic net: seven fields of a passenger record, nine columns, the probabilities of having died and survived."""

import hashlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
from sklearn.datasets import fetch_openml
from sklearn.model_selection import StratifiedKFold

from models.arrays import Array
from models.backgrounds import parse_background
from models.manifest import ColumnSpec, Example, FieldSpec, Manifest, Value
from models.packing.backgrounds import described, of_records
from models.tabular import encode
from models.training.cards import titanic_card
from models.training.recipe import DataUnavailable, Trained, begin, fit, for_inference, probabilities, versions

EPOCHS, BATCH_SIZE, FOLDS = 100, 64, 10
FIELDS = ["Pclass", "Sex", "Age", "SibSp", "Parch", "Fare", "Embarked"]
IGNORED = ["PassengerId", "Name", "Ticket", "Cabin"]
SEXES = {"female": 1.0, "male": 0.0}
_OPENML = {"pclass": "Pclass", "sex": "Sex", "age": "Age", "sibsp": "SibSp", "parch": "Parch", "fare": "Fare"} | {
    "embarked": "Embarked",
    "survived": "Survived",
}


_PASSENGERS: dict[str, tuple[Value, ...]] = {
    "Man of 22, third class": (3, "male", 22, 1, 0, 7.25, "S"),
    "Woman of 38, first class": (1, "female", 38, 1, 0, 71.2833, "C"),
    "Woman of 26, third class": (3, "female", 26, 0, 0, 7.925, "S"),
    "Woman of 35, first class": (1, "female", 35, 1, 0, 53.1, "S"),
    "Man of 35, third class": (3, "male", 35, 0, 0, 8.05, "S"),
    "Girl of eleven months, second class": (2, "female", 0.92, 1, 2, 27.75, "S"),
}
EXAMPLES = [Example(name=name, instance=dict(zip(FIELDS, values, strict=True))) for name, values in _PASSENGERS.items()]


def train(data: Path | None, *, background: str | None, seed: int) -> Trained:
    """The notebook's preprocessing and net; see Recipe."""
    how, number = parse_background(background or "kmeans:100")
    frame, provenance = read_passengers(data)
    begin(seed)
    scores = cross_validate(frame, seed)
    begin(seed)
    fields, columns = fit_encoding(frame)
    x = encode(columns, complete(frame, fields))
    survived = frame["Survived"].to_numpy(np.int64)
    network, _ = _fit(x, survived, "all passengers")
    reference, _ = of_records(complete(frame, fields), columns, how, number, seed)
    likely = probabilities(network, x)
    metrics = {
        "cross_validated_accuracy": float(np.mean(scores)),
        "cross_validated_accuracy_std": float(np.std(scores, ddof=1)),
        "training_accuracy": float(np.mean(likely.argmax(1) == survived)),
        "training_mean_survived": float(likely[:, 1].mean()),
        "background_mean_survived": float(reference.weights @ probabilities(network, reference.x)[:, 1]),
    }
    manifest = Manifest(
        name="titanic",
        version="1",
        kind="tabular",
        description="Would this passenger of the Titanic have survived?",
        output_names=["died", "survived"],
        class_names=["died", "survived"],
        fields=fields,
        ignored_fields=IGNORED,
        columns=columns,
        default_outputs="all",
        background=described(how, False, len(reference.x), len(frame), "training passengers", "passengers"),
        samples=how == "kmeans",
        examples=EXAMPLES,
        training={**provenance, "rows": len(frame), "folds": FOLDS, "epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": seed}
        | versions(),
        metrics=metrics,
    )
    return Trained(manifest, network, reference, titanic_card(manifest))


def read_passengers(data: Path | None) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Kaggle's `train.csv`, or OpenML's passengers with Kaggle's column names. Raises DataUnavailable."""
    frame = _read_openml() if data is None else _read_csv(data)
    if missing := [name for name in [*FIELDS, "Survived"] if name not in frame.columns]:
        raise DataUnavailable(f"expected the columns of Kaggle's train.csv; {', '.join(missing)} are not there")
    frame = frame[[*FIELDS, "Survived"]].reset_index(drop=True)
    if frame["Survived"].value_counts().reindex([0, 1], fill_value=0).min() < FOLDS:
        raise DataUnavailable(f"expected at least {FOLDS} passengers who died and {FOLDS} who survived, as 0 and 1")
    if data is None:
        return frame, {"source": "OpenML data set `titanic`, version 1"}
    return frame, {"source": "Kaggle's Titanic competition, train.csv", "sha256": _sha256(data)}


def fit_encoding(frame: pd.DataFrame) -> tuple[list[FieldSpec], list[ColumnSpec]]:
    """Fields and columns as learned from these passengers alone: what is missing, means, scales, categories."""
    ports = sorted(str(port) for port in frame["Embarked"].dropna().unique())
    usual = {"Age": float(frame["Age"].mean()), "Fare": float(frame["Fare"].mean())}
    usual_port = str(frame["Embarked"].value_counts().idxmax())

    def number(name: str, type_: Any, description: str, **limits: Any) -> FieldSpec:
        seen = frame[name].dropna()
        observed = (float(seen.min()), float(seen.max()))
        missing = usual.get(name)
        return FieldSpec(name=name, type=type_, description=description, observed=observed, missing=missing, **limits)

    fields = [
        number("Pclass", "integer", "ticket class: 1 first, 2 second, 3 third", minimum=1, maximum=3),
        FieldSpec(name="Sex", type="category", description="sex as recorded", categories=list(SEXES)),
        number("Age", "number", "age; fractional below one year", unit="years", minimum=0, maximum=120),
        number("SibSp", "integer", "siblings and spouses aboard", minimum=0, maximum=20),
        number("Parch", "integer", "parents and children aboard", minimum=0, maximum=20),
        number("Fare", "number", "fare paid for the ticket", unit="pounds of 1912", minimum=0, maximum=1000),
        FieldSpec(
            name="Embarked",
            type="category",
            description="port: C Cherbourg, Q Queenstown, S Southampton",
            categories=ports,
            missing=usual_port,
        ),
    ]
    plain = [ColumnSpec(name=name, field=name, codes=SEXES if name == "Sex" else None) for name in FIELDS if name != "Embarked"]
    one_hot = [
        ColumnSpec(name=f"Embarked_{port}", field="Embarked", codes={p: float(p == port) for p in ports}) for port in ports
    ]
    return fields, _standardise([*plain, *one_hot], complete(frame, fields))


def complete(frame: pd.DataFrame, fields: list[FieldSpec]) -> dict[str, list[Any]]:
    """Field values by name, with what is missing filled in."""
    return {
        field.name: (frame[field.name] if field.missing is None else frame[field.name].fillna(field.missing)).tolist()
        for field in fields
    }


def build() -> Any:
    """The notebook's net: 32-128-32-8-2, ReLU, dropout of a quarter."""
    layers: list[Any] = [keras.Input((9,))]
    for units in (32, 128, 32, 8):
        layers += [keras.layers.Dense(units, activation="relu"), keras.layers.Dropout(0.25)]
    network = keras.Sequential([*layers, keras.layers.Dense(2, activation="softmax")])
    network.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return network


def cross_validate(frame: pd.DataFrame, seed: int) -> list[float]:
    """Accuracy per fold; each fold's preprocessing is learned from its own training part."""
    survived = frame["Survived"].to_numpy(np.int64)
    scores = []
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    for k, (train_rows, test_rows) in enumerate(folds.split(frame, survived), 1):
        fields, columns = fit_encoding(frame.iloc[train_rows])
        x = encode(columns, complete(frame.iloc[train_rows], fields))
        network, _ = _fit(x, survived[train_rows], f"fold {k} of {FOLDS}")
        likely = probabilities(network, encode(columns, complete(frame.iloc[test_rows], fields)))
        scores.append(float(np.mean(likely.argmax(1) == survived[test_rows])))
    return scores


def _fit(x: Array, survived: Array, title: str) -> tuple[Any, dict[str, float]]:
    network = build()
    logs = fit(network, x, survived, epochs=EPOCHS, batch_size=BATCH_SIZE, title=title)
    return for_inference(network), logs


def _standardise(columns: list[ColumnSpec], values: dict[str, list[Any]]) -> list[ColumnSpec]:
    raw = encode(columns, values).astype(np.float64)
    scales = np.where(raw.std(axis=0) > 0, raw.std(axis=0), 1.0)
    return [
        column.model_copy(update={"mean": float(mean), "scale": float(scale)})
        for column, mean, scale in zip(columns, raw.mean(axis=0), scales, strict=True)
    ]


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise DataUnavailable(f"expected Kaggle's Titanic train.csv at {path}: {error}") from error


def _read_openml() -> pd.DataFrame:
    try:
        frame = fetch_openml("titanic", version=1, as_frame=True).frame
    except OSError as error:  # URLError and its kin
        raise DataUnavailable("OpenML cannot be reached; give Kaggle's train.csv with --data FILE") from error
    frame = frame.rename(columns=_OPENML)
    return frame.assign(Survived=frame["Survived"].astype(int))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
