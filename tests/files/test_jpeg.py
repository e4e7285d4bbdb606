"""JPEG files in every mode, sampling and scan layout give the bits of live Pillow, decoded natively."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

import clipprep
from support.arm import IS_ARM
from support.compare import assert_equal_bits
from support.expect import assert_file, opened
from support.paths import DATA
from support.pictures import photo, picture
from support.reference import reference
from support.writers import (
    jpeg_as_ycck,
    jpeg_lossless,
    jpeg_resampled,
    jpeg_segments,
    jpeg_with,
    jpeg_without,
    saved,
)

SAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
SCANS = {
    "baseline": {},
    "optimised": {"optimize": True},
    "progressive": {"progressive": True},
    "restart rows": {"restart_marker_rows": 1},
    "restart blocks": {"restart_marker_blocks": 3},
    "progressive restarts": {"progressive": True, "restart_marker_rows": 2},
}
#: Around the 8 and 16 pixels of a minimum coded unit.
EDGES = (1, 2, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 40, 47, 48, 49)


def jpeg(mode: str, width: int, height: int, seed: int = 0, **options: object) -> bytes:
    return saved(picture(mode, width, height, seed), "JPEG", **options)


def units(size: tuple[int, int], across: int, down: int) -> tuple[int, int]:
    return -(-size[0] // (8 * across)), -(-size[1] // (8 * down))


@pytest.mark.parametrize("quality", [5, 50, 75, 95, 98])
@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_modes_samplings_scans_qualities(
    pre, mode: str, sampling: str, scan: str, quality: int
) -> None:
    for size in ((157, 243), (300, 211)):
        data = jpeg(mode, *size, seed=quality, subsampling=sampling, quality=quality, **SCANS[scan])
        assert_file(data, pre, "clipprep", f"jpeg {mode} {size} {sampling} {scan} q{quality}", mode)


@pytest.mark.parametrize("scan", ["baseline", "progressive"])
@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_sizes_around_coded_units(small, mode: str, sampling: str, scan: str) -> None:
    for width in EDGES:
        for height in EDGES[width % 3 :: 3]:
            data = jpeg(mode, width, height, seed=width, subsampling=sampling, **SCANS[scan])
            assert_file(
                data, small, "clipprep", f"jpeg {mode} {width} x {height} {sampling} {scan}", mode
            )


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize(
    "size", [(1500, 40), (1501, 37), (41, 1500), (37, 1501), (905, 230), (230, 905)], ids=str
)
def test_columns_and_rows_are_cut_off_on_both_sides(
    pre, small, size: tuple[int, int], sampling: str, scan: str
) -> None:
    for mode in ("RGB", "L", "CMYK"):
        data = jpeg(mode, *size, seed=size[0], subsampling=sampling, **SCANS[scan])
        assert_file(data, small, "clipprep", f"jpeg {mode} {size} {sampling} {scan} n=32", mode)
    assert_file(data, pre, "clipprep", f"jpeg {mode} {size} {sampling} {scan} n=224", mode)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_every_cut_at_the_left_edge(small, sampling: str) -> None:
    """A wider and wider image moves the first needed column through a whole coded unit."""
    for width in range(200, 300, 3):
        data = jpeg("RGB", width, 33, seed=width, subsampling=sampling)
        assert_file(data, small, "clipprep", f"jpeg {width} x 33 {sampling}")
        data = jpeg("RGB", 33, width, seed=width, subsampling=sampling)
        assert_file(data, small, "clipprep", f"jpeg 33 x {width} {sampling}")


@pytest.mark.parametrize("scan", ["baseline", "progressive", "restart rows"])
def test_large_photo(pre, scan: str) -> None:
    for mode, size in (("RGB", (2203, 1601)), ("L", (1500, 2400))):
        data = jpeg(mode, *size, quality=88, **SCANS[scan])
        assert_file(data, pre, "clipprep", f"large jpeg {mode} {size} {scan}", mode)


@pytest.mark.parametrize("interval", [1, 2, 7, 40])
@pytest.mark.parametrize("kind", ["restart_marker_rows", "restart_marker_blocks"])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_restart_intervals(small, sampling: str, kind: str, interval: int) -> None:
    for mode in ("L", "RGB"):
        data = jpeg(mode, 310, 97, subsampling=sampling, **{kind: interval})
        assert_file(data, small, "clipprep", f"jpeg {mode} {sampling} {kind}={interval}")


#: Factors that Pillow does not write, each cut from one that it writes with as many blocks in a unit.
FOREIGN = {
    "4:4:0": ("4:2:2", ((1, 2), (1, 1), (1, 1))),
    "4:1:1": ("4:2:0", ((4, 1), (1, 1), (1, 1))),
    "4:4:1": ("4:2:0", ((1, 4), (1, 1), (1, 1))),
    "4:4:4 as 2x2": ("4:4:4", ((1, 1), (1, 1), (1, 1))),
}


@pytest.mark.parametrize("scan", ["baseline", "progressive"])
@pytest.mark.parametrize("name", FOREIGN)
def test_samplings_that_pillow_does_not_write(small, pre, name: str, scan: str) -> None:
    written, factors = FOREIGN[name]
    across, down = factors[0]
    old = {"4:4:4": (1, 1), "4:2:2": (2, 1), "4:2:0": (2, 2)}[written]
    grid = (12, 12)
    data = jpeg(
        "RGB", grid[0] * 8 * old[0], grid[1] * 8 * old[1], subsampling=written, **SCANS[scan]
    )
    for less in (0, 1, 5, 8 * across - 1):
        size = grid[0] * 8 * across - less, grid[1] * 8 * down - less % (8 * down)
        assert units(size, across, down) == grid
        changed = jpeg_resampled(data, factors, size)
        if scan == "progressive" and any(units(size, 1, 1)[i] % (across, down)[i] for i in (0, 1)):
            continue  # its one-component scans hold fewer blocks, so the data would not fit
        for n in (small, pre):
            assert_file(changed, n, "clipprep", f"jpeg {name} {scan} {size}", "RGB")


@pytest.mark.parametrize("factors", [(1, 1), (2, 1), (2, 2), (1, 2), (4, 4)], ids=str)
def test_grey_with_sampling_factors(small, factors: tuple[int, int]) -> None:
    """One component is never interleaved: its factors are written, and mean nothing."""
    for size in ((61, 43), (16, 160)):
        data = jpeg_resampled(jpeg("L", *size), (factors,), size)
        assert_file(data, small, "clipprep", f"jpeg L {size} factors {factors}", "L")


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("scan", ["baseline", "progressive", "restart rows"])
def test_four_components(small, scan: str, sampling: str) -> None:
    """CMYK and YCCK, with Adobe's marker and CMYK without; Pillow takes all of them for inverted."""
    for size in ((203, 61), (45, 130)):
        data = jpeg("CMYK", *size, subsampling=sampling, **SCANS[scan])
        plain, ycck = jpeg_without(data, 0xEE), jpeg_as_ycck(data)
        images = [opened(each).tobytes() for each in (data, plain, ycck)]
        assert images[0] == images[1] != images[2]
        for name, each in (("Adobe CMYK", data), ("CMYK", plain), ("YCCK", ycck)):
            assert_file(each, small, "clipprep", f"jpeg {name} {size} {sampling} {scan}", "CMYK")


