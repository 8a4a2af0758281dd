"""Estimators of scikit-learn: files that hold nothing else, answers that depend on the input alone."""

import io
import json
import operator
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import CategoricalNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPRegressor
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVR

from models.archive import InvalidArchive, check_archive
from models.estimator import Estimator, answer, for_serving, read_estimator, write_estimator
from models.folder import TRAINED, InvalidFolder
from models.keras_file import check_keras_file
from models.skops_file import check_skops_file
from tests.fakes import MANIFEST
from tests.hostile import rewritten

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 5))
Y = (X[:, 0] + X[:, 1] ** 2 > 0.5).astype(int)


def forest() -> Any:
    """With two jobs, which add up in any order."""
    return RandomForestClassifier(15, random_state=np.random.RandomState(0), n_jobs=2).fit(X, Y)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        KNeighborsClassifier(),
        HistGradientBoostingRegressor(max_iter=5, random_state=0),
        MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0),
    ],
)
def test_what_is_written_is_read(tmp_path: Path, model: Any) -> None:
    """Without generators of random numbers, which a file could misuse."""
    model.fit(X, Y)
    write_estimator(model, tmp_path / "m.skops")
    assert b"Random" not in zipfile.ZipFile(tmp_path / "m.skops").read("schema.json")
    np.testing.assert_array_equal(answer(read_estimator(tmp_path / "m.skops"), X), answer(model, X))


def test_an_answer_depends_on_the_input_alone(tmp_path: Path) -> None:
    """Whatever stands beside it, and however many."""
    write_estimator(forest(), tmp_path / "m.skops")
    model = read_estimator(tmp_path / "m.skops")
    assert model.n_jobs is None
    estimator = Estimator(model, MANIFEST, X[:1].astype(np.float32))
    x = np.resize(X, (200, 5)).astype(np.float32)
    whole = estimator.predict(x)
    for n in (1, 7, 64, 65):
        np.testing.assert_array_equal(estimator.predict(x[:n]), whole[:n])
    np.testing.assert_array_equal(estimator.evaluate(x[::-1])[::-1], estimator.evaluate(x))
    assert estimator.predict(x[:0]).shape == (0, 2)


def test_a_model_that_takes_categories_only_is_served() -> None:
    """Other numbers are an error to it, so whether company matters is not known: its calls run apart."""
    x = (X[:8] > 0).astype(np.float32)
    model = CategoricalNB(min_categories=2).fit(x, Y[:8])
    estimator = Estimator(model, MANIFEST, x[:1])
    np.testing.assert_allclose(estimator.predict(x), model.predict_proba(x), atol=1e-6)


def test_a_block_has_one_size() -> None:
    """A library that multiplies matrices may round otherwise for another number of rows."""

    class Counting(LogisticRegression):  # type: ignore[misc]
        """Notes how many rows it is asked about."""

        def predict_proba(self, x: np.ndarray) -> np.ndarray:
            sizes.append(len(x))
            return np.asarray(super().predict_proba(x))

    sizes: list[int] = []
    estimator = Estimator(Counting().fit(X, Y), MANIFEST, X[:1].astype(np.float32))
    sizes.clear()
    for n in (1, 63, 64, 65, 200):
        estimator.predict(np.resize(X, (n, 5)).astype(np.float32))
        estimator.evaluate(np.resize(X, (n, 5)).astype(np.float32))
    assert set(sizes) == {64}
    estimator.evaluate(np.resize(X, (2000, 5)).astype(np.float32))
    assert set(sizes) == {64, 2048}


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (lambda: LogisticRegression().fit(X[:, :4], Y), "expected 5 columns as in manifest.json, received 4"),
        (lambda: LogisticRegression().fit(X, Y + (X[:, 2] > 0)), "expected 2 outputs as in manifest.json, received 3"),
        (lambda: FunctionTransformer().fit(X), "expected a classifier or a regressor, received FunctionTransformer"),
        (lambda: KNeighborsClassifier().fit(X, np.stack([Y, Y], 1)), "a fitted classifier of one label"),
    ],
)
def test_an_estimator_that_does_not_fit_its_manifest_is_refused(model: Callable[[], Any], says: str) -> None:
    with pytest.raises(InvalidFolder, match=says):
        Estimator(model(), MANIFEST, X[:1].astype(np.float32))


class Own:
    """Somebody's own."""


NOT_OURS: dict[str, Any] = {
    "a class of one's own": Own(),
    "a function": FunctionTransformer(json.loads),
    "a partial": FunctionTransformer(partial(int, base=2)),
    "a method": FunctionTransformer("".join),
    "an operator": FunctionTransformer(operator.itemgetter(0)),
    "a generator": RandomForestRegressor(random_state=np.random.RandomState(0)),
}


@pytest.mark.parametrize("name", NOT_OURS)
def test_nothing_but_scikit_learns_own_types_is_loaded(tmp_path: Path, name: str) -> None:
    skops.io.dump(NOT_OURS[name], tmp_path / "m.skops")
    with pytest.raises(InvalidArchive, match="is not one of scikit-learn's own types; nothing else is loaded"):
        check_skops_file(tmp_path / "m.skops")


