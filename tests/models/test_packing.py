"""Models of one's own, packed, loaded again, and asked: the folder answers what the original answers."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR

from models.archive import InvalidArchive
from models.folder import read_folder
from models.manifest import ColumnSpec, ImageSpec
from models.network import read_network
from models.packing import Unpackable, pack, prepare
from models.packing.backgrounds import of_images, of_records
from models.predictor import load_predictor
from models.tabular import RecordReader
from tests.models.test_transformers import people

layers = keras.layers


def encoder() -> Any:
    """Numbers imputed and scaled, text one-hot."""
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    words = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    return ColumnTransformer([("numbers", numbers, ["age", "rooms"]), ("words", words, ["town"])])


def labels(frame: pd.DataFrame, kinds: int = 2) -> np.ndarray:
    """Something to learn."""
    names = np.array(["cheap", "dear", "fair"][:kinds])
    return names[(frame["rooms"].to_numpy() + (frame["age"].fillna(40) > 40).to_numpy()) % kinds]


CLASSIFIERS = {
    "linear": lambda: LogisticRegression(max_iter=500),
    "forest": lambda: RandomForestClassifier(20, random_state=0, n_jobs=2),
    "boosting": lambda: HistGradientBoostingClassifier(max_iter=20, min_samples_leaf=3, random_state=0),
    "net": lambda: MLPClassifier((8,), max_iter=30, random_state=0),
}


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("kinds", [2, 3])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_pipeline_of_scikit_learn(tmp_path: Path, name: str, kinds: int) -> None:
    """Records as JSON sends them get the probabilities of the original pipeline."""
    frame = people(missing=True)
    original = make_pipeline(encoder(), CLASSIFIERS[name]()).fit(frame, labels(frame, kinds))
    folder = pack(original, tmp_path / "houses", frame, background="all")
    manifest = folder.manifest
    assert manifest.output_names == manifest.class_names == ["cheap", "dear", "fair"][:kinds]
    assert [field.name for field in manifest.fields] == ["age", "rooms", "town"]
    assert manifest.ignored_fields == ["owner", "constant"]
    assert manifest.training["scikit-learn"]
    records = json.loads(frame.to_json(orient="records"))
    read = RecordReader(manifest).read(records, lambda: None)
    answers = load_predictor(folder).predict(read.inputs)
    np.testing.assert_allclose(answers, original.predict_proba(frame), atol=1e-6)


def test_margins_of_support_vectors(tmp_path: Path) -> None:
    """One of two classes decides at 0; of three, the largest."""
    frame = people()[["age", "rooms"]]
    two = pack(make_pipeline(StandardScaler(), SVC()).fit(frame, labels(frame)), tmp_path / "two", frame).manifest
    assert (two.output_names, two.class_names, two.probabilities, two.threshold) == (
        ["margin of dear"],
        ["cheap", "dear"],
        False,
        0.0,
    )
    three = pack(RidgeClassifier().fit(frame, labels(frame, 3)), tmp_path / "three", frame).manifest
    assert (three.output_names, three.probabilities) == (["cheap", "dear", "fair"], False)


@pytest.mark.parametrize("model", [LinearRegression(), SVR(), GradientBoostingRegressor(random_state=0)])
def test_regressions(tmp_path: Path, model: Any) -> None:
    """One output, no classes; no transformer."""
    frame = people()[["age", "rooms"]]
    model.fit(frame, frame["age"] * frame["rooms"])
    packing = prepare(model, "price", frame.assign(price=1.0), output_names=["price"])
    assert packing.manifest.output_names == ["price"]
    assert packing.manifest.class_names is None
    assert packing.manifest.ignored_fields == ["price"]
    assert packing.difference < 1e-4


def test_several_values_at_once() -> None:
    frame = people()[["age", "rooms"]]
    manifest = prepare(LinearRegression().fit(frame, frame), "both", frame).manifest
    assert manifest.output_names == ["output 0", "output 1"]


def test_components_stay_with_the_model(tmp_path: Path) -> None:
    """What mixes columns has no place in the encoding; behind it, it is part of the model."""
    frame = people()[["age", "rooms", "constant"]]
    original = make_pipeline(StandardScaler(), PCA(2), LogisticRegression()).fit(frame, labels(frame))
    folder = pack(original, tmp_path / "mixed", frame)
    assert folder.manifest.columns[0].mean == pytest.approx(frame["age"].mean())
    assert type(load_predictor(folder).model).__name__ == "Pipeline"


def test_a_pipeline_behind_a_transformer(tmp_path: Path) -> None:
    """Fitted one after the other: its first steps go into the encoding too."""
    frame = people(missing=True)
    transformer = encoder().fit(frame)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(transformer.transform(frame), labels(frame))
    packing = prepare(model, "both", frame, transformer=transformer)
    assert packing.difference < 1e-6
    assert packing.file == "model.skops"


def test_small_answers_are_compared_as_closely(monkeypatch: pytest.MonkeyPatch) -> None:
    """Millionths, one of which is off by a tenth."""
    from models.packing import subjects

    frame = people()[["age", "rooms"]]
    model = LinearRegression().fit(frame, 1e-6 * frame["age"])
    assert prepare(model, "m", frame).difference < 1e-9
    answer = subjects.SklearnSubject.answer
    monkeypatch.setattr(subjects.SklearnSubject, "answer", lambda self, x: 1.1 * answer(self, x))
    with pytest.raises(Unpackable, match="packed and original answers differ"):
        prepare(model, "m", frame)


def dense(last: str | None, units: int, inputs: int = 3) -> Any:
    """A small net."""
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((inputs,)), layers.Dense(6, "relu"), layers.Dense(units, last)])


@pytest.mark.parametrize(
    ("last", "units", "options", "outputs", "classes"),
    [
        ("softmax", 3, {"output_names": ["a", "b", "c"]}, ["a", "b", "c"], ["a", "b", "c"]),
        ("softmax", 2, {}, ["0", "1"], ["0", "1"]),
        ("sigmoid", 1, {"class_names": ["no", "yes"]}, ["yes"], ["no", "yes"]),
        ("sigmoid", 1, {}, ["1"], ["0", "1"]),
        (None, 1, {}, ["prediction"], None),
        (None, 2, {"output_names": ["x", "y"]}, ["x", "y"], None),
    ],
)
def test_outputs_of_nets(last: Any, units: int, options: Any, outputs: list[str], classes: list[str] | None) -> None:
    """Classes where the last layer is a softmax or one sigmoid; numbers otherwise."""
    frame = people()[["age", "rooms", "constant"]]
    manifest = prepare(dense(last, units), "net", frame, **options).manifest
    assert (manifest.output_names, manifest.class_names) == (outputs, classes)


def test_a_net_with_a_transformer(tmp_path: Path) -> None:
    """The optimizer's state is left behind; the card says what was compared."""
    frame = people(missing=True)
    transformer = encoder().fit(frame)
    model = dense("sigmoid", 1, inputs=6)
    model.compile("adam", "binary_crossentropy")
    model.fit(np.zeros((8, 6)), np.zeros(8), verbose=0)
    fields = {"age": {"unit": "years", "minimum": 0, "maximum": 120}}
    folder = pack(model, tmp_path / "net", frame, transformer=transformer, fields=fields, description="Is it dear?")
    assert not hasattr(read_network(folder.model_path), "optimizer")
    assert folder.manifest.fields[0].unit == "years"
    assert folder.manifest.fields[0].missing == pytest.approx(frame["age"].mean())
    card = (folder.path / "README.md").read_text()
    assert "Is it dear?" in card
    assert "differ from the original's by" in card


