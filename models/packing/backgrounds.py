"""Backgrounds from data: all of it, some rows of it, or a summary in which nobody can be found."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.arrays import Array, Bytes
from models.backgrounds import Background, equal_weights
from models.images import scale_pixels
from models.manifest import ColumnSpec, ImageSpec
from models.summaries import SMALLEST_GROUP, cluster, summarise_images, summarise_records
from models.tabular import encode

_MANY = 20_000
"""Records that are clustered at most; of more, so many are drawn."""


Values = Mapping[str, Sequence[Any]]
"""Complete field values by name, one of each per record."""


def of_records(values: Values, columns: Sequence[ColumnSpec], how: str, number: int, seed: int) -> tuple[Background, Values]:
    """The background and its records. how: `all`, `rows` or `kmeans`, with `number` rows or clusters.

    Raises ValueError where there is no summary in which nobody is found.
    """
    names, n = list(values), len(next(iter(values.values())))
    limit = {"all": n, "rows": number, "kmeans": _MANY}[how]
    if how == "kmeans" and n < SMALLEST_GROUP:
        raise ValueError(f"expected at least {SMALLEST_GROUP} records")
    everybody = list(zip(*values.values(), strict=True)) if how == "kmeans" else []
    if n > limit:
        chosen = np.sort(np.random.default_rng(seed).choice(n, limit, replace=False))
        values = {name: [values[name][i] for i in chosen] for name in names}
    if how != "kmeans":
        return Background(encode(columns, values), equal_weights(min(n, limit))), values
    rows = list(zip(*values.values(), strict=True))
    centres, weights = summarise_records(rows, cluster(encode(columns, values), number, seed), everybody)
    values = {name: [centre[i] for centre in centres] for i, name in enumerate(names)}
    return Background(encode(columns, values), weights), values


def of_images(images: Bytes, classes: Array, spec: ImageSpec, how: str, number: int, seed: int) -> Background:
    """From images (n, height, width, channels) of classes (n,); the clusters are shared equally among the classes."""
    if how == "kmeans":
        if len(images) < SMALLEST_GROUP:
            raise ValueError(f"expected at least {SMALLEST_GROUP} images")
        kinds, sizes = np.unique(classes, return_counts=True)
        small = np.isin(classes, kinds[sizes < SMALLEST_GROUP])
        if small.any():  # they hide in the largest class
            classes = np.where(small, kinds[sizes.argmax()], classes)
        centres, weights = summarise_images(images, classes, max(1, number // len(np.unique(classes))), seed)
        return Background(scale_pixels(centres, spec), weights)
    if how == "rows":
        images = images[np.random.default_rng(seed).choice(len(images), min(number, len(images)), replace=False)]
    return Background(scale_pixels(images, spec), equal_weights(len(images)))


_SAID = {
    "all": "All {of} {what}.",
    "rows": "{n} of the {of} {what}, drawn at random.",
    "kmeans": "{n} weighted k-means centres of the {of} {what}",
}
_RECORDS = (
    ". Each is a valid record made of values that occur; clusters of fewer than five {them} are merged into their nearest; no"
    " centre is the record of fewer than five {them}."
)
_IMAGES = ", the same number for each class. Each is the average of at least five {them}, rounded to bytes."


def described(how: str, image: bool, n: int, of: int, what: str, them: str) -> str:
    """In words, for the manifest: n rows made of `of` instances; what they are, and in a word."""
    each = "" if how != "kmeans" else (_IMAGES if image else _RECORDS).format(them=them)
    return _SAID[how].format(n=n, of=of, what=what) + each
