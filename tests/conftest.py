"""What several tests need."""

import gc
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import hypothesis
import pytest
import uvicorn
from fastapi import FastAPI

from benchmarks.process import ROOT, Server
from service.app import create_app
from service.connection import Connection
from service.settings import Settings
from tests.fakes import linear_catalog

# What TensorFlow traces stays: it need not be looked at again and again.
gc.set_threshold(100_000, 20, 20)
# scikit-learn's threads wait for each other actively, and the cores are taken.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# As the service does, which no test may forestall.
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

# An example that another process delays is no fault.
hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.load_profile("here")

FULL_DATA = ROOT.parent / "shared" / "data"


@contextmanager
def serving(app: FastAPI, **options: Any) -> Iterator[httpx.Client]:
    """An HTTP client of the app, which a thread of this process serves."""
    http = Connection if hasattr(app.state, "gate") else "auto"
    options = {"timeout_keep_alive": 75} | options  # longer than httpx keeps its connections
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", http=http, **options))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(timeout=10)


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for it."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


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


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Both shipped models, served and ready."""
    server = Server()
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()
