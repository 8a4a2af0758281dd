"""Images: formats, channels, orientation, transparency, size."""

import io
import zlib

import numpy as np
import pytest
from PIL import Image

from models.images import InvalidImage, has_light_border, read_image
from models.manifest import ImageSpec

GREY = ImageSpec(height=4, width=4, channels=1, scale=1 / 255)
COLOUR = ImageSpec(height=4, width=4, channels=3, scale=1 / 255)
RAMP = np.arange(16, dtype=np.uint8).reshape(4, 4, 1) * 16


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def write_png(pixels: np.ndarray) -> bytes:
    """A grey picture (height, width, 1) as a file."""
    return encoded(Image.fromarray(pixels[..., 0]))


def test_a_png_of_the_right_kind_is_taken_as_it_is() -> None:
    pixels, changes = read_image(write_png(RAMP), GREY)
    np.testing.assert_array_equal(pixels, RAMP)
    assert changes == []


def test_colour_becomes_grey_and_is_said() -> None:
    pixels, changes = read_image(encoded(Image.new("RGB", (4, 4), (255, 0, 0))), GREY)
    assert pixels.shape == (4, 4, 1)
    assert (pixels == 76).all()
    assert changes == ["converted to grey"]


def test_what_loses_nothing_is_not_worth_a_word() -> None:
    """A canvas writes four channels, whatever was drawn on it: opaque grey stays as it is, in either kind of model."""
    four = Image.fromarray(np.dstack([RAMP, RAMP, RAMP, np.full_like(RAMP, 255)]))
    for image in (four, four.convert("RGB"), four.convert("LA"), four.convert("L")):
        for spec, expected in ((GREY, RAMP), (COLOUR, np.repeat(RAMP, 3, axis=-1))):
            pixels, changes = read_image(encoded(image), spec)
            np.testing.assert_array_equal(pixels, expected)
            assert changes == []


def test_transparency_is_laid_over_black() -> None:
    pixels, changes = read_image(encoded(Image.new("LA", (4, 4), (255, 0))), GREY)
    assert (pixels == 0).all()
    assert "laid over black where it is transparent" in changes


def test_an_exif_rotation_is_applied() -> None:
    image = Image.new("L", (4, 4), 0)
    image.putpixel((0, 0), 255)
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    pixels, changes = read_image(encoded(image, "PNG", exif=exif), GREY)
    assert pixels[3, 3, 0] == 255
    assert changes == ["turned upright as its EXIF orientation says"]


def test_the_aspect_is_kept_with_black_beside() -> None:
    pixels, changes = read_image(encoded(Image.new("L", (8, 4), 200)), GREY)
    assert (pixels[0] == 0).all()
    assert (pixels[3] == 0).all()
    assert (pixels[1:3] > 150).all()
    assert changes == ["fitted from 8 x 4 to 4 x 4 pixels"]


@pytest.mark.parametrize(("value", "becomes"), [(65535, 255), (257, 1), (200, 1), (100, 0)])
def test_sixteen_bits_are_reduced(value: int, becomes: int) -> None:
    """Whatever the picture holds: nearly black stays nearly black."""
    image = Image.fromarray(np.full((4, 4), value, np.uint16))
    pixels, changes = read_image(encoded(image), GREY)
    assert (pixels == becomes).all()
    assert changes == ["reduced to 8 bits per channel"]


def test_exif_that_cannot_be_read_is_ignored() -> None:
    """Also an orientation that means nothing."""
    assert read_image(encoded(Image.new("L", (4, 4)), "PNG", exif=b"garbage"), GREY)[1] == []
    exif = Image.Exif()
    exif[0x0112] = 9
    assert read_image(encoded(Image.new("L", (4, 4)), "PNG", exif=exif), GREY)[1] == []


def test_a_jpeg_is_taken() -> None:
    pixels, _ = read_image(encoded(Image.new("L", (4, 4), 128), "JPEG"), GREY)
    assert abs(int(pixels[0, 0, 0]) - 128) <= 2


@pytest.mark.parametrize(
    "file",
    [b"", b"no image", write_png(RAMP)[:40], encoded(Image.new("L", (4, 4)), "GIF"), encoded(Image.new("L", (4, 4)), "BMP")],
)
def test_other_files_are_refused(file: bytes) -> None:
    with pytest.raises(InvalidImage, match="expected a PNG or JPEG"):
        read_image(file, GREY)


def test_too_many_pixels_are_refused_by_the_header() -> None:
    """The picture is never decoded."""
    with pytest.raises(InvalidImage, match="at most 12,582,912"):
        read_image(encoded(Image.new("1", (4097, 4096))), GREY)
    bomb = write_png(RAMP)[:16] + (20_000).to_bytes(4, "big") * 2 + write_png(RAMP)[24:]
    with pytest.raises(InvalidImage, match="at most 12,582,912"):
        read_image(bomb[:29] + zlib.crc32(bomb[12:29]).to_bytes(4, "big") + bomb[33:], GREY)


