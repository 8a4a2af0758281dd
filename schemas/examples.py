"""Requests that run as they stand, for the API's documentation: one passenger of the notebook, and an average of ankle boots."""

from typing import Any

from schemas.compare import CompareRequest
from schemas.explain import ExplainRequest
from schemas.predict import PredictRequest
from schemas.summary import SummaryRequest
from schemas.v1 import V1ExplainRequest, V1PredictRequest
from schemas.v2 import V2ExplainRequest, V2InferRequest
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

_TENSORS: dict[str, Any] = {
    "inputs": [
        {"name": "Pclass", "shape": [2], "datatype": "INT64", "data": [2, 3]},
        {"name": "Sex", "shape": [2], "datatype": "BYTES", "data": ["female", "male"]},
        {"name": "Age", "shape": [2], "datatype": "FP64", "data": [0.92, None]},
        {"name": "SibSp", "shape": [2], "datatype": "INT64", "data": [1, 0]},
        {"name": "Parch", "shape": [2], "datatype": "INT64", "data": [2, 0]},
        {"name": "Fare", "shape": [2], "datatype": "FP64", "data": [27.75, 8.05]},
    ]
}

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
    V1PredictRequest: {"a passenger": {"instances": [PASSENGER]}},
    V1ExplainRequest: {
        "a passenger": {"instances": [PASSENGER]},
        "sampled": {"instances": [PASSENGER], "parameters": {"method": "permutation", "outputs": ["survived"], "seed": 7}},
    },
    V2InferRequest: {"two passengers": {"id": "42", "outputs": [{"name": "predictions"}]} | _TENSORS},
    V2ExplainRequest: {
        "two passengers": _TENSORS,
        "sampled": {"parameters": {"method": "permutation", "outputs": ["survived"], "seed": 7}} | _TENSORS,
    },
}
"""By the schema of the body, by name."""
