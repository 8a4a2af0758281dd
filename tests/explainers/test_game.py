"""Players, base values and proofs."""

import numpy as np
import pytest

from explainers.game import base_values, players_of
from explainers.proof import prove
from models.backgrounds import Background
from models.manifest import ImageSpec, Manifest
from tests.fakes import MANIFEST

IMAGE = Manifest(
    name="i",
    version="1",
    kind="image",
    output_names=["a", "b"],
    class_names=None,
    image=ImageSpec(height=5, width=4, channels=3, scale=1.0),
)


def test_fields_own_their_columns() -> None:
    players = players_of(MANIFEST, "fields", 4)
    assert players.groups.tolist() == [0, 1, 2, 2, 2]
    assert players.names == ["Size", "Count", "Colour"]


def test_columns_in_another_order_than_their_fields() -> None:
    """As many players as columns is not the same order."""
    columns = [MANIFEST.columns[i] for i in (1, 0)]
    manifest = MANIFEST.model_copy(update={"columns": columns, "fields": MANIFEST.fields[:2]})
    players = players_of(manifest, "fields", 4)
    values = np.array([[[10.0], [20.0]]])  # Count, Size
    np.testing.assert_array_equal(players.add_up(values), [[[20.0], [10.0]]])


@pytest.mark.parametrize("patches", [1, 2, 3, 4])
def test_patches_cover_the_image_without_gap_or_overlap(patches: int) -> None:
    """Also where the grid does not divide the size."""
    players = players_of(IMAGE, "patches", patches)
    counts = np.bincount(players.groups, minlength=patches**2)
    assert counts.sum() == 5 * 4 * 3
    assert counts.min() > 0
    values = np.random.default_rng(0).normal(size=(2, 60, 3))
    np.testing.assert_allclose(players.add_up(values).sum(axis=(1, 2)), values.sum(axis=1), atol=1e-12)


def test_more_patches_than_pixels_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 4 patches"):
        players_of(IMAGE, "patches", 5)


def test_pixels_keep_the_shape_of_the_image() -> None:
    values = np.arange(60.0)[None, :, None]
    np.testing.assert_array_equal(players_of(IMAGE, "pixels", 4).add_up(values)[0, ..., 0].ravel(), np.arange(60))


def test_the_base_value_is_the_weighted_mean() -> None:
    background = Background(np.zeros((2, 1), np.float32), np.array([0.9, 0.1], np.float32))
    np.testing.assert_allclose(base_values(np.array([[1.0, 0.0], [0.0, 1.0]]), background), [0.9, 0.1], atol=1e-7)


def test_a_proof_says_when_the_values_do_not_add_up() -> None:
    """Ok is false, and nothing is raised."""
    predictions, base = np.array([[1.0], [1.0]]), np.array([[0.25], [0.25]])
    values = np.array([[[0.5], [0.25]], [[0.5], [0.2]]])
    good, bad = prove(predictions, base, values, None, np.array([[0.5]]), exact=False)
    assert (good.ok, bad.ok) == (True, False)
    np.testing.assert_allclose(bad.residual, [0.05])
    assert good.tolerance == pytest.approx(1e-4)


def test_the_tolerance_grows_with_the_outputs_and_the_standard_errors() -> None:
    """1e-4 x max(1, |prediction|, largest |f(b)|) + 4 standard errors of the sum"""
    values, stderr = np.zeros((1, 2, 1)), np.array([[0.5]])
    (proof,) = prove(np.array([[2.0]]), np.array([[0.0]]), values, stderr, np.array([[-50.0]]), exact=False)
    assert proof.tolerance == pytest.approx(1e-4 * 50 + 4 * 0.5)
    assert proof.ok