SHAPES = {
    "sequence": ((5, 3), lambda: [layers.LSTM(4)]),
    "volume": ((3, 3, 3, 1), lambda: [layers.Conv3D(2, 2), layers.Flatten()]),
    "tokens": ((4,), lambda: [layers.Embedding(10, 3), layers.Flatten()]),
}


@pytest.mark.parametrize("name", SHAPES)
def test_inputs_of_any_rank(tmp_path: Path, name: str) -> None:
    """Instances are records of the input's numbers in row-major order, named by their places."""
    shape, body = SHAPES[name]
    keras.utils.set_random_seed(0)
    dtype = "int32" if name == "tokens" else None
    model = keras.Sequential([keras.Input(shape, dtype=dtype), *body(), layers.Dense(2, "softmax")])
    data = np.random.default_rng(0).integers(0, 10, (40, *shape)).astype(float)
    folder = pack(model, tmp_path / "any", data, background="8")
    assert folder.manifest.input_shape == (int(np.prod(shape)),)
    assert folder.manifest.fields[-1].name == "x" + "_".join(str(n - 1) for n in shape)
    x = data[:3].reshape(3, -1).astype(np.float32)
    np.testing.assert_allclose(load_predictor(folder).predict(x), model(data[:3]), atol=1e-6)


@pytest.mark.parametrize("channels", [0, 1, 3])
@pytest.mark.parametrize("rescales", [False, True])
def test_pictures_in_grey_and_colour(tmp_path: Path, channels: int, rescales: bool) -> None:
    """From files in a folder per class; without an axis for channels too. A net that rescales gets bytes."""
    keras.utils.set_random_seed(0)
    shape = (6, 5, channels) if channels else (6, 5)
    body = [layers.Rescaling(1 / 255)] if rescales else []
    model = keras.Sequential([keras.Input(shape), *body, layers.Flatten(), layers.Dense(2, "softmax")])
    rng = np.random.default_rng(0)
    files = tmp_path / "files"
    for k in range(12):
        (files / f"class {k % 2}").mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (6, 5, 3) if channels == 3 else (6, 5)).astype(np.uint8)
        Image.fromarray(pixels).save(files / f"class {k % 2}" / f"{k}.png")
    folder = pack(model, tmp_path / "pictures", files, background="kmeans:2")
    spec = folder.manifest.image
    assert spec is not None
    assert (spec.height, spec.width, spec.channels) == (6, 5, max(1, channels))
    assert spec.scale == (1.0 if rescales else pytest.approx(1 / 255))
    assert folder.manifest.samples
    assert len(folder.background.x) == 2
    seen = np.asarray(Image.open(files / "class 0" / "0.png"), np.float32).reshape(1, *shape) * np.float32(spec.scale)
    answers = load_predictor(folder).predict(seen.reshape(1, 6, 5, spec.channels))
    np.testing.assert_allclose(answers, model(seen), atol=1e-5)


