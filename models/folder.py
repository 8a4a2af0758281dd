"""The model folder on disk: manifest.json, model.keras, background.npz, README.md. Nothing else is read, no code is loaded."""

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from models.backgrounds import Background
from models.manifest import Manifest

MODEL = "model.keras"
BACKGROUND = "background.npz"
TRAINED = Path(__file__).parent / "trained"
"""The models that ship."""


class InvalidFolder(ValueError):
    """The folder is not a model folder; the message says which file, and what was expected of it."""


@dataclass(frozen=True)
class ModelFolder:
    """A model folder that was read and found consistent; the network is not loaded yet."""

    path: Path
    manifest: Manifest
    background: Background

    @property
    def network_path(self) -> Path:
        """The Keras file."""
        return self.path / MODEL


def read_folder(path: Path) -> ModelFolder:
    """Read the manifest, compare the checksums, read the background. Raises InvalidFolder."""
    try:
        manifest = Manifest.model_validate_json((path / "manifest.json").read_bytes())
    except OSError as error:
        raise InvalidFolder(f"manifest.json: expected a readable file ({error.strerror})") from error
    except ValidationError as error:
        where = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5]]
        raise InvalidFolder("manifest.json: " + "; ".join(where)) from error
    for name in (MODEL, BACKGROUND):
        if manifest.files.get(name) is None:
            raise InvalidFolder(f"manifest.json: expected the sha256 of {name} in `files`")
        if not (path / name).is_file():
            raise InvalidFolder(f"{name}: the file is missing")
        if _sha256(path / name) != manifest.files[name]:
            raise InvalidFolder(f"{name}: expected the sha256 that manifest.json gives")
    return ModelFolder(path, manifest, _read_background(path / BACKGROUND, manifest))


def write_folder(path: Path, manifest: Manifest, network: Any, background: Background, card: str, force: bool) -> None:
    """Write a whole model folder or nothing: files are made beside `path` and moved there at the end.

    Raises FileExistsError when the folder exists and `force` is not given.
    """
    if path.exists() and not force:
        raise FileExistsError(f"{path} exists; choose another folder or say --force")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as work:
        new = Path(work) / "new"
        new.mkdir(mode=0o755)
        network.save(new / MODEL)
        np.savez_compressed(new / BACKGROUND, x=background.x, weights=background.weights)
        sums = {name: _sha256(new / name) for name in (MODEL, BACKGROUND)}
        described = manifest.model_copy(update={"files": sums}).model_dump(mode="json", exclude_none=True)
        (new / "manifest.json").write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", "utf-8")
        (new / "README.md").write_text(card, "utf-8")
        old = Path(work) / "old"
        if path.exists():
            os.rename(path, old)
        try:
            os.rename(new, path)
        except OSError:
            if old.exists():
                os.rename(old, path)
            raise


def find_folders(path: Path) -> list[Path]:
    """The folders inside `path`, by name, hidden ones left out. Raises InvalidFolder when `path` cannot be read."""
    try:
        return sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    except OSError as error:
        raise InvalidFolder(f"expected a readable folder of model folders ({error.strerror})") from error


def _read_background(path: Path, manifest: Manifest) -> Background:
    try:
        with np.load(path, allow_pickle=False) as file:
            x, weights = file["x"], file["weights"]
    except (OSError, ValueError, KeyError) as error:
        raise InvalidFolder(f"{path.name}: expected the arrays `x` and `weights`") from error
    shape = ("n", *manifest.input_shape)
    if x.dtype != np.float32 or x.shape[1:] != manifest.input_shape or not len(x):
        raise InvalidFolder(f"{path.name}: expected x float32 of shape {shape}, received {x.dtype} {x.shape}")
    if weights.dtype != np.float32 or weights.shape != (len(x),):
        raise InvalidFolder(f"{path.name}: expected weights float32 of shape ({len(x)},)")
    if not (np.isfinite(x).all() and np.isfinite(weights).all()):
        raise InvalidFolder(f"{path.name}: expected finite numbers")
    if (weights < 0).any() or abs(float(weights.sum(dtype=np.float64)) - 1) > 1e-4:
        raise InvalidFolder(f"{path.name}: expected weights of 0 or more that sum to 1")
    return Background(x, weights)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
