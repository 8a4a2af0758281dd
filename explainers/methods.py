"""All methods. A new one is a file and a line here. Imports TensorFlow."""

from collections.abc import Callable
from functools import partial

from explainers.deep import rules, shap_rules
from explainers.deep.engine import DeepExplainer
from explainers.game import Explainer
from models.backgrounds import Background
from models.network import Network

METHODS: dict[str, Callable[[Network, Background], Explainer]] = {
    "deep": partial(DeepExplainer, rules=rules.LAYERS, activations=rules.ACTIVATIONS),
    "deep_shap": partial(DeepExplainer, rules=shap_rules.LAYERS, activations=shap_rules.ACTIVATIONS),
}