def test_a_forest_on_pictures(tmp_path: Path) -> None:
    """Laid flat; four images are no summary, and not shown."""
    pixels = np.random.default_rng(0).integers(0, 256, (4, 4, 4)).astype(np.uint8)
    model = RandomForestClassifier(5, random_state=0).fit(pixels.reshape(4, -1) / 255, [0, 1, 0, 1])
    with pytest.raises(Unpackable, match="no summary in which nobody is found"):
        prepare(model, "flat", pixels)
    folder = pack(model, tmp_path / "flat", pixels, background="all")
    assert folder.manifest.input_shape == (4, 4, 1)
    assert not folder.manifest.samples


def two_inputs() -> Any:
    a, b = keras.Input((2,), name="left"), keras.Input((1,), name="right")
    return keras.Model([a, b], layers.Dense(1)(layers.Concatenate()([a, b])))


def two_outputs() -> Any:
    given = keras.Input((3,))
    return keras.Model(given, [layers.Dense(1)(given), layers.Dense(2)(given)])


class Own(keras.layers.Layer):  # type: ignore[misc]
    """Code of somebody's own."""

    def call(self, x: Any) -> Any:
        """As it is."""
        return x


class OwnModel(keras.Model):  # type: ignore[misc]
    """A call of its own."""


def wrapped(*parts: Any) -> Any:
    return keras.Sequential([keras.Input((3,)), *parts, layers.Dense(1)])


