"""PNG files of every colour type, depth, filter and interlace give the bits of live Pillow, decoded natively."""

from __future__ import annotations

import struct

import numpy as np
import pytest

import clipprep
from support.expect import assert_as_pillow_decides, assert_file, opened
from support.pictures import picture
from support.writers import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    TRUECOLOUR,
    TRUECOLOUR_ALPHA,
    png,
    png_chunk,
    saved,
)

SIZES = ((1, 1), (5, 3), (33, 70), (211, 64), (64, 211), (300, 9))
#: colour type, depth, channels, the mode that Pillow opens.
KINDS = (
    (GREY, 1, 1, "1"),
    (GREY, 2, 1, "L"),
    (GREY, 4, 1, "L"),
    (GREY, 8, 1, "L"),
    (TRUECOLOUR, 8, 3, "RGB"),
    (TRUECOLOUR, 16, 3, "RGB"),
    (PALETTE, 1, 1, "P"),
    (PALETTE, 2, 1, "P"),
    (PALETTE, 4, 1, "P"),
    (PALETTE, 8, 1, "P"),
    (GREY_ALPHA, 8, 2, "LA"),
    (GREY_ALPHA, 16, 2, "RGBA"),  # so it is: Pillow has no raw mode for LA of 16 bits
    (TRUECOLOUR_ALPHA, 8, 4, "RGBA"),
    (TRUECOLOUR_ALPHA, 16, 4, "RGBA"),
)