@pytest.mark.parametrize(
    "kind", [("os", "system"), ("sklearn.utils._joblib", "Parallel"), ("sklearn.base", "warnings"), ("sklearn.svm.nowhere", "X")]
)
def test_a_type_that_scikit_learn_only_imports_is_not_its_own(tmp_path: Path, kind: tuple[str, str]) -> None:
    """Every module has names of others in it."""
    path = tmp_path / "m.skops"
    skops.io.dump(LogisticRegression().fit(X, Y), path)
    schema = json.loads(zipfile.ZipFile(path).read("schema.json"))
    schema["content"]["content"]["coef_"] = {"__module__": kind[0], "__class__": kind[1], "__loader__": "ObjectNode", "__id__": 1}
    rewritten(path, {"schema.json": json.dumps(schema).encode()})
    with pytest.raises(InvalidArchive, match="is not one of scikit-learn's own types"):
        check_skops_file(path)


def tampered(path: Path, change: Callable[[np.ndarray], None]) -> None:
    """The array of a tree's nodes, changed in the file."""
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist() if name.endswith(".npy")}
    for name, content in members.items():
        array = np.load(io.BytesIO(content))
        if "left_child" in (array.dtype.names or ()):
            change(array)
            made = io.BytesIO()
            np.save(made, array)
            rewritten(path, {name: made.getvalue()})


def far(nodes: np.ndarray) -> None:
    nodes["right_child"][0] = 10**6


def round_and_round(nodes: np.ndarray) -> None:
    nodes["left_child"][0] = 0


def no_such_column(nodes: np.ndarray) -> None:
    nodes["feature"][0] = 77


@pytest.mark.parametrize("change", [far, round_and_round, no_such_column])
def test_branches_that_lead_nowhere_are_refused(tmp_path: Path, change: Callable[[np.ndarray], None]) -> None:
    """The code that walks a tree would read what lies behind it, or never end."""
    path = tmp_path / "m.skops"
    write_estimator(forest(), path)
    tampered(path, change)
    with pytest.raises(InvalidArchive, match="branches lead to nodes that exist"):
        read_estimator(path)


def out_of_columns(model: Any) -> None:
    for (predictor,) in model._predictors:
        predictor.nodes["feature_idx"][predictor.nodes["is_leaf"] == 0] = 2 * 10**9


def out_of_categories(model: Any) -> None:
    for (predictor,) in model._predictors:
        predictor.nodes["is_categorical"][:] = 1
        predictor.nodes["bitset_idx"][:] = 10**6


def out_of_vectors(model: Any) -> None:
    model.support_ = np.arange(10**5, dtype=np.int32)


@pytest.mark.parametrize(
    ("model", "change", "says"),
    [
        (HistGradientBoostingRegressor(max_iter=3), out_of_columns, "branches lead to nodes that exist"),
        (HistGradientBoostingRegressor(max_iter=3), out_of_categories, "trees whose categories are there"),
        (SVR(), out_of_vectors, "support vectors that are all there"),
        (LogisticRegression(), lambda model: delattr(model, "classes_"), "a fitted classifier"),
    ],
)
def test_what_would_crash_the_process_is_refused(tmp_path: Path, model: Any, change: Callable[[Any], None], says: str) -> None:
    """Each of the first three ended it with a segmentation fault at the first prediction."""
    model = for_serving(model.fit(X, Y))
    change(model)
    skops.io.dump(model, tmp_path / "m.skops")
    with pytest.raises((InvalidArchive, InvalidFolder), match=says):
        Estimator(read_estimator(tmp_path / "m.skops"), MANIFEST, X[:1].astype(np.float32))


def test_neighbours_are_found_without_a_tree_of_them(tmp_path: Path) -> None:
    """Its code in C takes places in memory unseen, so that none is loaded; the answers are the same."""
    model = KNeighborsClassifier(algorithm="kd_tree").fit(X, Y)
    skops.io.dump(model, tmp_path / "tree.skops")
    with pytest.raises(InvalidArchive, match="KDTree"):
        read_estimator(tmp_path / "tree.skops")
    assert read_estimator(tmp_path / "tree.skops", own=True).n_samples_fit_ == len(X)
    write_estimator(model, tmp_path / "m.skops")
    np.testing.assert_array_equal(answer(read_estimator(tmp_path / "m.skops"), X), answer(model, X))


def test_a_tree_of_more_columns_than_its_forest_is_refused(tmp_path: Path) -> None:
    """It would read what lies behind the row."""
    model = forest()
    wider = RandomForestClassifier(1, random_state=0).fit(np.c_[X, X], Y).estimators_[0]
    model.estimators_[3] = wider
    skops.io.dump(for_serving(model), tmp_path / "m.skops")
    with pytest.raises(InvalidArchive, match="trees of the columns that they are given"):
        read_estimator(tmp_path / "m.skops")


def layer(module: str, name: Any, **config: Any) -> dict[str, Any]:
    """As a configuration holds it."""
    return {"module": module, "class_name": name, "config": {"name": "surprise", **config}, "registered_name": None}


