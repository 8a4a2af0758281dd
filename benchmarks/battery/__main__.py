"""`make battery`: the parts one after another, or some of them; each goes on where it was stopped."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.battery import golden, images, json_bodies, kill, leaving, overload, privacy, schema, sigterm, slow, soak
from benchmarks.battery.kept import go_on
from benchmarks.battery.part import Part
from benchmarks.battery.published import FIGURES, PAGE, publish, renew
from benchmarks.process import ROOT

PARTS: dict[str, Part] = {
    "schema": schema.PART,
    "json": json_bodies.PART,
    "images": images.PART,
    "golden": golden.PART,
    "overload": overload.PART,
    "sigterm": sigterm.PART,
    "kill": kill.PART,
    "leaving": leaving.PART,
    "slow": slow.PART,
    "soak": soak.PART,
    "privacy": privacy.PART,
}


def main(
    given: Sequence[str] | None = None,
    *,
    parts: Mapping[str, Part] = PARTS,
    work: Path = ROOT / ".battery",
    figures: Path = FIGURES,
    page: Path = PAGE,
) -> int:
    """Do what is missing of each part, and publish its figure; 1 if a goal was not reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.battery")
    parser.add_argument("parts", nargs="*", choices=[*parts, []], help="all by default")
    parser.add_argument("--fresh", action="store_true", help="forget the steps that were done before")
    asked = parser.parse_args(given)
    reached = True
    for name in asked.parts or parts:
        kept = work / f"{name}.jsonl"
        if asked.fresh:
            kept.unlink(missing_ok=True)
        print(f"{name}: {parts[name].title}", flush=True)
        figure = publish(name, parts[name], go_on(parts[name], kept), figures)
        renew(parts, page, figures)
        print(f"{'reached' if figure['reached'] else 'NOT REACHED'}: {figure['measured']} (goal: {figure['goal']})", flush=True)
        reached &= figure["reached"]
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
