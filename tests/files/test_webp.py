"""WebP files give the bits of live Pillow, decoded natively."""

from __future__ import annotations

import struct

import numpy as np
import pytest

import clipprep
from support.expect import assert_as_pillow_decides, assert_file, opened
from support.pictures import picture
from support.writers import (
    saved,
)

SIZES = ((157, 243), (243, 157), (300, 17), (17, 300), (1, 1), (33, 32))


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


def test_every_window_of_a_webp_has_the_pixels_of_the_whole() -> None:
    """Of lossy files the window alone becomes RGB, and the chroma of its edges depends on what is outside."""
    for width, height in ((17, 12), (12, 17), (18, 18)):
        data = saved(picture("RGB", width, height), "WEBP", quality=90)
        whole = np.asarray(opened(data).convert("RGB")).transpose(2, 0, 1)
        for rows in range(1, height + 1):
            for columns in range(1, width + 1):
                pre = clipprep.Preprocess((rows, columns), resize_mode="none", dtype="uint8")
                top, left = round((height - rows) / 2), round((width - columns) / 2)
                expected = whole[:, top : top + rows, left : left + columns]
                assert np.array_equal(pre(data), expected), (
                    f"{width} x {height}, {columns} x {rows}"
                )


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
    """The canvas outside the frame is transparent, and black without alpha."""
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


@pytest.mark.parametrize("cut", [1, 2, 3, 8])
@pytest.mark.parametrize("lossless", [False, True])
def test_webp_shorter_or_longer_than_it_says(small, lossless: bool, cut: int) -> None:
    data = saved(picture("RGB", 61, 40), "WEBP", lossless=lossless)
    assert_as_pillow_decides(data[:-cut], small, f"webp less {cut}")
    assert_as_pillow_decides(data + bytes(cut), small, f"webp plus {cut}")
    size = int.from_bytes(data[4:8], "little")
    for said in (size - cut, size + cut):
        changed = data[:4] + struct.pack("<I", said) + data[8:]
        assert_as_pillow_decides(changed, small, f"webp of {size} that says {said}")
