"""What is imported, and what is not."""

import importlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from models.imports import without


@pytest.fixture
def example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that nobody has imported."""
    (tmp_path / "seldom_imported.py").write_text("here = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "seldom_imported", raising=False)
    return "seldom_imported"


def test_what_is_left_out_is_not_found_and_found_again_afterwards(example: str) -> None:
    with without(example), pytest.raises(ModuleNotFoundError, match="seldom_imported is left out here"):
        importlib.import_module(example)
    assert importlib.import_module(example).here
    with without(example):
        assert importlib.import_module(example).here, "it is imported already"


def test_a_search_of_another_thread_goes_on_undisturbed(example: str) -> None:
    """The list of finders that it goes through stays as it is."""
    finders = sys.meta_path
    before = list(finders)
    with without(example):
        assert finders == before
    assert finders == before == sys.meta_path


def test_another_thread_finds_it_meanwhile(example: str) -> None:
    found = []
    with without(example):
        other = threading.Thread(target=lambda: found.append(importlib.import_module(example).here))
        other.start()
        other.join()
    assert found == [True]


def test_a_network_comes_without_what_keras_imports_for_others_and_these_can_be_imported_later() -> None:
    code = (
        "import sys, models.network;"
        "print(sorted({'matplotlib', 'pandas', 'sklearn'} & set(sys.modules)));"
        "import matplotlib.pyplot, pandas, sklearn.pipeline"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_network_that_is_loaded_computes_each_call_on_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless somebody has decided otherwise (0 is TensorFlow's word for that); then requests share no block."""
    code = (
        "from models.folder import TRAINED, read_folder; from models.predictor import load_predictor; import tensorflow as tf;"
        "fusions = load_predictor(read_folder(TRAINED / 'titanic')).fusions.values();"
        "from models.network import computes_on_one_core;"
        "print(tf.config.threading.get_intra_op_parallelism_threads(), computes_on_one_core());"
        "assert computes_on_one_core() or not any(fusion._mixes for fusion in fusions)"
    )
    said = []
    for threads in ("", "1", "2"):
        monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
        if threads:
            monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", threads)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        said.append(done.stdout.strip())
    assert said == ["1 True", "0 True", "0 False"]
