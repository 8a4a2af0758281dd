"""`receipt.json`: what `shapserve check` found, kept beside the model and good for exactly this content."""

import hashlib
import json
import os
import tempfile
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from models.archive import read_text_file
from models.manifest import Manifest, MethodAudit

RECEIPT = "receipt.json"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LayerReport(_Part):
    """One layer of a network, and whether `deep` has a rule for it."""

    name: str
    kind: str
    lacks: str = ""
    """What has no rule; empty: it has one."""


class Receipt(_Part):
    """The admission report of a model."""

    name: str
    key: str = ""
    """See `key_of`; empty where the folder could not be read."""
    passed: bool
    reasons: list[str] = []
    """Why not; or what an operator should know."""
    engine: str = ""
    kind: str = ""
    """The class of the model."""
    files: dict[str, str] = {}
    """sha256 by name, as computed."""
    layers: list[LayerReport] = []
    methods: dict[str, MethodAudit] = {}
    unavailable: dict[str, str] = {}
    """Methods that cannot explain it, and why."""
    auto: str = ""
    """What `auto` takes when nothing is said."""
    why: str = ""
    seconds: float = 0.0
    """To load, compile and warm."""
    peak_mib: float = 0.0
    """The most memory that the child process held."""
    versions: dict[str, str] = {}


def key_of(manifest: Manifest) -> str:
    """sha256 of everything in the manifest but the figures of an audit; it holds the sha256 of every other file."""
    content = manifest.model_dump(mode="json", exclude={"audit"}, exclude_defaults=True)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def read_receipt(folder: Path, manifest: Manifest) -> Receipt | None:
    """The receipt in the folder; None where there is none, or where it is of other content."""
    try:
        receipt = Receipt.model_validate_json(read_text_file(folder / RECEIPT))
    except (OSError, ValidationError):
        return None
    return receipt if receipt.key == key_of(manifest) else None


def write_receipt(folder: Path, receipt: Receipt) -> None:
    """Whole or not at all. Raises OSError."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".receipt-") as work:
        new = Path(work) / RECEIPT
        new.write_text(json.dumps(receipt.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n", "utf-8")
        os.replace(new, folder / RECEIPT)
