"""Bodies that are nearly right: whole ones, changed at random in some places; from a number alone."""

import json
import re
from collections.abc import Callable, Sequence
from random import Random

Change = Callable[[Random, bytes], bytes]
CANARY = "Qx7canaryW"
"""Stands in many bodies as a value; no answer may say it."""

BROKEN = [
    *(
        b"1e999",
        b"-1e999",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"9" * 5000,
        b"00",
        b"1.",
        b".5",
        b"+1",
        b"0x10",
        b"1_000",
        b"1e400",
    ),
    *(
        rb'"\ud800"',
        rb'"\udfff\ud800"',
        b'"\xff\xfe"',
        b'"\xed\xa0\x80"',
        b'"\xc0\xaf"',
        b'"\xf5\x80\x80\x80"',
        b'"\x01"',
        b"'S'",
    ),
]
"""No JSON, or none that the service takes."""
SOUND = [
    *(
        b"1e308",
        b"-1e308",
        b"9" * 300,
        b"0.1e-400",
        b"1e5",
        b"-0",
        b"-0.0",
        b"3.0",
        b"-1",
        b"0.5",
        b"22",
        b"1e39",
        b"2",
        b"1e-46",
    ),
    *(b"9223372036854775808", b"18446744073709551616", b"-9223372036854775809", b"4294967296", b"65", b"10001"),
    *(b"null", b"true", b"false", b"[]", b"{}", b"[[]]", b'""', b'" "', b"[null]", b'{"": null}', b'{"instances": []}', b"[{}]"),
    *(b'"all"', b'"predicted"', b'"deep"', b'"exact"', b'"fields"', b'"patches"', b'"male"', b'"titanic"', b'"FP32"', b'"BYTES"'),
    *(rb'"\u0000"', rb'"\u0053"', rb'"\ud83d\ude00"', b'{"b64": ""}', b'{"b64": "AAAA"}', b'{"b64": null}', b'"1"', b'"NaN"'),
    *(one.encode() for one in ('"Sêx"', '"\uff21\uff47\uff45"', '"\u202eegA"', '"\U0001f600"', '"e\u0301"', '"ﬁeld"', '"İ"')),
    *(json.dumps(one).encode() for one in (CANARY, f"{CANARY}\n", [CANARY, CANARY], {"b64": CANARY}, {"b64": CANARY * 2})),
    json.dumps(f"data:image/png;base64,{CANARY}").encode(),
]
"""JSON of every kind, and numbers at the edge of what something holds."""
_STRING = rb'"(?:[^"\\]|\\.)*"'
_SCALAR = _STRING + rb"|-?\d[\d.eE+-]*|true|false|null"
_KEYS = re.compile(_STRING + rb"\s*:")
_VALUES = re.compile(_STRING + rb"\s*:|(?P<value>" + _SCALAR + rb")")
_MEMBERS = re.compile(_STRING + rb"\s*:\s*(?:" + _SCALAR + rb")")


def _place(random: Random, body: bytes) -> int:
    return random.randrange(len(body) + 1)


def flip(random: Random, body: bytes) -> bytes:
    """Some bits are wrong."""
    changed = bytearray(body or b"0")
    for _ in range(random.choice((1, 1, 1, 2, 5, 20))):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def cut(random: Random, body: bytes) -> bytes:
    """A part is gone."""
    begin = _place(random, body)
    end = len(body) if random.random() < 0.3 else min(len(body), begin + random.choice((1, 1, 2, 5, 20, 100)))
    return body[:begin] + body[end:]


def insert(random: Random, body: bytes) -> bytes:
    """Some bytes stand where none belong."""
    at = _place(random, body)
    kinds = (
        random.randbytes(random.randrange(1, 9)),
        _value(random),
        random.choice([b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\"]),
    )
    return body[:at] + random.choice(kinds) + body[at:]


def replace(random: Random, body: bytes) -> bytes:
    """A value is another."""
    return _swapped(random, body, _VALUES, _value(random))


def rename(random: Random, body: bytes) -> bytes:
    """A key is another, or nearly the same."""
    keys = (
        b"Sex ",
        b"sex",
        b"",
        "\uff21ge".encode(),
        b"b64",
        b"instances",
        b"\\u0053ex",
        b"a" * 300,
        b"__proto__",
        b"\\ud800",
        b"~1/~0",
        b"x\\u202e\\n",
    )
    return _swapped(random, body, _KEYS, b'"' + random.choice(keys) + b'":')


def repeat(random: Random, body: bytes) -> bytes:
    """A member stands twice, or a list is long."""
    found = list(_MEMBERS.finditer(body))
    if not found:
        return body + body
    one = random.choice(found)
    times = random.choice((1, 1, 1, 2, 30))
    return body[: one.end()] + (b", " + one[0]) * times + body[one.end() :]


def nest(random: Random, body: bytes) -> bytes:
    """Brackets in brackets, closed or not."""
    depth = random.choice((1, 3, 30, 200, 255, 900, 1000, 1100, 5000)) if random.random() < 0.97 else 100_000
    opening, closing = random.choice(((b"[", b"]"), (b'{"a":', b"}"), (b'[{"instances":', b"}]")))
    inside = random.choice((b"", b"1", b"null"))
    deep = opening * depth + inside + (closing * depth if random.random() < 0.7 else b"")
    return _swapped(random, body, _VALUES, deep) if random.random() < 0.8 else deep


def grow(random: Random, body: bytes) -> bytes:
    """Much of one kind."""
    count = random.choice((10, 100, 1000)) if random.random() < 0.98 else 10_001
    many = random.choice(
        (
            b"[" + b",".join([random.choice(SOUND)] * count) + b"]",
            b'"' + random.choice((b"a", "é".encode(), b"\\n", b"\\u00e9")) * count + b'"',
            b"{" + b",".join(b'"k%d":1' % k for k in range(count)) + b"}",
        )
    )
    return _swapped(random, body, _VALUES, many)


def splice(random: Random, body: bytes, other: bytes) -> bytes:
    """The beginning of one and the end of another."""
    return body[: _place(random, body)] + other[_place(random, other) :]


CHANGES: tuple[Change, ...] = (flip, cut, insert, *[replace] * 7, rename, repeat, nest, grow, grow)


def mutated(random: Random, body: bytes, others: Sequence[bytes]) -> bytes:
    """With up to five changes, the end of another body among them; a few stay whole."""
    for _ in range(random.choice((0, 1, 1, 1, 1, 2, 2, 3, 5))):
        body = splice(random, body, random.choice(others)) if random.random() < 0.05 else random.choice(CHANGES)(random, body)
    return body


def _value(random: Random) -> bytes:
    return random.choice(BROKEN if random.random() < 0.15 else SOUND)


def _swapped(random: Random, body: bytes, what: re.Pattern[bytes], new: bytes) -> bytes:
    found = [one for one in what.finditer(body) if "value" not in what.groupindex or one["value"]]
    if not found:
        return body + new
    one = random.choice(found)
    return body[: one.start()] + new + body[one.end() :]
