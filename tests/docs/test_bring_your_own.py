"""docs/bring-your-own.md, block by block: three models packed, checked, served and explained on a real server."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.process import ROOT, Server

PAGE = (ROOT / "docs" / "bring-your-own.md").read_text("utf-8")
BLOCKS = re.findall(r"```(python|bash|json)\n(.*?)\n```", PAGE, re.DOTALL)
MODELS = ["breast-cancer", "diabetes", "digits"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `shapserve` is a command and the python blocks were run, up to serving."""
    place = tmp_path_factory.mktemp("place")
    (place / "bin").mkdir()
    command = place / "bin" / "shapserve"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m service "$@"\n')
    command.chmod(0o755)
    for kind, text in BLOCKS:
        if kind == "python":
            run([sys.executable, "-c", text], place)
        elif kind == "bash" and not text.startswith(("curl", "shapserve predict")):
            said = run(["bash", "-ec", text], place)
            assert "passed" in said, said
    return place


def run(command: list[str], place: Path) -> str:
    """Its standard output; what it says on the other is shown when it fails."""
    environment = os.environ | {"PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def served(place: Path) -> Iterator[Server]:
    """All three."""
    server = Server(SHAPSERVE_MODELS=str(place / "models"), SHAPSERVE_REQUIRE_RECEIPT="true")
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


def test_every_model_serves_with_its_receipt(served: Server) -> None:
    """And what was measured stands in its description."""
    models = httpx.get(f"{served.url}/models").json()["models"]
    assert [(m["name"], m["state"], m["checked"]) for m in models] == [(name, "ready", True) for name in MODELS]
    diabetes = httpx.get(f"{served.url}/models/diabetes").json()
    measured = {method["name"]: method["audit"] for method in diabetes["methods"] if method["available"]}
    assert measured["exact"]["mean_error"] == 0
    assert measured["tree"]["worst_error"] < 1e-3 * measured["tree"]["mean_value"]


def test_the_commands_answer_what_the_page_says(served: Server, place: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    asked = 0
    for (kind, text), (following, content) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if kind != "bash" or not text.startswith(("curl", "shapserve predict")):
            continue
        answer = json.loads(run(["bash", "-ec", text.replace("localhost:8000", served.url.removeprefix("http://"))], place))
        if following == "json":
            assert {key: answer[key] for key in json.loads(content)} == json.loads(content)
        asked += 1
    assert asked == 4


@pytest.mark.parametrize("method", ["auto", "permutation", "tree", "deep", "kernel"])
def test_a_regressor_is_explained(served: Server, method: str) -> None:
    """Each method's values add up; a tree has no backward pass."""
    record: dict[str, Any] = json.loads(re.findall(r"-d '(\{\"model\": \"diabetes\".*?)'", PAGE)[0])
    response = httpx.post(f"{served.url}/explain", json=record | {"method": method}, timeout=60)
    if method == "deep":
        assert response.status_code == 422
        assert "expected auto or `exact`, `permutation`, `tree`" in response.json()["detail"]
        return
    (explanation,) = response.json()["explanations"]
    assert explanation["proof"]["ok"]
    assert explanation["proof"]["exact"] == (method != "permutation")  # all coalitions fit into `kernel`
