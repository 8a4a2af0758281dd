"""`shapserve check`: the admission report of a model folder, printed, and kept beside the model."""

from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.receipt import Receipt, write_receipt
from service.admission import admit
from service.audit import console, report


def check(
    path: Path, *, instances: int | None, memory_mib: int, seconds: int, as_json: bool, write: bool
) -> tuple[bool, str | None]:
    """Print the report; whether the model passed, and why its receipt could not be kept, if so."""
    receipt = admit(path, instances=instances, memory_mib=memory_mib, seconds=seconds)
    if as_json:
        print(receipt.model_dump_json(indent=2))
    else:
        console().print(_report(receipt), highlight=False)
    if write and receipt.key:
        try:
            write_receipt(path, receipt)
        except OSError as error:
            return receipt.passed, f"{path}: the receipt could not be written: {error.strerror}"
    return receipt.passed, None


def _report(receipt: Receipt) -> RenderableType:
    verdict = Text("passed", "green") if receipt.passed else Text("refused", "red")
    parts: list[RenderableType] = [Text.assemble(f"{receipt.name}: ", verdict)]
    parts += [Text(f"  {reason}") for reason in receipt.reasons]
    if not receipt.key:
        return Group(*parts)
    versions = ", ".join(f"{name} {version}" for name, version in receipt.versions.items())
    parts.append(
        Text(f"  {receipt.kind} ({receipt.engine}); ready in {receipt.seconds:.1f} s, {receipt.peak_mib:.0f} MiB at most")
    )
    parts.append(Text(f"  {versions}"))
    parts.append(Text(f"  {len(receipt.files)} files with the sha256 that manifest.json gives: {', '.join(receipt.files)}"))
    if receipt.layers:
        parts.append(_layers(receipt))
    if receipt.methods:
        parts.append(report(receipt.methods, receipt.unavailable, ""))
    if receipt.auto:
        parts.append(Text(f"  auto takes {receipt.auto}: {receipt.why}"))
    return Group(*parts)


def _layers(receipt: Receipt) -> RenderableType:
    """Those without a rule by name; the others are counted."""
    lacking = [layer for layer in receipt.layers if layer.lacks]
    title = f"{len(receipt.layers) - len(lacking)} of {len(receipt.layers)} layers have rules for `deep`"
    if not lacking:
        return Text(f"  {title}")
    table = Table(title=title, title_justify="left")
    for head in ("layer", "kind", "without a rule"):
        table.add_column(head)
    for layer in lacking:
        table.add_row(layer.name, layer.kind, layer.lacks)
    return table
