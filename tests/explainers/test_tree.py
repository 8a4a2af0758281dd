"""`tree` against enumeration and against shap, for every kind of tree; weights, ties, probabilities, cost."""

from typing import Any

import numpy as np
import pytest
import shap
from sklearn.ensemble import (
    AdaBoostRegressor,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

from explainers.exact import Exact
from explainers.game import Question, Unruled, players_of
from explainers.tree import Tree
from models.backgrounds import Background, equal_weights
from models.estimator import Estimator
from models.manifest import ColumnSpec, FieldSpec, Manifest
from tests.explainers.nets import unequal

COLUMNS, ROWS = 6, 25
TREES: dict[str, Any] = {
    "tree": DecisionTreeRegressor(random_state=0),
    "tree of classes": DecisionTreeClassifier(max_depth=4, random_state=0),
    "random splits": ExtraTreeClassifier(random_state=0),
    "forest": RandomForestRegressor(12, random_state=0),
    "forest of classes": RandomForestClassifier(12, random_state=0),
    "extra trees": ExtraTreesRegressor(8, max_depth=5, random_state=0),
    "boosting": GradientBoostingRegressor(n_estimators=30, random_state=0),
    "histograms": HistGradientBoostingRegressor(max_iter=30, random_state=0),
}
BOOSTED: dict[str, Any] = {
    "boosting": GradientBoostingClassifier(n_estimators=20, random_state=0),
    "exponential": GradientBoostingClassifier(n_estimators=20, loss="exponential", random_state=0),
    "histograms": HistGradientBoostingClassifier(max_iter=20, random_state=0),
}


def data(classes: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Columns with many and with few values, so that instances meet thresholds; numbers or classes."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, COLUMNS)).astype(np.float32)
    x[:, 3:] = np.round(x[:, 3:])
    y = x[:, 0] * x[:, 3] + np.sin(2 * x[:, 1]) + x[:, 4]
    return x, y if not classes else np.digitize(y, np.quantile(y, np.linspace(0, 1, classes + 1)[1:-1]))


def manifest_of(outputs: int) -> Manifest:
    """Every column a field."""
    names = [f"c{k}" for k in range(COLUMNS)]
    return Manifest(
        name="m",
        version="1",
        kind="tabular",
        output_names=[f"o{k}" for k in range(outputs)],
        fields=[FieldSpec(name=name, type="number") for name in names],
        columns=[ColumnSpec(name=name, field=name) for name in names],
    )


class Case:
    """A fitted model, and a question about eight instances against weighted rows."""

    def __init__(self, model: Any, classes: int = 0, weights: np.ndarray | None = None) -> None:
        x, y = data(classes)
        model.fit(x, y)
        self.manifest = manifest_of(classes or 1)
        self.estimator = Estimator(model, self.manifest, x[:1])
        self.background = Background(x[:ROWS], unequal(ROWS) if weights is None else weights)
        self.x = x[100:108]
        self.tree = Tree(self.estimator, self.background)

    def question(self) -> Question:
        """About every output."""
        x, rows = self.x, self.background.x
        outputs = np.tile(np.arange(self.estimator.outputs), (len(x), 1))
        own, others = (self.estimator.predict(some).astype(np.float64) for some in (x, rows))
        return Question(x, outputs, players_of(self.manifest, "columns", 1), self.background, own, others)


def classes_of(name: str) -> int:
    return 3 if "classes" in name or name == "random splits" else 0


@pytest.mark.parametrize("name", TREES)
def test_single_columns_of_a_sum_of_trees_are_exact(name: str) -> None:
    """As enumeration finds them, with strongly unequal weights; and said to be."""
    case = Case(TREES[name], classes_of(name))
    question = case.question()
    found, right = case.tree.attribute(question), Exact(case.estimator).attribute(question)
    scale = max(1.0, np.abs(question.predictions).max())
    np.testing.assert_allclose(found.values, right.values, atol=1e-6 * scale)
    assert found.exact
    assert case.tree.exact_for(question.players)


@pytest.mark.parametrize("name", BOOSTED)
def test_a_boosted_probability_adds_up_row_by_row(name: str) -> None:
    """It is shared out in proportion, so it is not exact, and the two classes mirror each other."""
    case = Case(BOOSTED[name], classes=2)
    question = case.question()
    found = case.tree.attribute(question)
    base = case.background.weights.astype(np.float64) @ question.background_predictions
    np.testing.assert_allclose(found.values.sum(axis=1), question.predictions - base, atol=1e-6)
    np.testing.assert_allclose(found.values[..., 0], -found.values[..., 1], atol=1e-12)
    assert not found.exact
    right = Exact(case.estimator).attribute(question).values
    assert 0 < np.abs(found.values - right).mean() < 0.5 * np.abs(right).mean()


@pytest.mark.parametrize("name", ["boosting", "forest of classes", "tree"])
def test_shap_finds_the_same_where_it_is_right(name: str) -> None:
    """On trees that are not deep, at inputs that are not close to a threshold: all of shap's rows count equally."""
    models = {
        "boosting": (BOOSTED["boosting"], 2),
        "forest of classes": (TREES["forest of classes"], 3),
        "tree": (TREES["tree"], 0),
    }
    model, classes = models[name]
    model = type(model)(**{**model.get_params(), "max_depth": 3})
    case = Case(model, classes, weights=equal_weights(ROWS))
    output = "probability" if classes else "raw"
    explainer = shap.TreeExplainer(
        model, case.background.x.astype(float), feature_perturbation="interventional", model_output=output
    )
    theirs = explainer.shap_values(case.x.astype(float), check_additivity=False).reshape(len(case.x), COLUMNS, -1)
    ours = case.tree.attribute(case.question()).values
    np.testing.assert_allclose(ours[..., -1], theirs[..., -1], atol=2e-5)


def test_an_input_a_hair_above_a_threshold_goes_its_own_way() -> None:
    """The threshold is between two neighbours in float32; rounded to float32 it would be the larger one."""
    high = np.float32(1.1774694919586182)
    threshold = 1.1774694621562958
    x = np.zeros((8, COLUMNS), np.float32)
    x[4:, 0] = high
    model = DecisionTreeRegressor().fit(x, [0.0] * 4 + [1.0] * 4)
    model.tree_.threshold[0] = threshold
    assert np.float32(threshold) == high
    assert float(high) > threshold
    case = Case(DecisionTreeRegressor())
    case.estimator.model = model
    tree = Tree(case.estimator, Background(x[:1], equal_weights(1)))
    case.background, case.x = Background(x[:1], equal_weights(1)), x[-1:]
    values = tree.attribute(case.question()).values[0, :, 0]
    np.testing.assert_allclose(values, [1.0] + [0.0] * (COLUMNS - 1), atol=1e-12)


def test_a_tree_that_never_splits_has_nothing_to_share_out() -> None:
    """A constant."""
    x, _ = data()
    case = Case(DecisionTreeRegressor(max_depth=1))
    case.estimator.model = DecisionTreeRegressor().fit(x, np.ones(len(x)))
    values = Tree(case.estimator, case.background).attribute(case.question()).values
    assert np.abs(values).max() == 0


@pytest.mark.parametrize(
    ("model", "classes", "says"),
    [
        (LinearRegression(), 0, "LinearRegression is no tree, forest or gradient boosting"),
        (AdaBoostRegressor(random_state=0), 0, "AdaBoostRegressor is no tree"),
        (GradientBoostingRegressor(init=LinearRegression()), 0, "boosting that begins with a LinearRegression"),
        (HistGradientBoostingRegressor(categorical_features=[4], max_iter=2), 0, "some are categories"),
        (GradientBoostingClassifier(n_estimators=3), 3, "a boosted classifier of more than two classes"),
        (HistGradientBoostingClassifier(max_iter=3), 3, "a boosted classifier of more than two classes"),
        (HistGradientBoostingRegressor(loss="poisson", max_iter=3), 0, "with the loss poisson"),
    ],
)
def test_what_is_no_sum_of_trees_says_so(model: Any, classes: int, says: str) -> None:
    x, y = data(classes)
    x[:, 4] = np.abs(x[:, 4])
    model.fit(x, np.abs(y))
    with pytest.raises(Unruled, match=says):
        Tree(Estimator(model, manifest_of(classes or 1), x[:1]), Background(x[:1], equal_weights(1)))


def test_a_forest_that_answers_otherwise_is_found_out() -> None:
    """The sum of the trees is compared with the model's answers when it loads."""
    case = Case(RandomForestRegressor(3, random_state=0))
    case.estimator.model.estimators_ = case.estimator.model.estimators_[:2]
    predict = case.estimator.predict
    case.estimator.predict = lambda x, check=lambda: None: 2 * predict(x)  # type: ignore[method-assign]
    with pytest.raises(Unruled, match="do not add up to its answers"):
        Tree(case.estimator, case.background)
