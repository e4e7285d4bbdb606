"""libjpeg, Pillow and this project read the markers of a JPEG alike: scans cannot be hidden from `max_scans`, and
no order of odd segments is accepted that Pillow refuses."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import clipprep
from clipprep import Limits
from support.expect import assert_as_pillow_decides
from support.pictures import picture
from support.writers import jpeg_segments, jpeg_with_empty_scans, saved

PROGRESSIVE = saved(picture("L", 48, 40), "JPEG", progressive=True)
SEQUENTIAL = saved(picture("RGB", 48, 40), "JPEG")
#: 100 million pixels, of which each of 2,000 scans decodes all: hours of work in some 20 KB.
BOMB = jpeg_with_empty_scans(PROGRESSIVE, (10_000, 10_000), 2_000)
TABLES_ONLY = b"\xff\xd8\xff\xd9"


def scans(data: bytes) -> tuple[bytes, list[bytes], bytes]:
    """The bytes before the second scan header, those headers, and the bytes after them."""
    first = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    length = 2 + int.from_bytes(data[first + 2 : first + 4], "big")
    end = data.rindex(b"\xff\xd9")
    return data[:first], [data[i : i + length] for i in range(first, end, length)], data[end:]


def between(piece: Callable[[int], bytes]) -> Callable[[bytes], bytes]:
    """Puts a piece before each of the empty scans, by its number."""

    def hide(data: bytes) -> bytes:
        head, headers, tail = scans(data)
        return head + b"".join(piece(i) + header for i, header in enumerate(headers)) + tail

    return hide


def under_a_length(data: bytes) -> bytes:
    """Scans where a marker without parameters seems to have a segment of 64 KB."""
    head, headers, tail = scans(data)
    blocks = [b"".join(headers[i : i + 5000]) for i in range(0, len(headers), 5000)]
    return head + b"".join(b"\xff\x01\xff\xff" + b.ljust(65_533, b"\xff") for b in blocks) + tail


HIDING: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda data: data,
    "a marker without length": between(lambda i: b"\xff\x01"),
    "a marker that seems long": under_a_length,
    "fill bytes": between(lambda i: b"\xff" * (i % 5)),
    "stuffed zeros": between(lambda i: b"\xff\0\xff\xff\0"),
    "junk": between(lambda i: bytes(i % 7)),
    "restarts": between(lambda i: bytes([0xFF, 0xD0 + i % 8])),
    "comments": between(lambda i: b"\xff\xfe\0\x04\xff\xd9"),
    "comments too short for their length": between(lambda i: b"\xff\xfe\0" + bytes([i % 2])),
    "tables that are empty": between(lambda i: b"\xff\xc4\0\x02\xff\xdb\0\x02"),
    "tables alone": lambda data: TABLES_ONLY + data,
    "tables alone, thrice": lambda data: TABLES_ONLY * 3 + data,
    "no end": lambda data: data[:-2],
}
#: Headers that are left to Pillow.
ODD: dict[str, Callable[[bytes], bytes]] = {
    "regular": lambda data: data,
    "an odd JFIF": lambda data: data[:2] + b"\xff\xe0\0\x07JFIF\0" + data[2:],
    "an odd Adobe": lambda data: data[:2] + b"\xff\xee\0\x08Adobe\0" + data[2:],
}


@pytest.mark.parametrize("truncated", ["error", "pad"])
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("hiding", HIDING)
def test_hidden_scans_are_counted(hiding: str, odd: str, truncated: str) -> None:
    data = HIDING[hiding](ODD[odd](BOMB))
    pre = clipprep.Preprocess(32, pillow="installed", truncated=truncated)
    started = time.thread_time()
    with pytest.raises(clipprep.LimitError, match="max_scans"):
        pre(data)
    assert time.thread_time() - started < 1


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("hiding", HIDING)
def test_scans_within_the_limit_are_decoded(hiding: str, odd: str) -> None:
    data = HIDING[hiding](ODD[odd](jpeg_with_empty_scans(PROGRESSIVE, (48, 40), 20)))
    assert_as_pillow_decides(data, clipprep.Preprocess(32, pillow="installed"), f"{hiding}, {odd}")


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_scan_does_not_count(odd: str) -> None:
    headers = b"\xff\xda\0\x08\x01\x01\0\0\0\0" * 600
    in_a_comment = b"\xff\xfe" + (len(headers) + 2).to_bytes(2, "big") + headers
    for data in (PROGRESSIVE[:2] + in_a_comment + PROGRESSIVE[2:], PROGRESSIVE + headers):
        pre = clipprep.Preprocess(32, pillow="installed", limits=Limits(max_scans=10))
        assert_as_pillow_decides(ODD[odd](data), pre, "scans that are none")


# Headers -----------------------------------------------------------------------------------------


def pieces(data: bytes) -> list[bytes]:
    """The segments up to the first scan header, and all that follows."""
    segments = list(jpeg_segments(data))
    return [data[start:end] for _, start, end in segments[:-1]] + [data[segments[-1][1] :]]


EXTRA = [
    b"\xff\x01",
    b"\xff\xd0",
    b"\xff\xd7",
    b"\xff",
    b"\xff\0",
    b"junk",
    b"\xff\xd8",
    b"\xff\xd9",
    b"\xff\xd9\xff\xd8",
    b"\xff\xd9 \xff\xd8",
    b"\xff\xe0\0\x07JFIF\0",
    b"\xff\xe0\0\x0eJFIF\0\1\1\0\0\1\0",
    b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0",
    b"\xff\xee\0\x08Adobe\0",
    b"\xff\xee\0\x0eAdobe\0d\0\0\0\0\0",
    b"\xff\xee\0\x0eAdobe\0d\0\0\0\0\2",
    b"\xff\xe2\0\x0eICC_PROFILE\0",
    b"\xff\xe2\0\x10ICC_PROFILE\0\1\1",
    b"\xff\xe1\0\0",
    b"\xff\xfe\0\1",
    b"\xff\xfe\0\3x",
    b"\xff\xdc\0\4\0\x30",
    b"\xff\xde\0\4\0\0",
    b"\xff\xdf\0\3\0",
    b"\xff\xf0\0\2",
    b"\xff\xc8\0\2",
    b"\xff\xcc\0\2",
    b"\xff\xcc\0\4\0\x10",
    b"\xff\xcc\0\4\x20\x10",
    b"\xff\xc4\0\2",
    b"\xff\xc4\0\3\0",
    b"\xff\xdb\0\2",
    b"\xff\xdb\0\4\0\0",
    b"\xff\xdb\0\x43\4" + bytes(64),
    b"\xff\xdd\0\4\0\0",
    b"\xff\xdd\0\5\0\0\0",
    b"\xff\x02\0\2",
    b"\xff\xbf\0\2",
]


@given(
    file=st.sampled_from([SEQUENTIAL, PROGRESSIVE]),
    extra=st.lists(st.tuples(st.sampled_from(EXTRA), st.integers(0, 20)), max_size=3),
    tables=st.integers(0, 2),
    order=st.integers(0, 3),
)
@settings(max_examples=400, deadline=None)
def test_odd_headers(file: bytes, extra: list[tuple[bytes, int]], tables: int, order: int) -> None:
    """Odd segments in any place, the others in another order, and images of tables alone before them."""
    parts = pieces(file)
    if order:
        moved = parts[:-1]
        random.Random(order).shuffle(moved)
        parts = moved + parts[-1:]
    for piece, at in extra:
        parts.insert(min(at, len(parts)), piece)
    # Tables that an earlier image has may be missing in the one that counts.
    early = b"".join(part for part in parts[:-1] if part[1:2] in (b"\xdb", b"\xc4"))
    prefix = [b"", TABLES_ONLY, b"\xff\xd8" + early + b"\xff\xd9"][tables]
    data = prefix + b"\xff\xd8" + b"".join(parts)
    assert_as_pillow_decides(
        data, clipprep.Preprocess(32, pillow="installed"), repr((extra, order))
    )