def samples(width: int, height: int, channels: int, depth: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed + width)
    values = rng.integers(0, 1 << depth, (height, width, channels))
    values[height // 3 :, width // 2 :] = np.arange(channels) * 37 % (1 << depth)
    return values


def colours(depth: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).integers(0, 256, 3 << depth, dtype=np.uint8).tobytes()


@pytest.mark.parametrize("interlaced", [False, True], ids=["straight", "adam7"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[3]}-{kind[0]}-{kind[1]}bit")
def test_every_colour_type_and_depth(
    pre, small, kind: tuple[int, int, int, str], interlaced: bool
) -> None:
    colour, depth, channels, mode = kind
    for width, height in SIZES:
        data = png(
            samples(width, height, channels, depth),
            colour,
            depth,
            interlaced=interlaced,
            palette=colours(depth) if colour == PALETTE else None,
        )
        name = f"png {mode} {depth} bit {width} x {height} interlaced={interlaced}"
        assert_file(data, small, "clipprep", name, mode)
        if width * height > 9000:
            assert_file(data, pre, "clipprep", f"{name} n=224", mode)


@pytest.mark.parametrize("interlaced", [False, True], ids=["straight", "adam7"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[3]}-{kind[0]}-{kind[1]}bit")
def test_every_small_size(kind: tuple[int, int, int, str], interlaced: bool) -> None:
    """Adam7 has empty passes below 5 pixels, and packed rows end inside a byte."""
    colour, depth, channels, mode = kind
    tiny = clipprep.Preprocess(7, pillow="installed")
    palette = colours(depth) if colour == PALETTE else None
    for width in range(1, 18):
        for height in (1, 2, 3, 5, 8, 9):
            data = png(
                samples(width, height, channels, depth),
                colour,
                depth,
                interlaced=interlaced,
                palette=palette,
            )
            assert_file(
                data,
                tiny,
                "clipprep",
                f"png {mode} {depth} bit {width} x {height} interlaced={interlaced}",
                mode,
            )


@pytest.mark.parametrize("interlaced", [False, True], ids=["straight", "adam7"])
def test_16_bit_grey(small, interlaced: bool) -> None:
    for width, height in ((20, 30), (61, 40), (1, 9), (32, 32), (300, 7)):
        for top in (300, 65536):
            grey = samples(width, height, 1, 16) % top
            data = png(grey, GREY, 16, interlaced=interlaced)
            name = f"png 16-bit grey {width} x {height} below {top} interlaced={interlaced}"
            assert_file(data, small, "clipprep", name, "I;16")


@pytest.mark.parametrize(
    "options", [{}, {"optimize": True}, {"compress_level": 0}, {"compress_level": 9}], ids=str
)
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_as_pillow_writes_them(pre, small, mode: str, options: dict[str, object]) -> None:
    for size in ((157, 243), (333, 40), (7, 90)):
        data = saved(picture(mode, *size), "PNG", **options)
        assert_file(data, small, "clipprep", f"png {mode} {size} {options}", mode)
        assert_file(data, pre, "clipprep", f"png {mode} {size} {options} n=224", mode)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("entries", [1, 2, 3, 5, 16, 100, 256])
def test_short_palettes(small, bits: int, entries: int) -> None:
    """Indices beyond the palette's end are for Pillow to decide: as a file may have them, so may we meet them."""
    if entries > 1 << bits:
        entries = 1 << bits
    palette = np.random.default_rng(entries).integers(0, 256, 3 * entries, dtype=np.uint8).tobytes()
    inside = samples(40, 30, 1, bits) % entries
    assert_file(
        png(inside, PALETTE, bits, palette=palette),
        small,
        "clipprep",
        f"png {bits} bit, {entries} colours",
        "P",
    )
    beyond = samples(40, 30, 1, bits)
    assert_as_pillow_decides(
        png(beyond, PALETTE, bits, palette=palette),
        small,
        f"png {bits} bit beyond {entries} colours",
    )


@pytest.mark.parametrize("interlaced", [False, True], ids=["straight", "adam7"])
def test_transparency_chunks(small, interlaced: bool) -> None:
    """tRNS is information about the image: Pillow keeps the mode, and drops it on the way to RGB."""
    cases = {
        "palette, one clear index": (PALETTE, 8, 1, b"\xff\xff\x00"),
        "palette, many alphas": (PALETTE, 8, 1, bytes(range(256))),
        "palette, a short list": (PALETTE, 4, 1, b"\x00\x80"),
        "palette, one bit": (PALETTE, 1, 1, b"\x00"),
        "grey": (GREY, 8, 1, b"\x00\x25"),
        "grey, one bit": (GREY, 1, 1, b"\x00\x01"),
        "grey, two bits": (GREY, 2, 1, b"\x00\x02"),
        "grey, four bits": (GREY, 4, 1, b"\x00\x07"),
        "colour": (TRUECOLOUR, 8, 3, b"\x00\x00\x00\x25\x00\x4a"),
        "colour, 16 bits": (TRUECOLOUR, 16, 3, b"\x00\x00\x00\x25\x00\x4a"),
    }
    for name, (colour, depth, channels, transparency) in cases.items():
        data = png(
            samples(51, 40, channels, depth),
            colour,
            depth,
            interlaced=interlaced,
            palette=colours(depth) if colour == PALETTE else None,
            transparency=transparency,
        )
        assert "transparency" in opened(data).info
        assert_file(data, small, "clipprep", f"png with tRNS: {name}, interlaced={interlaced}")


def test_odd_transparency_chunks_are_for_pillow_to_decide(small) -> None:
    for name, colour, depth, transparency in (
        ("empty", PALETTE, 8, b""),
        ("longer than the palette", PALETTE, 4, bytes(40)),
        ("grey value above 255", GREY, 8, b"\x01\x2c"),
        ("too short for grey", GREY, 8, b"\x01"),
        ("with an alpha channel", GREY_ALPHA, 8, b"\x00\x01"),
        ("for one bit above 1", GREY, 1, b"\x00\x07"),
    ):
        channels = 2 if colour == GREY_ALPHA else 1
        palette = colours(depth) if colour == PALETTE else None
        data = png(
            samples(51, 40, channels, depth),
            colour,
            depth,
            palette=palette,
            transparency=transparency,
        )
        assert_as_pillow_decides(data, small, f"png with tRNS {name}")


def test_a_palette_beside_true_colour_is_a_suggestion(small) -> None:
    data = png(samples(51, 40, 3, 8), TRUECOLOUR, 8, palette=colours(4))
    assert_file(data, small, "clipprep", "png RGB with a palette", "RGB")


def test_ancillary_chunks_change_nothing(small) -> None:
    """No gamma, no profile, no rotation is applied."""
    rotated = b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
    for name, chunk in {
        "gAMA": png_chunk(b"gAMA", (10000).to_bytes(4, "big")),
        "sBIT": png_chunk(b"sBIT", b"\x05\x05\x05"),
        "cHRM": png_chunk(b"cHRM", bytes(32)),
        "sRGB": png_chunk(b"sRGB", b"\x00"),
        "eXIf": png_chunk(b"eXIf", rotated),
        "tEXt": png_chunk(b"tEXt", b"Comment\x00IDAT"),
        "pHYs": png_chunk(b"pHYs", (3780).to_bytes(4, "big") * 2 + b"\x01"),
        "unknown": png_chunk(b"abCd", b"x" * 5000),
    }.items():
        assert_file(
            png(samples(51, 40, 3, 8), TRUECOLOUR, 8, extra=chunk),
            small,
            "clipprep",
            f"png with {name}",
            "RGB",
        )


@pytest.mark.parametrize("length", [1, 2, 13, 100])
def test_data_in_many_chunks(small, length: int) -> None:
    assert_file(
        png(samples(31, 20, 3, 8), TRUECOLOUR, 8, idat=length),
        small,
        "clipprep",
        f"png in chunks of {length}",
    )


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
def test_the_first_frame_of_an_animation(small, mode: str) -> None:
    frames = [picture(mode, 60, 45, seed) for seed in (1, 2, 3)]
    data = saved(frames[0], "PNG", save_all=True, append_images=frames[1:], duration=50)
    assert opened(data).n_frames == 3
    assert_file(data, small, "clipprep", f"animated png {mode}")
    data = saved(frames[0], "PNG", save_all=True, append_images=frames[1:], default_image=True)
    assert_file(data, small, "clipprep", f"animated png {mode} with a default image")
    at = data.index(b"acTL")
    for count in (0, 1, 2, 1 << 31, (1 << 32) - 1):
        chunk = png_chunk(b"acTL", struct.pack(">II", count, 0))
        other = data[: at - 4] + chunk + data[at + 16 :]
        assert_as_pillow_decides(other, small, f"animated png {mode} of {count} frames")
        assert_as_pillow_decides(
            data[: at - 4] + chunk + data[at - 4 :], small, f"png {mode} animated twice"
        )


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_large_pngs(pre, mode: str) -> None:
    assert_file(
        saved(picture(mode, 1403, 1009), "PNG", compress_level=1),
        pre,
        "clipprep",
        f"large png {mode}",
        mode,
    )
