"""The real server as a process of its own, for measurements and for tests."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from benchmarks import proc

ROOT = Path(__file__).parent.parent


class Server:
    """`shapserve serve` on a free port, unless further arguments say `--port`; `stop` ends it."""

    def __init__(self, *, arguments: Sequence[str] = (), **environment: str) -> None:
        self._begin = time.monotonic()
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - `stop` closes it
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve", "--port", "0", *arguments],
            stderr=self._log,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **environment},
            cwd=ROOT,
        )
        self.url = self._address()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def port(self) -> int:
        """That it listens on."""
        return int(self.url.rsplit(":", 1)[1])

    def wait_until_ready(self, seconds: float = 120) -> float:
        """Poll /readyz; seconds since the start."""
        while time.monotonic() < self._begin + seconds:
            if httpx.get(f"{self.url}/readyz", timeout=60).status_code == 200:
                return time.monotonic() - self._begin
            time.sleep(0.05)
        raise TimeoutError("the server did not become ready")

    def memory(self) -> float | None:
        """Resident memory in MiB; None where the system does not say."""
        return proc.memory(self.pid)

    def log(self, since: int = 0) -> str:
        """What it has written to standard error so far, from this byte on."""
        # Not by seeking: the process writes where the shared offset stands.
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size - since, since).decode("utf-8", "replace")

    def send(self, kind: signal.Signals) -> None:
        """Send it, and go on."""
        self._process.send_signal(kind)

    def wait(self, seconds: float = 30) -> int:
        """For the end of the process; its exit code. Raises subprocess.TimeoutExpired."""
        return self._process.wait(timeout=seconds)

    def stop(self, kind: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and wait; the exit code. Does no harm to one that has ended."""
        self.send(kind)
        code = self.wait()
        self.close()
        return code

    def close(self) -> None:
        """Let go of the log of a process that has ended."""
        self._log.close()

    def _address(self) -> str:
        while self._process.poll() is None:
            if found := re.search(r"running on (http://[^\s\"]+)", self.log()):
                return found[1]
            time.sleep(0.02)
        raise RuntimeError("the server did not start:\n" + self.log())


def import_seconds() -> float:
    """How long a fresh process imports TensorFlow."""
    code = "import time; t = time.perf_counter(); import tensorflow; print(time.perf_counter() - t)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])
