"""Requests that run as they stand, for the API's documentation: one passenger of the notebook, and an average of ankle boots."""

from typing import Any

from schemas.compare import CompareRequest
from schemas.explain import ExplainRequest
from schemas.predict import PredictRequest
from schemas.summary import SummaryRequest
from schemas.wire import Sent

PASSENGER = {"Pclass": 2, "Sex": "female", "Age": 0.92, "SibSp": 1, "Parch": 2, "Fare": 27.75, "Embarked": "S"}
BOOT = {
    "b64": "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAABgUlEQVR4nL2Su24TURRF93nc65nxY6IJwYwiYwiWiGUkHhINFPwB/8V/0VBSIS"
    "jSRggFBTmJsefecygSyTYfkF3to6XVHG3gnkK0rf8RJjIYADBsH3Ko6rC+SdnA0Ze6q0EH03m9ulh2maT4/V33xfrZm6PuctWZqH/+tg9jM2lr"
    "tHC4X39JO5CIy/HxsFQFkJMl3zVZm6fjyCpgRy4IW8jEBycnI2UmIoBC3JrMNJy9PI4QZnKCh4b07hPEOjx9NysgQnAHXCaqIBDAEkan72cliT"
    "IAWPY8LRUsQqzl4fNXE4GKG7vbJiM/qpWqh4XoYPxk2ncpAnt2mGVnG440vH4RY9EfqKd+FYWFCULsvgmiDz62q84Z6FVlL/SE3AGHGNlGFwvk"
    "rjMOIWgUGMETGMlyUr34MTkQuBGYyYN26z+IgFt3U1JoZ/N525TK4p5+nZ39vHz7AczdtX8iEEtZHR41A12vzs+vksvjhWdb/11+pdulEBHBcT"
    "cQcgB+e9x3/gE7KIxA6owBGwAAAABJRU5ErkJggg=="
}

_RECORD: dict[str, Any] = {"model": "titanic", "instances": [PASSENGER]}
_IMAGE: dict[str, Any] = {"model": "fashion-mnist", "instances": [BOOT]}

EXAMPLES: dict[type[Sent], dict[str, dict[str, Any]]] = {
    PredictRequest: {"a passenger": _RECORD, "an image": _IMAGE},
    ExplainRequest: {
        "a passenger": _RECORD,
        "a passenger, as a force plot": _RECORD | {"plot": "force", "outputs": ["survived"]},
        "why he and not she": {
            "model": "titanic",
            "instances": [PASSENGER | {"Sex": "male"}],
            "background": {"instances": [PASSENGER]},
        },
        "with interactions": _RECORD | {"interactions": True, "outputs": ["survived"]},
        "an image, pixel by pixel": _IMAGE,
        "an image, in patches": _IMAGE | {"players": "patches"},
    },
    CompareRequest: {
        "a passenger": _RECORD | {"methods": ["exact", "permutation", "deep"]},
        "an image": _IMAGE | {"methods": ["deep", "deep_shap"], "players": "patches"},
    },
    SummaryRequest: {"the passengers": {"model": "titanic"}, "as a beeswarm": {"model": "titanic", "plot": "beeswarm"}},
}
"""By the schema of the body, by name."""
