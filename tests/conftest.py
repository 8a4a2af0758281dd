"""What several tests need."""

import os
import signal
import subprocess
import sys
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
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env={**os.environ, **environment}, cwd=ROOT
        )
        self.log: list[str] = []
        self.url = self._address()

    def _address(self) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if "running on http://" in line:
                return "http://" + line.split("http://")[1].split()[0]
        raise RuntimeError("the server did not start:\n" + "".join(self.log))

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
        return self.process.wait(timeout=30)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Both shipped models, served and ready."""
    server = Server()
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()
