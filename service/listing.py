"""`shapserve models`: the folders of a models folder, from their manifests alone."""

from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from models.folder import MODELS, InvalidFolder, find_folders, read_manifest
from models.receipt import read_receipt

_MOST_NAMES = 10
_WIDTH = 120


def print_models(models: Path, *, as_json: bool) -> None:
    """Every folder, those that are refused with the reason. Raises InvalidFolder when `models` cannot be read."""
    found = [_described(path) for path in find_folders(models)]
    if as_json:
        print(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
    elif found:
        Console(width=max(Console().width, _WIDTH)).print(_table(found, models))
    else:
        print(f"there is no model folder in {models}")


def _described(path: Path) -> dict[str, Any]:
    """What the manifest says; the files beside it are looked for, not opened."""
    try:
        manifest = read_manifest(path)
        if manifest.name != path.name:
            raise InvalidFolder(f"expected the folder to be named {manifest.name}, as its manifest says")
        if not set(MODELS) & set(manifest.files):
            raise InvalidFolder(f"manifest.json: expected the sha256 of {' or '.join(MODELS)} in `files`")
        if missing := [name for name in manifest.files if not (path / name).is_file()]:
            raise InvalidFolder(f"{missing[0]}: the file is missing")
    except InvalidFolder as error:
        return {"name": path.name, "reason": str(error)}
    image, receipt = manifest.image, read_receipt(path, manifest)
    return {
        "name": manifest.name,
        "version": manifest.version,
        "kind": manifest.kind,
        "fields": [field.name for field in manifest.fields],
        "image": image and {"height": image.height, "width": image.width, "channels": image.channels},
        "outputs": manifest.output_names,
        "methods": list(manifest.audit or (receipt.methods if receipt else {})),
        "checked": receipt is not None and receipt.passed,
        "description": manifest.description,
        "reason": None,
    }


def _table(found: list[dict[str, Any]], models: Path) -> Table:
    table = Table(title=f"{len(found)} in {models}", title_justify="left", show_lines=True)
    for head in ("name", "version", "kind", "takes", "outputs", "measured methods", "checked", "description"):
        table.add_column(head, overflow="fold", no_wrap=head in ("name", "version", "kind"))
    for one in found:
        if one["reason"]:
            table.add_row(one["name"], "", "refused", one["reason"])
            continue
        image = one["image"]
        takes = f"{image['height']} x {image['width']} x {image['channels']}" if image else _listed(one["fields"])
        table.add_row(
            one["name"],
            one["version"],
            one["kind"],
            takes,
            _listed(one["outputs"]),
            _listed(one["methods"]) or "-",
            "yes" if one["checked"] else "no",
            one["description"],
        )
    return table


def _listed(names: list[str]) -> str:
    more = [f"and {len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []
    return ", ".join(names[:_MOST_NAMES] + more)
