"""From a request for a picture to what is drawn: which plot of which output, its numbers, its names."""

from typing import Any, TypeVar

import numpy as np

from models.arrays import Floats, Outputs
from models.images import to_bytes
from models.manifest import Manifest, Value
from schemas.explain import ExplainRequest
from schemas.picture import OVERALL, SINGLE, Plot
from service.ask import Asked
from service.catalog import Model
from service.errors import invalid, one_of
from service.pictures.sketch import Sketch
from service.pictures.words import alternative, plain, stood_at
from service.respond import Json

R = TypeVar("R", bound=ExplainRequest)
MOST_IMAGES, MOST_MAPS = 8, 100
_MOST_CATEGORIES = 3


def pose(request: R, model: Model, predictions: Outputs, *, overall: bool = False) -> R:
    """The request with all that a picture of it needs said: which plot, which output. Raises Invalid.

    predictions: (n, outputs). overall: only plots of several instances will do.
    """
    n, manifest = len(predictions), model.manifest
    plot = request.plot or _usual(manifest, n, overall)
    _check_count(plot, n, overall)
    if plot == "image":
        _check_maps(request, manifest, n)
        return request.model_copy(update={"plot": plot})
    if request.players == "pixels":
        raise invalid("/players", f"expected `patches` for `{plot}`; pixels are drawn by `image`")
    said: dict[str, Any] = {"plot": plot, "outputs": [_output(request, plot, manifest, predictions)]}
    if manifest.kind == "image":
        said["players"] = "patches"
        if n > 1 and request.method == "auto" and "deep" in model.explainers:  # seconds per image otherwise
            said["method"] = "deep"
    return request.model_copy(update=said)


def _check_count(plot: Plot, n: int, overall: bool) -> None:
    if overall and plot not in OVERALL:
        raise invalid("/plot", f"expected {one_of(OVERALL)}")
    if overall and n == 1:
        raise invalid("/instances", f"`{plot}` draws several instances; send more, or ask /explain for another plot")
    if plot in SINGLE and n > 1:
        raise invalid("/plot", f"`{plot}` draws one instance; send one, or take `decision`, `bar` or `beeswarm`")
    if plot in OVERALL and n == 1:
        raise invalid("/plot", f"`{plot}` draws several instances; send more, or take `waterfall`, `force` or `decision`")


def _check_maps(request: ExplainRequest, manifest: Manifest, n: int) -> None:
    if manifest.kind != "image":
        raise invalid("/plot", "`image` draws images; expected another plot for records")
    if n > MOST_IMAGES:
        raise invalid("/instances", f"expected at most {MOST_IMAGES} images for one picture")
    outputs = request.outputs or manifest.default_outputs
    maps = n * (len(manifest.output_names) if outputs == "all" else 1 if outputs == "predicted" else len(outputs))
    if maps > MOST_MAPS:
        raise invalid("/outputs", f"the picture would hold {maps} maps, more than {MOST_MAPS}; send fewer images or outputs")


def _usual(manifest: Manifest, n: int, overall: bool) -> Plot:
    if overall:
        return "bar"
    if manifest.kind == "image" and n <= MOST_IMAGES:
        return "image"
    return "waterfall" if n == 1 else "beeswarm"


def _output(request: ExplainRequest, plot: Plot, manifest: Manifest, predictions: Outputs) -> str:
    """The one that was named, otherwise the predicted one; of two, for several instances, the second."""
    names, asked = manifest.output_names, request.outputs
    if isinstance(asked, list) and len(asked) == 1:
        return asked[0]
    if len(names) == 1 and not isinstance(asked, list):
        return names[0]
    if len(predictions) == 1 and asked in (None, "predicted"):
        return names[predictions[0].argmax()]
    if asked is None and len(names) <= 2:
        return names[-1]
    raise invalid("/outputs", f"`{plot}` draws one output; expected a list with one of {one_of(names)}")


def sketch(request: ExplainRequest, media: str, asked: Asked, content: Json) -> Sketch:
    """Of a posed request, from the body of its JSON answer."""
    assert request.plot is not None
    manifest, explanations = asked.model.manifest, content["explanations"]
    values = np.stack([explanation["shap_values"] for explanation in explanations])
    means = np.ravel(content.get("mean_abs_shap_values", np.abs(values).mean(axis=0)))
    if request.plot == "image":
        assert manifest.image is not None
        names, numbers, output = [], None, ""
        values, images = _over_pixels(values, asked), to_bytes(asked.instances.inputs, manifest.image)
    else:
        names, numbers, output = _names(asked, request.plot, len(explanations)), _numbers(asked), explanations[0]["outputs"][0]
        values, images = values.reshape(len(values), -1), None
    return Sketch(
        media=media,
        plot=request.plot,
        palette=request.palette,
        alt=alternative(request.plot, content, values, means, names),
        values=means[None] if request.plot == "bar" else values,
        base_value=float(explanations[0]["base_values"][0]),
        output=output,
        names=names,
        numbers=numbers,
        images=images,
        titles=[[f"{k}\n{plain(p)}" for k, p in zip(e["outputs"], e["prediction"], strict=True)] for e in explanations],
    )


def _over_pixels(values: Floats, asked: Asked) -> Floats:
    """Of pixels the sum over the channels, of patches the value of the whole patch: (n, height, width, outputs)."""
    if asked.question.players.name == "pixels":
        return values.sum(axis=3)
    groups = asked.question.players.groups.reshape(asked.instances.inputs.shape[1:])[..., 0]
    return values.reshape(len(values), -1, values.shape[-1])[:, groups]


def _names(asked: Asked, plot: Plot, n: int) -> list[str]:
    """`Sex = female` for one instance, `Sex (female, male)` where colours stand for values, otherwise `Sex`."""
    players, instances = asked.question.players, asked.instances
    if players.names is None:
        return [f"row {row + 1}, column {column + 1}" for row, column in np.ndindex(*players.shape[:2])]
    data = _data(asked)
    if data is not None and n == 1:
        return [stood_at(name, value, instances.imputed[0]) for name, value in zip(players.names, data[0], strict=True)]
    if data is not None and plot == "beeswarm":
        return [name + _in_order(_categories(asked, name)) for name in players.names]
    return players.names


def _data(asked: Asked) -> list[list[Value]] | None:
    """(n, players): what the names stood at."""
    if asked.question.players.name == "columns" and asked.instances.columns is not None:
        return asked.instances.columns.tolist()
    return asked.instances.data


def _numbers(asked: Asked) -> Floats | None:
    data, names = _data(asked), asked.question.players.names or []
    if data is None:
        return None
    orders = [_categories(asked, name) for name in names]
    return np.array([[order.index(str(v)) if order else v for v, order in zip(row, orders, strict=True)] for row in data], float)


def _categories(asked: Asked, name: str) -> list[str]:
    """Of a field that has some; a column is a number."""
    if asked.question.players.name == "columns":
        return []
    return next((field.categories or [] for field in asked.model.manifest.fields if field.name == name), [])


def _in_order(categories: list[str]) -> str:
    shown = [*categories[:_MOST_CATEGORIES], *(["…"] if len(categories) > _MOST_CATEGORIES else [])]
    return f" ({', '.join(shown)})" if shown else ""
