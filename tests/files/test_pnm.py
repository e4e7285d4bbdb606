"""PNM files give the bits of live Pillow, decoded natively."""

from __future__ import annotations

import numpy as np
import pytest

from support.expect import assert_as_pillow_decides, assert_file
from support.pictures import picture
from support.writers import (
    saved,
)

SIZES = ((157, 243), (243, 157), (300, 17), (17, 300), (1, 1), (33, 32))


def pnm(kind: bytes, width: int, height: int, body: bytes, maxval: int | None = None) -> bytes:
    head = kind + b"\n%d %d\n" % (width, height)
    return head + (b"" if maxval is None else b"%d\n" % maxval) + body


@pytest.mark.parametrize(("kind", "mode"), [(b"P4", "1"), (b"P5", "L"), (b"P6", "RGB")])
def test_binary_pnm(pre, small, kind: bytes, mode: str) -> None:
    for width, height in (*SIZES, (7, 5), (9, 5)):
        rng = np.random.default_rng(width)
        row = {"1": -(-width // 8), "L": width, "RGB": 3 * width}[mode]
        body = rng.integers(0, 256, row * height, dtype=np.uint8).tobytes()
        data = pnm(kind, width, height, body, None if mode == "1" else 255)
        assert_file(data, small, "clipprep", f"pnm {kind!r} {width} x {height}", mode)
    assert_file(saved(picture(mode, 400, 300), "PPM"), pre, "clipprep", f"pnm {kind!r} n=224", mode)


@pytest.mark.parametrize("maxval", [1, 2, 15, 100, 127, 128, 200, 254, 255])
@pytest.mark.parametrize(("kind", "mode", "channels"), [(b"P5", "L", 1), (b"P6", "RGB", 3)])
def test_pnm_with_another_maximum(
    small, kind: bytes, mode: str, channels: int, maxval: int
) -> None:
    values = np.random.default_rng(maxval).integers(0, maxval + 1, 61 * 40 * channels)
    data = pnm(kind, 61, 40, values.astype(np.uint8).tobytes(), maxval)
    assert_file(data, small, "clipprep", f"pnm {kind!r} maxval {maxval}", mode)
    too_large = pnm(kind, 61, 40, bytes(range(256)) * 61 * channels, maxval)
    assert assert_as_pillow_decides(
        too_large, small, f"pnm {kind!r} with values over maxval {maxval}"
    )


@pytest.mark.parametrize("maxval", [256, 1000, 4095, 32767, 65534, 65535])
def test_16_bit_pnm(small, maxval: int) -> None:
    values = (
        np.random.default_rng(maxval).integers(0, maxval + 1, 61 * 40 * 3).astype(">u2").tobytes()
    )
    colour = pnm(b"P6", 61, 40, values, maxval)
    assert_file(colour, small, "clipprep", f"pnm P6 maxval {maxval}", "RGB")
    grey = pnm(b"P5", 61, 40, values, maxval)
    assert_file(grey, small, "clipprep", f"pnm P5 maxval {maxval}", "I")
    numbers = b" ".join(b"%d" % value for value in np.frombuffer(values, ">u2")) + b"\n"
    assert_file(pnm(b"P3", 61, 40, numbers, maxval), small, "clipprep", f"pnm P3 maxval {maxval}")
    numbers = b" ".join(numbers.split()[: 61 * 40])
    plain = pnm(b"P2", 61, 40, numbers, maxval)
    assert_file(plain, small, "clipprep", f"pnm P2 maxval {maxval}", "I")


@pytest.mark.parametrize("kind", [b"P1", b"P2", b"P3"])
def test_plain_pnm(small, kind: bytes) -> None:
    top, count = {b"P1": (1, 1), b"P2": (255, 1), b"P3": (255, 3)}[kind]
    values = np.random.default_rng(3).integers(0, top + 1, 61 * 40 * count)
    for separator in (b" ", b"\n", b"  \t\n"):
        body = separator.join(b"%d" % value for value in values) + b"\n"
        data = pnm(kind, 61, 40, body, None if kind == b"P1" else top)
        assert_file(data, small, "clipprep", f"pnm {kind!r} separated by {separator!r}")
    commented = (
        kind + b"\n# a comment\n61 40\n# another\n" + (b"" if kind == b"P1" else b"255\n") + body
    )
    assert_file(commented, small, "clipprep", f"pnm {kind!r} with comments")
    for name, odd in {
        "a comment among the samples": data[:60] + b"# note\n" + data[60:],
        "a comment that ends with the file": data + b"# note",
        "samples after the last": data + b"1 0 1\n",
        "words after the last": data + b"and so on\n",
        "a sample that is too large": data[:60] + b" 256 " + data[60:],
        "a sample of eleven digits": data[:60] + b" 00000000001 " + data[60:],
        "a sign": data[:60] + b" +1 " + data[60:],
        "an underscore": data[:60] + b" 1_0 " + data[60:],
        "no space after the last": data.rstrip(),
        "one digit less": data.rstrip()[:-2],
        "half of the samples": data[: len(data) // 2],
    }.items():
        assert_as_pillow_decides(odd, small, f"pnm {kind!r} with {name}")


def test_plain_pnm_of_more_than_one_block(small) -> None:
    values = np.random.default_rng(3).integers(0, 256, 700 * 500)
    body = b" ".join(b"%d" % value for value in values) + b"\n"
    assert len(body) > 1 << 20
    assert_file(pnm(b"P2", 700, 500, body, 255), small, "clipprep", "pnm of two blocks", "L")
    commented = body[:-700] + b"# note\n" + body[-700:]
    assert assert_as_pillow_decides(pnm(b"P2", 700, 500, commented, 255), small, "pnm, comment")


def test_odd_pnm_headers_are_for_pillow_to_decide(small) -> None:
    body = bytes(range(256)) * 3
    for head in (
        b"P5 16 16 255 ",
        b"P5\n#c\n16 #d\n16\n255\n",
        b"P5\r\n16\r\n16\r\n255\n",
        b"P5\n16 16\n0\n",
        b"P5\n16 16\n65536\n",
        b"P5\n0 16\n255\n",
        b"P5\n-16 16\n255\n",
        b"P5\n16 16\n255#\n",
        b"P5#c\n16 16 255\n",
        b"P5\n16 16 00000000255\n",
        b"P516 16 255\n",
        b"P5\n+16 1_6 255\n",
        b"P7\nWIDTH 16\nHEIGHT 16\nDEPTH 1\nMAXVAL 255\nTUPLTYPE GRAYSCALE\nENDHDR\n",
        b"Pf\n8 8\n-1.0\n",
        b"PyRGBA\n8 8\n255\n",
        b"PyCMYK\n8 8\n255\n",
        b"PyP\n16 16\n255\n",
    ):
        assert_as_pillow_decides(head + body, small, f"pnm header {head!r}")
    floats = np.linspace(-40, 300, 64, dtype="<f4").tobytes()
    assert assert_as_pillow_decides(b"Pf\n8 8\n-1.0\n" + floats, small, "pfm")
