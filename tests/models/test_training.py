"""Training: what is learned from which rows, the readers of the data, and a small run from end to end."""

import gzip
import struct
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from models.folder import read_folder
from models.tabular import RecordReader, encode
from models.training import RECIPES, fashion_mnist, recipe, titanic
from models.training.recipe import DataUnavailable
from service import cli


def passengers(n: int, seed: int = 0) -> pd.DataFrame:
    """Made-up passengers in Kaggle's format."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["male", "female"], n)
    return pd.DataFrame(
        {
            "PassengerId": np.arange(n),
            "Survived": ((sex == "female") ^ (rng.random(n) < 0.1)).astype(int),
            "Pclass": rng.integers(1, 4, n),
            "Name": "A. Nobody",
            "Sex": sex,
            "Age": np.where(rng.random(n) < 0.2, np.nan, rng.integers(1, 80, n)),
            "SibSp": rng.integers(0, 3, n),
            "Parch": rng.integers(0, 3, n),
            "Ticket": "1",
            "Fare": rng.integers(5, 60, n).astype(float),
            "Cabin": None,
            "Embarked": np.array(["C", "Q", "S", None])[rng.choice(4, n, p=[0.2, 0.1, 0.6, 0.1])],
        }
    )


def test_the_encoding_is_learned_from_the_rows_given() -> None:
    """Mean age and fare, most frequent port; every column standardised; sex as 0 and 1."""
    frame = passengers(300)
    fields, columns = titanic.fit_encoding(frame)
    by_name = {field.name: field for field in fields}
    assert by_name["Age"].missing == pytest.approx(frame["Age"].mean())
    assert by_name["Embarked"].missing == "S"
    assert by_name["Sex"].missing is None
    assert [column.name for column in columns] == [
        *["Pclass", "Sex", "Age", "SibSp", "Parch", "Fare"],
        *["Embarked_C", "Embarked_Q", "Embarked_S"],
    ]
    x = encode(columns, titanic.complete(frame, fields))
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(x.std(axis=0), 1, atol=1e-5)


def test_training_and_serving_encode_alike() -> None:
    """The record of a request becomes the row that the net was trained on."""
    frame = passengers(50)
    fields, columns = titanic.fit_encoding(frame)
    x = encode(columns, titanic.complete(frame, fields))
    manifest = read_folder(titanic_folder()).manifest.model_copy(update={"fields": fields, "columns": columns})
    records = [{k: None if pd.isna(v) else v for k, v in row.items()} for row in frame[titanic.FIELDS].to_dict("records")]
    np.testing.assert_array_equal(RecordReader(manifest).read(records, lambda: None).inputs, x)


def titanic_folder() -> Path:
    return Path(titanic.__file__).parent.parent / "trained" / "titanic"


def test_a_small_titanic_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three epochs instead of a hundred; the folder that comes out can be read, twice the same."""
    monkeypatch.setattr(titanic, "EPOCHS", 3)
    monkeypatch.setattr(titanic, "FOLDS", 2)
    data = tmp_path / "train.csv"
    passengers(200).to_csv(data, index=False)
    first, second = (titanic.train(data, background="kmeans:20", seed=3) for _ in range(2))
    first.write(tmp_path / "titanic")
    folder = read_folder(tmp_path / "titanic")
    assert folder.manifest.training["rows"] == 200
    assert len(folder.background.x) <= 20
    for ours, theirs in zip(first.network.get_weights(), second.network.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert first.manifest.metrics == second.manifest.metrics


@pytest.mark.parametrize(("background", "rows"), [("all", 120), ("30", 30)])
def test_other_backgrounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, background: str, rows: int) -> None:
    monkeypatch.setattr(titanic, "EPOCHS", 1)
    monkeypatch.setattr(titanic, "FOLDS", 2)
    data = tmp_path / "train.csv"
    passengers(120).to_csv(data, index=False)
    trained = titanic.train(data, background=background, seed=0)
    assert len(trained.background.x) == rows
    np.testing.assert_allclose(trained.background.weights, 1 / rows)


def write_idx(path: Path, array: np.ndarray) -> None:
    """The format that `read_idx` reads."""
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))


def test_a_small_fashion_mnist_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten made-up images per class, one epoch."""
    monkeypatch.setattr(fashion_mnist, "EPOCHS", 1)
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), 10)
    images = rng.integers(0, 256, (100, 28, 28))
    for part, name in fashion_mnist.FILES.items():
        write_idx(tmp_path / name, images if part.endswith("images") else labels)
    trained = fashion_mnist.train(tmp_path, background="kmeans:10", seed=0)
    trained.write(tmp_path / "out" / "fashion-mnist")
    folder = read_folder(tmp_path / "out" / "fashion-mnist")
    assert folder.background.x.shape == (10, 28, 28, 1)
    assert folder.manifest.training["validation_rows"] == 10


@pytest.mark.parametrize(
    "content",
    [b"", b"no gzip", gzip.compress(b"\0\0\x08\x03"), gzip.compress(b"\0\0\x0d\x01\0\0\0\x01\0")],
    ids=["nothing", "no gzip", "cut", "of floats"],
)
def test_a_broken_idx_file_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.gz").write_bytes(content)
    with pytest.raises(DataUnavailable, match="expected an IDX file"):
        fashion_mnist.read_idx(tmp_path / "x.gz")


@pytest.mark.parametrize(("text", "says"), [("", "expected Kaggle's"), ("a,b\n1,2\n", "Pclass, Sex")])
def test_a_csv_that_is_not_kaggles_is_a_clear_error(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "train.csv").write_text(text)
    with pytest.raises(DataUnavailable, match=says):
        titanic.read_passengers(tmp_path / "train.csv")


def test_without_a_network_the_download_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("no route")

    monkeypatch.setattr(titanic, "fetch_openml", unreachable)
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", unreachable)
    with pytest.raises(DataUnavailable, match="--data FILE"):
        titanic.read_passengers(None)
    with pytest.raises(DataUnavailable, match="--data DIR"):
        fashion_mnist.read_images(None)


def test_openml_names_become_kaggles(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = passengers(60).rename(columns={new: old for old, new in titanic._OPENML.items()})
    frame["survived"] = frame["survived"].astype(str).astype("category")
    monkeypatch.setattr(titanic, "fetch_openml", lambda *_, **__: type("Bunch", (), {"frame": frame}))
    passengers_, provenance = titanic.read_passengers(None)
    assert list(passengers_.columns) == [*titanic.FIELDS, "Survived"]
    assert passengers_["Survived"].isin([0, 1]).all()
    assert "OpenML" in provenance["source"]


def test_the_command_line_knows_every_recipe() -> None:
    """It names them without importing TensorFlow."""
    assert set(RECIPES) == set(cli._NAMES)


def test_versions_are_recorded() -> None:
    assert set(recipe.versions()) == {"python", "keras", "tensorflow"}
