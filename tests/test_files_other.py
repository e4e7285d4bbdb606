"""WebP, BMP, PNM and QOI files give the bits of live Pillow, decoded natively."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from expect import assert_as_pillow_decides, assert_file, opened
from pictures import photo, picture
from writers import bmp, saved

import clipprep

SIZES = ((157, 243), (243, 157), (300, 17), (17, 300), (1, 1), (33, 32))


# WebP --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{"quality": 20}, {"quality": 90}, {"lossless": True}, {"quality": 60, "method": 0}],
    ids=str,
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_webp(pre, small, mode: str, options: dict[str, object]) -> None:
    for size in SIZES:
        data = saved(picture(mode, *size), "WEBP", **options)
        assert_file(data, small, "libwebp", f"webp {mode} {size} {options}")
    assert_file(
        saved(picture(mode, 640, 427), "WEBP", **options),
        pre,
        "libwebp",
        f"webp {mode} {options} n=224",
        mode,
    )


def test_webp_of_other_modes(small) -> None:
    for mode in ("L", "LA", "P", "1", "CMYK"):
        data = saved(picture(mode, 90, 61), "WEBP")
        assert_file(data, small, "libwebp", f"webp from {mode}")


def test_webp_sizes_around_macroblocks(small) -> None:
    for width in (1, 2, 15, 16, 17, 31, 33):
        for height in (1, 15, 16, 17, 32):
            data = saved(picture("RGB", width, height), "WEBP", quality=80)
            assert_file(data, small, "libwebp", f"webp {width} x {height}")


def test_webp_alpha_qualities_and_metadata(small) -> None:
    image = picture("RGBA", 90, 61)
    for name, options in {
        "lossy alpha": {"alpha_quality": 30},
        "exact": {"exact": True, "lossless": True},
        "icc": {"icc_profile": b"profile" * 40},
        "exif": {
            "exif": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
        },
        "xmp": {"xmp": b"<x/>"},
    }.items():
        assert_file(saved(image, "WEBP", **options), small, "libwebp", f"webp with {name}")
    opaque = picture("RGB", 90, 61).convert("RGBA")
    assert_file(
        saved(opaque, "WEBP", lossless=True), small, "libwebp", "webp, an alpha channel of 255"
    )


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_the_first_frame_of_an_animated_webp(small, mode: str) -> None:
    frames = [picture(mode, 90, 61, seed) for seed in (1, 2, 3)]
    for options in ({}, {"lossless": True}, {"background": (255, 0, 0, 128)}):
        data = saved(
            frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=50, **options
        )
        assert opened(data).n_frames == 3
        assert_file(data, small, "libwebp", f"animated webp {mode} {options}")


def test_a_first_frame_of_webp_inside_its_canvas(small) -> None:
    """What the frame leaves of the canvas is transparent, and black without alpha."""
    for mode in ("RGB", "RGBA"):
        frames = [picture(mode, 91, 61, seed) for seed in (1, 2)]
        data = saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], duration=50)
        at = data.index(b"VP8X") + 8
        wider = bytearray(data)
        wider[at + 4 : at + 10] = struct.pack("<I", 120)[:3] + struct.pack("<I", 99)[:3]
        frame = data.index(b"ANMF") + 8
        wider[frame : frame + 6] = struct.pack("<I", 7)[:3] + struct.pack("<I", 11)[:3]
        assert opened(bytes(wider)).size == (121, 100)
        assert_file(bytes(wider), small, "libwebp", f"webp {mode}, a frame at (14, 22)")


def test_webp_coefficients_beyond_16_bits(small) -> None:
    """libwebp's transform wraps at 16 bits; no encoder writes such coefficients, damage does."""
    data = saved(picture("RGB", 60, 45), "WEBP")
    opens = 0
    for seed in range(300):
        at, value = np.random.default_rng(seed).integers(0, (len(data), 256))
        damaged = data[:at] + bytes([value]) + data[at + 1 :]
        opens += bool(assert_as_pillow_decides(damaged, small, f"webp, byte {at} is {value}"))
    assert opens > 100


