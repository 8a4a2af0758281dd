"""`shapserve explain`: a request answered without a server."""

import os
import tempfile
from pathlib import Path

import orjson

from models.folder import find_folders
from schemas.explain import ExplainRequest
from schemas.picture import JSON, PNG, SVG
from service.body import parse
from service.catalog import Catalog, Model
from service.context import Context
from service.errors import UnknownModel, one_of
from service.explain import explain
from service.lane import Clock
from service.metrics import Metrics
from service.pictures.sketch import Sketch
from service.settings import Settings

MEDIA = {".json": JSON, ".svg": SVG, ".png": PNG}
"""By the ending of a file's name."""


def answer(body: bytes, options: dict[str, str], settings: Settings, media: str) -> bytes:
    """What POST /explain answers to the body, with `options` in the place of its own. Raises Problem, InvalidFolder.

    Loads the one model that the body names.
    """
    parse(ExplainRequest, body)
    body = orjson.dumps(orjson.loads(body) | options)
    name = parse(ExplainRequest, body).model
    context = Context(settings, Catalog({name: _load(name, settings.models)}), Metrics())
    made = explain(body, context, Clock(settings.deadline_ms), media=media)
    return _draw(made) if isinstance(made, Sketch) else made


def write(path: Path, content: bytes) -> None:
    """The whole file or nothing. Raises OSError."""
    handle, work = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(work, 0o644)
        os.replace(work, path)
    except BaseException:
        os.unlink(work)
        raise


def _load(name: str, folder: Path) -> Model:
    folders = {path.name: path for path in find_folders(folder)}
    if name not in folders:
        raise UnknownModel(f"expected one of {one_of(list(folders))}" if folders else "there is no model folder")
    from service.loading import load_model  # imports TensorFlow

    return load_model(folders[name])


def _draw(sketch: Sketch) -> bytes:
    import matplotlib as mpl

    mpl.use("agg")
    from service.pictures.plots import draw

    return draw(sketch)