@pytest.mark.parametrize("adobe", [None, 0, 1, 2])
@pytest.mark.parametrize("stored", ["YCbCr", "RGB"])
def test_three_components_by_marker(small, stored: str, adobe: int | None) -> None:
    """JFIF, Adobe's marker and the components' names decide between RGB and YCbCr."""
    data = jpeg("RGB", 61, 90, keep_rgb=stored == "RGB")
    assert_file(data, small, "clipprep", f"jpeg stored as {stored}", "RGB")
    bare = jpeg_without(jpeg_without(data, 0xE0), 0xEE)
    if adobe is not None:
        bare = jpeg_with(bare, 0xEE, b"Adobe" + struct.pack(">HHHB", 100, 0, 0, adobe))
    assert_file(bare, small, "clipprep", f"jpeg stored as {stored}, Adobe {adobe}, no JFIF", "RGB")


@pytest.mark.parametrize(
    "scale",
    [
        1,
        3,
        40,
        pytest.param(400, marks=pytest.mark.skipif(IS_ARM, reason="as support/arm.py says")),
    ],
)
def test_quantisation_tables(small, scale: int) -> None:
    """Flat, steep, and with steps over 255, which need 16-bit tables."""
    tables = [
        [1 + scale * (i % 8 + i // 8) for i in range(64)],
        [1 + scale * i // 2 for i in range(64)],
    ]
    for scan in ("baseline", "progressive"):
        data = jpeg("RGB", 150, 77, qtables=tables, **SCANS[scan])
        assert_file(data, small, "clipprep", f"jpeg quantised by {scale} {scan}")


def test_metadata_changes_nothing(small) -> None:
    """Orientation, profiles, comments and thumbnails are data about the image, and stay so."""
    image = picture("RGB", 97, 61)
    exif = image.getexif()
    exif[0x0112] = 6
    thumbnail = saved(picture("L", 16, 16), "JPEG")
    for name, options in {
        "exif": {"exif": exif},
        "icc": {"icc_profile": bytes(range(256)) * 400},  # more than one segment
        "comment": {"comment": b"\xff\xd9 and \xff\xda are only text"},
        "dpi": {"dpi": (300, 72)},
    }.items():
        data = saved(image, "JPEG", **options)
        assert_file(data, small, "clipprep", f"jpeg with {name}")
        assert_equal_bits(small(data), small(saved(image, "JPEG")), f"jpeg with {name} or without")
    data = saved(image, "JPEG")
    assert_file(jpeg_with(data, 0xE3, thumbnail), small, "clipprep", "jpeg in a segment of a jpeg")
    assert_file(data + thumbnail, small, "clipprep", "jpeg after a jpeg")
    assert_file(data + b"junk" * 999, small, "clipprep", "junk after a jpeg")
    assert_file(data[:2] + b"\xff" * 9 + data[2:], small, "clipprep", "fill bytes before a marker")


def test_several_pictures_in_one_file(small) -> None:
    """MPO: Pillow names it so, and shows the first; the decoder is the same."""
    frames = [picture("RGB", 90, 61, seed) for seed in (1, 2)]
    data = saved(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert opened(data).format == "MPO"
    actual = small(data)
    assert_equal_bits(actual, reference(opened(data), 32), "mpo")
    assert small.explain(data).decoder == "clipprep"


def test_the_longest_sides(small) -> None:
    """The largest sides that Pillow writes, on one axis."""
    for size in ((65500, 3), (3, 65500), (9000, 1)):
        data = jpeg("L", *size)
        assert_file(data, small, "clipprep", f"jpeg {size}")


FILES = sorted((DATA / "jpeg").glob("*.jpg"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_scan_layouts(small, pre, path: Path) -> None:
    """Plain ones, arithmetic coding, components one by one, progressions that stop early (see tests/data/README.md)."""
    data = path.read_bytes()
    for each in (small, pre, clipprep.Preprocess(90, pillow="installed")):
        assert_file(data, each, "clipprep", f"jpeg {path.stem} {each!r}")


def test_those_files_are_there() -> None:
    assert len(FILES) == 23


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_lossless_jpeg_is_left_to_pillow(small, channels: int) -> None:
    """Pillow's libjpeg-turbo reads it, mozjpeg refuses it: a file that the native decoder refuses goes to Pillow."""
    data = jpeg_lossless(photo(43, 61, channels))
    assert_file(
        data,
        small,
        "pillow",
        f"lossless jpeg of {channels}",
        {1: "L", 3: "RGB", 4: "CMYK"}[channels],
    )


def test_the_segments_of_the_knives() -> None:
    """The patches above did patch: markers as Pillow writes them."""
    assert next(marker for marker, _, _ in jpeg_segments(jpeg("L", 9, 9))) == 0xE0
    assert 0xEE in [marker for marker, _, _ in jpeg_segments(jpeg("CMYK", 9, 9))]
    assert opened(jpeg_resampled(jpeg("RGB", 96, 96), ((2, 2), (1, 1), (1, 1)), (90, 91))).size == (
        90,
        91,
    )