THREE = ["age", "rooms", "constant"]
REFUSED: dict[str, tuple[Any, Any, dict[str, Any], str]] = {
    "two inputs": (two_inputs, THREE, {}, r"the model has 2 inputs \(left, right\); expected one"),
    "two outputs": (two_outputs, THREE, {}, "expected one output of shape"),
    "a lambda": (lambda: wrapped(layers.Lambda(lambda x: x)), THREE, {}, "carries code"),
    "a layer of one's own": (lambda: wrapped(Own()), THREE, {}, "is not one of Keras's own building blocks"),
    "a model of one's own": (OwnModel, THREE, {}, "OwnModel has a call of its own"),
    "too few columns": (lambda: dense(None, 1), ["age"], {}, "the model takes 3 numbers, and the data have 1 columns"),
    "text": (lambda: dense(None, 1), ["age", "rooms", "town"], {}, "town holds text and reaches the model as it is"),
    "names": (lambda: dense("softmax", 3), THREE, {"output_names": ["a"]}, "expected 3 names of outputs, received 1"),
    "a background": (lambda: dense(None, 1), THREE, {"background": "some"}, "expected a background `all`, `N` or"),
    "an option": (lambda: dense(None, 1), THREE, {"colour": 1}, "unknown option colour; expected transformer"),
    "pairs of classes": (
        lambda: SVC(decision_function_shape="ovo").fit(people()[THREE], labels(people(), 3)),
        THREE,
        {},
        "one margin for each pair of classes",
    ),
    "a search": (
        lambda: GridSearchCV(LogisticRegression(), {"C": [1.0]}).fit(people()[THREE], labels(people())),
        THREE,
        {},
        "GridSearchCV is a search; expected its `best_estimator_`",
    ),
    "a vote": (
        lambda: VotingClassifier([("a", LogisticRegression())]).fit(people()[THREE], labels(people())),
        THREE,
        {},
        "VotingClassifier cannot be packed: AttributeError",
    ),
    "something else": (lambda: {"a": 1}, THREE, {}, "expected a Keras model or an estimator of scikit-learn, received dict"),
    "not fitted": (LogisticRegression, THREE, {}, "expected a fitted classifier|is not fitted"),
    "a transformer that is none": (lambda: dense(None, 1), THREE, {"transformer": PCA().fit(people()[THREE])}, "PCA cannot be"),
}


def dated() -> pd.DataFrame:
    return people()[["age"]].assign(day=pd.date_range("2020-01-01", periods=60))


ODD: dict[str, tuple[Any, str]] = {
    "infinity": (people()[["age", "rooms"]].assign(age=np.inf), "age holds infinity; expected finite numbers"),
    "nothing": (people()[["age", "rooms"]][:0], "expected at least one row and one column"),
    "absence": (people()[["age", "rooms"]].assign(age=np.nan), "no row of the data is complete"),
    "somebody": (people()[["age", "rooms"]][:1], "the data have no summary in which nobody is found .* take a background `all`"),
    "a name twice": (pd.concat([people()[["age"]]] * 2, axis=1), "expected no column's name twice"),
    "another column": (people()[["age", "town"]], "expected the columns rooms in the data"),
}


@pytest.mark.parametrize("case", ODD)
def test_data_that_will_not_do(case: str) -> None:
    frame = people()[["age", "rooms"]]
    data, says = ODD[case]
    with pytest.raises(Unpackable, match=says):
        prepare(LinearRegression().fit(frame, frame["age"]), "m", data)


def test_categories_are_text_numbers_or_booleans() -> None:
    frame = dated()
    original = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(frame[["day"]], labels(people()))
    with pytest.raises(Unpackable, match="day has categories that are neither text, numbers nor booleans"):
        prepare(original, "m", frame[["day"]])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"training": {"loss": float("nan")}}, "expected as JSON holds them"),
        ({"training": {"model": np.float32(3)}}, "expected as JSON holds them"),
        ({"metrics": {"r2": float("inf")}}, "expected as JSON holds them"),
        ({"examples": [{"name": "x", "instance": {"nope": 1}}]}, "an example is no record of this model"),
        ({"version": "../2"}, "the manifest would not be valid: version"),
    ],
)
def test_what_is_said_of_a_model_fits_into_its_manifest(options: dict[str, Any], says: str) -> None:
    frame = people()[["age", "rooms"]]
    with pytest.raises(Unpackable, match=says):
        prepare(LinearRegression().fit(frame, frame["age"]), "m", frame, **options)


def test_a_summary_of_a_few_is_not_shown() -> None:
    """Whoever made its three rows would be found."""
    frame = people()[["age", "rooms"]]
    model = LinearRegression().fit(frame, frame["age"])
    assert prepare(model, "m", frame).manifest.samples
    with pytest.raises(Unpackable, match="no summary in which nobody is found"):
        prepare(model, "m", frame[:3])
    assert not prepare(model, "m", frame, background="all").manifest.samples


