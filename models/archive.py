"""What a model's files may be before anything opens them: archives of a bounded size, with the members that belong there."""

import errno
import os
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

MAX_BYTES = 4 * 2**30
"""Of one archive, unpacked."""
MAX_RATIO = 200
"""Unpacked over packed size of one member; text is packed some ten times, arrays of zeros and ones some fifty."""
_SMALL = 2**20
"""Members up to this size, unpacked, may be packed as tightly as they like."""
_MAX_MEMBERS = 100_000
_MAX_TEXT = 64 * 2**20


class InvalidArchive(Exception):
    """The file is not what it should be; the message says what was expected."""


def read_text_file(path: Path) -> bytes:
    """A regular file of at most 64 MiB; nothing else is opened. Raises OSError."""
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    with path.open("rb") as file:
        content = file.read(_MAX_TEXT + 1)
    if len(content) > _MAX_TEXT:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content


def check_archive(path: Path, allowed: Sequence[str]) -> None:
    """Read the directory of a zip file, and nothing else. Raises InvalidArchive.

    allowed: regular expressions for the names of its members. Sizes are those that the directory declares; Python reads no
    more than that of any member.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise InvalidArchive("expected a whole zip archive") from error
    if len(members) > _MAX_MEMBERS:
        raise InvalidArchive(f"expected at most {_MAX_MEMBERS} members")
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        raise InvalidArchive("expected no member twice")
    patterns = [re.compile(pattern) for pattern in allowed]
    if any(not any(pattern.fullmatch(name) for pattern in patterns) for name in names):
        raise InvalidArchive("a member does not belong here; expected those that the library itself writes")
    if (total := sum(member.file_size for member in members)) > MAX_BYTES:
        raise InvalidArchive(f"expected at most {MAX_BYTES:,} bytes unpacked, declared are {total:,}")
    for member in members:
        if member.flag_bits & 1:
            raise InvalidArchive("expected no encrypted member")
        if member.file_size > _SMALL and member.file_size > MAX_RATIO * max(1, member.compress_size):
            ratio = member.file_size // max(1, member.compress_size)
            raise InvalidArchive(f"{member.filename} unpacks to {ratio:,} times its size; expected at most {MAX_RATIO}")
