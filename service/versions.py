"""Which versions a model was measured or packed with."""

import platform
from importlib.metadata import version

from models.predictor import Engine
from service import __version__

_PACKAGES: dict[Engine, tuple[str, ...]] = {"keras": ("keras", "tensorflow"), "sklearn": ("scikit-learn", "skops", "shap")}


def versions_of(engine: Engine) -> dict[str, str]:
    """Of Python, of this service, and of the library that runs the model."""
    known = {"python": platform.python_version(), "shapserve": __version__, "numpy": version("numpy")}
    return known | {package: _version(package) for package in _PACKAGES[engine]}


def _version(package: str) -> str:
    names = ("tensorflow-cpu", "tensorflow") if package == "tensorflow" else (package,)
    for name in names:
        try:
            return version(name)
        except ModuleNotFoundError:
            continue
    return "unknown"