def test_webp_cut_or_of_another_kind(small) -> None:
    data = saved(picture("RGB", 60, 45), "WEBP")
    for name, damaged in {
        "no chunk": data[:12],
        "an unknown first chunk": data[:12] + b"VP9 " + data[16:],
        "an odd length": data[:4] + struct.pack("<I", len(data) - 9) + data[8:],
        "a length of 0": data[:4] + bytes(4) + data[8:],
    }.items():
        assert not assert_as_pillow_decides(damaged, small, f"webp with {name}")


# BMP ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("top_down", [False, True])
def test_true_colour_bmp(pre, small, top_down: bool) -> None:
    for width, height in (*SIZES, (2, 3), (3, 2), (5, 4)):
        rows = photo(height, width, 3).reshape(height, -1)
        assert_file(
            bmp(rows, 24, top_down=top_down),
            small,
            "image",
            f"bmp 24 bit {width} x {height}",
            "RGB",
        )
        rows = photo(height, width, 4).reshape(height, -1)
        assert_file(
            bmp(rows, 32, top_down=top_down),
            small,
            "image",
            f"bmp 32 bit {width} x {height}",
            "RGB",
        )
    rows = photo(300, 401, 3).reshape(300, -1)
    assert_file(bmp(rows, 24, top_down=top_down), pre, "image", "bmp 24 bit n=224", "RGB")


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
            assert_file(data, small, "image", f"bmp RGBA {masks}", "RGBA")


