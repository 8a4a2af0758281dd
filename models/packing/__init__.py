"""Models of your own as model folders: `pack`, and `prepare` for those who want to see before anything is written.

read the data -> trace the transformer -> describe the fields -> choose the background -> write and load the model -> compare.
Loads scikit-learn, and Keras for Keras models.
"""

from pathlib import Path
from typing import Any

from models.folder import ModelFolder
from models.packing.data import Data, is_images
from models.packing.finish import Packing
from models.packing.images import prepare_images
from models.packing.options import Options
from models.packing.records import prepare_records
from models.packing.transformers import Unpackable

__all__ = ["Options", "Packing", "Unpackable", "pack", "prepare"]


def pack(model: Any, folder: Path | str, data: Data, *, force: bool = False, **options: Any) -> ModelFolder:
    """Make a model folder of a Keras model or a fitted scikit-learn estimator or Pipeline.

    folder: where to write it; its name is the model's. data: records or images like those that it was trained on.
    options: see Options. Raises Unpackable, FileExistsError.
    """
    path = Path(folder)
    if path.exists() and not force:
        raise FileExistsError(f"{path} exists; choose another folder, or say force")
    return prepare(model, path.name, data, **options).write(path, force=force)


def prepare(model: Any, name: str, data: Data, **options: Any) -> Packing:
    """All that `pack` does but for writing the folder. Raises Unpackable."""
    known = Options.__dataclass_fields__
    if unknown := options.keys() - known:
        raise Unpackable(f"unknown option {', '.join(sorted(unknown))}; expected {', '.join(known)}")
    told = Options(**options)
    try:
        return prepare_images(model, name, data, told) if is_images(data) else prepare_records(model, name, data, told)
    except Unpackable:
        raise
    except Exception as error:  # whatever a model or a transformer makes of the data
        said = str(error).strip().partition("\n")[0][:300]
        raise Unpackable(f"{type(model).__name__} cannot be packed: {type(error).__name__}: {said}") from error
