"""Trees of scikit-learn as boxes: what each leaf asks of every column on its path, and what it adds to the answer."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from models.arrays import Array, Floats

Link = Literal["identity", "sigmoid"]
MOST = 2**22
"""Conditions of all leaves together."""


class NoTrees(ValueError):
    """The model is no sum of trees that can be read; the message says why."""


@dataclass(frozen=True)
class Boxes:
    """The leaves of all trees. A condition is that a column's value lies in (low, high]."""

    column: Array
    """(conditions,)"""
    low: Floats
    """(conditions,)"""
    high: Floats
    """(conditions,)"""
    starts: Array
    """(leaves,): where a leaf's conditions begin, one per column on its path; every leaf has some."""
    values: Floats
    """(leaves, outputs): what a leaf adds to the answer, or to the logit of the second class."""
    link: Link
    """What is done to the sum: nothing, or for two classes the logistic function."""


@dataclass(frozen=True)
class _Tree:
    left: Array
    right: Array
    column: Array
    threshold: Floats
    leaf: Array
    """(nodes,): whether it is one."""
    values: Floats
    """(nodes, outputs)"""


def boxes_of(model: Any) -> Boxes:
    """Of a fitted estimator. Raises NoTrees."""
    read = _READERS.get(type(model).__name__)
    if read is None or not type(model).__module__.startswith("sklearn."):
        raise NoTrees(f"{type(model).__name__} is no tree, forest or gradient boosting of scikit-learn")
    trees, link = read(model)
    columns: list[int] = []
    lows: list[float] = []
    highs: list[float] = []
    counts: list[int] = []
    values: list[Floats] = []
    total = 0
    for tree in trees:
        for node, box in _leaves(tree):
            if box:
                columns += box
                lows += [low for low, _ in box.values()]
                highs += [high for _, high in box.values()]
                counts.append(len(box))
                values.append(tree.values[node])
        if len(columns) > MOST:
            raise NoTrees(f"the trees have more than {MOST:,} conditions in all their leaves")
        total = tree.values.shape[1]
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]) if counts else np.zeros(0)
    leaves = np.stack(values) if values else np.zeros((0, total))
    return Boxes(np.array(columns, int), np.array(lows, float), np.array(highs, float), starts.astype(int), leaves, link)


def _leaves(tree: _Tree) -> Iterator[tuple[int, dict[int, tuple[float, float]]]]:
    """Every leaf, and the interval of each column on the way to it."""
    waiting: list[tuple[int, dict[int, tuple[float, float]]]] = [(0, {})]
    while waiting:
        node, box = waiting.pop()
        if tree.leaf[node]:
            yield node, box
            continue
        column, threshold = int(tree.column[node]), float(tree.threshold[node])
        low, high = box.get(column, (-np.inf, np.inf))
        if low < threshold:
            waiting.append((int(tree.left[node]), box | {column: (low, min(high, threshold))}))
        if threshold < high:
            waiting.append((int(tree.right[node]), box | {column: (max(low, threshold), high)}))


def _tree(part: Any, values: Floats) -> _Tree:
    return _Tree(part.children_left, part.children_right, part.feature, part.threshold, part.children_left == -1, values)


def _single(model: Any) -> tuple[Iterable[_Tree], Link]:
    return [_plain(model, 1.0)], "identity"


def _forest(model: Any) -> tuple[Iterable[_Tree], Link]:
    return [_plain(part, 1 / len(model.estimators_)) for part in model.estimators_], "identity"


def _plain(model: Any, share: float) -> _Tree:
    """Numbers per output, or the shares of the classes."""
    values = model.tree_.value  # (nodes, outputs, classes)
    if hasattr(model, "classes_"):
        if values.shape[1] > 1:
            raise NoTrees("it classifies several labels at once")
        values = values[:, 0] / values[:, 0].sum(axis=1, keepdims=True)
    else:
        values = values[:, :, 0]
    return _tree(model.tree_, share * values)


def _boosted(model: Any) -> tuple[Iterable[_Tree], Link]:
    if hasattr(model, "classes_") and len(model.classes_) > 2:
        raise NoTrees("a boosted classifier of more than two classes")
    if model.init_ != "zero" and not type(model.init_).__name__.startswith("Dummy"):
        raise NoTrees(f"boosting that begins with a {type(model.init_).__name__}, which is no constant")
    factor = model.learning_rate * (2 if getattr(model, "loss", "") == "exponential" else 1)
    trees = [_tree(part.tree_, factor * part.tree_.value[:, :, 0]) for (part,) in model.estimators_]
    return trees, "sigmoid" if hasattr(model, "classes_") else "identity"


def _histogram(model: Any) -> tuple[Iterable[_Tree], Link]:
    if model._preprocessor is not None:
        raise NoTrees("trees whose columns are sorted before they are split: some are categories")
    if any(len(of_step) > 1 for of_step in model._predictors):
        raise NoTrees("a boosted classifier of more than two classes")
    if not hasattr(model, "classes_") and model.loss not in ("squared_error", "absolute_error", "quantile"):
        raise NoTrees(f"a boosted regressor whose answer is not the sum of its trees, with the loss {model.loss}")
    trees = []
    for (predictor,) in model._predictors:
        nodes = predictor.nodes
        if nodes["is_categorical"].any():
            raise NoTrees("trees that split categories")
        left, right, column, threshold = (nodes[name] for name in ("left", "right", "feature_idx", "num_threshold"))
        trees.append(_Tree(left, right, column, threshold, nodes["is_leaf"].astype(bool), nodes["value"][:, None]))
    return trees, "sigmoid" if hasattr(model, "classes_") else "identity"


_READERS = {
    "DecisionTreeClassifier": _single,
    "DecisionTreeRegressor": _single,
    "ExtraTreeClassifier": _single,
    "ExtraTreeRegressor": _single,
    "RandomForestClassifier": _forest,
    "RandomForestRegressor": _forest,
    "ExtraTreesClassifier": _forest,
    "ExtraTreesRegressor": _forest,
    "GradientBoostingClassifier": _boosted,
    "GradientBoostingRegressor": _boosted,
    "HistGradientBoostingClassifier": _histogram,
    "HistGradientBoostingRegressor": _histogram,
}
"""By the class's name: its trees, and what is done to their sum."""
