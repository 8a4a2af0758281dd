"""The row like no other: not told by a service with its model, and seen where it is told."""

import logging
from pathlib import Path

import pytest

from benchmarks.battery.crowd import CANARY, pattern, people, write_forest
from benchmarks.battery.privacy import PART, asks, logged, look_for
from benchmarks.battery.subjects import Subject
from service.app import create_app
from service.catalog import Catalog
from service.settings import Settings
from tests.conftest import serving


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("crowd")


@pytest.fixture(scope="module")
def subject(folder: Path) -> Subject:
    return write_forest(folder)


def test_no_body_and_no_log_tells_a_value(folder: Path, subject: Subject, caplog: pytest.LogCaptureFixture) -> None:
    catalog = Catalog()
    catalog.load(folder)
    asked = [ask for ask in asks([subject], range(40)) if not ask.headers.get("Accept", "").startswith("image")]
    with caplog.at_level(logging.DEBUG), serving(create_app(Settings(), catalog)) as client:
        tally = look_for(str(client.base_url), [subject], asked) | logged(caplog.text, [subject])
    assert PART.figure([tally]).reached, (tally["flaws"], tally["told"])
    assert tally["status 200"] > 15


def test_every_field_is_inside_the_range_and_nobody_elses() -> None:
    frame = people()
    for name, value in CANARY.items():
        others = frame[name].drop(len(frame) // 3)
        if name in ("town", "rooms"):
            assert value in set(others)
        else:
            assert others.min() < value < others.max()
            assert (others != value).all()


@pytest.mark.parametrize(
    "text",
    ["[48317.26]", "48,317.26", "48317", '"48317.3"', "163.85,", "7.29385", "7.2938460", "71.619", "x=71.61934\n"],
)
def test_numbers_are_found_in_every_rounding(subject: Subject, text: str) -> None:
    assert pattern(subject.manifest).search(text)


@pytest.mark.parametrize("text", ["148317", "48317.264", "0.48317", "483170", "7.3", "71.62", "7.29384612", "3", "Oslo"])
def test_other_numbers_are_not(subject: Subject, text: str) -> None:
    assert not pattern(subject.manifest).search(text)


def test_scaled_values_are_looked_for_too(subject: Subject) -> None:
    frame = people()
    scaled = (CANARY["income"] - frame["income"].mean()) / frame["income"].std(ddof=0)
    assert pattern(subject.manifest).search(f"[{scaled:.6f}]")
    assert pattern(subject.manifest).search(f"[{scaled:.5g}]")


def test_a_leak_misses_the_goal(subject: Subject) -> None:
    clean = {"bodies": 9, "leaks": 0, "flaws": []} | logged("fine\n", [subject])
    assert PART.figure([clean]).reached
    assert not PART.figure([clean | {"leaks": 1}]).reached
    assert not PART.figure([clean | logged("fine\nincome 48317.26\n", [subject])]).reached


def test_the_mixture_asks_about_the_background(subject: Subject) -> None:
    assert {ask.path for ask in asks([subject], range(30))} >= {"/summary", "/explain", "/predict"}
