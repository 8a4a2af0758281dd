"""The real server as a process of its own, for measurements and for tests."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent


class Server:
    """`shapserve serve` on a free port; `stop` ends it."""

    def __init__(self, **environment: str) -> None:
        self._begin = time.monotonic()
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - `stop` closes it
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service", "serve", "--port", "0"],
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

    def wait_until_ready(self, seconds: float = 120) -> float:
        """Poll /readyz; seconds since the start."""
        while time.monotonic() < self._begin + seconds:
            if httpx.get(f"{self.url}/readyz").status_code == 200:
                return time.monotonic() - self._begin
            time.sleep(0.05)
        raise TimeoutError("the server did not become ready")

    def memory(self) -> float | None:
        """Resident memory in MiB; None where the system does not say."""
        status = Path(f"/proc/{self._process.pid}/status")
        if not status.exists():
            return None
        return int(re.findall(r"VmRSS:\s+(\d+)", status.read_text())[0]) / 1024

    def log(self) -> str:
        """What it has written to standard error so far."""
        # Not by seeking: the process writes where the shared offset stands.
        return os.pread(self._log.fileno(), os.fstat(self._log.fileno()).st_size, 0).decode("utf-8", "replace")

    def stop(self, kind: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal and wait; the exit code."""
        self._process.send_signal(kind)
        code = self._process.wait(timeout=30)
        self._log.close()
        return code

    def wait(self) -> int:
        """Until the process has ended; the exit code."""
        code = self._process.wait(timeout=60)
        self._log.close()
        return code

    def children(self) -> list[int]:
        """Its workers, by their process numbers; where the system says."""
        tasks = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        found = tasks.read_text().split() if tasks.exists() else []
        return [int(pid) for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    def _address(self) -> str:
        while self._process.poll() is None:
            if found := re.search(r"running on (http://[^\s\"]+)", self.log()):
                return found[1]
            time.sleep(0.02)
        raise RuntimeError("the server did not start:\n" + self.log())
