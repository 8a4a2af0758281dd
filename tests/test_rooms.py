"""Imports point one way, and TensorFlow waits until a model loads."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.process import ROOT

MAY_IMPORT = {
    "schemas": {"schemas"},
    "models": {"models"},
    "explainers": {"explainers", "models"},
    "service": {"service", "schemas", "explainers", "models"},
}


def imported_rooms(file: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(file.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            names = [node.module or ""]
        rooms |= {name.split(".")[0] for name in names}
    return rooms & set(MAY_IMPORT)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_point_one_way(room: str) -> None:
    """Service -> explainers -> models, service -> schemas."""
    files = list((ROOT / room).rglob("*.py"))
    assert files
    for file in files:
        assert imported_rooms(file) <= MAY_IMPORT[room], file


@pytest.mark.parametrize(
    "code",
    ["import schemas.explain", "import service.app", "import service.cli; service.cli.app(['--help'], standalone_mode=False)"],
)
def test_tensorflow_is_imported_only_when_a_model_loads(code: str) -> None:
    """Neither the wire nor the app nor `--help` waits for it, or for what only training needs."""
    check = f"import sys; {code}; assert not {{'tensorflow', 'keras', 'shap', 'sklearn', 'pandas'}} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
