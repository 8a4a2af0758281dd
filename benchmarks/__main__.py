"""`make bench`: speed against shap.DeepExplainer, error against the truth, the service from outside; into results.md."""

import argparse
import platform
from pathlib import Path

import tensorflow as tf

from benchmarks.curves import curves
from benchmarks.errors import errors
from benchmarks.scaling import scaling
from benchmarks.server import service
from benchmarks.speed import speed

RESULTS = Path(__file__).parent / "results.md"


def main() -> None:
    """Measure everything, print it, write it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data = parser.parse_args().data
    machine = f"{platform.machine()}, Python {platform.python_version()}, TensorFlow {tf.__version__}."
    report = ["# Results of `make bench`", "", machine, "Medians of one run; times are this machine's, ratios travel better."]
    print("\n".join(report), flush=True)
    for part in (speed, scaling, errors, curves, service):
        lines = ["", *part(data)]
        print("\n".join(lines), flush=True)
        report += lines
    RESULTS.write_text("\n".join(report) + "\n", "utf-8")


if __name__ == "__main__":
    main()
