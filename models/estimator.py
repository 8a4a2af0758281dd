"""A scikit-learn estimator and its answers in blocks of one size. Imports scikit-learn, never TensorFlow."""

import copy
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import sklearn
from skops import io as skops

from models.archive import InvalidArchive
from models.arrays import Array, Floats, Inputs, Outputs
from models.blocks import blocks
from models.folder import InvalidFolder, ModelFolder
from models.fusion import Fusion, is_blind
from models.manifest import Manifest
from models.predictor import Engine, nobody_left
from models.skops_file import check_skops_file

Answers = Literal["probabilities", "margins", "values"]
_BLOCK, _MANY = 64, 2048


class Estimator:
    """predict_proba, decision_function or predict; an input's answer depends on it alone. Safe to share between threads."""

    engine: Engine = "sklearn"

    def __init__(self, model: Any, manifest: Manifest, example: Inputs) -> None:
        """example: (1, ...), something to answer. Raises InvalidFolder when the estimator's shapes are not the manifest's."""
        self.model = model
        self.input_shape = manifest.input_shape
        self.outputs = len(manifest.output_names)
        self.answers = answers_of(model)
        columns = int(np.prod(self.input_shape))
        if (features := getattr(model, "n_features_in_", columns)) != columns:
            raise InvalidFolder(f"model.skops: expected {columns} columns as in manifest.json, received {features}")
        try:
            made = answer(model, example.reshape(1, -1).astype(np.float64))
        except Exception as error:  # whatever a part that was tampered with raises
            raise InvalidFolder(f"model.skops: the estimator cannot answer ({type(error).__name__})") from error
        if made.shape != (1, self.outputs):
            raise InvalidFolder(f"model.skops: expected {self.outputs} outputs as in manifest.json, received {made.shape[-1]}")
        row = example.reshape(-1).astype(np.float64)
        self.fusions = {"predict": self._fusion(_BLOCK, row), "evaluate": self._fusion(_MANY, row)}

    @classmethod
    def load(cls, folder: ModelFolder) -> "Estimator":
        """Open the skops file; only scikit-learn's own types are made. Raises InvalidFolder."""
        try:
            model = read_estimator(folder.model_path)
        except InvalidArchive as error:
            raise InvalidFolder(f"model.skops: {error}") from error
        return cls(model, folder.manifest, folder.background.x[:1])

    def predict(self, x: Inputs, check: Callable[[], None] = nobody_left) -> Outputs:
        """See Predictor."""
        return self._fused("predict", x, check)

    def evaluate(self, x: Inputs, check: Callable[[], None] = nobody_left) -> Outputs:
        """See Predictor."""
        return self._fused("evaluate" if len(x) > _MANY // 4 else "predict", x, check)

    def _fused(self, call: str, x: Inputs, check: Callable[[], None]) -> Outputs:
        if not len(x):
            return np.empty((0, self.outputs), np.float32)
        return self.fusions[call](None, [x.reshape(len(x), -1).astype(np.float64)], check).astype(np.float32)

    def _fusion(self, size: int, row: Floats) -> Fusion:
        def run(_: Any, rows: list[Floats]) -> Floats:
            (block,) = blocks(rows[0], size)
            return answer(self.model, block)[: len(rows[0])]

        def compiled(block: Floats) -> Floats:
            return answer(self.model, block)

        return Fusion(run, block=size, most=size, cores=1, mixes=is_blind(compiled, row, (size, len(row))))


def answers_of(model: Any) -> Answers:
    """What a fitted estimator answers. Raises InvalidFolder for what neither classifies nor regresses."""
    if sklearn.base.is_classifier(model):
        if not isinstance(getattr(model, "classes_", None), np.ndarray):
            raise InvalidFolder("model.skops: expected a fitted classifier of one label per instance")
        return "probabilities" if hasattr(model, "predict_proba") else "margins"
    if sklearn.base.is_regressor(model):
        return "values"
    raise InvalidFolder(f"model.skops: expected a classifier or a regressor, received {type(model).__name__}")


def answer(model: Any, x: Any) -> Floats:
    """(n, outputs) for x, an array (n, columns) or a frame: probabilities, else margins (one of two classes), else values."""
    kind = answers_of(model)
    ask = {"probabilities": "predict_proba", "margins": "decision_function", "values": "predict"}[kind]
    made = np.asarray(getattr(model, ask)(x), np.float64)
    return made.reshape(len(x), -1)


def read_estimator(path: Path, *, own: bool = False) -> Any:
    """The estimator in a `.skops` file; own: see `check_skops_file`. Raises InvalidArchive."""
    types = check_skops_file(path, own=own)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # another version of scikit-learn: the manifest's `training` says which
            model = skops.load(path, trusted=types)
    except Exception as error:  # skops raises many types on files that were tampered with
        raise InvalidArchive("skops cannot load it") from error
    try:
        for part in _parts(model):
            _check_part(part)
    except (AttributeError, TypeError, ValueError, IndexError, KeyError) as error:
        raise InvalidArchive("expected an estimator with all its parts") from error
    return model


def write_estimator(model: Any, path: Path) -> None:
    """Raises InvalidArchive for estimators that hold anything but scikit-learn's own types; then nothing is written."""
    try:
        skops.dump(for_serving(model), path)
        read_estimator(path)
    except InvalidArchive:
        path.unlink()
        raise


def for_serving(model: Any) -> Any:
    """A copy without generators of random numbers, names of columns, and more than one job: sums keep their order."""
    model = copy.deepcopy(model)
    for part in _parts(model):
        for name, value in list(getattr(part, "__dict__", {}).items()):
            if name == "feature_names_in_":
                delattr(part, name)
            elif isinstance(value, np.random.RandomState | np.random.Generator):
                setattr(part, name, None)
            elif name == "n_jobs":
                part.n_jobs = None
            elif name == "_fit_method" and hasattr(part, "_tree"):  # neighbours are found by comparing all
                part._fit_method, part._tree = "brute", None
    return model


def _parts(model: Any) -> list[Any]:
    """The estimator and everything of scikit-learn's inside it."""
    found, waiting, seen = [], [model], set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, list | tuple):
            waiting += part
        elif isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, np.ndarray) and part.dtype == object:
            waiting += part.ravel().tolist()
        elif type(part).__module__.partition(".")[0] == "sklearn" and id(part) not in seen:
            seen.add(id(part))
            found.append(part)
            waiting += getattr(part, "__dict__", {}).values()
    return found


