"""What several tests need."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from service.app import create_app
from service.settings import Settings
from tests.fakes import linear_catalog

ROOT = Path(__file__).parent.parent
FULL_DATA = ROOT.parent / "shared" / "data"


@contextmanager
def serving(app: FastAPI) -> Iterator[httpx.Client]:
    """An HTTP client of the app, which a thread of this process serves."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    """The whole app around a model with known values."""
    with serving(create_app(Settings(), linear_catalog())) as client:
        yield client


@pytest.fixture
def full_data() -> Path:
    """The folder with the full data sets."""
    if not FULL_DATA.is_dir():
        pytest.skip(f"the full data sets are not beside the checkout ({FULL_DATA.name} is absent)")
    return FULL_DATA


class Server:
    """The real server as a process of its own."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.started = time.monotonic()
        command = [sys.executable, "-m", "service", "serve", "--port", "0", *arguments]
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - `stop` closes it
        self.process = subprocess.Popen(
            command, stderr=self.log, stdout=subprocess.DEVNULL, env={**os.environ, **environment}, cwd=ROOT
        )
        self.url = self._address()

    def _address(self) -> str:
        while self.process.poll() is None:
            self.log.seek(0)
            if found := re.search(r"running on (http://\S+)", self.log.read()):
                return found[1]
            time.sleep(0.05)
        self.log.seek(0)
        raise RuntimeError("the server did not start:\n" + self.log.read())

    def wait_until_ready(self, seconds: float = 120) -> None:
        """Poll /readyz."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if httpx.get(f"{self.url}/readyz").status_code == 200:
                return
            time.sleep(0.1)
        raise TimeoutError("the server did not become ready")

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=30)
        self.log.close()
        return code


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Both shipped models, served and ready."""
    server = Server()
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()
