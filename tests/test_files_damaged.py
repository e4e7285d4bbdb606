"""Cut and damaged files: clipprep opens what live Pillow opens, with its bits, and refuses what it refuses."""

from __future__ import annotations

from functools import cache

import pytest
from compare import assert_equal_bits
from expect import assert_as_pillow_decides, opened
from hypothesis import given
from hypothesis import strategies as st
from pictures import picture
from reference import reference
from writers import saved

import clipprep

EOI = b"\xff\xd9"
FILES = {
    "jpeg": lambda: saved(picture("RGB", 120, 90), "JPEG"),
    "grey jpeg": lambda: saved(picture("L", 120, 90), "JPEG"),
    "cmyk jpeg": lambda: saved(picture("CMYK", 80, 60), "JPEG"),
    "progressive jpeg": lambda: saved(picture("RGB", 120, 90), "JPEG", progressive=True),
    "jpeg with restarts": lambda: saved(picture("RGB", 120, 90), "JPEG", restart_marker_rows=1),
    "wide jpeg": lambda: saved(picture("RGB", 700, 33), "JPEG"),
    "tall jpeg": lambda: saved(picture("RGB", 33, 700), "JPEG"),
    "png": lambda: saved(picture("RGB", 60, 45), "PNG"),
    "palette png": lambda: saved(picture("P", 60, 45), "PNG"),
    "gif": lambda: saved(picture("P", 60, 45), "GIF"),
    "bmp": lambda: saved(picture("RGB", 30, 22), "BMP"),
    "webp": lambda: saved(picture("RGB", 60, 45), "WEBP"),
    "lossless webp": lambda: saved(picture("RGBA", 30, 45), "WEBP", lossless=True),
    "webp with alpha": lambda: saved(picture("RGBA", 30, 45), "WEBP"),
    "pnm": lambda: saved(picture("RGB", 30, 22), "PPM"),
    "qoi": lambda: saved(picture("RGB", 30, 22), "QOI"),
    "tiff": lambda: saved(picture("RGB", 30, 22), "TIFF"),
    "tga": lambda: saved(picture("RGB", 30, 22), "TGA"),
}
JPEGS = [name for name in FILES if "jpeg" in name]


@cache
def file(name: str) -> bytes:
    return FILES[name]()


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_without_its_end_marker_is_truncated(small, name: str) -> None:
    data = file(name)
    assert data.endswith(EOI)
    for cut in (1, 2, 3, 10):
        with pytest.raises(OSError, match="truncated"):
            opened(data[:-cut])
        with pytest.raises(clipprep.TruncatedError):
            small(data[:-cut])


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_cut_in_half_with_an_end_marker_opens(small, name: str) -> None:
    data = file(name)
    for share in (0.3, 0.5, 0.75, 0.95):
        cut = data[: int(len(data) * share)] + EOI
        assert_equal_bits(
            small(cut), reference(opened(cut), 32), f"{name} cut at {share} with an end marker"
        )


@pytest.mark.parametrize(
    "junk", [b"junk" * 4, b"\0" * 64, b"\xff\xd0" * 20, b"\xff" * 50, b"\xff\xd8" * 9, b"x" * 70000]
)
@pytest.mark.parametrize("name", JPEGS)
def test_junk_in_place_of_the_end_marker(small, name: str, junk: bytes) -> None:
    assert_as_pillow_decides(
        file(name)[:-2] + junk,
        small,
        f"{name} with junk {junk[:4]!r} x {len(junk)} for an end marker",
    )


@pytest.mark.parametrize("name", FILES)
def test_cut_anywhere(small, name: str) -> None:
    data = file(name)
    step = max(1, len(data) // 60)
    opens = [
        assert_as_pillow_decides(data[:end], small, f"{name} cut at {end}")
        for end in range(0, len(data), step)
    ]
    assert not opens[0], "an empty file opens"
    assert assert_as_pillow_decides(data, small, name)


@pytest.mark.parametrize("name", FILES)
def test_cut_near_the_end(small, name: str) -> None:
    data = file(name)
    for end in range(max(0, len(data) - 40), len(data)):
        assert_as_pillow_decides(data[:end], small, f"{name} cut at {end} of {len(data)}")


@pytest.mark.parametrize("name", FILES)
def test_bytes_behind_the_end(small, name: str) -> None:
    for junk in (b"\0", b"junk" * 100, file(name)):
        assert_as_pillow_decides(file(name) + junk, small, f"{name} with {len(junk)} bytes behind")


@given(
    name=st.sampled_from(JPEGS), where=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255)
)
def test_a_changed_byte_of_a_jpeg(small, name: str, where: float, value: int) -> None:
    data = bytearray(file(name))
    data[int(where * len(data))] = value
    assert_as_pillow_decides(
        bytes(data), small, f"{name}, byte {int(where * len(data))} is {value}"
    )


@given(
    name=st.sampled_from([name for name in FILES if "jpeg" not in name and "webp" not in name]),
    where=st.floats(0, 1, exclude_max=True),
    value=st.integers(0, 255),
)
def test_a_changed_byte_of_another_file(small, name: str, where: float, value: int) -> None:
    data = bytearray(file(name))
    data[int(where * len(data))] = value
    assert_as_pillow_decides(
        bytes(data), small, f"{name}, byte {int(where * len(data))} is {value}"
    )


@given(
    name=st.sampled_from(sorted(FILES)),
    header=st.integers(0, 60),
    value=st.integers(0, 255),
)
def test_a_changed_byte_of_a_header(small, name: str, header: int, value: int) -> None:
    data = bytearray(file(name))
    data[header] = value
    assert_as_pillow_decides(bytes(data), small, f"{name}, byte {header} is {value}")


@given(
    name=st.sampled_from([name for name in FILES if "webp" in name]),
    where=st.floats(0, 1, exclude_max=True),
    value=st.integers(0, 255),
)
def test_a_changed_byte_of_a_webp(small, name: str, where: float, value: int) -> None:
    """Most bytes are of the bitstream: it opens with other pixels, or not at all, as for Pillow."""
    data = bytearray(file(name))
    data[int(where * len(data))] = value
    assert_as_pillow_decides(
        bytes(data), small, f"{name}, byte {int(where * len(data))} is {value}"
    )


def test_missing_pieces_of_a_png(small) -> None:
    """No end chunk, no data, a wrong checksum of a needed and of an ancillary chunk."""
    data = file("png")
    body, end = data[:-12], data[-12:]
    at = data.index(b"IDAT")
    for name, damaged in {
        "no IEND": body,
        "wrong IEND checksum": data[:-1] + bytes([data[-1] ^ 1]),
        "wrong IDAT checksum": data[: -12 - 1] + bytes([data[-13] ^ 1]) + end,
        "no IDAT": data[: at - 4] + end,
        "half an IDAT": data[: at + 40] + end,
        "wrong IHDR checksum": data[:29] + bytes([data[29] ^ 1]) + data[30:],
    }.items():
        assert_as_pillow_decides(damaged, small, f"png: {name}")
