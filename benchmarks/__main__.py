"""`make bench`: speed against shap, growth, error, curves, the service, its page, new versions, throughput; into a file."""

import argparse
import platform
import re
from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from benchmarks.curves import curves
from benchmarks.errors import errors
from benchmarks.page import page
from benchmarks.scaling import scaling
from benchmarks.server import service
from benchmarks.speed import speed
from benchmarks.swaps import swaps
from benchmarks.throughput import throughput
from models.network import use_one_core_per_call

RESULTS = Path(__file__).parent / "results.md"
HEAD = "# Results of `make bench`\n\nMedians of one run; times are one machine's, ratios travel better."
PARTS: dict[str, Callable[[Path], list[str]]] = {
    "speed": speed,
    "scaling": scaling,
    "errors": errors,
    "curves": curves,
    "service": service,
    "page": page,
    "swaps": swaps,
    "throughput": throughput,
}


def main() -> None:
    """Measure some parts or all, print them, and write them; parts that are not measured stay as they are."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all by default")
    given = parser.parse_args()
    use_one_core_per_call()  # as the service does, before anything is computed
    machine = f"{platform.machine()}, Python {platform.python_version()}, TensorFlow {tf.__version__}"
    for name in given.parts or PARTS:
        text = "\n".join(PARTS[name](given.data))
        print(text, flush=True)
        _write(name, f"{text}\n\n`make bench PARTS={name}` on {machine}.")


def _write(name: str, text: str) -> None:
    """Replace one part of the results."""
    old = RESULTS.read_text("utf-8") if RESULTS.exists() else ""
    kept = dict(re.findall(r"<!-- (\w+) -->\n(.*?)\n<!-- end -->", old, re.DOTALL)) | {name: text}
    parts = [f"<!-- {part} -->\n{kept[part]}\n<!-- end -->" for part in PARTS if part in kept]
    RESULTS.write_text("\n\n".join([HEAD, *parts]) + "\n", "utf-8")


if __name__ == "__main__":
    main()
