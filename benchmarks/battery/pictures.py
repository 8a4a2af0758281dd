"""Image files that are nearly right: drawn by the project, then changed at random; from a number alone."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from random import Random

from PIL import Image, ImageDraw

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SIZES = ((1, 1), (28, 28), (7, 40), (64, 48), (150, 150))
_MODES = ("1", "L", "LA", "RGB", "RGBA", "P", "I;16")


def drawn(mode: str, size: tuple[int, int]) -> Image.Image:
    """Shapes on black, in any mode of a PNG file."""
    image = Image.new("RGBA", size)
    draw = ImageDraw.Draw(image)
    width, height = size
    draw.ellipse((width // 8, height // 8, width - 1, height - 1), fill=(200, 60, 20, 180))
    draw.line((0, height, width, 0), fill=(20, 250, 250, 255), width=3)
    if mode == "P":
        return image.convert("RGB").quantize(17)
    return image.convert("L").convert(mode) if mode == "I;16" else image.convert(mode)


@cache
def whole() -> list[bytes]:
    """PNG and JPEG files of every kind that the service takes, and animated ones."""
    pngs = [_saved(drawn(mode, size), "PNG") for mode in _MODES for size in _SIZES]
    pngs += [_saved(drawn("P", (40, 40)), "PNG", transparency=3), _saved(drawn("L", (40, 40)), "PNG", transparency=255)]
    frames = [drawn("RGB", (32, 32)), drawn("RGB", (32, 32)).rotate(90)]
    pngs += [_saved(frames[0], "PNG", save_all=True, append_images=frames[1:], loop=0)]
    pngs += [interlaced(drawn(mode, (21, 30))) for mode in ("L", "RGB", "RGBA")]
    exif = Image.Exif()
    jpegs: list[bytes] = []
    for mode, colours in (("L", "L"), ("RGB", "RGB"), ("RGB", "CMYK"), ("RGB", "YCbCr")):
        for size in _SIZES:
            exif[0x0112] = 1 + len(jpegs) % 8
            image = drawn(mode, size).convert(colours)
            jpegs.append(_saved(image, "JPEG", exif=exif, progressive=len(jpegs) % 2 == 1, quality=30 + 3 * len(jpegs)))
    return pngs + jpegs


def interlaced(image: Image.Image) -> bytes:
    """The picture as a PNG file in Adam7's seven passes, which Pillow reads and does not write."""
    channels = len(image.getbands())
    raw = b""
    for x, y, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        for row in range(y, image.height, dy):
            pixels = [image.getpixel((column, row)) for column in range(x, image.width, dx)]
            if pixels:
                raw += b"\0" + b"".join(bytes((pixel,) if isinstance(pixel, int) else pixel) for pixel in pixels)  # type: ignore[arg-type]
    colour = {1: 0, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", image.width, image.height, 8, colour, 0, 0, 1)
    return _SIGNATURE + b"".join(chunk(*one) for one in ((b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")))


def bomb(side: int, mode: int, sent: float) -> bytes:
    """A PNG file of side x side black pixels, of which a share is there. mode: PNG's colour type."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[mode]
    header = struct.pack(">IIBBBBB", side, side, 8, mode, 0, 0, 0)
    pack, data, row = zlib.compressobj(1), b"", bytes(1 + channels * min(side, 2**15))
    for _ in range(int(min(side, 5000) * sent)):
        data += pack.compress(row)
    data += pack.flush()
    return _SIGNATURE + b"".join(chunk(*one) for one in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b"")))


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file, with the checksum that belongs to it."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def chunks(file: bytes) -> list[tuple[bytes, bytes]]:
    """Those of a PNG file: (kind, data); the last may be cut."""
    found, at = [], len(_SIGNATURE)
    while at + 8 <= len(file):
        (length,) = struct.unpack(">I", file[at : at + 4])
        found.append((file[at + 4 : at + 8], file[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def garbled(random: Random, data: bytes) -> bytes:
    """Bits, bytes or lengths of it are wrong."""
    changed = bytearray(data or b"\0")
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        at = random.randrange(len(changed))
        kind = random.randrange(5)
        if kind == 0:
            changed[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            changed[at] = random.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))
        elif kind == 2:
            del changed[at : at + random.choice((1, 2, 8, 64))]
            changed = changed or bytearray(b"\0")
        elif kind == 3:
            changed[at:at] = random.randbytes(random.choice((1, 2, 8, 64)))
        else:
            changed[at : at + 4] = random.choice((b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\0\1\0\0"))
    return bytes(changed)


def _in_chunks(random: Random, file: bytes) -> bytes:
    """A PNG file whose chunks are wrong and whose checksums are right, so that the decoder sees them; pixels are packed anew."""
    parts = chunks(file)
    for _ in range(random.choice((1, 1, 2))):
        at = random.randrange(len(parts))
        kind, data = parts[at]
        what = random.randrange(6)
        if what == 0:
            parts.insert(at, parts[random.randrange(len(parts))])
        elif what == 1 and len(parts) > 1:
            del parts[at]
        elif what == 2:
            kinds = (
                b"tRNS",
                b"PLTE",
                b"iCCP",
                b"tEXt",
                b"zTXt",
                b"iTXt",
                b"eXIf",
                b"acTL",
                b"fcTL",
                b"fdAT",
                b"gAMA",
                b"sBIT",
                b"IDAT",
            )
            parts.insert(at, (random.choice(kinds), _content(random)))
        elif kind == b"IDAT" and what < 5:
            parts[at] = (kind, _repacked(random, data))
        else:
            parts[at] = (kind, garbled(random, data))
    return _SIGNATURE + b"".join(chunk(*part) for part in parts)


def _content(random: Random) -> bytes:
    """What a chunk of text, of colours or of a profile may hold; packed a thousandfold sometimes."""
    packed = zlib.compress(bytes(random.choice((10, 10_000, 2_000_000))))
    noise = random.randbytes(random.choice((0, 1, 4, 26, 300, 768)))
    return random.choice(
        (noise, b"name\0\0" + packed, b"name\0\1\0\0\0" + packed, b"Exif\0\0II*\0" + noise, b"II*\0\x08\0\0\0" + noise)
    )


def _repacked(random: Random, data: bytes) -> bytes:
    try:
        return zlib.compress(garbled(random, zlib.decompress(data)), 1)
    except zlib.error:
        return garbled(random, data)


def _spliced(random: Random, file: bytes) -> bytes:
    other = random.choice(whole())
    return file[: random.randrange(len(file))] + other[random.randrange(len(other)) :]


def _cut(random: Random, file: bytes) -> bytes:
    return file[: random.randrange(len(file))]


def _sized(random: Random, file: bytes) -> bytes:
    """Another size in the header than in the data."""
    sides = (0, 1, 27, 29, 4096, 4097, 65_535, 2**16, 2**31 - 1, 2**32 - 1)
    width, height = random.choice(sides), random.choice(sides)
    if file.startswith(_SIGNATURE) and chunks(file):
        (kind, header), *rest = chunks(file)
        parts = [(kind, struct.pack(">II", width, height) + header[8:]), *rest]
        return _SIGNATURE + b"".join(chunk(*part) for part in parts)
    at = max(file.find(b"\xff\xc0"), file.find(b"\xff\xc2"))
    return file[: at + 5] + struct.pack(">HH", height % 2**16, width % 2**16) + file[at + 9 :]


_CHANGES: tuple[Callable[[Random, bytes], bytes], ...] = (garbled, garbled, _spliced, _cut, _sized)


def mutated(number: int) -> bytes:
    """A file with some changes; one in a thousand is a bomb, some are whole."""
    random = Random(number)
    if number % 1000 == 999:
        return bomb(random.choice((2048, 4096, 4097, 20_000, 2**31 - 1)), random.choice((0, 2, 4, 6)), random.choice((0, 0.1, 1)))
    file = random.choice(whole())
    if file.startswith(_SIGNATURE) and random.random() < 0.6:
        return _in_chunks(random, file)
    for _ in range(random.choice((0, 1, 1, 1, 2))):
        file = random.choice(_CHANGES)(random, file) if file else file
    return file


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
