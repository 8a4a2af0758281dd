"""The README's commands are run, and their answers compared."""

import json
import re
import shutil
import subprocess
from typing import Any

import pytest

from benchmarks.process import ROOT, Server
from service.settings import Settings

README = (ROOT / "README.md").read_text("utf-8")
EXAMPLES = re.findall(r"```bash\n(curl .*?)\n```\n```json\n(.*?)\n```", README, re.DOTALL)


def same(ours: Any, theirs: Any) -> bool:
    """Equal as JSON, numbers within 1e-4."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, float) or isinstance(theirs, float):
        return abs(ours - theirs) <= 1e-4
    return bool(ours == theirs)


def test_there_are_examples() -> None:
    """A passenger and an image, predicted and explained."""
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize(("command", "answer"), EXAMPLES)
def test_the_commands_print_what_the_readme_says(server: Server, command: str, answer: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    here = command.replace("localhost:8000", server.url.removeprefix("http://"))
    printed = subprocess.run(here, shell=True, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert same(json.loads(printed), json.loads(answer)), printed


def test_every_setting_is_in_the_table() -> None:
    for name, field in Settings.model_fields.items():
        assert f"| `SHAPSERVE_{name.upper()}` |" in README
        assert str(field.description) in README
