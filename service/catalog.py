"""The models held in memory: found as folders, loaded beside the event loop, looked up by name."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from explainers.game import Explainer
from models.arrays import Inputs, Outputs
from models.folder import InvalidFolder, find_folders
from models.manifest import Manifest
from models.receipt import Receipt
from models.tabular import Instances
from schemas.catalog import State
from service.backgrounds import Backgrounds
from service.errors import Loading, UnknownModel

log = logging.getLogger(__name__)
_AT_ONCE = 2
"""Compiling takes one core per model."""


class Reader(Protocol):
    """Brings the instances of a request into the model's shape."""

    def read(self, instances: Sequence[Any], check: Callable[[], None]) -> Instances:
        """Raises InvalidInstances, and what `check` raises between instances."""

    def restore(self, x: Inputs) -> Instances:
        """The other way: what encoded instances stand for."""


@dataclass(frozen=True)
class Model:
    """A model that serves: it is loaded, and everything that it compiles is compiled."""

    manifest: Manifest
    reader: Reader
    predict: Callable[[Inputs, Callable[[], None]], Outputs]
    backgrounds: Backgrounds
    explainers: Mapping[str, Explainer]
    """By the method's name."""
    unsupported: Mapping[str, str]
    """Methods that cannot explain this model, and why."""
    receipt: Receipt | None = None
    """Of `shapserve check`, if there was one of this very content."""


@dataclass(frozen=True)
class Entry:
    """A model folder and what became of it."""

    state: State
    model: Model | None = None
    reason: str | None = None


class Catalog:
    """Entries by name. Filled beside the event loop, read by all; an entry is replaced whole."""

    def __init__(self, models: Mapping[str, Model] | None = None) -> None:
        self._entries = {name: Entry("ready", model) for name, model in (models or {}).items()}
        self._settled = models is not None

    def get(self, name: str) -> Model:
        """The model of this name. Raises UnknownModel, Loading."""
        entry = self._entries.get(name)
        if entry is not None and entry.model is not None:
            return entry.model
        if not self._settled or (entry is not None and entry.state == "loading"):
            raise Loading("try again in a few seconds")
        known = ", ".join(f"`{name}`" for name, entry in self.entries().items() if entry.model is not None)
        raise UnknownModel(f"expected one of {known}" if known else "no model is loaded")

    def entries(self) -> dict[str, Entry]:
        """A snapshot, by name."""
        return dict(sorted(self._entries.items()))

    def ready(self) -> bool:
        """Whether every folder serves or is refused, and at least one serves."""
        entries = self.entries().values()
        return self._settled and all(e.state != "loading" for e in entries) and any(e.model for e in entries)

    def load(self, folder: Path) -> None:
        """Load every model folder in `folder`, a few at a time; takes as long as TensorFlow needs."""
        try:
            self._load_each(folder)
        finally:
            self._settled = True

    def _load_each(self, folder: Path) -> None:
        try:
            folders = find_folders(folder)
        except InvalidFolder as error:
            log.error("%s: %s", folder, error)
            folders = []
        if not folders:
            log.error("%s: there is no model folder to serve", folder)
        self._entries |= {path.name: Entry("loading") for path in folders}
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="loading") as threads:
            list(threads.map(self._load_one, folders))

    def _load_one(self, path: Path) -> None:
        self._entries[path.name] = entry = _load(path)
        if entry.reason:
            log.error("model %s is refused: %s", path.name, entry.reason)
        else:
            log.info("model %s is ready", path.name)


def _load(path: Path) -> Entry:
    try:
        from service.loading import load_model  # imports TensorFlow

        model = load_model(path)
    except InvalidFolder as error:
        return Entry("refused", reason=str(error))
    except Exception:
        log.exception("model %s", path.name)
        return Entry("refused", reason="the model could not be loaded; the log says why")
    if model.manifest.name != path.name:
        return Entry("refused", reason=f"expected the folder to be named {model.manifest.name}, as its manifest says")
    return Entry("ready", model)
