"""Files of many megabytes by their paths: a JPEG of one scan is read a piece at a time, anything else whole."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clipprep
from support.compare import assert_equal_bits
from support.expect import opened
from support.reference import reference
from support.writers import saved

LONG = 4 << 20
NOISE = np.random.default_rng(1).integers(0, 256, (1950, 1800, 3), np.uint8)


def jpeg(mode: str = "RGB", **options: object) -> bytes:
    noise = Image.fromarray(NOISE if mode == "RGB" else np.tile(NOISE, (2, 1, 1)))
    return saved(noise.convert(mode), "JPEG", quality=98, **options)


#: Those that can be read a piece at a time, and others.
MADE: dict[str, Callable[[], bytes]] = {
    "4:4:4": lambda: jpeg(subsampling=0),
    "4:2:0": lambda: jpeg(subsampling=2, optimize=True),
    "restarts": lambda: jpeg(restart_marker_blocks=7),
    "restarts by rows": lambda: jpeg(restart_marker_rows=1),
    "grey": lambda: jpeg("L"),
    "CMYK": lambda: jpeg("CMYK"),
    "junk after": lambda: jpeg() + b"junk\xff\xd8\xff" * 99_999,
    "an end after junk": lambda: jpeg()[:-2] + bytes(300_000) + b"\xff\xd9",
    "a second scan's table after": lambda: jpeg()[:-2] + b"\xff\xc4\x00\x02\xff\xd9",
    "no end": lambda: jpeg()[:-2],
    "fill bytes": lambda: jpeg()[:-2] + b"\xff" * 300_000 + b"\xd9",
    "progressive": lambda: jpeg(progressive=True),
    "comments of a megabyte": lambda: _behind_start(jpeg(), 17),
    "PNG": lambda: saved(Image.fromarray(NOISE), "PNG"),
    "BMP": lambda: saved(Image.fromarray(NOISE), "BMP"),
    "TIFF": lambda: saved(Image.fromarray(NOISE), "TIFF"),
}


def _behind_start(data: bytes, segments: int) -> bytes:
    return data[:2] + (b"\xff\xfe\xff\xff" + bytes(65_533)) * segments + data[2:]


@pytest.fixture(scope="module", params=MADE)
def long(request, tmp_path_factory) -> tuple[str, bytes, Path]:
    data = MADE[request.param]()
    assert len(data) > LONG
    path = tmp_path_factory.mktemp("long") / "file"
    path.write_bytes(data)
    return request.param, data, path


@pytest.mark.parametrize(
    "options", [{}, {"truncated": "pad"}, {"precision": "fast"}, {"exif": True}], ids=str
)
def test_the_same_as_from_bytes(long, options: dict) -> None:
    name, data, path = long
    pre = clipprep.Preprocess(64, pillow="installed", **options)
    if name == "no end" and "truncated" not in options:
        for source in (data, path):
            with pytest.raises(clipprep.TruncatedError):
                pre(source)
        return
    expected = pre(data)
    assert_equal_bits(pre(path), expected, str(options))
    assert pre.explain(path).decoder == pre.explain(data).decoder
    if "precision" not in options:
        truncated = str(options.get("truncated", "error"))
        assert_equal_bits(expected, reference(opened(data, truncated=truncated), 64), "Pillow")


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.75, 0.999])
@pytest.mark.parametrize("truncated", ["error", "pad"])
def test_cut_short(tmp_path, share: float, truncated: str) -> None:
    data = jpeg() + jpeg()[2:]  # so that what is left is long
    data = _behind_start(data[: int(len(data) * 0.5 * share)], 70)
    path = tmp_path / "cut.jpg"
    path.write_bytes(data)
    pre = clipprep.Preprocess(64, truncated=truncated)
    if truncated == "pad":
        assert_equal_bits(pre(path), pre(data), f"{share}")
        return
    with pytest.raises(clipprep.TruncatedError) as of_bytes:
        pre(data)
    with pytest.raises(clipprep.TruncatedError) as of_path:
        pre(path)
    assert str(of_path.value).split(":")[-1] == str(of_bytes.value).split(":")[-1]


def test_limits(tmp_path) -> None:
    path = tmp_path / "long.jpg"
    path.write_bytes(jpeg())
    for limits in ({"max_pixels": 10_000}, {"max_bytes": LONG}):
        with pytest.raises(clipprep.LimitError, match=next(iter(limits))):
            clipprep.Preprocess(64, limits=clipprep.Limits(**limits))(path)


HELD = """
import os, sys
import clipprep
def peak():
    status = open("/proc/self/status").read()
    return int(status[status.index("VmHWM:") + 6:].split()[0]) << 10
pre = clipprep.Preprocess(224)
pre(sys.argv[1])
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
before = peak()
pre(sys.argv[2])
print(peak() - before)
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="Linux shows the peak")
def test_memory_does_not_grow_with_the_file(tmp_path) -> None:
    small, large = tmp_path / "small.jpg", tmp_path / "large.jpg"
    small.write_bytes(saved(Image.fromarray(NOISE[:100, :100]), "JPEG"))
    large.write_bytes(saved(Image.fromarray(np.tile(NOISE, (3, 3, 1))), "JPEG", quality=98))
    assert large.stat().st_size > 30 << 20
    command = [sys.executable, "-c", HELD, str(small), str(large)]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert grown < 16 << 20