@pytest.mark.parametrize(
    ("bits", "masks"),
    [
        (32, (0xFF0000, 0xFF00, 0xFF)),
        (32, (0xFF000000, 0xFF0000, 0xFF00)),
        (32, (0xFF, 0xFF00, 0xFF0000)),
        (32, (0xFF0000, 0xFF00, 0xFF, 0)),
        (32, (0, 0, 0, 0)),
        (32, (0x3FF00000, 0xFFC00, 0x3FF)),
        (16, ()),
        (16, (0xF800, 0x7E0, 0x1F)),
        (16, (0x7C00, 0x3E0, 0x1F)),
        (16, (0xF00, 0xF0, 0xF)),
    ],
    ids=str,
)
def test_other_bit_fields_are_for_pillow_to_decide(
    small, bits: int, masks: tuple[int, ...]
) -> None:
    rows = photo(40, 61, bits // 8).reshape(40, -1)
    assert_as_pillow_decides(bmp(rows, bits, masks=masks), small, f"bmp {bits} bit {masks}")


def test_bmp_as_pillow_writes_it(small) -> None:
    for mode, decoder in (
        ("RGB", "image"),
        ("RGBA", "image"),
        ("L", "pillow"),
        ("1", "pillow"),
        ("P", "pillow"),
    ):
        data = saved(picture(mode, 157, 90), "BMP")
        assert_file(data, small, decoder, f"bmp from {mode}")


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_palette_bmp_keeps_its_mode(small, bits: int) -> None:
    rows = np.random.default_rng(bits).integers(0, 256, (40, 8 * bits), dtype=np.uint8)
    palette = np.random.default_rng(9).integers(0, 256, 4 << bits, dtype=np.uint8).tobytes()
    for top_down in (False, True):
        data = bmp(rows, bits, palette=palette, top_down=top_down)
        assert_file(data, small, "pillow", f"bmp P {bits} bit", "P")
    grey = bytes(
        value
        for index in np.linspace(0, 255, 1 << bits).astype(int)
        for value in (index, index, index, 0)
    )
    assert_file(bmp(rows, bits, palette=grey), small, "pillow", f"bmp grey {bits} bit")


def test_run_length_bmp(small) -> None:
    rows = np.zeros((5, 8), np.uint8)
    palette = bytes(range(256)) * 4
    runs = b"".join(bytes([3, 7 * y, 5, 11 * y + 1, 0, 0]) for y in range(5)) + b"\0\1"
    plain = bmp(rows, 8, palette=palette)
    data = bytearray(plain[: -rows.size] + runs)
    data[30:34], data[34:38] = struct.pack("<I", 1), struct.pack("<I", len(runs))
    assert_file(bytes(data), small, "pillow", "bmp, run lengths", "P")


# PNM ---------------------------------------------------------------------------------------------


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
        assert_file(data, small, "image", f"pnm {kind!r} {width} x {height}", mode)
    assert_file(saved(picture(mode, 400, 300), "PPM"), pre, "image", f"pnm {kind!r} n=224", mode)


@pytest.mark.parametrize("maxval", [1, 2, 15, 100, 127, 128, 200, 254, 255])
@pytest.mark.parametrize(("kind", "mode", "channels"), [(b"P5", "L", 1), (b"P6", "RGB", 3)])
def test_pnm_with_another_maximum(
    small, kind: bytes, mode: str, channels: int, maxval: int
) -> None:
    values = np.random.default_rng(maxval).integers(0, maxval + 1, 61 * 40 * channels)
    data = pnm(kind, 61, 40, values.astype(np.uint8).tobytes(), maxval)
    assert opened(data).mode == mode
    assert assert_as_pillow_decides(data, small, f"pnm {kind!r} maxval {maxval}")
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
    assert opened(colour).mode == "RGB"
    assert assert_as_pillow_decides(colour, small, f"pnm P6 maxval {maxval}")
    grey = pnm(b"P5", 61, 40, values, maxval)
    assert opened(grey).mode == "I"
    with pytest.raises(clipprep.UnsupportedError, match=r"\bI\b"):
        small(grey)


@pytest.mark.parametrize("kind", [b"P1", b"P2", b"P3"])
def test_plain_pnm(small, kind: bytes) -> None:
    top, count = {b"P1": (1, 1), b"P2": (255, 1), b"P3": (255, 3)}[kind]
    values = np.random.default_rng(3).integers(0, top + 1, 61 * 40 * count)
    for separator in (b" ", b"\n", b"  \t\n"):
        body = separator.join(b"%d" % value for value in values) + b"\n"
        data = pnm(kind, 61, 40, body, None if kind == b"P1" else top)
        assert assert_as_pillow_decides(data, small, f"pnm {kind!r} separated by {separator!r}")
    commented = (
        kind + b"\n# a comment\n61 40\n# another\n" + (b"" if kind == b"P1" else b"255\n") + body
    )
    assert assert_as_pillow_decides(commented, small, f"pnm {kind!r} with comments")


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
        if head[:2] != b"Pf":
            assert_as_pillow_decides(head + body, small, f"pnm header {head!r}")
    with pytest.raises(clipprep.UnsupportedError, match=r"\bF\b"):
        small(b"Pf\n8 8\n-1.0\n" + bytes(256))


# QOI ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_qoi(pre, small, mode: str) -> None:
    for size in SIZES:
        data = saved(picture(mode, *size), "QOI")
        assert_file(data, small, "clipprep", f"qoi {mode} {size}", mode)
    assert_file(saved(picture(mode, 301, 240), "QOI"), pre, "clipprep", f"qoi {mode} n=224", mode)
    flat = picture(mode, 90, 61).quantize(3).convert(mode)
    assert_file(saved(flat, "QOI"), small, "clipprep", f"qoi {mode} with runs", mode)


def test_qoi_that_the_reference_decoder_reads_otherwise(small) -> None:
    """Pillow's table of colours holds no runs; any number of channels but three is four."""

    def qoi(width: int, height: int, channels: int, codes: bytes) -> bytes:
        return b"qoif" + struct.pack(">IIBB", width, height, channels, 0) + codes

    black = 3 * 0 + 11 * 255 & 63
    codes = bytes([0xC3, black, 0xFE, 9, 8, 7, black, 0x55, 0xA5, 0x9C, 0xFF, 1, 2, 3, 4, 0xFD])
    for channels in (0, 1, 3, 4, 5, 255):
        for padding in (b"", bytes(7) + b"\1", b"junk"):
            data = qoi(5, 7, channels, codes + padding)
            assert_file(data, small, "clipprep", f"qoi of {channels} channels")
    for name, data in {
        "too few codes": qoi(5, 15, 4, codes),
        "a code cut short": qoi(2, 1, 4, b"\xfe\1\2"),
        "no codes": qoi(2, 1, 4, b""),
        "no pixels": qoi(0, 1, 4, codes),
        "half a header": qoi(5, 7, 4, b"")[:11],
    }.items():
        assert not assert_as_pillow_decides(data, small, f"qoi with {name}")
