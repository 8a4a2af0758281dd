"""A `.keras` file, looked at before Keras opens it: how large it is, whose classes it names, what its weights refer to."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from models.archive import InvalidArchive, check_archive

_MEMBERS = ("metadata.json", "config.json", r"model\.weights\.h5", r"assets/", r"assets/[A-Za-z0-9_./-]+")
_MAX_CONFIG = 64 * 2**20
_CODE = {"Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "__lambda__"}
"""Layers that carry code of their own, or run code from elsewhere."""
_VALUES = {"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__", "__tuple__", "__dict__"}
"""What stands for a value in a configuration."""
_MODULES = re.compile(
    r"keras|keras\.(layers|models|initializers|regularizers|constraints|quantizers|dtype_policies|random)"
    r"|keras\.src\.(models\.(functional|sequential)|dtype_policies\.\w+|ops\.\w+)"
)
"""Where Keras keeps what a network is made of; its other modules load, save, download and draw."""


def check_keras_file(path: Path) -> None:
    """Raises InvalidArchive unless the file is of a bounded size, of Keras's own classes, with its weights inside."""
    check_archive(path, _MEMBERS)
    with zipfile.ZipFile(path) as archive:
        for name in ("config.json", "model.weights.h5"):
            if name not in archive.namelist():
                raise InvalidArchive(f"expected the member {name}")
        if archive.getinfo("config.json").file_size > _MAX_CONFIG:
            raise InvalidArchive(f"config.json: expected at most {_MAX_CONFIG:,} bytes")
        try:
            config = json.loads(archive.read("config.json"))
            weights = archive.read("model.weights.h5")
        except (ValueError, RecursionError, zipfile.BadZipFile, OSError, EOFError) as error:
            raise InvalidArchive("expected a whole archive with a configuration in JSON") from error
    if not isinstance(config, dict):
        raise InvalidArchive("config.json: expected an object")
    for part in _objects({name: value for name, value in config.items() if name != "compile_config"}):  # nothing is compiled
        _check_class(part)
    _check_weights(weights)


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Every part of a configuration that stands for an object."""
    waiting = [config]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if "class_name" in part:
                yield part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def _check_class(part: dict[str, Any]) -> None:
    name, module, config = part["class_name"], part.get("module"), part.get("config")
    called = config.get("name") if isinstance(config, dict) else config
    where = f"{'function' if name == 'function' else 'layer'} {called[:64]} " if isinstance(called, str) else ""
    if not isinstance(name, str) or not re.fullmatch(r"\w{1,100}", name):
        raise InvalidArchive(f"{where}has a class of no name; expected classes of Keras's own")
    if name in _CODE:
        raise InvalidArchive(f"{where}({name}) carries code; expected layers of Keras's own that carry none")
    if isinstance(config, dict) and isinstance(config.get("vocabulary"), str):
        raise InvalidArchive(f"{where}({name}) reads a file; expected a vocabulary in its place")
    if name in _VALUES and module is None:
        return
    allowed = module == "keras.activations" if name == "function" else isinstance(module, str) and _MODULES.fullmatch(module)
    if not allowed:
        raise InvalidArchive(f"{where}({name}) is not one of Keras's own building blocks; code of others is not loaded")


def _check_weights(content: bytes) -> None:
    """All data inside the file, and no larger than it says."""
    total = 0
    try:
        with h5py.File(io.BytesIO(content)) as file:
            waiting: list[Any] = [file]
            seen = set()
            while waiting:
                group = waiting.pop()
                for name in group:
                    if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                        raise InvalidArchive("model.weights.h5: expected no links to elsewhere")
                    part = group[name]
                    if part.id.__hash__() in seen:
                        raise InvalidArchive("model.weights.h5: expected every group once")
                    seen.add(part.id.__hash__())
                    if isinstance(part, h5py.Group):
                        waiting.append(part)
                        continue
                    if not isinstance(part, h5py.Dataset) or part.external or part.is_virtual:
                        raise InvalidArchive("model.weights.h5: expected no data from elsewhere")
                    total += part.size * part.dtype.itemsize if part.shape else 0
                    if total > 2 * len(content) + 2**20:
                        raise InvalidArchive("model.weights.h5: expected numbers that are in the file; it declares more")
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise InvalidArchive("model.weights.h5: expected a whole HDF5 file") from error
