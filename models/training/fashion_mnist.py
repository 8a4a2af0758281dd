"""The Fashion-MNIST net: a grey image of 28 x 28 pixels, the probabilities of ten garments."""

import gzip
import hashlib
import struct
from pathlib import Path
from typing import Any

import keras
import numpy as np

from models.arrays import Array, Bytes
from models.backgrounds import parse_background
from models.images import scale_pixels
from models.manifest import ImageSpec, Manifest
from models.packing.backgrounds import described, of_images
from models.training.cards import fashion_mnist_card
from models.training.recipe import DataUnavailable, Trained, begin, fit, for_inference, probabilities, versions

EPOCHS, BATCH_SIZE, VALIDATION = 12, 128, 5_000
IMAGE = ImageSpec(height=28, width=28, channels=1, scale=1 / 255)
GARMENTS = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
FILES = {
    "train_images": "train-images-idx3-ubyte.gz",
    "train_labels": "train-labels-idx1-ubyte.gz",
    "test_images": "t10k-images-idx3-ubyte.gz",
    "test_labels": "t10k-labels-idx1-ubyte.gz",
}


def train(data: Path | None, *, background: str | None, seed: int) -> Trained:
    """The notebook's CNN; a validation part is split from the training images, the test images only measure. See Recipe."""
    how, number = parse_background(background or "kmeans:100")
    (images, labels), (test_images, test_labels), provenance = read_images(data)
    begin(seed)
    order = np.random.default_rng(seed).permutation(len(images))
    held_out, kept = order[: min(VALIDATION, len(order) // 10)], order[min(VALIDATION, len(order) // 10) :]
    x = scale_pixels(images, IMAGE)
    network = build()
    logs = fit(
        network,
        x[kept],
        labels[kept],
        epochs=EPOCHS,
        batch_size=BATCH_SIZE,
        title="fashion-mnist",
        validation_data=(x[held_out], labels[held_out]),
    )
    network = for_inference(network)
    likely = probabilities(network, scale_pixels(test_images, IMAGE))
    reference = of_images(images, labels, IMAGE, how, number, seed)
    metrics = {
        "test_accuracy": float(np.mean(likely.argmax(1) == test_labels)),
        "validation_accuracy": logs["val_accuracy"],
        "training_accuracy": float(np.mean(probabilities(network, x[kept]).argmax(1) == labels[kept])),
    }
    manifest = Manifest(
        name="fashion-mnist",
        version="1",
        kind="image",
        description="Which of ten garments is on the picture?",
        output_names=GARMENTS,
        class_names=GARMENTS,
        image=IMAGE,
        default_outputs="predicted",
        max_evaluations=max(20_000, len(reference.x)),
        background=described(how, True, len(reference.x), len(images), "training images", "images"),
        samples=how == "kmeans",
        training={**provenance, "rows": len(kept), "validation_rows": len(held_out), "test_rows": len(test_images)}
        | {"epochs": EPOCHS, "batch_size": BATCH_SIZE, "seed": seed}
        | versions(),
        metrics=metrics,
    )
    return Trained(manifest, network, reference, fashion_mnist_card(manifest))


def read_images(data: Path | None) -> tuple[tuple[Bytes, Array], tuple[Bytes, Array], dict[str, Any]]:
    """Training and test images (n, 28, 28, 1) with labels (n,), and where they come from. Raises DataUnavailable."""
    if data is None:
        return *_download(), {"source": "Fashion-MNIST as Keras downloads it"}
    arrays = {part: read_idx(data / name) for part, name in FILES.items()}
    sums = {f"sha256 {name}": hashlib.sha256((data / name).read_bytes()).hexdigest() for name in FILES.values()}
    train_set = (arrays["train_images"][..., None], arrays["train_labels"].astype(np.int64))
    test_set = (arrays["test_images"][..., None], arrays["test_labels"].astype(np.int64))
    return train_set, test_set, {"source": "Fashion-MNIST, Zalando Research, IDX files", **sums}


def read_idx(path: Path) -> Bytes:
    """A gzipped IDX file of unsigned bytes (format: yann.lecun.com/exdb/mnist). Raises DataUnavailable."""
    try:
        with gzip.open(path) as file:
            content = file.read()
        kind, axes = content[2], content[3]
        shape = struct.unpack(f">{axes}I", content[4 : 4 + 4 * axes])
        if kind != 8:
            raise ValueError("expected unsigned bytes")
        return np.frombuffer(content, np.uint8, offset=4 + 4 * axes).reshape(shape)
    except (OSError, EOFError, ValueError, IndexError, struct.error) as error:
        raise DataUnavailable(f"expected an IDX file of unsigned bytes, gzipped, at {path}: {error}") from error


def build() -> Any:
    """The notebook's CNN: two convolutions, max pooling, 128 units, dropout, softmax."""
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Conv2D(64, 3, activation="relu"),
            keras.layers.MaxPooling2D(2),
            keras.layers.Dropout(0.25),
            keras.layers.Flatten(),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    optimizer = keras.optimizers.Adam(learning_rate=0.001)
    network.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer, metrics=["accuracy"])
    return network


def _download() -> tuple[tuple[Bytes, Array], tuple[Bytes, Array]]:
    try:
        (images, labels), (test_images, test_labels) = keras.datasets.fashion_mnist.load_data()
    except Exception as error:  # Keras wraps URL errors in a bare Exception
        raise DataUnavailable("Fashion-MNIST cannot be downloaded; give the IDX files with --data DIR") from error
    return (images[..., None], labels.astype(np.int64)), (test_images[..., None], test_labels.astype(np.int64))