def test_a_side_has_a_limit() -> None:
    """A file of 70 bytes may have millions of rows of one pixel."""
    with pytest.raises(InvalidImage, match="16,384 on a side"):
        read_image(encoded(Image.new("L", (1, 2**14 + 1))), GREY)
    assert read_image(encoded(Image.new("L", (1, 2**14))), GREY)[0].shape == (4, 4, 1)


def test_a_progressive_jpeg_may_be_smaller_only() -> None:
    """Its decoder holds every coefficient."""
    large = Image.new("RGB", (2048, 1537))
    with pytest.raises(InvalidImage, match="at most 3,145,728"):
        read_image(encoded(large, "JPEG", progressive=True), GREY)
    assert read_image(encoded(large, "JPEG"), GREY)[0].shape == (4, 4, 1)


def test_scans_that_take_long_are_refused() -> None:
    """Fifteen bytes that refine every pixel once more."""
    file = encoded(Image.new("L", (400, 400), 128), "JPEG", progressive=True, quality=50)
    begin = [place for place in range(len(file)) if file.startswith(b"\xff\xda", place)]
    scan = file[begin[3] : begin[4]]
    read_image(file[: begin[4]] + 50 * scan + file[begin[4] :], GREY)
    with pytest.raises(InvalidImage, match="too many scans"):
        read_image(file[: begin[4]] + 100 * scan + file[begin[4] :], GREY)


def test_what_stands_behind_a_jpeg_is_not_looked_at() -> None:
    """Phones append films; thumbnails and restart markers are no scans either."""
    thumbnail = encoded(Image.new("L", (8, 8)), "JPEG")
    image, film = Image.fromarray(np.tile(RAMP[..., 0], (20, 20))), 200 * b"\xff\xda\0\2"
    for options in ({}, {"progressive": True}, {"restart_marker_blocks": 1}, {"exif": b"Exif\0\0" + 100 * thumbnail}):
        file = encoded(image, "JPEG", **options)
        np.testing.assert_array_equal(read_image(file + film, GREY)[0], read_image(file, GREY)[0])


@pytest.mark.parametrize("part", [b"\xff\xe3\0\2", b"\xff\xfe\0\2", b"\xff", b"\xff\0"])
def test_a_jpeg_of_many_parts_is_refused(part: bytes) -> None:
    file = encoded(Image.new("L", (4, 4)), "JPEG")
    read_image(file[:2] + 1000 * part + file[2:], GREY)
    with pytest.raises(InvalidImage, match="too many parts"):
        read_image(file[:2] + 100_000 * part + file[2:], GREY)


def test_a_png_of_many_parts_is_refused() -> None:
    file, part = encoded(Image.new("L", (4, 4))), b"\0\0\0\0teSt" + zlib.crc32(b"teSt").to_bytes(4)
    read_image(file[:33] + 1000 * part + file[33:], GREY)
    with pytest.raises(InvalidImage, match="too many parts"):
        read_image(file[:33] + 100_000 * part + file[33:], GREY)


@pytest.mark.parametrize("kind", ["PNG", "MPO"])
def test_of_several_frames_the_first_is_read_and_that_is_said(kind: str) -> None:
    frames = [Image.new("L", (4, 4), value) for value in (0, 255)]
    pixels, changes = read_image(encoded(frames[0], kind, save_all=True, append_images=frames[1:]), GREY)
    assert (pixels == 0).all()
    assert changes == ["only the first of several frames was looked at"]


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "I;16", "1"])
def test_large_images_look_like_the_same_ones_made_small(mode: str) -> None:
    """A ramp from dark to light in two colours, made in both sizes; a transparent half is black in both."""

    def ramp(side: int) -> Image.Image:
        grey = Image.linear_gradient("L").resize((side, side), Image.Resampling.BILINEAR)
        if mode == "I;16":
            return Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
        if mode == "1":
            return grey.point(lambda v: 255 * (v > 100)).convert("1")
        if mode == "P":
            return grey.convert("RGB").quantize(64)
        made = grey.convert(mode)
        if mode.endswith("A"):
            half = Image.new("L", (side, side), 255)
            half.paste(0, (0, 0, side // 2, side))
            made.putalpha(half)
        return made

    spec = ImageSpec(height=16, width=16, channels=3, scale=1 / 255)
    (large, said), (small, _) = read_image(encoded(ramp(2560)), spec), read_image(encoded(ramp(1024)), spec)
    assert np.abs(large.astype(int) - small).max() <= 12
    assert large.max() > 200
    assert said[-1] == "fitted from 2560 x 2560 to 16 x 16 pixels"


def test_a_light_border_is_seen() -> None:
    assert has_light_border(np.full((4, 4, 1), 250, np.uint8))
    assert not has_light_border(RAMP // 3)
