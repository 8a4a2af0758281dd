"""Several processes behind one port: each holds every model; one that ends is replaced, and the others answer meanwhile."""

import contextlib
import fcntl
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import struct
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from service.door import LAST, shut
from service.logs import set_up_logs
from service.orphan import end_with_parent
from service.settings import Settings

log = logging.getLogger(__name__)
_SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""As in service.metrics, which is not imported here: the library looks for it when it is imported, before it would be set."""
_PREFIX = "shapserve-workers-"
_STEADY = 10.0
"""Seconds that a worker has to live for its successor to begin at once."""
_SLACK = 2.0
"""Seconds that a worker may take beyond the deadline to end."""
_AGAIN = 1.0
"""Seconds after which to try again when the system has no room for a process."""
_spawn = multiprocessing.get_context("spawn")


def supervise(settings: Settings) -> None:
    """Serve with `settings.workers` processes until a signal ends them. Nothing of it outlives this process."""
    listener = listen(settings)
    address, port = listener.getsockname()[:2]
    where = f"http://{f'[{address}]' if ':' in address else address}:{port}"
    log.info("running on %s (%d workers)", where, settings.workers)
    with _folder() as folder:
        os.environ[_SHARED] = folder  # before a worker imports what counts
        _Supervisor(settings, listener).run()


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    """For what workers count together. Its lock ends with this process, however that ends; the next one then removes it."""
    _sweep()
    folder, lock = _locked()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked() -> tuple[str, int]:
    """A new folder, and the descriptor that holds its lock."""
    while True:
        folder = tempfile.mkdtemp(prefix=_PREFIX)
        with contextlib.suppress(FileNotFoundError):  # somebody else swept it before it was locked
            lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if Path(folder).exists():
                return folder, lock
            os.close(lock)


def _sweep() -> None:
    """Folders of supervisors that were killed: nobody holds their locks."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):
            lock = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)


def listen(settings: Settings) -> socket.socket:
    """The socket that the workers share. Raises OSError."""
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, settings.port))
    listener.listen(2048)
    return listener


class _Supervisor:
    """Begins workers, replaces those that end, and passes the first signal on to all."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings, self._listener = settings, listener
        self._workers: dict[SpawnProcess, float] = {}
        """When each was begun."""
        self._led = False
        """Whether the worker that began alone has loaded its models; then the others begin, so that ready stays ready."""
        self._news: Connection | None = None
        """From that worker."""
        self._stopping = threading.Event()

    def run(self) -> None:
        for sig in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sig, lambda *_: self._stopping.set())
        try:
            while not self._stopping.is_set():
                while len(self._workers) < self._wanted and self._begin():
                    pass
                wait([worker.sentinel for worker in self._workers], timeout=0.2)
                for worker in [worker for worker in self._workers if not worker.is_alive()]:
                    self._bury(worker)
        finally:
            self._end()

    @property
    def _wanted(self) -> int:
        if self._news is not None and self._news.poll():
            with contextlib.suppress(EOFError):
                self._led = self._news.recv()
        return self._settings.workers if self._workers and self._led else 1

    def _begin(self) -> bool:
        tell = None
        if not self._workers:
            self._led = False
            self._news, tell = _spawn.Pipe(duplex=False)
        worker = _spawn.Process(target=work, args=(self._settings, self._listener, tell), name="worker")
        try:
            worker.start()
        except OSError as error:
            log.error("a worker cannot begin: %s", error.strerror)
            self._stopping.wait(_AGAIN)
            return False
        self._workers[worker] = time.monotonic()
        return True

    def _bury(self, worker: SpawnProcess) -> None:
        """Before another one begins; the sooner it has ended the later."""
        lived = time.monotonic() - self._workers.pop(worker)
        _forget(worker)
        log.error("worker %d has ended (%s); another one begins", worker.pid, worker.exitcode)
        self._stopping.wait(max(0.0, _STEADY - lived) / 10)

    def _end(self) -> None:
        """The drain and the deadline are the workers' own; who does not keep them is ended."""
        for worker in self._workers:
            worker.terminate()
        begin = time.monotonic()
        while time.monotonic() < begin + self._settings.drain_seconds and any(worker.is_alive() for worker in self._workers):
            time.sleep(0.05)
        shut(self._listener)
        time.sleep(LAST)
        self._listener.close()
        latest = begin + self._settings.drain_seconds + self._settings.deadline_ms / 1000 + _SLACK
        for worker in self._workers:
            worker.join(max(0.0, latest - time.monotonic()))
            worker.kill()


def _forget(worker: SpawnProcess) -> None:
    """Its gauges; what it has counted stays."""
    from prometheus_client.multiprocess import mark_process_dead

    with contextlib.suppress(OSError):
        mark_process_dead(worker.pid)
        for file in Path(os.environ[_SHARED]).glob(f"*_{worker.pid}.db"):
            _add_up(file)


def _add_up(file: Path) -> None:
    """Move what an ended worker has counted to what all of them have: one file of each kind, however many end."""
    from prometheus_client.mmap_dict import MmapedDict

    total, made = file.with_name(f"{file.stem.split('_')[0]}_ended.db"), file.with_suffix(".made")
    values: Counter[str] = Counter()
    for source in (total, file):
        with contextlib.suppress(RuntimeError, struct.error, FileNotFoundError):  # not even begun
            for key, value, _, _ in MmapedDict.read_all_values_from_file(str(source)):
                values[key] += value
    both = MmapedDict(str(made))
    for key, value in values.items():
        both.write_value(key, value, 0.0)
    both.close()
    file.unlink()
    made.rename(total)


def work(settings: Settings, listener: socket.socket, tell: Connection | None) -> None:
    """One worker's life. It ends with its supervisor.

    tell: who has nobody beside it says from the start that it is there, and here that its models are loaded. The others load
    theirs before they accept anything.
    """
    from service.app import create_app
    from service.server import Server

    set_up_logs(settings)
    end_with_parent()
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C reaches all processes
        app = create_app(settings)
        watcher = app.state.watcher
        if tell is None:
            watcher.start()
            watcher.settled.wait()
        else:
            threading.Thread(target=_tell, args=(watcher.settled, tell), name="first", daemon=True).start()
        Server(app, settings).run([listener])
    logging.shutdown()
    os._exit(0)  # as `serve` does


def _tell(settled: threading.Event, supervisor: Connection) -> None:
    settled.wait()
    supervisor.send(True)
