"""The models held in memory: found as folders, loaded beside the event loop, looked up by name, swapped while they serve."""

import gc
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

from explainers.game import Explainer
from models.archive import InvalidArchive
from models.arrays import Inputs, Outputs
from models.folder import Fingerprint, InvalidFolder, ModelFolder, find_folders, fingerprint, read_folder
from models.manifest import Manifest
from models.receipt import Receipt
from models.tabular import Instances
from schemas.catalog import State
from service.backgrounds import Backgrounds
from service.errors import Loading, UnknownModel
from service.metrics import Metrics

log = logging.getLogger(__name__)
_RARELY = 60.0
"""Seconds without a change after which memory is looked through."""
_AGAIN, _LATEST = 60.0, 3600.0
"""Seconds after which a model is tried again that could not be loaded for a reason that may pass: twice as many each time."""
_PATIENCE = 60.0
"""Seconds after the start in which a folder that keeps changing is waited for."""
_OF_CONTENT = (InvalidArchive, ValueError, TypeError, LookupError, AttributeError, RecursionError, EOFError, BadZipFile)
"""What wrong content raises, whatever the machine."""
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
    """Why it does not serve; of one that does, why what is in its folder now does not."""
    passing: bool = False
    """Whether the reason may be the machine's, and not the folder's: no memory, no thread, a disk that was away."""


@dataclass(frozen=True)
class Snapshot:
    """The models at one moment. A request keeps the one that it was accepted with: nothing that happens later concerns it."""

    found: Mapping[str, Entry]
    """By name."""
    settled: bool
    """Whether every folder that was there at the start serves or is refused."""

    def entries(self) -> dict[str, Entry]:
        """By name, in the order of the names."""
        return dict(sorted(self.found.items()))

    def get(self, name: str) -> Model:
        """The model of this name. Raises UnknownModel, Loading."""
        entry = self.found.get(name)
        if entry is not None and entry.model is not None:
            return entry.model
        if not self.settled or (entry is not None and entry.state == "loading"):
            raise Loading("try again in a few seconds")
        known = ", ".join(f"`{name}`" for name, entry in self.entries().items() if entry.model is not None)
        raise UnknownModel(f"expected one of {known}" if known else "no model is loaded")

    def ready(self) -> bool:
        """Whether at least one model serves, and no folder of the start is still on its way."""
        return self.settled and any(entry.model for entry in self.found.values())


