"""BMP files give the bits of live Pillow, decoded natively."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
import pytest

from support.expect import assert_as_pillow_decides, assert_file
from support.pictures import photo, picture
from support.reference import LIVE
from support.writers import (
    bmp,
    bmp_of_os2,
    bmp_runs,
    saved,
)

SIZES = ((157, 243), (243, 157), (300, 17), (17, 300), (1, 1), (33, 32))


@pytest.mark.parametrize("top_down", [False, True])
def test_true_colour_bmp(pre, small, top_down: bool) -> None:
    for width, height in (*SIZES, (2, 3), (3, 2), (5, 4)):
        rows = photo(height, width, 3).reshape(height, -1)
        assert_file(
            bmp(rows, 24, top_down=top_down),
            small,
            "clipprep",
            f"bmp 24 bit {width} x {height}",
            "RGB",
        )
        rows = photo(height, width, 4).reshape(height, -1)
        assert_file(
            bmp(rows, 32, top_down=top_down),
            small,
            "clipprep",
            f"bmp 32 bit {width} x {height}",
            "RGB",
        )
    rows = photo(300, 401, 3).reshape(300, -1)
    assert_file(bmp(rows, 24, top_down=top_down), pre, "clipprep", "bmp 24 bit n=224", "RGB")


@pytest.mark.parametrize("top_down", [False, True])
def test_bmp_with_an_alpha_mask(small, top_down: bool) -> None:
    for width, height in ((61, 40), (40, 61)):
        rows = photo(height, width, 4).reshape(height, -1)
        rows[:, 3::8] = 0
        for masks in (
            (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
            (0xFF, 0xFF00, 0xFF0000, 0xFF000000),
            (0xFF000000, 0xFF0000, 0xFF00, 0xFF),
        ):
            data = bmp(rows, 32, top_down=top_down, masks=masks)
            assert_file(data, small, "clipprep", f"bmp RGBA {masks}", "RGBA")


@pytest.mark.parametrize(
    ("bits", "masks", "native"),
    [
        (32, (0xFF0000, 0xFF00, 0xFF), True),
        (32, (0xFF000000, 0xFF0000, 0xFF00), True),
        (32, (0xFF000000, 0xFF00, 0xFF), True),
        (32, (0xFF, 0xFF00, 0xFF0000), False),
        (32, (0xFF0000, 0xFF00, 0xFF, 0), True),
        (32, (0xFF000000, 0xFF00, 0xFF, 0xFF0000), True),
        (32, (0, 0, 0, 0), True),
        (32, (0x3FF00000, 0xFFC00, 0x3FF), False),
        (24, (0xFF0000, 0xFF00, 0xFF), True),
        (24, (0xFF, 0xFF00, 0xFF0000), False),
        (16, (), True),
        (16, (0xF800, 0x7E0, 0x1F), True),
        (16, (0x7C00, 0x3E0, 0x1F), True),
        (16, (0xF00, 0xF0, 0xF), False),
    ],
    ids=str,
)
def test_bit_fields(small, bits: int, masks: tuple[int, ...], native: bool) -> None:
    """Those that Pillow knows, with its expansion of 5 and 6 bits to 8; it refuses the others."""
    for top_down in (False, True):
        rows = photo(40, 61, bits // 8).reshape(40, -1)
        rows[0] = np.arange(rows.shape[1])
        data = bmp(rows, bits, masks=masks, top_down=top_down)
        if native:
            assert_file(data, small, "clipprep", f"bmp {bits} bit {masks}")
        else:
            assert not assert_as_pillow_decides(data, small, f"bmp {bits} bit {masks}")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "1", "P"])
def test_bmp_as_pillow_writes_it(small, mode: str) -> None:
    for width in (157, 158, 159, 160):
        data = saved(picture(mode, width, 90), "BMP")
        assert_file(data, small, "clipprep", f"bmp from {mode} {width}")


def palette_of(bits: int, entry: int = 4) -> bytes:
    return np.random.default_rng(9).integers(0, 256, entry << bits, dtype=np.uint8).tobytes()


def greys(bits: int, step: int = 1) -> bytes:
    return b"".join(bytes([index * step] * 3) + b"\0" for index in range(1 << bits))


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_palette_bmp_keeps_its_mode(small, bits: int) -> None:
    rows = np.random.default_rng(bits).integers(0, 256, (40, 8 * bits), dtype=np.uint8)
    for top_down in (False, True):
        data = bmp(rows, bits, palette=palette_of(bits), top_down=top_down)
        assert_file(data, small, "clipprep", f"bmp P {bits} bit", "P")
    # Greys that are not the indices themselves stay a palette.
    data = bmp(rows, bits, palette=greys(bits, 255 // ((1 << bits) - 1)))
    mode, decoder = {1: "1", 4: "P", 8: "L"}[bits], "clipprep"
    assert_file(data, small, decoder, f"bmp grey {bits} bit", mode)
    inverted = b"".join(reversed([greys(bits)[at : at + 4] for at in range(0, 4 << bits, 4)]))
    assert_file(bmp(rows, bits, palette=inverted), small, "clipprep", "bmp inverted", "P")


def test_odd_palettes_of_bmp_are_for_pillow_to_decide(small) -> None:
    rows = np.random.default_rng(2).integers(0, 256, (40, 64), dtype=np.uint8)
    for bits in (1, 4, 8):
        ramp = bmp(rows, bits, palette=greys(bits))
        plain = bmp(rows, bits, palette=palette_of(bits))
        for colours in (1, 2, 3, 15, 16, 17, 255, 256, 257, 65536, 65537, 1 << 31):
            for data in (ramp, plain):
                changed = data[:46] + struct.pack("<I", colours) + data[50:]
                assert_as_pillow_decides(changed, small, f"bmp {bits} bit, {colours} colours")
        for offset in (0, 14, 54, 55, 1 << 20, 1 << 31):
            changed = plain[:10] + struct.pack("<I", offset) + plain[14:]
            assert_as_pillow_decides(changed, small, f"bmp {bits} bit, pixels at {offset}")


@pytest.mark.parametrize(("bits", "mode"), [(1, "P"), (4, "P"), (8, "P"), (24, "RGB")])
def test_the_first_bmp_of_os2(small, bits: int, mode: str) -> None:
    rows = np.random.default_rng(bits).integers(0, 256, (40, 3 * bits), dtype=np.uint8)
    palette = palette_of(bits, 3) if bits <= 8 else b""
    assert_file(bmp_of_os2(rows, bits, palette), small, "clipprep", f"bmp OS/2 {bits} bit", mode)


@pytest.mark.parametrize("size", [52, 56, 64, 124])
def test_longer_headers_of_bmp(small, size: int) -> None:
    rows = np.random.default_rng(1).integers(0, 256, (40, 64), dtype=np.uint8)
    data = bmp(rows, 8, palette=palette_of(8))
    offset = struct.pack("<I", struct.unpack("<I", data[10:14])[0] + size - 40)
    data = data[:10] + offset + struct.pack("<I", size) + data[18:54] + bytes(size - 40) + data[54:]
    assert_file(data, small, "clipprep", f"bmp with a header of {size} bytes", "P")


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize(
    "nibbles",
    [
        False,
        pytest.param(
            True,
            marks=pytest.mark.skipif(
                LIVE.startswith("12"), reason="this Pillow reads odd runs of literals otherwise"
            ),
        ),
    ],
)
def test_run_length_bmp(small, nibbles: bool, grey: bool) -> None:
    """Runs, literals, jumps, lines that end early or run over, an end that comes early."""
    bits = 4 if nibbles else 8
    palette = greys(bits) if grey else palette_of(bits)
    mode = "L" if grey else "P"
    rng = np.random.default_rng(bits)
    for jumps in (False, True):
        runs = bytearray()
        for y in range(40):
            x = 0
            while x < 61:
                count = min(int(rng.integers(1, 12)), 61 - x)
                kind = int(rng.integers(0, 4 if jumps else 3))
                if kind == 3 and y < 38:
                    runs += bytes([0, 2, count, 0])
                elif kind == 2 and count > 2:
                    length = -(-count // 2) if nibbles else count
                    literals = rng.integers(0, 256, length, dtype=np.uint8).tobytes()
                    runs += bytes([0, count]) + literals + bytes(length % 2)
                else:
                    runs += bytes([count, int(rng.integers(0, 256))])
                x += count
            runs += b"\0\0"
        data = bmp_runs(61, 40, bytes(runs) + b"\0\1", palette, nibbles=nibbles)
        assert_file(data, small, "clipprep", f"bmp runs, {bits} bit, jumps {jumps}", mode)
    for name, runs in {
        "lines that end early": b"\x05\x11\0\0" * 40,
        "empty lines": b"\x05\x11\0\0\0\0" * 40,
        "lines that run over": b"\xff\x21\xff\x12\0\0" * 40,
        "literals that run over": (b"\0\xff" + bytes(128 if nibbles else 256)) * 40,
        "a jump over everything": b"\0\2\xff\xff",
        "an early end": b"\x05\x11\0\1" + bytes(4000),
        "a jump cut short": b"\x05\x11\0\2\1",
        "nothing": b"",
    }.items():
        data = bmp_runs(61, 40, runs, palette, nibbles=nibbles)
        assert_as_pillow_decides(data, small, f"bmp runs with {name}")
    for compression in (1, 2):
        for other in (
            bmp(photo(8, 8, 3).reshape(8, -1), 24),
            bmp(photo(8, 8, 1).reshape(8, -1), 1, palette=bytes(4) + b"\xff\xff\xff\0"),
        ):
            damaged = other[:30] + struct.pack("<I", compression) + other[34:]
            assert_as_pillow_decides(damaged, small, f"bmp, compression {compression}")


def unusual() -> Iterator[tuple[str, bytes]]:
    data = bmp(photo(40, 61, 3).reshape(40, -1), 24)

    def put(offset: int, kind: str, value: int) -> bytes:
        return data[:offset] + struct.pack(kind, value) + data[offset + struct.calcsize(kind) :]

    for offset in (0, 1, 14, 53, 55, 100, 2**31):
        yield f"data at {offset}", put(10, "<I", offset)
    yield "a gap before the data", put(10, "<I", 74)[:54] + bytes(20) + data[54:]
    for compression in (1, 2, 3, 4, 5, 99):
        yield f"compression {compression}", put(30, "<I", compression)
    for colours in (1, 256, 2**31):
        yield f"{colours} colours used", put(46, "<I", colours)
    for field, offset in (("width", 18), ("height", 22)):
        for value in (0, -1, -61, -(2**31)):
            yield f"{field} {value}", put(offset, "<i", value)
    yield "no planes", put(26, "<H", 0)
    yield "a row short", data[:-184]
    yield "a byte short", data[:-1]


@pytest.mark.parametrize(("name", "data"), [pytest.param(*case, id=case[0]) for case in unusual()])
def test_unusual_structure(small, name: str, data: bytes) -> None:
    assert_as_pillow_decides(data, small, f"bmp, {name}")
