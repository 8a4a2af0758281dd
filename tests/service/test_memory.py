"""What is free goes back to the system."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from fastapi import FastAPI

from benchmarks.process import ROOT
from service.app import create_app
from service.catalog import Catalog
from service.settings import Settings
from tests.conftest import serving

PINNED = """
import os, sys, time
from benchmarks import proc
from service import memory
memory._EVERY = 0.1
blocks = [bytes(1000) for _ in range(100_000)]
del blocks[:-1]
held = proc.memory(os.getpid())
if "tidy" in sys.argv:
    memory.keep_tidy()
for _ in range(200 if "tidy" in sys.argv else 5):
    time.sleep(0.1)
    back = held - proc.memory(os.getpid())
    if back > 80:
        break
print(back)
"""


def given_back(*arguments: str) -> float:
    """MiB, of a hundred that are free below a block that is not."""
    done = subprocess.run([sys.executable, "-c", PINNED, *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return float(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the memory of a process is read in /proc")
def test_what_is_free_goes_back() -> None:
    assert given_back() < 10
    assert given_back("tidy") > 80


def names() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


def test_the_thread_ends_with_the_service() -> None:
    app: FastAPI = create_app(Settings(), Catalog())
    before = names().count("memory")
    with serving(app):
        assert names().count("memory") == before + 1
    for thread in threading.enumerate():
        if thread.name == "memory":
            thread.join(5)
    assert names().count("memory") == before
