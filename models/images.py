"""Images: a PNG or JPEG file brought to the network's channels and size, and said how."""

import io

import numpy as np
from PIL import Image, ImageChops, ImageOps

from models.arrays import Bytes, Inputs
from models.manifest import ImageSpec

FORMATS = ("PNG", "JPEG")
MAX_PIXELS = 4096 * 4096
_LIGHT = 128
_ORIENTATION = 0x0112


class InvalidImage(ValueError):
    """The file is not an image that the service takes; the message says what would be right."""


def read_image(file: bytes, spec: ImageSpec) -> tuple[Bytes, list[str]]:
    """Decode, turn upright, lay alpha over black, convert channels, fit to size; returns the image and what was changed.

    The aspect is kept: what is not square to the network's shape gets black padding. Raises InvalidImage.
    """
    image, changes = _upright(_open(file))
    if image.mode.startswith("I"):
        image = _eight_bits(image)
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
    return pixels.astype(np.float32) * np.float32(spec.scale) + np.float32(spec.offset)


def to_bytes(x: Inputs, spec: ImageSpec) -> Bytes:
    """What the network sees, any leading axes, back to bytes."""
    return np.clip(np.round((x - np.float32(spec.offset)) / np.float32(spec.scale)), 0, 255).astype(np.uint8)


def to_png(pixels: Bytes) -> bytes:
    """A PNG file of one image (height, width, channels)."""
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, "PNG", optimize=True)
    return file.getvalue()


def _open(file: bytes) -> Image.Image:
    too_many = InvalidImage(f"the image has too many pixels; expected at most {MAX_PIXELS:,}")
    try:
        image = Image.open(io.BytesIO(file), formats=FORMATS)
        if image.width * image.height > MAX_PIXELS:
            raise too_many
        image.load()
    except (InvalidImage, Image.DecompressionBombError):
        raise too_many from None
    except Exception as error:  # Pillow's decoders raise many types on broken files
        raise InvalidImage("the file cannot be decoded; expected a PNG or JPEG image") from error
    return image


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
    wide = np.asarray(image, np.int64)
    grey = np.round(wide / 257)
    grey[wide == image.info.get("transparency", -1)] = 0
    return Image.fromarray(np.clip(grey, 0, 255).astype(np.uint8))
