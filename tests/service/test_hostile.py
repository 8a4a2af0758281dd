"""Folders that somebody has prepared: each is refused with its reason, none runs anything, and the others serve."""

from pathlib import Path

import pytest

from service.admission import admit
from service.catalog import Catalog
from tests.hostile import HOSTILE, plane

WITNESS = Path("/tmp/shapserve-was-here")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of them, and a good one."""
    folder = tmp_path_factory.mktemp("models")
    for name, hostile in HOSTILE.items():
        hostile.make(folder, name)
    plane(folder, "good")
    return folder


@pytest.fixture(scope="module")
def catalog(folder: Path) -> Catalog:
    """What a service makes of it."""
    catalog = Catalog()
    catalog.load(folder)
    return catalog


@pytest.mark.parametrize("name", HOSTILE)
def test_the_operator_reads_why(catalog: Catalog, name: str) -> None:
    entry = catalog.entries()[name]
    assert entry.state == "refused"
    assert (entry.reason or "").startswith(HOSTILE[name].says)
    assert len(entry.reason or "") < 300


def test_the_others_serve(catalog: Catalog) -> None:
    """And nothing that was hidden in a file has run."""
    assert catalog.ready()
    assert [name for name, entry in catalog.entries().items() if entry.model] == ["good"]
    assert not WITNESS.exists()


@pytest.mark.parametrize("name", ["lambda", "pickle", "bomb"])
def test_a_check_says_the_same(folder: Path, name: str) -> None:
    receipt = admit(folder / name, instances=1, memory_mib=4096, seconds=60)
    assert not receipt.passed
    assert receipt.reasons[0].startswith(HOSTILE[name].says)
    assert not WITNESS.exists()
