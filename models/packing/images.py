"""Models of images: size, channels and background from a folder or an array."""

import numpy as np

from models.images import scale_pixels
from models.manifest import ImageSpec
from models.packing.backgrounds import described, of_images
from models.packing.data import Data, read_pictures
from models.packing.finish import Packing, finish
from models.packing.options import Options
from models.packing.subjects import subject_of
from models.packing.transformers import Unpackable

_COMPARED = 200
"""Images on which packed and original are compared, beside the background."""


def prepare_images(model: object, name: str, data: Data, told: Options) -> Packing:
    """See `prepare`."""
    if told.transformer is not None:
        raise Unpackable("images go to the model as they are, scaled; expected no transformer")
    subject = subject_of(model)
    scale = told.scale if told.scale is not None else (1.0 if subject.rescales else 1 / 255)
    shape = subject.image_shape()
    if shape is not None and shape[2] not in (1, 3):
        raise Unpackable(f"expected a model of images with 1 or 3 channels, received {shape[2]}")
    images = read_pictures(data, None if shape is None else _spec(shape, scale, told.offset))
    spec = _spec(images.pixels.shape[1:], scale, told.offset)
    subject.fit_to((spec.height, spec.width, spec.channels))
    how, number = told.reference()
    try:
        reference = of_images(images.pixels, images.classes, spec, how, number, told.seed)
    except ValueError as error:
        raise Unpackable(f"the data have no summary in which nobody is found ({error}); take a background `all` or `N`") from None
    some = np.unique(np.linspace(0, len(images.pixels) - 1, min(_COMPARED, len(images.pixels))).astype(int))
    x = np.concatenate([scale_pixels(images.pixels[some], spec), reference.x])
    return finish(
        subject,
        told,
        x,
        subject.answer(x),
        reference,
        rows=len(images.pixels),
        notes=[f"a byte b reaches the model as b * {scale:g} + {told.offset:g}"],
        name=name,
        kind="image",
        image=spec,
        background=described(how, True, len(reference.x), len(images.pixels), "images that it was packed with", "images"),
        samples=how == "kmeans",
    )


def _spec(shape: tuple[int, ...], scale: float, offset: float) -> ImageSpec:
    height, width, channels = shape
    return ImageSpec.model_validate({"height": height, "width": width, "channels": channels, "scale": scale, "offset": offset})
