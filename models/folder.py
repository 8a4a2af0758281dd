"""The model folder on disk: manifest.json, model.keras or model.skops, background.npz, README.md. No code is loaded from it."""

import hashlib
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from pydantic import ValidationError

from models.archive import InvalidArchive, check_archive, read_text_file
from models.backgrounds import Background
from models.manifest import Manifest
from models.receipt import Receipt, read_receipt

MANIFEST = "manifest.json"
KERAS, SKOPS = MODELS = ("model.keras", "model.skops")
"""One of them; which one says which library runs the model."""
BACKGROUND = "background.npz"
_NAMED_BACKGROUND = re.compile(r"background-([A-Za-z0-9][A-Za-z0-9._-]{0,63})\.npz")
TRAINED = Path(__file__).parent / "trained"
"""The models that ship."""


class InvalidFolder(ValueError):
    """The folder is not a model folder; the message says which file, and what was expected of it."""


class Saves(Protocol):
    """A model that can be written."""

    def save(self, path: Path) -> None:
        """Into this file."""


@dataclass(frozen=True)
class ModelFolder:
    """A model folder that was read and found consistent; the network is not loaded yet."""

    path: Path
    manifest: Manifest
    backgrounds: dict[str, Background]
    """By name; `default` first."""
    receipt: Receipt | None = None
    """Of the last `shapserve check`, if it was of this content."""

    @property
    def background(self) -> Background:
        """The one that is taken when nothing is said."""
        return self.backgrounds["default"]

    @property
    def model_path(self) -> Path:
        """The model's file, named as one of MODELS."""
        (name,) = set(MODELS) & set(self.manifest.files)
        return self.path / name


def read_manifest(path: Path) -> Manifest:
    """The manifest of a folder, without the files that it names. Raises InvalidFolder."""
    try:
        return Manifest.model_validate_json(read_text_file(path / MANIFEST))
    except OSError as error:
        raise InvalidFolder(f"manifest.json: expected a readable file ({error.strerror})") from error
    except ValidationError as error:
        flaws = [": ".join([*map(str, e["loc"]), e["msg"].removeprefix("Value error, ")]) for e in error.errors()[:5]]
        raise InvalidFolder("manifest.json: " + "; ".join(flaws)) from error


def read_folder(path: Path) -> ModelFolder:
    """Read the manifest, compare the checksums, read the background. Raises InvalidFolder."""
    manifest = read_manifest(path)
    backgrounds = {"default": BACKGROUND}
    if "background-default.npz" in manifest.files:
        raise InvalidFolder("background-default.npz: expected another name; `default` is background.npz")
    backgrounds |= {match[1]: name for name in sorted(manifest.files) if (match := _NAMED_BACKGROUND.fullmatch(name))}
    models = [name for name in MODELS if name in manifest.files]
    if len(models) != 1:
        raise InvalidFolder(f"manifest.json: expected the sha256 of {' or '.join(MODELS)} in `files`, and of one only")
    for name in (*models, *backgrounds.values()):
        if manifest.files.get(name) is None:
            raise InvalidFolder(f"manifest.json: expected the sha256 of {name} in `files`")
        if not (path / name).is_file():
            raise InvalidFolder(f"{name}: the file is missing")
        if _sha256(path / name) != manifest.files[name]:
            raise InvalidFolder(f"{name}: expected the sha256 that manifest.json gives")
    read = {name: _read_background(path / file, manifest) for name, file in backgrounds.items()}
    return ModelFolder(path, manifest, read, read_receipt(path, manifest))


def write_folder(
    path: Path,
    manifest: Manifest,
    model: Saves,
    background: Background,
    card: str,
    *,
    force: bool,
    named: Mapping[str, Background] | None = None,
    file: str = KERAS,
) -> None:
    """Write a whole model folder or nothing: files are made beside `path` and moved there at the end.

    file: what the model's file is called. named: further backgrounds by name.
    Raises FileExistsError when the folder exists and `force` is not given.
    """
    if path.exists() and not force:
        raise FileExistsError(f"{path} exists; choose another folder or say --force")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as work:
        new = Path(work) / "new"
        new.mkdir(mode=0o755)
        model.save(new / file)
        backgrounds = {BACKGROUND: background} | {f"background-{name}.npz": other for name, other in (named or {}).items()}
        for name, one in backgrounds.items():
            np.savez_compressed(new / name, x=one.x, weights=one.weights)
        sums = {name: _sha256(new / name) for name in (file, *backgrounds)}
        (new / MANIFEST).write_text(_as_json(manifest.model_copy(update={"files": sums})), "utf-8")
        (new / "README.md").write_text(card, "utf-8")
        old = Path(work) / "old"
        try:
            if path.exists():
                os.rename(path, old)
            os.rename(new, path)
        except BaseException:  # Ctrl-C too
            if old.exists() and not path.exists():
                os.rename(old, path)
            raise


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Replace the manifest of a folder whose other files stay as they are; whole or not at all."""
    with tempfile.TemporaryDirectory(dir=path, prefix=".manifest-") as work:
        new = Path(work) / MANIFEST
        new.write_text(_as_json(manifest), "utf-8")
        shutil.copymode(path / MANIFEST, new)
        os.replace(new, path / MANIFEST)


def _as_json(manifest: Manifest) -> str:
    return json.dumps(manifest.model_dump(mode="json", exclude_none=True), indent=2, ensure_ascii=False) + "\n"


def find_folders(path: Path) -> list[Path]:
    """The folders inside `path`, by name, hidden ones left out. Raises InvalidFolder when `path` cannot be read."""
    try:
        return sorted(folder for folder in path.iterdir() if os.path.isdir(folder) and not folder.name.startswith("."))
    except OSError as error:
        raise InvalidFolder(f"expected a readable folder of model folders ({error.strerror})") from error


Fingerprint = tuple[tuple[str, int, int, int], ...]
"""Name, number, size and time of change of every file in a folder; the receipt of a check counts too."""


def fingerprint(path: Path) -> Fingerprint:
    """Tells whether a folder has changed, without reading its files. Empty where it cannot be read."""
    try:
        with os.scandir(path) as entries:
            files = [(entry.name, entry.stat(follow_symlinks=False)) for entry in entries]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_ino, stat.st_size, stat.st_mtime_ns) for name, stat in files))


def _read_background(path: Path, manifest: Manifest) -> Background:
    try:
        check_archive(path, (r"x\.npy", r"weights\.npy"))
        with np.load(path, allow_pickle=False) as file:
            x, weights = file["x"], file["weights"]
    except InvalidArchive as error:
        raise InvalidFolder(f"{path.name}: {error}") from error
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, MemoryError) as error:
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
