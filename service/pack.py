"""`shapserve pack`: a model's file, its transformer's and its data's made a model folder, shown before it is written."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from rich.table import Table

from models.archive import InvalidArchive
from models.packing import Packing, Unpackable, prepare
from models.packing.fields import table
from service.audit import console


def pack(
    model: Path,
    folder: Path,
    data: Path,
    *,
    transformer: Path | None,
    fields: Path | None,
    agreed: Callable[[], bool],
    force: bool,
    **options: Any,
) -> bool:
    """Whether the folder was written: `agreed` is asked once all is shown. Raises Unpackable, OSError."""
    if folder.exists() and not force:
        raise FileExistsError(f"{folder} exists; choose another folder with --out, or say --force")
    options["transformer"] = None if transformer is None else _read_estimator(transformer)
    options["fields"] = {} if fields is None else _read_fields(fields)
    packing = prepare(_read_model(model), folder.name, data, **options)
    console(stderr=True).print(*_review(packing), sep="\n", highlight=False)
    if not agreed():
        return False
    packing.write(folder, force=force)
    return True


def _read_model(path: Path) -> Any:
    if path.suffix == ".keras":
        from models.network import read_network  # imports TensorFlow

        return _opened(read_network, path)
    if path.suffix == ".skops":
        return _read_estimator(path)
    raise Unpackable(f"{path}: expected a .keras or a .skops file; pickles, joblib and .h5 files run code and are not opened")


def _read_estimator(path: Path) -> Any:
    from models.estimator import read_estimator

    return _opened(partial(read_estimator, own=True), path)


def _opened(read: Callable[[Path], Any], path: Path) -> Any:
    if not path.is_file():
        raise Unpackable(f"{path}: there is no such file")
    try:
        return read(path)
    except InvalidArchive as error:
        raise Unpackable(f"{path}: {error}") from None


def _read_fields(path: Path) -> Any:
    try:
        given = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise Unpackable(f"{path}: expected JSON: {error}") from None
    if not isinstance(given, dict) or not all(isinstance(part, dict) for part in given.values()):
        raise Unpackable(f'{path}: expected an object like {{"age": {{"unit": "years", "minimum": 0}}}}')
    return given


def _review(packing: Packing) -> list[Any]:
    """What was read from the model, the transformer and the data, and what was not said."""
    manifest = packing.manifest
    shown: list[Any] = []
    if manifest.fields:
        fields = Table(title=f"{manifest.name}: fields", title_justify="left")
        for head in ("field", "type", "values", "absent", "columns"):
            fields.add_column(head)
        for row in table(manifest.fields, manifest.columns):
            fields.add_row(*(cell.removeprefix("absent: ") for cell in row))
        shown.append(fields)
    image = manifest.image
    if image is not None:
        shown.append(f"{manifest.name}: images of {image.height} x {image.width}, {image.channels} channels")
    shown.append(f"outputs: {', '.join(manifest.output_names)}" + _classes(packing))
    shown.append(f"background: {manifest.background}")
    shown.append(f"max_evaluations: {manifest.max_evaluations}, about a second's worth here")
    shown += packing.notes
    shown.append(f"packed and original answers differ by {packing.difference:.1g} at most")
    return shown


def _classes(packing: Packing) -> str:
    manifest = packing.manifest
    if manifest.class_names is None:
        return " (a regression: numbers, no classes)"
    if len(manifest.output_names) == 1:
        return f" (from {manifest.threshold:g} on {manifest.class_names[1]}, below {manifest.class_names[0]})"
    return ""
