"""JPEG files with something wrong or unusual in their structure: live Pillow decides whether they open, and as what."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from support.expect import assert_as_pillow_decides
from support.pictures import picture
from support.writers import (
    jpeg_segments,
    jpeg_with,
    jpeg_without,
    saved,
)


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def patched(data: bytes, marker: int, offset: int, value: bytes) -> bytes:
    """Overwrites some bytes of the first segment of a kind."""
    start = next(start for found, start, _ in jpeg_segments(data) if found == marker)
    return data[: start + offset] + value + data[start + offset + len(value) :]


def jpegs() -> Iterator[tuple[str, bytes]]:
    data = saved(picture("RGB", 157, 90), "JPEG")
    found = {marker: (start, end) for marker, start, end in jpeg_segments(data)}
    sof, sos = data[slice(*found[0xC0])], data[slice(*found[0xDA])]
    for name, marker in (("Huffman", 0xC4), ("quantisation", 0xDB), ("JFIF", 0xE0)):
        yield f"no {name} segment", jpeg_without(data, marker)
    for name, marker, body in (
        ("short JFIF", 0xE0, b"JFIF\0"),
        ("short Adobe", 0xEE, b"Adobe"),
        ("Adobe transform 9", 0xEE, b"Adobe\0d\0\0\0\0\x09"),
        ("Exif of garbage", 0xE1, b"Exif\0\0garbage"),
        ("profile of garbage", 0xE2, b"ICC_PROFILE\0\1\2garbage"),
        ("MPF of garbage", 0xE2, b"MPF\0garbage"),
        ("Photoshop of garbage", 0xED, b"Photoshop 3.0\x008BIM\x03\xed\0\0\0\0\0\x10"),
        ("empty comment", 0xFE, b""),
        ("JPG0", 0xF0, b"xx"),
        ("JPG", 0xC8, b"xx"),
        ("DNL before the frame", 0xDC, b"\0\x5a"),
        ("arithmetic conditioning", 0xCC, b"\0\x10"),
        ("reserved marker", 0x02, b"xx"),
    ):
        yield name, jpeg_with(data, marker, body)
    for name, junk in (
        ("TEM", b"\xff\x01"),
        ("RST", b"\xff\xd0"),
        ("zeros", b"\0\0"),
        ("FF00", b"\xff\0"),
        ("SOI", b"\xff\xd8"),
    ):
        yield f"{name} before the first segment", data[:2] + junk + data[2:]
        yield f"{name} after the first segment", data[:20] + junk + data[20:]
    for name, offset, value in (
        ("12 bits", 4, b"\x0c"),
        ("0 bits", 4, b"\0"),
        ("2 components", 9, b"\2"),
        ("4 components", 9, b"\4"),
        ("no component", 9, b"\0"),
        ("no height", 5, b"\0\0"),
        ("no width", 7, b"\0\0"),
    ):
        yield name, patched(data, 0xC0, offset, value)
    for component in (0, 1):
        for factors in (0x00, 0x10, 0x51, 0x41, 0x14, 0x44, 0x31, 0x13, 0x33, 0x12, 0x24):
            changed = patched(data, 0xC0, 11 + 3 * component, bytes([factors]))
            yield f"factors {factors:02x} of component {component}", changed
    yield "two frame headers", data[: found[0xC0][1]] + sof + data[found[0xC0][1] :]
    yield "scan of two components", patched(data, 0xDA, 4, b"\2")
    yield "scan with a missing table", patched(data, 0xDA, 6, b"\x22")
    yield "empty scan", data[: found[0xDA][1]] + b"\xff\xd9"
    middle = (found[0xDA][1] + len(data)) // 2
    while 0xFF in data[middle - 1 : middle + 1]:
        middle += 1
    for name, marker_bytes in (
        ("SOI", b"\xff\xd8"),
        ("SOS", sos),
        ("SOF", sof),
        ("EOI", b"\xff\xd9"),
        ("RST3", b"\xff\xd3"),
        ("TEM", b"\xff\x01"),
        ("reserved", b"\xff\x02"),
        ("comment", segment(0xFE, b"hello")),
        ("cut segment", b"\xff\xe1\x10\0abc"),
        ("bad Huffman table", segment(0xC4, b"\0" + b"\xff" * 16)),
        ("fill bytes", b"\xff" * 7),
    ):
        yield f"{name} inside the scan", data[:middle] + marker_bytes + data[middle:]
        yield f"{name} before the end", data[:-2] + marker_bytes + data[-2:]
        yield f"{name} for an end", data[:-2] + marker_bytes
    restarts = saved(picture("RGB", 157, 90), "JPEG", restart_marker_rows=1)
    at = [
        i
        for i in range(len(restarts) - 1)
        if restarts[i] == 0xFF and 0xD0 <= restarts[i + 1] <= 0xD7
    ]
    for step in (1, 4, 7):
        marker = bytes([0xFF, 0xD0 + (restarts[at[2] + 1] - 0xD0 + step) % 8])
        yield f"restart marker {step} ahead", restarts[: at[2]] + marker + restarts[at[2] + 2 :]
    yield "restart marker missing", restarts[: at[2]] + restarts[at[2] + 2 :]
    yield (
        "restart marker twice",
        restarts[: at[2]] + restarts[at[2] : at[2] + 2] + restarts[at[2] :],
    )
    yield "restart interval missing", restarts[: at[1]] + restarts[at[2] :]


@pytest.mark.parametrize(("name", "data"), [pytest.param(*case, id=case[0]) for case in jpegs()])
def test_jpeg(small, name: str, data: bytes) -> None:
    assert_as_pillow_decides(data, small, f"jpeg, {name}")


@pytest.mark.parametrize("size", [(157, 90), (700, 33), (33, 700)], ids=str)
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0"])
def test_progressive_jpeg_with_scans_missing(small, sampling: str, size: tuple[int, int]) -> None:
    """Missing coefficients are smoothed from neighbours: from 5 x 5 blocks since libjpeg-turbo 2.1."""
    data = saved(picture("RGB", *size), "JPEG", progressive=True, subsampling=sampling)
    scans = [i for i in range(len(data) - 1) if data[i : i + 2] == b"\xff\xda"]
    assert len(scans) == 10
    for scan, (start, end) in enumerate(zip(scans, [*scans[1:], len(data) - 2], strict=True)):
        for cut in (start, (start + end) // 2)[scan == 0 :]:
            assert assert_as_pillow_decides(
                data[:cut] + b"\xff\xd9",
                small,
                f"jpeg {size} {sampling} cut in scan {scan} at {cut}",
            )
        without = data[:start] + data[end:]
        assert_as_pillow_decides(without, small, f"jpeg {size} {sampling} without scan {scan}")
