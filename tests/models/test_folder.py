"""Model folders: written whole or not at all, and read with suspicion."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.backgrounds import Background
from models.folder import TRAINED, InvalidFolder, find_folders, read_folder, write_folder, write_manifest
from models.network import Network
from models.predictor import load_predictor
from tests.fakes import BACKGROUND, MANIFEST


class FakeNetwork:
    """Writes anything."""

    def save(self, path: Path) -> None:
        """As Keras does."""
        path.write_bytes(b"weights")


class Failing:
    """A disk that is full."""

    def save(self, path: Path) -> None:
        """Half a file, then nothing."""
        path.write_bytes(b"wei")
        raise OSError("no space left")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that reads well."""
    write_folder(tmp_path / "linear", MANIFEST, FakeNetwork(), BACKGROUND, "# card\n", force=False)
    return tmp_path / "linear"


def test_what_is_written_is_read(folder: Path) -> None:
    read = read_folder(folder)
    np.testing.assert_array_equal(read.background.x, BACKGROUND.x)
    assert read.manifest.model_copy(update={"files": {}}) == MANIFEST
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "background.npz", "manifest.json", "model.keras"]


def test_more_backgrounds_have_names(tmp_path: Path) -> None:
    """Files `background-NAME.npz` that the manifest lists; checked like the first."""
    first = Background(BACKGROUND.x[:1], np.ones(1, np.float32))
    write_folder(tmp_path / "m", MANIFEST, FakeNetwork(), BACKGROUND, "", force=False, named={"one.row": first})
    read = read_folder(tmp_path / "m")
    assert list(read.backgrounds) == ["default", "one.row"]
    np.testing.assert_array_equal(read.backgrounds["one.row"].x, first.x)
    (tmp_path / "m" / "background-one.row.npz").write_bytes(b"other")
    with pytest.raises(InvalidFolder, match=r"background-one\.row\.npz: expected the sha256"):
        read_folder(tmp_path / "m")


def test_the_default_background_has_one_file(tmp_path: Path) -> None:
    write_folder(tmp_path / "m", MANIFEST, FakeNetwork(), BACKGROUND, "", force=False, named={"default": BACKGROUND})
    with pytest.raises(InvalidFolder, match="expected another name"):
        read_folder(tmp_path / "m")


def test_the_manifest_alone_is_replaced_whole(folder: Path) -> None:
    """Its permissions stay."""
    os.chmod(folder / "manifest.json", 0o640)
    write_manifest(folder, read_folder(folder).manifest.model_copy(update={"description": "new"}))
    assert read_folder(folder).manifest.description == "new"
    assert (folder / "manifest.json").stat().st_mode & 0o777 == 0o640
    assert len(list(folder.iterdir())) == 4


def test_an_existing_folder_is_kept_unless_forced(folder: Path) -> None:
    before = (folder / "manifest.json").read_bytes()
    newer = MANIFEST.model_copy(update={"version": "8"})
    with pytest.raises(FileExistsError, match="--force"):
        write_folder(folder, newer, FakeNetwork(), BACKGROUND, "", force=False)
    assert (folder / "manifest.json").read_bytes() == before
    write_folder(folder, newer, FakeNetwork(), BACKGROUND, "", force=True)
    assert read_folder(folder).manifest.version == "8"


def test_a_failure_leaves_nothing_behind(folder: Path) -> None:
    with pytest.raises(OSError, match="no space"):
        write_folder(folder, MANIFEST, Failing(), BACKGROUND, "", force=True)
    assert read_folder(folder).manifest.version == "7"
    assert os.listdir(folder.parent) == ["linear"]


def test_a_move_that_fails_puts_the_old_folder_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = os.rename

    def failing(source: Path, target: Path) -> None:
        if source.name == "new":
            raise OSError("no permission")
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(OSError, match="no permission"):
        write_folder(folder, MANIFEST.model_copy(update={"version": "8"}), FakeNetwork(), BACKGROUND, "", force=True)
    assert read_folder(folder).manifest.version == "7"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_ctrl_c_in_between_puts_the_old_folder_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = os.rename

    def stopped(source: Path, target: Path) -> None:
        if source.name == "new":
            raise KeyboardInterrupt
        rename(source, target)

    monkeypatch.setattr(os, "rename", stopped)
    with pytest.raises(KeyboardInterrupt):
        write_folder(folder, MANIFEST.model_copy(update={"version": "8"}), FakeNetwork(), BACKGROUND, "", force=True)
    assert read_folder(folder).manifest.version == "7"


