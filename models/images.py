"""Images: a PNG or JPEG file brought to the network's channels and size, and said how."""

import io
from typing import Any, cast

import numpy as np
from PIL import Image, ImageOps

from models.arrays import Bytes, Inputs
from models.manifest import ImageSpec

FORMATS = ("PNG", "JPEG")
MAX_PIXELS = 4096 * 4096
_LIGHT = 128


class InvalidImage(ValueError):
    """The file is not an image that the service takes; the message says what would be right."""


def read_image(file: bytes, spec: ImageSpec) -> tuple[Bytes, list[str]]:
    """Decode, turn upright, lay alpha over black, convert channels, fit to size; returns the image and what was changed.

    The aspect is kept: what is not square to the network's shape gets black padding. Raises InvalidImage.
    """
    image = _open(file)
    changes = []
    upright = ImageOps.exif_transpose(image)
    if image.getexif().get(0x0112, 1) != 1:
        changes.append("turned upright as its EXIF orientation says")
    image = upright
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", rgba.size, (0, 0, 0, 255)), rgba).convert("RGB")
        changes.append("laid over black where it is transparent")
    mode, colours = ("L", "grey") if spec.channels == 1 else ("RGB", "RGB")
    if image.mode.startswith("I") or image.mode == "F":
        image = Image.fromarray((np.asarray(image, np.float64) / _depth(image)).astype(np.uint8))
        changes.append("reduced to 8 bits per channel")
    if image.mode != mode:
        if image.mode not in ("L", "1") or mode == "RGB":
            changes.append(f"converted to {colours}")
        image = image.convert(mode)
    if image.size != (spec.width, spec.height):
        changes.append(f"fitted from {image.width} x {image.height} to {spec.width} x {spec.height} pixels")
        image = ImageOps.pad(image, (spec.width, spec.height), Image.Resampling.BICUBIC, color=0)
    pixels = np.asarray(image, np.uint8).reshape(spec.height, spec.width, spec.channels)
    return pixels, changes


def has_light_border(pixels: Bytes) -> bool:
    """Whether the outermost pixels are light: likely a picture on white, which looks unlike training data on black."""
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return bool(np.median(edge) >= _LIGHT)


def scale_pixels(pixels: Bytes, spec: ImageSpec) -> Inputs:
    """Bytes, any leading axes, to what the network sees."""
    return pixels.astype(np.float32) * np.float32(spec.scale)


def write_png(pixels: Bytes) -> bytes:
    """(height, width, 1 or 3) bytes as a PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, "PNG")
    return file.getvalue()


def _open(file: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(file), formats=FORMATS)
        if image.width * image.height > MAX_PIXELS:
            raise InvalidImage(f"the image has too many pixels; expected at most {MAX_PIXELS:,}")
        image.load()
    except InvalidImage:
        raise
    except Exception as error:  # Pillow's decoders raise many types on broken files
        raise InvalidImage("the file cannot be decoded; expected a PNG or JPEG image") from error
    return image


def _depth(image: Any) -> float:
    return 257.0 if cast(float, image.getextrema()[1]) > 255 else 1.0
