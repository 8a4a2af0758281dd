"""The data that a model is packed with: records from a frame or a file, images from a folder or an array."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from models.arrays import Array, Bytes
from models.images import InvalidImage, read_image
from models.manifest import ImageSpec
from models.packing.transformers import Unpackable

_ENDINGS = {".png", ".jpg", ".jpeg"}
Data = pd.DataFrame | Array | Path | str
"""Records: a frame, an array (n, columns), a CSV, Parquet or JSON-lines file. Images: an array (n, height, width[, channels]) of
bytes, or a folder of PNG and JPEG files, in one folder per class or none."""


@dataclass(frozen=True)
class Images:
    """Images of one size, and the classes that they are summarised by."""

    pixels: Bytes
    """(n, height, width, channels)"""
    classes: Array
    """(n,)"""


def is_images(data: Data) -> bool:
    """Whether the data are images: a folder, or bytes with more than one axis per instance."""
    if isinstance(data, str | Path):
        return Path(data).is_dir()
    return isinstance(data, np.ndarray) and data.dtype == np.uint8 and data.ndim in (3, 4)


def read_records(data: Data, columns: Sequence[str] | None) -> pd.DataFrame:
    """A frame with names of text. columns: names for an array's columns. Raises Unpackable."""
    if isinstance(data, pd.DataFrame):
        frame = data
    elif isinstance(data, np.ndarray):
        flat = data.reshape(len(data), -1)
        names = columns or [f"x{'_'.join(map(str, place))}" for place in np.ndindex(*data.shape[1:])]
        if len(names) != flat.shape[1]:
            raise Unpackable(f"expected {flat.shape[1]} names of columns, received {len(names)}")
        frame = pd.DataFrame(flat, columns=list(names))
    else:
        frame = _read_file(Path(data))
    frame = frame.rename(columns=str).reset_index(drop=True)
    if not len(frame) or not len(frame.columns):
        raise Unpackable("expected at least one row and one column of data")
    if frame.columns.has_duplicates:
        raise Unpackable("expected no column's name twice in the data")
    return frame


def read_pictures(data: Data, spec: ImageSpec | None) -> Images:
    """Images fitted to `spec`; from an array without a spec of its own shape. Raises Unpackable."""
    if isinstance(data, np.ndarray):
        pixels = data if data.ndim == 4 else data[..., None]
        if spec is not None and pixels.shape[1:] != (spec.height, spec.width, spec.channels):
            raise Unpackable(f"the model takes images of {spec.height} x {spec.width} x {spec.channels}, not {pixels.shape[1:]}")
        if pixels.shape[3] not in (1, 3):
            raise Unpackable(f"expected images of 1 or 3 channels, received {pixels.shape[3]}")
        return Images(pixels, np.zeros(len(pixels), int))
    folder = Path(str(data))
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file())
    if not files:
        raise Unpackable(f"{folder}: expected PNG or JPEG files in it")
    spec = spec or _spec_of(files[0])
    parents = sorted({path.parent for path in files})
    return Images(np.stack([_read(path, spec) for path in files]), np.array([parents.index(path.parent) for path in files]))


def _spec_of(file: Path) -> ImageSpec:
    from PIL import Image

    with Image.open(file) as image:
        grey = image.mode in ("1", "L", "LA") or image.mode.startswith("I")
        return ImageSpec(height=image.height, width=image.width, channels=1 if grey else 3, scale=1.0)


def _read(path: Path, spec: ImageSpec) -> Bytes:
    try:
        return read_image(path.read_bytes(), spec)[0]
    except InvalidImage as error:
        raise Unpackable(f"{path}: {error}") from None


def _read_file(path: Path) -> pd.DataFrame:
    readers: dict[str, Any] = {
        ".csv": pd.read_csv,
        ".parquet": pd.read_parquet,
        ".jsonl": lambda file: pd.read_json(file, lines=True),
    }
    if path.suffix.lower() not in readers:
        raise Unpackable(f"{path}: expected a file that ends in {', '.join(readers)}, or a folder of images")
    try:
        return readers[path.suffix.lower()](path)
    except (OSError, ValueError) as error:
        raise Unpackable(f"{path}: {error}") from error
