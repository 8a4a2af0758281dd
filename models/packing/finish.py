"""The last steps of packing: the model's file is written, loaded as the service would, compared with the original, and timed."""

import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from models.arrays import Array, Floats, Inputs
from models.backgrounds import Background
from models.folder import InvalidFolder, ModelFolder, read_folder, write_folder
from models.manifest import Example, Manifest
from models.packing.card import card
from models.packing.fields import flaws
from models.packing.options import Options
from models.packing.subjects import Subject
from models.packing.transformers import Unpackable
from models.predictor import Predictor, load_predictor, nobody_left
from models.tabular import InvalidInstances, RecordReader

TOLERANCE = 1e-4
"""Relative to the largest answer; encodings relative to the column's largest value, at least 1."""
_LEAST, _MOST = 20_000, 2_000_000
"""Model inputs that an explanation may cost, whatever the model's speed."""


@dataclass(frozen=True)
class Packing:
    """A model that was packed, loaded again and compared; nothing is written yet."""

    manifest: Manifest
    background: Background
    content: bytes
    """The model's file."""
    file: str
    notes: list[str]
    """What a reader should know before agreeing."""
    difference: float
    """Largest absolute difference between packed and original answers."""

    def save(self, path: Path) -> None:
        """Write the model's file."""
        path.write_bytes(self.content)

    def write(self, folder: Path, *, force: bool = False) -> ModelFolder:
        """Write the whole folder or nothing. Raises FileExistsError."""
        if folder.name != self.manifest.name:
            raise Unpackable(f"expected the folder to be named {self.manifest.name}, as the model")
        text = card(self.manifest, self.notes, self.difference)
        write_folder(folder, self.manifest, self, self.background, text, force=force, file=self.file)
        return read_folder(folder)


def finish(
    subject: Subject,
    told: Options,
    x: Inputs,
    originals: Floats,
    reference: Background,
    *,
    rows: int,
    notes: list[str],
    **parts: Any,
) -> Packing:
    """Write the model's file, load it as the service would, compare its answers to x with the originals, time it."""
    outputs = subject.outputs(told.output_names, told.class_names)
    _check_json(told)
    few = len(outputs.output_names) <= 2 or outputs.class_names is None
    try:
        manifest = Manifest(
            **parts,
            version=told.version,
            description=told.description,
            output_names=outputs.output_names,
            class_names=outputs.class_names,
            probabilities=outputs.probabilities,
            default_outputs=told.default_outputs or ("all" if few else "predicted"),
            max_evaluations=told.max_evaluations or _LEAST,
            examples=[Example.model_validate(example) for example in told.examples],
            training={"rows": rows, **told.training, **subject.versions()},
            metrics=dict(told.metrics),
        )
    except ValidationError as error:
        raise Unpackable(f"the manifest would not be valid: {flaws(error)}") from error
    _check_examples(manifest)
    with tempfile.TemporaryDirectory() as work:
        path = Path(work) / manifest.name
        write_folder(path, manifest, subject, reference, "", force=False, file=subject.file)
        try:
            predictor = load_predictor(read_folder(path))
        except InvalidFolder as error:
            raise Unpackable(f"the packed model does not load: {error}") from error
        content = (path / subject.file).read_bytes()
    difference = _difference(predictor.predict(x), originals)
    if told.max_evaluations is None:
        manifest = manifest.model_copy(update={"max_evaluations": _affordable(predictor, x)})
    return Packing(manifest, reference, content, subject.file, notes, difference)


def _check_json(told: Options) -> None:
    """What is said of the training and as examples goes into manifest.json."""
    try:
        json.dumps([dict(told.training), dict(told.metrics), list(told.examples)], allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Unpackable(f"`training`, `metrics` and `examples` are expected as JSON holds them: {error}") from None


def _check_examples(manifest: Manifest) -> None:
    try:
        if manifest.fields and manifest.examples:
            RecordReader(manifest).read([example.instance for example in manifest.examples], nobody_left)
    except InvalidInstances as error:
        raise Unpackable(f"an example is no record of this model: {error}") from None


def _difference(packed: Array, originals: Floats) -> float:
    apart = np.abs(packed - originals)
    limit = TOLERANCE * (float(np.abs(originals).max()) or 1.0)
    if not np.isfinite(originals).all():
        raise Unpackable("the model answers NaN or infinity to some of the data")
    if not np.isfinite(packed).all():
        raise Unpackable("the packed model, which sees float32, answers NaN or infinity where the original does not")
    if (count := int((apart > limit).any(axis=1).sum())) > 0:
        raise Unpackable(f"packed and original answers differ for {count} of {len(apart)} rows, by up to {apart.max():.2g}")
    return float(apart.max())


def _affordable(predictor: Predictor, x: Inputs) -> int:
    """About one second's worth of model inputs, to one digit."""
    many = np.resize(x, (4096, *x.shape[1:])) if x[0].size < 4096 else x
    predictor.evaluate(many)
    begin = time.perf_counter()
    predictor.evaluate(many)
    rate = len(many) / (time.perf_counter() - begin)
    digits = 10 ** int(np.floor(np.log10(max(rate, 1))))
    return int(np.clip(rate // digits * digits, _LEAST, _MOST))
