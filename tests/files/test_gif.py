"""GIF files: palettes global and local, grey ones, transparency, interlace, several frames, frames off the corner."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from support.expect import assert_as_pillow_decides, assert_file, opened
from support.pictures import photo, picture
from support.writers import gif_with_local_palette, gif_with_offset, saved


def indexed(
    width: int, height: int, colours: int, seed: int = 0, palette: bytes | None = None
) -> Image.Image:
    """A palette image that uses every one of its colours."""
    rng = np.random.default_rng(seed)
    indices = (photo(height, width, 1, seed)[..., 0].astype(int) % colours).astype(np.uint8)
    indices.flat[:colours] = np.arange(min(colours, indices.size))
    image = Image.frombytes("P", (width, height), indices.tobytes())
    image.putpalette(palette or rng.integers(0, 256, 3 * colours, dtype=np.uint8).tobytes())
    return image


def gif(image: Image.Image, **options: object) -> bytes:
    return saved(image, "GIF", optimize=False, **options)


@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize("colours", [2, 3, 4, 7, 16, 100, 128, 129, 256])
def test_palettes(pre, small, colours: int, interlace: int) -> None:
    for size in ((157, 243), (243, 157), (300, 17), (17, 300), (20, 20)):
        data = gif(indexed(*size, colours), interlace=interlace)
        assert_file(
            data, small, "clipprep", f"gif {size} {colours} colours interlace={interlace}", "P"
        )
    assert_file(
        gif(indexed(400, 300, colours), interlace=interlace),
        pre,
        "clipprep",
        f"gif {colours} n=224",
        "P",
    )


@pytest.mark.parametrize("interlace", [0, 1])
def test_every_height_of_an_interlaced_image(small, interlace: int) -> None:
    for height in range(1, 40):
        data = gif(indexed(35, height, 64), interlace=interlace)
        assert_file(data, small, "clipprep", f"gif 35 x {height} interlace={interlace}", "P")


@pytest.mark.parametrize("interlace", [0, 1])
def test_grey_palettes_open_as_grey(small, interlace: int) -> None:
    """A palette that says of each index its own value is no palette: the image is L, and resized with bicubic."""
    for size in ((157, 43), (43, 157)):
        assert_file(
            gif(picture("L", *size), interlace=interlace),
            small,
            "clipprep",
            f"grey gif {size}",
            "L",
        )
    ramp = bytes(value for index in range(16) for value in (index, index, index))
    short = indexed(61, 40, 16, palette=ramp)
    assert_file(gif(short), small, "clipprep", "gif with a short grey ramp")
    almost = bytearray(bytes(value for index in range(256) for value in (index, index, index)))
    almost[700] ^= 1
    assert_file(
        gif(indexed(61, 40, 256, palette=bytes(almost))),
        small,
        "clipprep",
        "gif, almost a grey ramp",
        "P",
    )


def test_transparency_is_dropped(small) -> None:
    for transparency in (0, 3, 255):
        data = gif(indexed(90, 61, 256), transparency=transparency)
        assert opened(data).info["transparency"] == transparency
        assert_file(data, small, "clipprep", f"gif with transparency {transparency}", "P")
    data = gif(picture("L", 90, 61), transparency=7)
    assert_file(data, small, "clipprep", "grey gif with transparency")


def test_local_palettes(small) -> None:
    for colours in (2, 16, 200):
        data = gif(indexed(90, 61, colours))
        moved = gif_with_local_palette(data)
        assert opened(moved).convert("RGB").tobytes() == opened(data).convert("RGB").tobytes()
        assert_file(moved, small, "clipprep", f"gif with a local palette of {colours}", "P")
        both = gif_with_local_palette(
            data, np.random.default_rng(5).integers(0, 256, 768, dtype=np.uint8).tobytes()
        )
        assert_file(
            both, small, "clipprep", f"gif with a global palette and a local one of {colours}", "P"
        )
    ramp = bytes(value for index in range(256) for value in (index, index, index))
    grey = gif_with_local_palette(gif(indexed(90, 61, 256)), ramp)
    assert_file(grey, small, "clipprep", "gif with a local palette and a global grey ramp", "P")
    grey = gif_with_local_palette(gif(picture("L", 90, 61)), bytes(reversed(ramp)))
    # Pillow gives mode "L" the global palette here, and then cannot resize it.
    assert_as_pillow_decides(grey, small, "gif with a local grey ramp and a global palette")
    grey = gif_with_local_palette(gif(picture("L", 90, 61)))
    assert_file(grey, small, "clipprep", "gif with a local grey ramp alone", "L")


def test_no_palette_at_all(small) -> None:
    data = gif(indexed(90, 61, 256))
    bare = data[:10] + bytes([data[10] & 0x7F]) + data[11:13] + data[13 + 768 :]
    assert_file(bare, small, "clipprep", "gif without a palette", "L")


def test_what_precedes_the_first_frame(small) -> None:
    """The last transparency counts, an index or not; an empty chain swallows what follows, as in Pillow."""
    data = gif_with_offset(gif(indexed(90, 61, 64), transparency=5), (120, 90), 10, 20)
    at = data.index(b"!\xf9\x04")
    control, frame = data[at : at + 8], data[at + 8 :]
    assert frame.startswith(b",")
    other = control[:6] + b"\x09\0"
    none = control[:3] + b"\0\0\0\x09\0"
    empty, application = b"!\x01\0", b"!\xff\x0bNETSCAPE2.0"
    for name, blocks in {
        "two transparencies": control + other,
        "a control without one after it": control + none,
        "a control without one": none,
        "no control": b"",
        "a longer control": b"!\xf9\x06" + control[3:7] + b"xy\0",
        "a shorter control": b"!\xf9\x03\1\0\0\0",
        "an empty control": b"!\xf9\0" + control,
        "an empty extension": empty + control,
        "an empty extension and its end": empty + b"\0" + control,
        "an application without data": application + b"\0" + control,
        "an application with data": application + b"\3\1\0\0\0" + control,
        "a comment": b"!\xfe\2,;\0" + control,
        "an empty comment": b"!\xfe\0" + control,
        "bytes that are no block": b"\0\0xyz" + control,
        "an end": b";" + control,
    }.items():
        assert_as_pillow_decides(data[:at] + blocks + frame, small, f"gif with {name}")


def test_codes_that_end_early_or_late(small) -> None:
    """Pillow reads on where a frame's blocks end before its pixels, and stops at the last pixel."""
    data = gif(indexed(20, 20, 16), interlace=0)
    assert data.endswith(b"\0;")
    for name, damaged in {
        "no trailer": data[:-1],
        "no last block": data[:-2],
        "a block of another kind after": data[:-2] + b"\5abcde\0;",
        "an end within": data[:-60] + b"\0;",
        "half a block": data[:-60],
    }.items():
        assert_as_pillow_decides(damaged, small, f"gif with {name}")
    for bits in range(14):
        start = data.index(b",\0\0\0\0") + 10
        damaged = data[:start] + bytes([bits]) + data[start + 1 :]
        assert_as_pillow_decides(damaged, small, f"gif with codes of {bits} bits")


