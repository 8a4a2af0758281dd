"""What systemd, Docker or Kubernetes do with a process that ends: they start it again."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from benchmarks.load.wire import HOST
from benchmarks.process import ROOT, Server


class Supervisor:
    """Starts the service on one port, again and again, until `stop`."""

    def __init__(self, *, arguments: Sequence[str] = (), **environment: str) -> None:
        self.port = free_port()
        self._arguments, self._environment = (*arguments, "--port", str(self.port)), environment
        self._server: Server | None = None
        self._stops = threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def server(self, seconds: float = 60) -> Server:
        """The one that listens now, or soon."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._server is not None:
                return self._server
            time.sleep(0.01)
        raise TimeoutError("the service does not start")

    def stop(self) -> None:
        """Of the service too."""
        self._stops.set()
        server = self.server()
        server.stop()
        self._thread.join()

    def _keep(self) -> None:
        while not self._stops.is_set():
            self._server = server = Server(arguments=self._arguments, **self._environment)
            server.wait(24 * 3600)
            server.close()
            if not self._stops.is_set():
                self._server = None


def free_port() -> int:
    """Nobody listens on it at this moment."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])


def knows(option: str) -> bool:
    """Whether `shapserve serve` has this option."""
    asked = [sys.executable, "-m", "service", "serve", "--help"]
    return option in subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
