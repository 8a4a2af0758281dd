"""All methods. A new one is a file and a line here. Imports TensorFlow."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from explainers.deep import rules, shap_rules
from explainers.deep.engine import DeepExplainer
from explainers.deep.paths import DeepPaths
from explainers.exact import Exact
from explainers.game import Explainer
from explainers.gradient import Gradient
from explainers.kernel import Kernel
from explainers.monte_carlo import MonteCarlo
from explainers.partition import Partition
from explainers.permutation import Permutation
from models.backgrounds import Background
from models.network import Network

Holds = Literal["always", "on average", "affine"]
"""Exactly, within standard errors, or for nets that are affine in the input."""


@dataclass(frozen=True)
class Method:
    """How a method is built for a network and its background, and which axioms it keeps."""

    build: Callable[[Network, Background], Explainer]
    """Compiles and warms. Raises Unruled."""
    efficiency: Holds
    """Values add up to v(everybody) - v(nobody)."""
    fairness: Holds
    """Dummy, symmetry and linearity."""


_deep = partial(DeepExplainer, rules=rules.LAYERS, activations=rules.ACTIVATIONS)
_deep_paths = partial(DeepPaths, rules=rules.LAYERS, activations=rules.ACTIVATIONS)
_deep_shap = partial(DeepExplainer, rules=shap_rules.LAYERS, activations=shap_rules.ACTIVATIONS)

METHODS: dict[str, Method] = {
    "exact": Method(lambda network, _: Exact(network), "always", "always"),
    "permutation": Method(lambda network, _: Permutation(network), "always", "on average"),
    "deep": Method(_deep, "always", "affine"),
    "deep_paths": Method(_deep_paths, "always", "affine"),
    "deep_shap": Method(_deep_shap, "always", "affine"),
    "monte_carlo": Method(lambda network, _: MonteCarlo(network), "on average", "on average"),
    "kernel": Method(lambda network, _: Kernel(network), "always", "always"),
    "gradient": Method(lambda network, _: Gradient(network), "on average", "affine"),
    "partition": Method(lambda network, _: Partition(network), "always", "affine"),
}