class Catalog:
    """The current snapshot, replaced whole by the one thread that watches the folder, read by all."""

    def __init__(self, models: Mapping[str, Model] | None = None, *, require_receipt: bool = False, longest: float = 0.0) -> None:
        """longest: seconds that a request may hold the models with which it was accepted."""
        entries = {name: Entry("ready", model) for name, model in (models or {}).items()}
        self._now = Snapshot(entries, models is not None)
        self._seen: dict[str, Fingerprint] = {}
        """What was in a folder when it was last loaded or refused."""
        self._before: dict[str, Fingerprint] = {}
        """What the last look has found; a folder is loaded once two looks find the same."""
        self._require_receipt = require_receipt
        self._metrics: Metrics | None = None
        self._again: dict[str, tuple[float, float]] = {}
        """What is tried again: when, and after how long."""
        self._patience = 0.0
        self._rest = max(_RARELY, longest)
        """Seconds after which nobody holds what was changed."""
        self._changed = 0.0
        self._untidy = False
        """Whether models have come or gone since memory was last looked through."""
        self._stop = threading.Event()
        """Set when the service ends: what has not begun to load is not begun."""
        self._lock = threading.Lock()

    def count(self, metrics: Metrics) -> None:
        """From now on what becomes of the models is counted, and so are the batches of those that will be loaded."""
        self._metrics = metrics
        self._become()

    def snapshot(self) -> Snapshot:
        """The models now."""
        return self._now

    def get(self, name: str) -> Model:
        """See Snapshot."""
        return self._now.get(name)

    def entries(self) -> dict[str, Entry]:
        """See Snapshot."""
        return self._now.entries()

    def ready(self) -> bool:
        """See Snapshot."""
        return self._now.ready()

    def watch(self, folder: Path, seconds: float, stop: threading.Event, loaded: Callable[[], None]) -> None:
        """Load what is there, call `loaded` once all of it serves or is refused; look again every so often until `stop`."""
        self._stop = stop
        gc.disable()  # what is imported and traced stays: it need not be looked at again and again
        try:
            self.load(folder)
        except Exception:  # the next look may find what this one did not
            log.exception("loading the models failed; the next look is in %s s", seconds)
        self._settle()
        self._arrive()
        told = False
        while True:
            if not told and self._now.settled:
                told = True
                loaded()
            if stop.wait(seconds):
                return
            try:
                self.refresh(folder)
            except Exception:  # whatever it was, the models that serve go on
                log.exception("looking for new models failed; the next look is in %s s", seconds)

    def load(self, folder: Path) -> None:
        """Load every model folder in `folder`, a few at a time; takes as long as TensorFlow needs."""
        try:
            self._before = found = _look(folder) or {}
            if not found:
                log.error("%s: there is no model folder to serve", folder)
            self._load_all(folder, found)
        finally:
            self._arrive()

    def refresh(self, folder: Path) -> None:
        """Load what has changed since it was last loaded and has not changed since the last look; drop what is gone.

        A name is gone once two looks do not find it: between two renames a folder may not be there for a moment.
        """
        found, before = _look(folder), self._before
        if found is None:
            return
        self._before = found
        for name in [name for name in self._now.found if name not in found and name not in before]:
            self.drop(name)
        settled = {name: seen for name, seen in found.items() if before.get(name) == seen}
        changed = {name: seen for name, seen in settled.items() if self._seen.get(name) != seen or self._is_due(name)}
        self._load_all(folder, changed)
        self._arrive()
        if self._untidy and not changed and time.monotonic() > self._changed + self._rest:
            self._settle()  # by now the models of before have ended with their last requests

    def _arrive(self) -> None:
        """The start is over once nothing of it is on its way: what changed while it was loaded is loaded again."""
        if not self._now.settled:
            self._patience = self._patience or time.monotonic() + _PATIENCE
            loading = any(entry.state == "loading" for entry in self._now.found.values())
            if not loading or time.monotonic() > self._patience:
                self._become(settled=True)

    def _load_all(self, folder: Path, chosen: Mapping[str, Fingerprint]) -> None:
        for name in chosen:
            if name not in self._again:
                self._begin(name)
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="loading") as threads:
            list(threads.map(lambda name: self._load_one(folder / name, chosen[name]), chosen))
        if chosen:
            self._untidy, self._changed = True, time.monotonic()

    def _load_one(self, path: Path, seen: Fingerprint) -> None:
        if self._stop.is_set():
            return
        entry, name = _load(path, self._require_receipt, self._metrics), path.name
        if self._stop.is_set():  # the interpreter may be ending: that says nothing of the model
            return
        if fingerprint(path) != seen:
            log.info("model %s changed while it was loaded; it is loaded again", name)
            return
        self._seen[name] = seen
        self._remember(name, entry)
        old = self._now.found.get(name)
        if entry.model is not None:
            log.info("model %s, version %s, is ready", name, entry.model.manifest.version)
        elif old is not None and old.model is not None:
            version = old.model.manifest.version
            log.error("model %s: what is in its folder now is refused, version %s serves on: %s", name, version, entry.reason)
            entry = replace(old, reason=f"what is in its folder now is refused: {entry.reason}")
        else:
            log.error("model %s is refused: %s", name, entry.reason)
        self._put(name, entry)

    def _remember(self, name: str, entry: Entry) -> None:
        """Whether it is to be tried once more, and when."""
        _, before = self._again.pop(name, (0.0, 0.0))
        if entry.passing:
            wait = min(2 * before, _LATEST) or _AGAIN
            self._again[name] = (time.monotonic() + wait, wait)
            log.info("model %s is tried again in %.0f s", name, wait)

    def _is_due(self, name: str) -> bool:
        return name in self._again and time.monotonic() > self._again[name][0]

    def _begin(self, name: str) -> None:
        """What serves goes on until its successor is ready."""
        if (old := self._now.found.get(name)) is None or old.model is None:
            self._put(name, Entry("loading"))

    def _put(self, name: str, entry: Entry) -> None:
        with self._lock:
            self._become(found={**self._now.found, name: entry})

    def _become(self, **changes: Any) -> None:
        self._now = replace(self._now, **changes)
        if self._metrics is not None:
            states = [entry.state for entry in self._now.found.values()]
            self._metrics.loaded(states, ready=self._now.ready(), again=len(self._again))

    def _settle(self) -> None:
        """Objects that stay are looked at once more and then left alone: so many are they that looking stops all for 0.2 s."""
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        gc.enable()
        self._untidy = False

    def drop(self, name: str) -> None:
        """Requests that were accepted before are answered; later ones do not find the model."""
        with self._lock:
            self._become(found={key: entry for key, entry in self._now.found.items() if key != name})
        self._seen.pop(name, None)
        self._again.pop(name, None)
        self._untidy, self._changed = True, time.monotonic()
        log.info("model %s is gone from the folder; it ends with its last request", name)


def _look(folder: Path) -> dict[str, Fingerprint] | None:
    """What is in each model folder, by name; None where the folder cannot be read: that says nothing of the models."""
    try:
        folders = find_folders(folder)
    except InvalidFolder as error:
        log.error("%s: %s", folder, error)
        return None
    return {path.name: fingerprint(path) for path in folders}


def _load(path: Path, require_receipt: bool, metrics: Metrics | None) -> Entry:
    """Read the folder, ask its receipt, and only then open the model."""
    try:
        folder = read_folder(path)
        if (reason := _refusal(folder, require_receipt)) is not None:
            return Entry("refused", reason=reason)
        from service.loading import load_folder  # imports the library that runs the model

        return Entry("ready", load_folder(folder, metrics))
    except InvalidFolder as error:
        return Entry("refused", reason=str(error), passing=_may_pass(error))
    except Exception as error:
        log.exception("model %s", path.name)
        return Entry("refused", reason="the model could not be loaded; the log says why", passing=_may_pass(error))


def _may_pass(error: BaseException | None) -> bool:
    """Whether something lies behind it that wrong content does not raise."""
    while error is not None:
        if not isinstance(error, _OF_CONTENT):
            return True
        error = error.__cause__
    return False


def _refusal(folder: ModelFolder, require_receipt: bool) -> str | None:
    """Why a folder that is in order may not serve."""
    if folder.manifest.name != folder.path.name:
        return f"expected the folder to be named {folder.manifest.name}, as its manifest says"
    if folder.receipt is None:
        return "it was not checked as it is: run shapserve check" if require_receipt else None
    return None if folder.receipt.passed else f"shapserve check refused it: {'; '.join(folder.receipt.reasons)}"