def edited(folder: Path, **changes: Any) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | changes))


def replaced(folder: Path, background: Background) -> None:
    write_folder(folder, MANIFEST, FakeNetwork(), background, "", force=True)


def with_nan() -> Background:
    x = BACKGROUND.x.copy()
    x[0, 0] = np.nan
    return Background(x, BACKGROUND.weights)


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda f: (f / "manifest.json").unlink(), "manifest.json: expected a readable file"),
        (lambda f: (f / "manifest.json").write_text("{"), "manifest.json"),
        (lambda f: edited(f, surprise=1), "surprise: Extra inputs"),
        (lambda f: edited(f, output_names=[]), "output_names"),
        (lambda f: edited(f, class_names=["a", "a"]), "`class_names`: expected no name twice"),
        (lambda f: edited(f, examples=[{"name": "a", "instance": {}}] * 2), "`examples`: expected no name twice"),
        (
            lambda f: edited(f, fields=[{"name": "a", "type": "category", "categories": ["x", "x"]}]),
            "field 'a': `categories`: expected no name twice",
        ),
        (lambda f: edited(f, name="../../etc"), "name"),
        (lambda f: edited(f, files={}), "expected the sha256 of model.keras"),
        (lambda f: (f / "model.keras").unlink(), "model.keras: the file is missing"),
        (lambda f: (f / "model.keras").write_bytes(b"other"), "model.keras: expected the sha256"),
        (lambda f: (f / "background.npz").write_bytes(b"other"), "background.npz: expected the sha256"),
        (lambda f: replaced(f, Background(BACKGROUND.x[:, :3], BACKGROUND.weights)), "received float32 (3, 3)"),
        (lambda f: replaced(f, Background(BACKGROUND.x[:0], BACKGROUND.weights[:0])), "expected x float32"),
        (lambda f: replaced(f, Background(BACKGROUND.x, BACKGROUND.weights[:2])), "weights float32 of shape (3,)"),
        (lambda f: replaced(f, Background(BACKGROUND.x, 2 * BACKGROUND.weights)), "sum to 1"),
        (lambda f: replaced(f, with_nan()), "expected finite numbers"),
    ],
)
def test_what_is_no_model_folder_says_why(folder: Path, break_it: Any, says: str) -> None:
    break_it(folder)
    with pytest.raises(InvalidFolder) as caught:
        read_folder(folder)
    assert says in str(caught.value)


def test_a_background_of_objects_is_not_unpickled(folder: Path) -> None:
    np.savez(folder / "background.npz", x=np.array([{}], object), weights=BACKGROUND.weights)
    with pytest.raises(InvalidFolder):
        read_folder(folder)


def test_a_background_holds_its_two_arrays_and_nothing_else(tmp_path: Path) -> None:
    """Its archive is looked at as a model's is."""
    write_folder(tmp_path / "m", MANIFEST, FakeNetwork(), BACKGROUND, "", force=False)
    path = tmp_path / "m" / "background.npz"
    np.savez_compressed(path, x=BACKGROUND.x, weights=BACKGROUND.weights, more=np.zeros(2**21))
    edited(tmp_path / "m", files=json.loads((tmp_path / "m" / "manifest.json").read_text())["files"] | {path.name: _sha256(path)})
    with pytest.raises(InvalidFolder, match=r"background\.npz: a member does not belong here"):
        read_folder(tmp_path / "m")


def test_a_network_that_does_not_fit_its_manifest_is_refused(tmp_path: Path) -> None:
    """Ten outputs in the net, two names in the manifest."""
    shutil.copytree(TRAINED / "fashion-mnist", tmp_path / "f")
    edited(tmp_path / "f", output_names=["a", "b"], class_names=["a", "b"])
    with pytest.raises(InvalidFolder, match="expected one output of shape"):
        Network.load(read_folder(tmp_path / "f"))


def test_a_keras_file_that_is_none_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidFolder, match=r"model\.keras: expected a whole zip archive"):
        load_predictor(read_folder(folder))


def test_folders_are_found_by_name_without_hidden_ones(folder: Path) -> None:
    (folder.parent / ".linear-new").mkdir()
    (folder.parent / "file").write_text("")
    assert find_folders(folder.parent) == [folder]
    with pytest.raises(InvalidFolder, match="readable folder"):
        find_folders(folder.parent / "absent")
