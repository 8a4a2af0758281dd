"""Backgrounds: nobody can be found in a summary."""

from collections import Counter

import numpy as np
import pytest

from models.backgrounds import parse_background
from models.summaries import cluster, summarise_images, summarise_records


def test_small_clusters_join_their_nearest() -> None:
    """Two outliers beside a large group and near a second one end up in the second."""
    x = np.concatenate([np.zeros((20, 1)), np.full((10, 1), 8.0), np.full((2, 1), 10.0)])
    x += np.linspace(0, 0.01, len(x))[:, None]
    labels = cluster(x, 3, seed=0)
    sizes = sorted(Counter(labels.tolist()).values())
    assert sizes == [12, 20]


def test_a_centre_is_a_valid_record_with_its_share_as_weight() -> None:
    rows = [(1.0, "a")] * 6 + [(2.0, "a")] * 6 + [(9.0, "b")] * 8
    centres, weights = summarise_records(rows, np.array([0] * 12 + [1] * 8))
    assert centres == [[1.0, "a"], [9.0, "b"]]  # the mean 1.5 is as near to 1 as to 2: the smaller
    np.testing.assert_allclose(weights, [0.6, 0.4])


def test_no_centre_is_somebodys_record() -> None:
    """The record nearest to the mean occurs once, so the centre moves by one value."""
    rows = [(0.0, "a")] * 5 + [(4.0, "b"), (5.0, "a"), (6.0, "a"), (4.0, "a"), (6.0, "b")]
    centres, _ = summarise_records(rows, np.array([0] * 5 + [1] * 5))
    for centre in centres:
        occurs = rows.count(tuple(centre))  # type: ignore[arg-type]
        assert occurs == 0 or occurs >= 5
    assert centres[1] == [5.0, "b"]


def test_image_centres_are_averages_of_one_class_in_bytes() -> None:
    images = np.concatenate([np.zeros((6, 2, 2, 1)), np.full((6, 2, 2, 1), 200)]).astype(np.uint8)
    centres, weights = summarise_images(images, np.array([0] * 6 + [1] * 6), per_class=1, seed=0)
    assert centres[:, 0, 0, 0].tolist() == [0, 200]
    np.testing.assert_allclose(weights, [0.5, 0.5])


@pytest.mark.parametrize(("text", "means"), [("all", ("all", 0)), ("20", ("rows", 20)), ("kmeans:7", ("kmeans", 7))])
def test_background_syntax(text: str, means: tuple[str, int]) -> None:
    assert parse_background(text) == means


@pytest.mark.parametrize("text", ["", "0", "-1", "kmeans:", "kmeans:0", "means:3", "1.5", "kmeans:x", ":3"])
def test_background_syntax_errors(text: str) -> None:
    with pytest.raises(ValueError, match="expected a background"):
        parse_background(text)
