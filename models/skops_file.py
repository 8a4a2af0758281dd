"""A `.skops` file, looked at before skops opens it: scikit-learn's own types, arrays and containers, nothing else."""

import importlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from models.archive import InvalidArchive, check_archive

_MEMBERS = (r"schema\.json", r"[0-9A-Za-z_-]+\.np[yz]")
_MAX_SCHEMA = 256 * 2**20
_MAX_DEPTH = 200
_BUILTINS = {
    ("DictNode", "builtins.dict"),
    ("DictNode", "collections.OrderedDict"),
    ("DictNode", "collections.defaultdict"),
    ("JsonNode", "builtins.str"),
    ("ListNode", "builtins.list"),
    ("SetNode", "builtins.set"),
    ("SliceNode", "builtins.slice"),
    ("TupleNode", "builtins.tuple"),
    ("NdArrayNode", "numpy.ndarray"),
    ("SparseMatrixNode", "scipy.sparse._csr.csr_matrix"),
    ("SparseMatrixNode", "scipy.sparse._csc.csc_matrix"),
    ("SparseMatrixNode", "scipy.sparse._csr.csr_array"),
    ("SparseMatrixNode", "scipy.sparse._csc.csc_array"),
}
"""How skops makes a value, and what it makes."""
_RANDOM = {
    ("RandomStateNode", "numpy.random.mtrand.RandomState"),
    ("RandomGeneratorNode", "numpy.random._generator.Generator"),
}
_SCALARS = re.compile(r"numpy\.(bool|bool_|float(16|32|64)|u?int(8|16|32|64)|str_)")
_TYPES = re.compile(r"builtins\.(bool|float|int|str)|" + _SCALARS.pattern)
_DTYPES = re.compile(r"numpy\.(dtype|dtypes\.[A-Za-z0-9]+DType)")
_OWN = {"ObjectNode", "TreeNode", "LossNode", "TypeNode"}
"""Those that make an object of a class, or name the class."""


def check_skops_file(path: Path, *, own: bool = False) -> list[str]:
    """The names of the types in the file, to be trusted. Raises InvalidArchive for what is not, before it is imported.

    own: the file is the reader's own, and may hold what C takes unseen: generators of random numbers, trees of neighbours.
    """
    check_archive(path, _MEMBERS)
    with zipfile.ZipFile(path) as archive:
        try:
            info = archive.getinfo("schema.json")
            if info.file_size > _MAX_SCHEMA:
                raise InvalidArchive(f"schema.json: expected at most {_MAX_SCHEMA:,} bytes")
            schema = json.loads(archive.read(info))
            arrays = [name for name in archive.namelist() if name.endswith(".npy")]
            for name in arrays:
                _check_array(archive.read(name))
        except (ValueError, KeyError, RecursionError, zipfile.BadZipFile, OSError, EOFError, MemoryError) as error:
            raise InvalidArchive("expected a file as skops writes it: a schema in JSON, and arrays of numbers or text") from error
    types: set[str] = set()
    _walk(schema, lambda node: types.add(_checked(node, own)))
    return sorted(types - {""})


def _walk(content: Any, visit: Callable[[dict[str, Any]], Any]) -> None:
    waiting = [(content, 0)]
    while waiting:
        part, depth = waiting.pop()
        if depth > _MAX_DEPTH:
            raise InvalidArchive("schema.json: expected less nesting")
        if isinstance(part, dict):
            if "__loader__" in part or "__class__" in part:
                visit(part)
            waiting += [(inner, depth + 1) for inner in part.values()]
        elif isinstance(part, list):
            waiting += [(inner, depth + 1) for inner in part]


def _checked(node: dict[str, Any], own: bool) -> str:
    """The type that a node makes. Raises InvalidArchive unless it is scikit-learn's or plain data."""
    loader, module, name = (str(node.get(key)) for key in ("__loader__", "__module__", "__class__"))
    kind = f"{module}.{name}"
    plain = {"NdArrayNode": _SCALARS, "TypeNode": _TYPES, "DTypeNode": _DTYPES}.get(loader)
    if loader == "CachedNode":  # what another node has made
        return ""
    known = (loader, kind) in _BUILTINS or (plain is not None and plain.fullmatch(kind))
    unseen = (loader, kind) in _RANDOM or name.startswith(("KDTree", "BallTree"))
    if known or (own and (loader, kind) in _RANDOM) or (loader in _OWN and (own or not unseen) and _is_own(module, name)):
        return kind
    raise InvalidArchive(f"{kind[:100]} ({loader[:40]}) is not one of scikit-learn's own types; nothing else is loaded")


def _is_own(module: str, name: str) -> bool:
    """Whether it is a class that scikit-learn defines; what scikit-learn imports from elsewhere is not."""
    if not re.fullmatch(r"sklearn(\.[A-Za-z0-9_]+)+", module):
        return False
    try:
        found = getattr(importlib.import_module(module), name, None)
    except ImportError:
        return False
    return isinstance(found, type) and found.__module__.partition(".")[0] in ("sklearn", "_loss", "_sgd_fast")


def _check_array(content: bytes) -> None:
    """Numbers or text; arrays of objects would be pickles."""
    array = np.load(io.BytesIO(content), allow_pickle=False)
    if array.dtype.hasobject:
        raise ValueError("objects")