def test_the_only_picture_of_a_class_is_no_centre() -> None:
    """It hides in the largest class."""
    pixels = np.random.default_rng(0).integers(0, 256, (21, 4, 4, 1)).astype(np.uint8)
    spec = ImageSpec(height=4, width=4, channels=1, scale=1 / 255)
    background = of_images(pixels, np.array([0] * 20 + [1]), spec, "kmeans", 4, 0)
    assert np.abs(background.x - pixels[-1] / np.float32(255)).max(axis=(1, 2, 3)).min() > 0.05


def test_nobody_of_many_is_a_centre_either(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records are drawn before they are clustered; who is rare is counted among all."""
    monkeypatch.setattr("models.packing.backgrounds._MANY", 200)
    rng = np.random.default_rng(0)
    values = {name: rng.integers(0, 7, 3000).tolist() for name in "abcd"}
    columns = [ColumnSpec(name=name, field=name) for name in values]
    background, _ = of_records(values, columns, "kmeans", 20, 0)
    counts = Counter(zip(*values.values(), strict=True))
    assert all(counts[tuple(int(v) for v in row)] not in range(1, 5) for row in background.x)


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_packed_says_why_and_leaves_nothing(tmp_path: Path, case: str) -> None:
    make, used, options, says = REFUSED[case]
    with pytest.raises(Unpackable, match=says):
        pack(make(), tmp_path / "m", people()[used], **options)
    assert list(tmp_path.iterdir()) == []


def test_a_pipeline_with_a_function_of_ones_own_is_refused(tmp_path: Path) -> None:
    frame = people()[["age", "rooms"]]
    original = make_pipeline(FunctionTransformer(people), LogisticRegression())
    original.steps[0][1].func = lambda x: x
    original.fit(frame, labels(frame))
    with pytest.raises((Unpackable, InvalidArchive), match="cannot be written"):
        pack(original, tmp_path / "m", frame)


def test_answers_that_differ_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is served has to be what was given."""
    from models.packing import subjects

    frame = people()[["age", "rooms"]]
    model = LinearRegression().fit(frame, frame["age"])
    answer = subjects.SklearnSubject.answer
    monkeypatch.setattr(
        subjects.SklearnSubject, "answer", lambda self, x: answer(self, x) + 0.01 * (np.arange(len(x)) == 3)[:, None]
    )
    with pytest.raises(Unpackable, match=r"packed and original answers differ for 2 of 68 rows, by up to 0\.01"):
        prepare(model, "m", frame)


def test_rows_that_no_client_could_send_are_left_out() -> None:
    """A number that is absent and may not be; the review says how many."""
    frame = people(missing=True)[["age", "rooms"]]
    packing = prepare(LinearRegression().fit(frame.fillna(0), frame["rooms"]), "m", frame)
    assert packing.notes == ["9 of 60 rows are left out: they lack a value that may not be absent, or have an unknown category"]
    assert np.isfinite(packing.background.x).all()


def test_an_existing_folder_is_kept_unless_forced(tmp_path: Path) -> None:
    frame = people()[["age", "rooms"]]
    model = LinearRegression().fit(frame, frame["age"])
    pack(model, tmp_path / "m", frame)
    with pytest.raises(FileExistsError, match="say force"):
        pack(model, tmp_path / "m", frame)
    pack(model, tmp_path / "m", frame, version="2", force=True)
    assert read_folder(tmp_path / "m").manifest.version == "2"


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_data_from_files(tmp_path: Path, ending: str) -> None:
    frame = people()[["age", "rooms", "town"]]
    path = tmp_path / f"data.{ending}"
    writers: dict[str, Any] = {
        "csv": lambda: frame.to_csv(path, index=False),
        "parquet": lambda: frame.to_parquet(path),
        "jsonl": lambda: frame.to_json(path, orient="records", lines=True),
    }
    writers[ending]()
    original = make_pipeline(encoder(), LogisticRegression()).fit(frame, labels(frame))
    from_frame, from_file = prepare(original, "m", frame), prepare(original, "m", path)
    np.testing.assert_array_equal(from_frame.background.x, from_file.background.x)
    assert from_frame.manifest.fields == from_file.manifest.fields
