"""The two models that ship: their numbers, and that nobody's record can be read out of them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from models.folder import TRAINED, read_folder
from models.images import scale_pixels
from models.network import Network
from models.tabular import encode
from models.training import fashion_mnist, titanic

BRAUND = {"Pclass": 3, "Sex": "male", "Age": 22, "SibSp": 1, "Parch": 0, "Fare": 7.25, "Embarked": "S"}


@pytest.mark.parametrize("name", ["titanic", "fashion-mnist"])
def test_the_folder_is_whole(name: str) -> None:
    """At most 100 weighted centres; a card with the metrics; no optimizer in the file."""
    folder = read_folder(TRAINED / name)
    assert 50 <= len(folder.background.x) <= 100
    card = (folder.path / "README.md").read_text()
    for metric, value in folder.manifest.metrics.items():
        assert f"{metric}: {value:.4f}" in card
    parameters = sum(np.prod(w.shape) for w in Network.load(folder).model.weights)
    assert folder.model_path.stat().st_size < 4 * parameters + 40_000


def test_titanic_is_as_accurate_as_promised() -> None:
    assert read_folder(TRAINED / "titanic").manifest.metrics["cross_validated_accuracy"] >= 0.80


def test_fashion_mnist_is_as_accurate_as_promised() -> None:
    assert read_folder(TRAINED / "fashion-mnist").manifest.metrics["test_accuracy"] >= 0.925


def test_fashion_mnist_has_ten_centres_per_class() -> None:
    """Rounded to bytes."""
    folder = read_folder(TRAINED / "fashion-mnist")
    assert len(folder.background.x) == 100
    pixels = folder.background.x * 255
    np.testing.assert_allclose(pixels, np.round(pixels), atol=1e-4)


def test_titanic_centres_are_valid_records() -> None:
    """One port each, a class of 1, 2 or 3, a sex of 0 or 1."""
    folder = read_folder(TRAINED / "titanic")
    mean, scale = (np.array([getattr(column, part) for column in folder.manifest.columns]) for part in ("mean", "scale"))
    values = folder.background.x * scale + mean
    np.testing.assert_allclose(values[:, 6:].sum(axis=1), 1, atol=1e-3)
    assert set(values[:, 0].round(3)) <= {1, 2, 3}
    assert set(values[:, 1].round(3)) <= {0, 1}


def test_no_centre_is_the_record_of_fewer_than_five_passengers(full_data: Path) -> None:
    folder = read_folder(TRAINED / "titanic")
    frame, _ = titanic.read_passengers(full_data / "titanic" / "train.csv")
    rows = encode(folder.manifest.columns, titanic.complete(frame, folder.manifest.fields))
    counts = Counter(row.tobytes() for row in rows.round(5))
    for centre in folder.background.x.round(5):
        occurs = counts[centre.tobytes()]
        assert occurs == 0 or occurs >= 5


def test_no_centre_is_a_training_image(full_data: Path) -> None:
    (images, _), _, _ = fashion_mnist.read_images(full_data / "fashion-mnist")
    known = {image.tobytes() for image in images}
    centres = np.round(read_folder(TRAINED / "fashion-mnist").background.x * 255).astype(np.uint8)
    assert not known & {centre.tobytes() for centre in centres}


def test_the_encoding_is_the_training_sets(full_data: Path) -> None:
    """Means, scales, categories and what stands in for missing values, learned from these 891 passengers."""
    frame, _ = titanic.read_passengers(full_data / "titanic" / "train.csv")
    fields, columns = titanic.fit_encoding(frame)
    manifest = read_folder(TRAINED / "titanic").manifest
    assert columns == manifest.columns
    assert fields == manifest.fields


def test_the_accuracy_on_the_test_images_is_what_the_card_says(full_data: Path) -> None:
    folder = read_folder(TRAINED / "fashion-mnist")
    _, (images, labels), _ = fashion_mnist.read_images(full_data / "fashion-mnist")
    network = Network.load(folder)
    right = network.predict(scale_pixels(images[:2000], fashion_mnist.IMAGE)).argmax(axis=1) == labels[:2000]
    assert abs(right.mean() - folder.manifest.metrics["test_accuracy"]) < 0.02
