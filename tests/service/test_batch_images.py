"""Images in files and folders, explained by the model that ships."""

import base64
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from benchmarks.process import ROOT, Server
from service.batch.asking import Answered
from service.batch.job import Unusable
from service.batch.rows import Row
from service.batch.tables import table_of


def draw(seed: int, kind: str = "PNG") -> bytes:
    """A picture of 28 x 28 grey blocks, dark along its border."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 4:24] = np.kron(np.random.default_rng(seed).integers(0, 256, (5, 5)), np.ones((4, 4)))
    Image.fromarray(pixels).save(file := io.BytesIO(), kind)
    return file.getvalue()


def explanation_of(shape: tuple[int, ...], players: str) -> dict[str, Any]:
    values = np.arange(np.prod(shape), dtype=float).reshape(*shape, 1).tolist()
    one = {"outputs": ["y"], "prediction": [1.0], "base_values": [0.0], "shap_values": values}
    return {"explanations": [one | {"proof": {"residual": [0.0], "ok": True}}], "players": players, "feature_names": None}


def test_a_folder_of_images_is_explained_as_the_service_explains_them(server: Server, tmp_path: Path) -> None:
    """By path, nested folders too, each row with its file; then those of CSV and Parquet. A broken file is a bad row."""
    (folder := tmp_path / "shoes").joinpath("b", ".hidden").mkdir(parents=True)
    files = {"a.png": draw(0), "b/1.png": b"broken", "b/2.JPG": draw(1, "JPEG"), "c.jpeg": draw(2, "JPEG")}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    for name in ("b/.hidden/x.png", ".y.png", "notes.txt"):
        (folder / name).write_bytes(b"not an image")
    (tmp_path / "more.csv").write_text("b64\n" + base64.b64encode(draw(3)).decode() + "\n")
    pq.write_table(pa.table({"b64": [draw(4)]}), tmp_path / "more.parquet")
    inputs = [folder, tmp_path / "more.csv", tmp_path / "more.parquet"]
    options = ["--model", "fashion-mnist", "--method", "deep", "--patches", "2", "--outputs", "Bag", "--outputs", "Dress"]
    command = [sys.executable, "-m", "service", "explain", *map(str, inputs), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1, done.stderr
    assert f"row 2 ({folder}/b/1.png): the file cannot be decoded; expected a PNG or JPEG image" in done.stderr
    assert "`deep` gives values per pixel; those of one player were added up" in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.pop("row") for line in lines] == [1, 3, 4, 5, 6]
    names = [str(folder / name) for name in ("a.png", "b/2.JPG", "c.jpeg")]
    assert [line.pop("file") for line in lines] == [*names, None, None]
    sent = [files["a.png"], files["b/2.JPG"], files["c.jpeg"], draw(3), draw(4)]
    body = {
        "model": "fashion-mnist",
        "instances": [{"b64": base64.b64encode(content).decode()} for content in sent],
        "method": "deep",
        "patches": 2,
        "outputs": ["Bag", "Dress"],
    }
    assert lines == httpx.post(f"{server.url}/explain", json=body, timeout=60).json()["explanations"]


@pytest.mark.parametrize(
    ("shape", "players", "names"),
    [
        ((2, 1), "patches", ["patch_0_0", "patch_1_0"]),
        ((1, 2, 1), "pixels", ["pixel_0_0", "pixel_0_1"]),
        ((1, 1, 3), "pixels", ["pixel_0_0_0", "pixel_0_0_1", "pixel_0_0_2"]),
    ],
)
def test_a_column_of_a_table_is_a_pixel_or_a_patch(shape: tuple[int, ...], players: str, names: list[str]) -> None:
    """By row and column, and by channel where there are several."""
    table = table_of(Answered([Row(3, "", file="a.png")], explanation_of(shape, players)), files=True)
    assert [c.name for c in table] == ["row", "file", "output", "prediction", "base_value", *names, "residual", "ok"]
    assert [c.values for c in table[5:-2]] == [[float(k)] for k in range(len(names))]


def test_a_table_of_too_many_pixels_is_refused() -> None:
    with pytest.raises(Unusable, match="30000 columns of values; expected --output-format jsonl, or --patches"):
        table_of(Answered([Row(1, "")], explanation_of((100, 100, 3), "pixels")), files=False)
