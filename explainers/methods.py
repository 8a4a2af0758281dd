"""All methods. A new one is a file, and here a line and what builds it. TensorFlow is imported by what needs it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from explainers.exact import Exact
from explainers.game import Explainer
from explainers.kernel import Kernel
from explainers.monte_carlo import MonteCarlo
from explainers.partition import Partition
from explainers.permutation import Permutation
from explainers.tree import Tree
from models.backgrounds import Background
from models.predictor import Engine, Predictor

Holds = Literal["always", "on average", "affine"]
"""Exactly, within standard errors, or for models that are affine in the input."""
_ANY: tuple[Engine, ...] = ("keras", "sklearn")


@dataclass(frozen=True)
class Method:
    """How a method is built for a model and its background, and which axioms it keeps."""

    build: Callable[[Any, Background], Explainer]
    """Compiles and warms. Raises Unruled."""
    efficiency: Holds
    """Values add up to v(everybody) - v(nobody)."""
    fairness: Holds
    """Dummy, symmetry and linearity."""
    engines: tuple[Engine, ...] = _ANY
    """Whose models it can explain."""


def methods_for(model: Predictor) -> dict[str, Method]:
    """Those for models of its engine, by name."""
    return {name: method for name, method in METHODS.items() if model.engine in method.engines}


def _deep(network: Any, background: Background) -> Explainer:
    from explainers.deep import rules
    from explainers.deep.engine import DeepExplainer

    return DeepExplainer(network, background, rules.LAYERS, rules.ACTIVATIONS)


def _deep_paths(network: Any, background: Background) -> Explainer:
    from explainers.deep import rules
    from explainers.deep.paths import DeepPaths

    return DeepPaths(network, background, rules.LAYERS, rules.ACTIVATIONS)


def _deep_shap(network: Any, background: Background) -> Explainer:
    from explainers.deep import shap_rules
    from explainers.deep.engine import DeepExplainer

    return DeepExplainer(network, background, shap_rules.LAYERS, shap_rules.ACTIVATIONS, "deep_shap")


def _gradient(network: Any, _: Background) -> Explainer:
    from explainers.gradient import Gradient

    return Gradient(network)


METHODS: dict[str, Method] = {
    "exact": Method(lambda model, _: Exact(model), "always", "always"),
    "permutation": Method(lambda model, _: Permutation(model), "always", "on average"),
    "tree": Method(Tree, "always", "affine", ("sklearn",)),
    "deep": Method(_deep, "always", "affine", ("keras",)),
    "deep_paths": Method(_deep_paths, "always", "affine", ("keras",)),
    "deep_shap": Method(_deep_shap, "always", "affine", ("keras",)),
    "monte_carlo": Method(lambda model, _: MonteCarlo(model), "on average", "on average"),
    "kernel": Method(lambda model, _: Kernel(model), "always", "always"),
    "gradient": Method(_gradient, "on average", "affine", ("keras",)),
    "partition": Method(lambda model, _: Partition(model), "always", "affine"),
}
