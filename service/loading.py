"""A model folder made ready to serve. Imports the library that runs the model."""

from pathlib import Path

import numpy as np

from explainers.game import Explainer, Unruled, player_names
from explainers.methods import methods_for
from models.folder import ModelFolder, read_folder
from models.predictor import Predictor, load_predictor
from models.tabular import RecordReader
from service.backgrounds import Backgrounds
from service.catalog import Model
from service.image_reader import ImageReader
from service.metrics import Metrics


def load_model(path: Path) -> Model:
    """Read, load, compile and warm. Raises InvalidFolder."""
    return load_folder(read_folder(path))


def load_folder(folder: ModelFolder, metrics: Metrics | None = None) -> Model:
    """The same of a folder that was read; metrics: what is to count its batches. Raises InvalidFolder."""
    predictor = load_predictor(folder)
    model = assemble(folder, predictor)
    if metrics is not None:
        for call, fusion in predictor.fusions.items():
            fusion.watch = metrics.batches(folder.manifest.name, call)
    return model


def assemble(folder: ModelFolder, predictor: Predictor) -> Model:
    """What serves: the model with its reader, its backgrounds and every method that can explain it."""
    manifest = folder.manifest
    explainers: dict[str, Explainer] = {}
    unsupported: dict[str, str] = {}
    for name, method in methods_for(predictor).items():
        try:
            explainer = method.build(predictor, folder.background)
        except Unruled as error:
            unsupported[name] = str(error)
        else:
            if set(explainer.players) & set(player_names(manifest.kind)):
                explainers[name] = explainer
    return Model(
        manifest,
        ImageReader(manifest.image) if manifest.image else RecordReader(manifest),
        predictor.predict,
        Backgrounds({name: (b, predictor.predict(b.x).astype(np.float64)) for name, b in folder.backgrounds.items()}),
        explainers,
        unsupported,
        folder.receipt,
    )
