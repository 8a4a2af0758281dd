"""`tree`: the Shapley values of trees along their branches (shap.TreeExplainer, interventional; Lundberg et al. 2020, sec. 4).

shap knows no weights: it is asked about one background row at a time, and the rows' values are added up by weight. Where the
trees' own sum is the answer (forests, regressors) the values of single columns are exact; a boosted classifier's probability is
shared out in proportion to the values of its log-odds, row by row, which adds up and is biased.
"""

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from explainers.game import Attribution, Players, Question, Unruled
from models.arrays import Array, Floats, Inputs
from models.backgrounds import Background, exact_weights

if TYPE_CHECKING:
    from models.estimator import Estimator

_PAIRS = 64
"""Instances that are explained against one row in one call of C, which holds Python's lock."""
_PROBES = 5


class Tree:
    """shap.TreeExplainer over single rows; it keeps nothing between calls and touches nothing outside itself."""

    players = ("fields", "columns", "pixels", "patches")
    elementwise = True
    sampling = False

    def __init__(self, estimator: "Estimator", background: Background) -> None:
        """Raises Unruled for models that shap has no trees of, or whose answers it does not find."""
        from shap import TreeExplainer  # half a second, and matplotlib

        no_trees = f"shap.TreeExplainer has no trees of a {type(estimator.model).__name__}"
        if estimator.answers == "margins":
            raise Unruled(no_trees)
        output = "raw" if estimator.answers == "values" else "probability"
        try:
            self._explainer = TreeExplainer(
                estimator.model, _flat(background.x[:1]), feature_perturbation="interventional", model_output=output
            )
            self._plain = self._explainer.model.get_transform() == "identity"
            self._check_answers(estimator, background)
        except Unruled:
            raise
        except Exception as error:  # shap raises many types for models that it does not know
            raise Unruled(no_trees) from error

    def exact_for(self, players: Players) -> bool:
        """Whether the values are the Shapley values of these players: single columns, and the answer a sum of trees."""
        return self._plain and players.count == len(players.groups)

    def cost(self, question: Question) -> int:
        """One pair per background row."""
        return len(question.background.x)

    def attribute(self, question: Question) -> Attribution:
        """See Explainer. Values per column, added up per player."""
        weights, outputs = exact_weights(question.background.weights), question.predictions.shape[1]
        parts = []
        for begin in range(0, len(question.x), _PAIRS):
            x = question.x[begin : begin + _PAIRS]
            values = np.zeros((len(x), x[0].size, outputs))
            for row, weight in zip(question.background.x, weights, strict=True):
                question.effort.check()
                values += weight * self._against(row, x, outputs)
            parts.append(values)
        asked = np.take_along_axis(np.concatenate(parts), question.outputs[:, None, :], axis=2)
        exact = self.exact_for(question.players)
        return Attribution(question.players.add_up(asked), [self.cost(question)] * len(asked), exact=exact)

    def _against(self, row: Array, x: Inputs, outputs: int) -> Floats:
        """Values (n, columns, outputs) of x (n, ...) against a single row."""
        explainer: Any = copy.copy(self._explainer)
        explainer.data = _flat(row[None]).astype(explainer.model.input_dtype)
        explainer.data_missing = np.isnan(explainer.data)
        made = explainer.shap_values(_flat(x), check_additivity=False).reshape(len(x), x[0].size, -1)
        return made if made.shape[2] == outputs else np.concatenate([-made, made], axis=2)  # of two classes shap tells the second

    def _check_answers(self, estimator: "Estimator", background: Background) -> None:
        """What shap shares out has to be what the model answers."""
        x = background.x[:: max(1, len(background.x) // _PROBES)][:_PROBES]
        answers = estimator.predict(x).astype(np.float64)
        shared = self._against(x[0], x, estimator.outputs).sum(axis=1)
        if not np.allclose(shared, answers - answers[:1], rtol=1e-4, atol=1e-4 * max(1.0, float(np.abs(answers).max()))):
            raise Unruled("shap.TreeExplainer finds other answers than the model's")


def _flat(x: Array) -> Floats:
    return np.asarray(x.reshape(len(x), -1), np.float64)
