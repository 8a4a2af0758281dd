"""The thread that loads the models, and goes on looking for new ones."""

import threading
from collections.abc import Callable

from service.catalog import Catalog
from service.lane import step_back
from service.settings import Settings


class Watcher:
    """Keeps a catalog true to a folder, from `start` to `stop`."""

    def __init__(self, catalog: Catalog, settings: Settings, then: Callable[[], None]) -> None:
        """then: what may begin once the models are loaded, which keeps every core busy."""
        self._catalog, self._settings, self._then = catalog, settings, then
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="loading", daemon=True)
        self.settled = threading.Event()
        """Set once every folder that was there at the start serves or is refused."""

    def start(self) -> None:
        """Begin, if it has not begun."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """Nothing more is loaded; does not wait for what is."""
        self._stop.set()

    def _watch(self) -> None:
        step_back()  # and with it the threads that TensorFlow makes here, which do most of the computing
        self._catalog.watch(self._settings.models, self._settings.poll_seconds, self._stop, self._loaded)

    def _loaded(self) -> None:
        self.settled.set()
        self._then()
