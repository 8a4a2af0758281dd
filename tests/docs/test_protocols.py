"""The commands of docs/protocols.md are run, and their answers compared."""

import json
import re
import shutil
import subprocess

import pytest

from benchmarks.process import ROOT, Server
from service.protocols.outputs import EXPLAINED
from tests.docs.test_readme import same

DOCUMENT = (ROOT / "docs" / "protocols.md").read_text("utf-8")
EXAMPLES = re.findall(r"```bash\n(curl .*?)\n```\n```json\n(.*?)\n```", DOCUMENT, re.DOTALL)


def test_there_are_examples() -> None:
    """Of both protocols, and of an error."""
    assert len(EXAMPLES) == len(re.findall("^curl ", DOCUMENT, re.MULTILINE)) == 10


@pytest.mark.parametrize(("command", "answer"), EXAMPLES)
def test_the_commands_print_what_the_document_says(server: Server, command: str, answer: str) -> None:
    """The request's id excepted."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    here = command.replace("localhost:8000", server.url.removeprefix("http://"))
    printed = json.loads(subprocess.run(here, shell=True, cwd=ROOT, capture_output=True, text=True, check=True).stdout)
    expected = json.loads(answer)
    if "instance" in expected:
        printed["instance"] = expected["instance"]
    assert same(printed, expected), printed


def test_the_table_of_tensors_is_complete() -> None:
    """In their order, with their datatypes."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+)[ ,]", DOCUMENT, re.MULTILINE)
    assert rows == [(name, datatype) for name, (datatype, _) in EXPLAINED.items()]