def function(module: str, name: str) -> dict[str, Any]:
    """A function in the place of an activation."""
    return layer("keras.layers", "Activation", activation={"module": module, "class_name": "function", "config": name})


CONFIGS: dict[str, Any] = {
    "a class that is no name": layer("keras.layers", ["Dense"]),
    "a class with a dot": layer("keras", "layers.TFSMLayer", filepath="/tmp"),
    "a saved model": layer("keras.layers", "TFSMLayer", filepath="/tmp"),
    "another library": layer("keras.layers", "TorchModuleWrapper"),
    "a lambda inside": layer("keras.layers", "Bidirectional", layer={"class_name": "Lambda", "config": {}}),
    "a function that downloads": function("keras.utils", "get_file"),
    "a function that loads": function("keras.datasets.mnist", "load_data"),
    "a function that draws": function("keras.utils", "plot_model"),
    "a function that builds": function("keras.applications.vgg16", "VGG16"),
    "a function of another's": function("os", "system"),
    "a vocabulary in a file": layer("keras.layers", "StringLookup", vocabulary="/etc/passwd"),
    "a module that is none of theirs": layer("kerasx.layers", "Dense"),
    "a registered class": layer("builtins", "Mine"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_only_building_blocks_of_keras_are_named_in_a_file(tmp_path: Path, name: str) -> None:
    """Keras itself would take some of these."""
    path = tmp_path / "m.keras"
    path.write_bytes((TRAINED / "titanic" / "model.keras").read_bytes())
    config = json.loads(zipfile.ZipFile(path).read("config.json"))
    check_keras_file(path)
    config["config"]["layers"].insert(1, CONFIGS[name])
    rewritten(path, {"config.json": json.dumps(config).encode()})
    with pytest.raises(InvalidArchive, match=r"expected|is not loaded"):
        check_keras_file(path)


@pytest.mark.parametrize("config", [b"[]", b'"text"', b"{", b"\xff", b"[" * 100_000])
def test_a_configuration_that_is_none(tmp_path: Path, config: bytes) -> None:
    path = tmp_path / "m.keras"
    path.write_bytes((TRAINED / "titanic" / "model.keras").read_bytes())
    rewritten(path, {"config.json": config})
    with pytest.raises(InvalidArchive, match="expected"):
        check_keras_file(path)


@pytest.mark.filterwarnings("ignore:You passed .rms_scaling")
def test_every_layer_with_a_rule_passes(tmp_path: Path) -> None:
    """And a compiled model with a loss of one's own: nothing is compiled here."""
    import keras

    from tests.explainers.layers import ALL, example_net

    for _, shape, make in ALL:
        example_net(shape, make, "float32").save(tmp_path / "m.keras")
        check_keras_file(tmp_path / "m.keras")
    x = keras.Input((4, 3))
    y = keras.layers.Dense(2, kernel_regularizer="l2", kernel_constraint="non_neg")(keras.layers.LSTM(3, dropout=0.1)(x))
    model = keras.Model(x, keras.ops.softmax(y))
    model.compile("adam", loss=forest)
    model.save(tmp_path / "m.keras")
    check_keras_file(tmp_path / "m.keras")


def test_an_archive_is_judged_by_its_directory(tmp_path: Path) -> None:
    """Members twice, members that do not belong there, secrets, and sizes beyond the limit."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.txt", "a")
        file.writestr("b/../../etc", "b")
    with pytest.raises(InvalidArchive, match="does not belong here"):
        check_archive(path, [r"a\.txt"])
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.txt", "a")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("a.txt", "b")
    with pytest.raises(InvalidArchive, match="no member twice"):
        check_archive(path, [r"a\.txt"])


def test_data_from_elsewhere_in_a_keras_file_is_refused(tmp_path: Path) -> None:
    """HDF5 can point into other files of the machine."""
    import h5py

    path = tmp_path / "m.keras"
    path.write_bytes((TRAINED / "titanic" / "model.keras").read_bytes())
    content = io.BytesIO(zipfile.ZipFile(path).read("model.weights.h5"))
    with h5py.File(content, "a") as file:
        file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/x")
    rewritten(path, {"model.weights.h5": content.getvalue()})
    with pytest.raises(InvalidArchive, match="expected no links to elsewhere"):
        check_keras_file(path)


def test_numbers_without_end_in_a_keras_file_are_refused(tmp_path: Path) -> None:
    """An HDF5 data set of terabytes takes a few bytes."""
    import h5py

    path = tmp_path / "m.keras"
    path.write_bytes((TRAINED / "titanic" / "model.keras").read_bytes())
    content = io.BytesIO(zipfile.ZipFile(path).read("model.weights.h5"))
    with h5py.File(content, "a") as file:
        file.create_dataset("vast", (10**6, 10**6), "f4", chunks=(1000, 1000))
    rewritten(path, {"model.weights.h5": content.getvalue()})
    with pytest.raises(InvalidArchive, match="expected numbers that are in the file"):
        check_keras_file(path)
