"""A model folder made ready to serve. Imports TensorFlow."""

from pathlib import Path

import numpy as np

from explainers.deep.program import Unruled
from explainers.game import Explainer, player_names
from explainers.methods import METHODS
from models.folder import read_folder
from models.network import Network
from models.tabular import RecordReader
from service.backgrounds import Backgrounds
from service.catalog import Model
from service.image_reader import ImageReader


def load_model(path: Path) -> Model:
    """Read, load, compile and warm. Raises InvalidFolder."""
    folder = read_folder(path)
    network = Network.load(folder)
    manifest = folder.manifest
    explainers: dict[str, Explainer] = {}
    unsupported: dict[str, str] = {}
    for name, method in METHODS.items():
        try:
            explainer = method.build(network, folder.background)
        except Unruled as error:
            unsupported[name] = str(error)
        else:
            if set(explainer.players) & set(player_names(manifest.kind)):
                explainers[name] = explainer
    return Model(
        manifest,
        ImageReader(manifest.image) if manifest.image else RecordReader(manifest),
        network.predict,
        Backgrounds({name: (b, network.predict(b.x).astype(np.float64)) for name, b in folder.backgrounds.items()}),
        explainers,
        unsupported,
    )
