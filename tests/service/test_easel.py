"""The process that draws: begun again when it ends, given up when it hangs, gone when the service is."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import cast
from xml.etree import ElementTree

import pytest

from benchmarks import proc
from benchmarks.process import Server
from schemas.picture import Plot
from service.errors import DeadlinePassed, Unexpected
from service.lane import Clock
from service.pictures.easel import Easel
from tests.conftest import until
from tests.service.test_plots import SKETCH


@pytest.fixture(scope="module")
def easel() -> Iterator[Easel]:
    easel = Easel()
    yield easel
    easel.close()


def test_a_process_that_has_ended_is_begun_again(easel: Easel) -> None:
    """Whoever waits for it is told; the next picture is drawn."""
    first = easel.draw(SKETCH, Clock(60_000))
    assert first.startswith(b"<?xml")
    process = easel._process
    assert process is not None
    process.kill()
    process.join()
    assert easel.draw(SKETCH, Clock(60_000)) == first


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot halt a process")
def test_a_drawing_that_hangs_is_given_up(easel: Easel) -> None:
    """Soon after its deadline, so that it holds up nobody for long; the next picture is drawn."""
    first = easel.draw(SKETCH, Clock(60_000))
    assert easel._process is not None
    assert easel._process.pid is not None
    os.kill(easel._process.pid, signal.SIGSTOP)
    begun = time.monotonic()
    with pytest.raises(DeadlinePassed):
        easel.draw(SKETCH, Clock(200))
    assert time.monotonic() - begun < 10
    assert easel.draw(SKETCH, Clock(60_000)) == first


def test_what_cannot_be_drawn_is_a_fault_that_the_log_explains(easel: Easel, caplog: pytest.LogCaptureFixture) -> None:
    """And no end of the process: the next picture is drawn."""
    with pytest.raises(Unexpected, match="the log says why"):
        easel.draw(replace(SKETCH, plot=cast(Plot, "pie")), Clock(60_000))
    assert "KeyError" in caplog.text
    assert easel.draw(SKETCH, Clock(60_000))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is read in /proc")
def test_what_was_drawn_is_let_go_of(easel: Easel) -> None:
    """A figure's cycles would wait for Python's own tidying, which among so many objects comes late."""

    def held() -> float:
        easel.draw(SKETCH, Clock(60_000))
        assert easel._process is not None
        assert easel._process.pid is not None
        memory = proc.memory(easel._process.pid)
        assert memory is not None
        return memory

    first = max(held() for _ in range(3))
    assert max(held() for _ in range(6)) - first < 6


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="the system does not list a process's children in /proc")
@pytest.mark.parametrize("kind", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_the_process_that_draws_ends_with_the_service(tmp_path: Path, kind: signal.Signals) -> None:
    """However the service ends."""
    server = Server(SHAPSERVE_MODELS=str(tmp_path))

    def drawing() -> list[Path]:
        found = [Path(f"/proc/{child}") for child in proc.descendants(server.pid)]
        return [path for path in found if b"spawn_main" in (path / "cmdline").read_bytes()]

    until(lambda: len(drawing()) == 1)
    (easel,) = drawing()
    server.stop(kind)
    until(lambda: not easel.exists())


def test_the_words_are_escaped(easel: Easel) -> None:
    root = ElementTree.fromstring(easel.draw(SKETCH, Clock(60_000)))
    title = root.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text == SKETCH.alt
