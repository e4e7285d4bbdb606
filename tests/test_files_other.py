"""WebP, BMP, PNM and QOI files give the bits of live Pillow, decoded natively."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from expect import assert_as_pillow_decides, assert_file, opened
from pictures import photo, picture
from writers import bmp, bmp_of_os2, bmp_runs, saved

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
@pytest.mark.parametrize("nibbles", [False, True])
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
        "samples behind the last": data + b"1 0 1\n",
        "words behind the last": data + b"and so on\n",
        "a sample that is too large": data[:60] + b" 256 " + data[60:],
        "a sample of eleven digits": data[:60] + b" 00000000001 " + data[60:],
        "a sign": data[:60] + b" +1 " + data[60:],
        "an underscore": data[:60] + b" 1_0 " + data[60:],
        "no space behind the last": data.rstrip(),
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


# Any ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"P5 13000 13000 255\n",
        b"P2 13000 13000 255\n",
        b"P1 13000 13000\n",
        b"qoif" + struct.pack(">IIBB", 13000, 13000, 3, 0) + bytes(99),
        b"GIF89a" + struct.pack("<HHBBB", 13000, 13000, 0, 0, 0)
        + b"," + struct.pack("<HHHHBB", 0, 0, 13000, 13000, 0, 8) + b"\x04\0\1\2\3\0;",
        bmp_runs(13000, 13000, b"\5\5", bytes(1024), nibbles=False),
        bmp(np.zeros((1, 39000), np.uint8), 24).replace(
            struct.pack("<ii", 13000, 1), struct.pack("<ii", 13000, 13000)
        ),
    ],
    ids=lambda data: repr(data[:4]),
)  # fmt: skip
def test_a_header_that_promises_more_than_the_file_has(small, data: bytes) -> None:
    """Refused for its length, before memory for 169 million pixels is touched."""
    with pytest.raises(clipprep.TruncatedError):
        small(data)