@pytest.mark.parametrize("transparency", [None, 0, 9])
@pytest.mark.parametrize(
    "place",
    [(120, 90, 10, 20), (90, 61, 0, 0), (91, 61, 1, 0), (90, 62, 0, 1), (200, 400, 110, 339)],
)
def test_a_first_frame_that_does_not_fill_the_screen(
    small, place, transparency: int | None
) -> None:
    options = {} if transparency is None else {"transparency": transparency}
    width, height, left, top = place
    for image in (indexed(90, 61, 64), picture("L", 90, 61)):
        data = gif_with_offset(gif(image, **options), (width, height), left, top)
        assert opened(data).size == (width, height)
        assert_file(
            data, small, "clipprep", f"gif {image.mode} at {place}, transparency {transparency}"
        )


@pytest.mark.parametrize(
    "place", [(40, 30, 0, 0), (90, 61, 5, 0), (90, 61, 0, 7), (1, 1, 0, 0), (0, 0, 0, 0)]
)
def test_a_first_frame_larger_than_the_screen(small, place) -> None:
    """Pillow lets the screen grow."""
    width, height, left, top = place
    data = gif_with_offset(gif(indexed(90, 61, 64)), (width, height), left, top)
    assert_file(data, small, "clipprep", f"gif at {place}, larger than its screen")


@pytest.mark.parametrize("disposal", [0, 1, 2, 3])
def test_only_the_first_of_several_frames(small, disposal: int) -> None:
    frames = [indexed(90, 61, 64, seed) for seed in (1, 2, 3)]
    data = gif(
        frames[0], save_all=True, append_images=frames[1:], disposal=disposal, duration=40, loop=0
    )
    assert opened(data).n_frames == 3
    assert_file(data, small, "clipprep", f"animated gif, disposal {disposal}", "P")


def test_comments_and_extensions(small) -> None:
    data = gif(indexed(90, 61, 64), comment=b"a, comment; with! marks" * 30, loop=3, duration=10)
    assert_file(data, small, "clipprep", "gif with a comment", "P")
    data = gif(indexed(90, 61, 64))
    assert_file(b"GIF87a" + data[6:], small, "clipprep", "gif of 1987", "P")


@pytest.mark.parametrize("bits", range(1, 9))
def test_indices_beyond_a_short_palette(small, bits: int) -> None:
    """The code size, not the palette, says how large an index can be."""
    data = gif(
        indexed(
            90,
            61,
            256,
            palette=np.random.default_rng(bits).integers(0, 256, 768, dtype=np.uint8).tobytes(),
        )
    )
    entries = 3 << bits
    short = (
        data[:10]
        + bytes([0x80 | (bits - 1)])
        + data[11:13]
        + data[13 : 13 + entries]
        + data[13 + 768 :]
    )
    assert_as_pillow_decides(short, small, f"gif with indices beyond {1 << bits} colours")
