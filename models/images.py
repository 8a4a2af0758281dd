"""Images: a PNG or JPEG file brought to the network's channels and size, and said how."""

import io
import math
import re

import numpy as np
from PIL import Image, ImageChops, ImageOps

from models.arrays import Bytes, Inputs
from models.manifest import ImageSpec

FORMATS = ("PNG", "JPEG")
MAX_PIXELS = 4096 * 3072
"""Of a file: some 50 MB when it is decoded. A progressive JPEG takes three times as much for as many, and may have a quarter."""
MAX_SIDE = 2**14
"""Every row of an image takes memory of its own, however short it is."""
_LARGE = 1024 * 1024
"""Pixels beyond which an image is first made smaller."""
_STRIP = 64
"""Rows of the smaller image that are made at once."""
_MOST_READS = 50_000
"""Of a file: Pillow reads every segment, every chunk and every stray byte of its head in Python."""
_MOST_SCANS = 100
"""Of a JPEG: each may take as long as all of its pixels, however few bytes it has. Encoders make ten or so."""
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
"""Of what a JPEG consists of; the others have no length, or are data."""
_SCAN, _END = 0xDA, 0xD9
_LIGHT = 128
_ORIENTATION = 0x0112


class InvalidImage(ValueError):
    """The file is not an image that the service takes; the message says what would be right."""


def read_image(file: bytes, spec: ImageSpec) -> tuple[Bytes, list[str]]:
    """Decode, turn upright, lay alpha over black, convert channels, fit to size; returns the image and what was changed.

    The aspect is kept: what is not square to the network's shape gets black padding. Raises InvalidImage.
    """
    try:
        image = _open(file)
        return _read(image, spec)
    except InvalidImage:
        raise
    except Exception as error:  # Pillow raises many types on broken files, not only when it decodes them
        raise InvalidImage("the file cannot be decoded; expected a PNG or JPEG image") from error


def _read(image: Image.Image, spec: ImageSpec) -> tuple[Bytes, list[str]]:
    upright, changes = _upright(image)
    if getattr(image, "n_frames", 1) > 1:
        changes.append("only the first of several frames was looked at")
    size = upright.size
    image = _shrunk(upright)
    if image.mode.startswith("I"):
        image = _eight_bits(image)
    if upright.mode.startswith("I"):
        changes.append("reduced to 8 bits per channel")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, (0, 0, 0, 255)), rgba).convert("RGB")
        if np.asarray(rgba)[..., 3].min() < 255:  # canvases write an alpha channel always
            changes.append("laid over black where it is transparent")
    mode, colours = ("L", "grey") if spec.channels == 1 else ("RGB", "RGB")
    if image.mode != mode:
        converted = image.convert(mode)
        if not _same_colours(image, converted):
            changes.append(f"converted to {colours}")
        image = converted
    if size != (spec.width, spec.height):
        changes.append(f"fitted from {size[0]} x {size[1]} to {spec.width} x {spec.height} pixels")
        image = ImageOps.pad(image, (spec.width, spec.height), Image.Resampling.BICUBIC, color=0)
    pixels = np.asarray(image, np.uint8).reshape(spec.height, spec.width, spec.channels)
    return pixels, changes


def _shrunk(image: Image.Image) -> Image.Image:
    """A large image made smaller by averages over squares, strip by strip: what follows needs no copy of the whole."""
    side = math.ceil(math.sqrt(image.width * image.height / _LARGE))
    if side == 1:
        return image
    small = None
    for top in range(0, image.height, side * _STRIP):
        strip = image.crop((0, top, image.width, min(top + side * _STRIP, image.height)))
        if strip.mode.startswith("I"):
            strip = _eight_bits(strip)
        if strip.has_transparency_data:
            strip = strip.convert("RGBA")
        elif strip.mode not in ("L", "RGB"):
            strip = strip.convert("RGB")
        strip = strip.reduce(side)
        if small is None:
            small = Image.new(strip.mode, (strip.width, -(-image.height // side)))
        small.paste(strip, (0, top // side))
    assert small is not None
    return small


def has_light_border(pixels: Bytes) -> bool:
    """Whether the outermost pixels are light: likely a picture on white, which looks unlike training data on black."""
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return bool(np.median(edge) >= _LIGHT)


def scale_pixels(pixels: Bytes, spec: ImageSpec) -> Inputs:
    """Bytes, any leading axes, to what the network sees."""
    return pixels.astype(np.float32) * np.float32(spec.scale) + np.float32(spec.offset)


def to_bytes(x: Inputs, spec: ImageSpec) -> Bytes:
    """What the network sees, any leading axes, back to bytes."""
    return np.clip(np.round((x - np.float32(spec.offset)) / np.float32(spec.scale)), 0, 255).astype(np.uint8)


def to_png(pixels: Bytes) -> bytes:
    """A PNG file of one image (height, width, channels)."""
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, "PNG", optimize=True)
    return file.getvalue()


class _Bounded(io.BytesIO):
    """A file that is not read without end."""

    _left = _MOST_READS

    def read(self, size: int | None = -1) -> bytes:
        """Raises InvalidImage."""
        self._left -= 1
        if self._left < 0:
            raise InvalidImage("the file has too many parts; expected an image as cameras and programs write it")
        return super().read(size)


def _open(file: bytes) -> Image.Image:
    try:
        image = Image.open(_Bounded(file), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many(MAX_PIXELS) from None
    most = MAX_PIXELS // 4 if "progressive" in image.info else MAX_PIXELS
    if image.width * image.height > most or max(image.size) > MAX_SIDE:
        raise _too_many(most)
    if image.format != "PNG" and _scans(file) > _MOST_SCANS:
        raise InvalidImage(f"the image has too many scans; expected at most {_MOST_SCANS}")
    image.load()
    return image


def _scans(file: bytes) -> int:
    """Of a JPEG, up to its end: what cameras write behind it is not decoded. More than _MOST_SCANS if it has too many parts."""
    place, count = 2, 0
    for _ in range(_MOST_READS):
        marker = _MARKER.search(file, place)
        if marker is None or count > _MOST_SCANS or file[marker.end() - 1] == _END:
            return count
        count += file[marker.end() - 1] == _SCAN
        place = marker.end() + max(2, int.from_bytes(file[marker.end() : marker.end() + 2]))
    return _MOST_SCANS + 1


def _too_many(most: int) -> InvalidImage:
    return InvalidImage(f"the image has too many pixels; expected at most {most:,}, and {MAX_SIDE:,} on a side")


def _upright(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """As its EXIF orientation says; EXIF that cannot be read says nothing."""
    try:
        turned = image.getexif().get(_ORIENTATION) in range(2, 9)
        return (ImageOps.exif_transpose(image), ["turned upright as its EXIF orientation says"]) if turned else (image, [])
    except Exception:  # Pillow's EXIF parser raises many types too
        return image, []


def _same_colours(image: Image.Image, converted: Image.Image) -> bool:
    """Whether nothing was lost or invented: grey in every channel is grey."""
    return ImageChops.difference(image.convert("RGB"), converted.convert("RGB")).getbbox() is None


def _eight_bits(image: Image.Image) -> Image.Image:
    """Sixteen bits to eight; the one grey value that may be transparent becomes black, as if laid over black."""
    wide = np.asarray(image).astype(np.float32)
    grey = np.clip(np.round(wide / 257), 0, 255)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        grey[wide == transparent] = 0
    return Image.fromarray(grey.astype(np.uint8))