def _check_part(part: Any) -> None:
    """What code in C takes unseen. Raises InvalidArchive where it would read what is not there, or never end."""
    if hasattr(part, "tree_") and part.tree_.n_features != part.n_features_in_:
        raise InvalidArchive("expected trees of the columns that they are given")
    features = getattr(part, "estimators_features_", None)
    for k, member in enumerate(np.ravel(np.array(getattr(part, "estimators_", []), object))):
        given = part.n_features_in_ if features is None else len(features[k])
        if hasattr(member, "tree_") and member.n_features_in_ != given:
            raise InvalidArchive("expected trees of the columns that they are given")
    if hasattr(part, "children_left"):
        _check_tree(part.children_left, part.children_right, part.feature, part.children_left == -1, part.n_features)
    for of_step in getattr(part, "_predictors", []):
        for predictor in of_step:
            nodes, leaf = predictor.nodes, predictor.nodes["is_leaf"].astype(bool)
            _check_tree(nodes["left"], nodes["right"], nodes["feature_idx"], leaf, part.n_features_in_)
            bitsets = nodes["bitset_idx"][~leaf & nodes["is_categorical"].astype(bool)]
            if (bitsets >= len(predictor.raw_left_cat_bitsets)).any():
                raise InvalidArchive("expected trees whose categories are there")
    if isinstance(vectors := getattr(part, "support_vectors_", None), np.ndarray) and vectors.ndim == 2:
        n = len(vectors)
        alike = len(part.support_) == n == int(part._n_support.sum() if part._impl in ("c_svc", "nu_svc") else part._n_support[0])
        if not alike or part.dual_coef_.shape[-1] != n or vectors.shape[1] != part.shape_fit_[1]:
            raise InvalidArchive("expected support vectors that are all there")


def _check_tree(left: Array, right: Array, column: Array, leaf: Array, columns: int) -> None:
    """Branches that lead forward to nodes that exist, by columns that exist."""
    n, own, inner = len(left), np.arange(len(left)), ~leaf
    ahead = (left > own) & (left < n) & (right > own) & (right < n) & (column >= 0) & (column < columns)
    if not n or not ahead[inner].all():
        raise InvalidArchive("expected trees whose branches lead to nodes that exist")
