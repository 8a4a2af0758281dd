"""Model folders that somebody has prepared, each in one way: what is done, and what the operator reads."""

import io
import json
import pickle
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression

from models.backgrounds import Background, equal_weights
from models.estimator import write_estimator
from models.folder import KERAS, MANIFEST, SKOPS, TRAINED, write_folder
from models.manifest import ColumnSpec, FieldSpec, Manifest


class Fitted:
    """A plane through the origin."""

    def save(self, path: Path) -> None:
        """As skops does."""
        x = np.eye(5, 3)
        write_estimator(LinearRegression(fit_intercept=False).fit(x, x @ [1.0, 2.0, 3.0]), path)


class Raw:
    """A file of these bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def save(self, path: Path) -> None:
        """As they are."""
        path.write_bytes(self._content)


def plane(folder: Path, name: str, model: Any = None, rows: Any = None, **changes: Any) -> Path:
    """A model folder of scikit-learn's; model: something else with `save`."""
    names = ["a", "b", "c"]
    parts: dict[str, Any] = {
        "name": name,
        "version": "1",
        "kind": "tabular",
        "output_names": ["y"],
        "fields": [FieldSpec(name=field, type="number") for field in names],
        "columns": [ColumnSpec(name=field, field=field) for field in names],
    }
    x = np.eye(3, dtype=np.float32) if rows is None else rows
    background = Background(x, equal_weights(len(x)))
    write_folder(folder / name, Manifest(**parts | changes), model or Fitted(), background, "", force=True, file=SKOPS)
    return folder / name


def titanic(folder: Path, name: str, change: Callable[[Path], None]) -> Path:
    """The Titanic's folder with another Keras file, whose checksum is put right."""
    import hashlib

    path = folder / name
    shutil.copytree(TRAINED / "titanic", path)
    (path / "receipt.json").unlink(missing_ok=True)
    change(path / KERAS)
    manifest = json.loads((path / MANIFEST).read_text())
    manifest["files"][KERAS] = hashlib.sha256((path / KERAS).read_bytes()).hexdigest()
    (path / MANIFEST).write_text(json.dumps(manifest | {"name": name}))
    return path


def rewritten(path: Path, changes: dict[str, bytes], pack: int = zipfile.ZIP_DEFLATED) -> None:
    """The zip file with some members changed or added."""
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist()} | changes
    with zipfile.ZipFile(path, "w", pack) as new:
        for name, content in members.items():
            new.writestr(name, content)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def _lambda(path: Path) -> None:
    with zipfile.ZipFile(path) as file:
        config = json.loads(file.read("config.json"))
    code = {"class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}
    layer = {"module": "keras.layers", "class_name": "Lambda", "config": {"name": "surprise", "function": code}}
    config["config"]["layers"].insert(1, layer)
    rewritten(path, {"config.json": json.dumps(config).encode()})


def bomb(path: Path, mebibytes: int = 256) -> None:
    """A configuration of blanks, packed a thousand times."""
    blank = b" " * 2**20
    with zipfile.ZipFile(path) as old:
        members = {name: old.read(name) for name in old.namelist() if name != "config.json"}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for name, content in members.items():
            new.writestr(name, content)
        with new.open("config.json", "w", force_zip64=True) as config:
            for _ in range(mebibytes):
                config.write(blank)


class Evil:
    """What a pickle can do."""

    def __reduce__(self) -> Any:
        return (exec, ("import pathlib; pathlib.Path('/tmp/shapserve-was-here').touch()",))


def _pickled() -> bytes:
    """A skops file one of whose arrays is a pickle of objects."""
    file = io.BytesIO()
    np.save(file, np.array([Evil()], object), allow_pickle=True)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        node = {"__class__": "ndarray", "__module__": "numpy", "__loader__": "NdArrayNode", "type": "numpy", "file": "1.npy"}
        archive.writestr("schema.json", json.dumps(node | {"protocol": 2, "_skops_version": "0.16"}))
        archive.writestr("1.npy", file.getvalue())
    return made.getvalue()


def _edited(path: Path, **changes: Any) -> None:
    manifest = json.loads((path / MANIFEST).read_text())
    (path / MANIFEST).write_text(json.dumps(manifest | changes))


def _files(path: Path, **more: str) -> dict[str, str]:
    return json.loads((path / MANIFEST).read_text())["files"] | more


@dataclass(frozen=True)
class Hostile:
    """A way to prepare a folder, and the reason that is given for refusing it."""

    make: Callable[[Path, str], Any]
    says: str


HOSTILE: dict[str, Hostile] = {
    "lambda": Hostile(
        lambda folder, name: titanic(folder, name, _lambda),
        "model.keras: layer surprise (Lambda) carries code; expected layers of Keras's own that carry none",
    ),
    "checksum": Hostile(
        lambda folder, name: (plane(folder, name) / SKOPS).write_bytes(b"something else"),
        "model.skops: expected the sha256 that manifest.json gives",
    ),
    "truncated": Hostile(
        lambda folder, name: titanic(folder, name, _cut),
        "model.keras: expected a whole zip archive",
    ),
    "bomb": Hostile(
        lambda folder, name: titanic(folder, name, bomb),
        "model.keras: config.json unpacks to",
    ),
    "pickle": Hostile(
        lambda folder, name: plane(folder, name, Raw(_pickled())),
        "model.skops: expected a file as skops writes it: a schema in JSON, and arrays of numbers or text",
    ),
    "plain-pickle": Hostile(
        lambda folder, name: plane(folder, name, Raw(pickle.dumps(Evil()))), "model.skops: expected a whole zip archive"
    ),
    "width": Hostile(
        lambda folder, name: plane(folder, name, rows=np.ones((4, 2), np.float32)),
        "background.npz: expected x float32 of shape ('n', 3), received float32 (4, 2)",
    ),
    "nan": Hostile(
        lambda folder, name: plane(folder, name, rows=np.full((4, 3), np.nan, np.float32)),
        "background.npz: expected finite numbers",
    ),
    "no-manifest": Hostile(
        lambda folder, name: (plane(folder, name) / MANIFEST).unlink(),
        "manifest.json: expected a readable file (No such file or directory)",
    ),
    "path": Hostile(
        lambda folder, name: _edited(plane(folder, name), name="../../etc/passwd"), "manifest.json: name: String should match"
    ),
    "path-of-file": Hostile(
        lambda folder, name: _edited(path := plane(folder, name), files=_files(path, **{"background-../../x.npz": "0" * 64})),
        "manifest.json: `files`: expected names of files in this folder",
    ),
    "unknown": Hostile(
        lambda folder, name: _edited(plane(folder, name), surprise=1), "manifest.json: surprise: Extra inputs are not permitted"
    ),
}
"""By the name of the folder."""
