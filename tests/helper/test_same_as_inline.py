"""A helper gives the bits and the errors that this process does."""

from __future__ import annotations

import io
import os
import random
import struct
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clipprep
from clipprep._helper.pool import POOL
from support import plug
from support.pictures import picture
from support.writers import saved

#: A few hundred on a desk, and 20,000 where this says so.
COUNT = int(os.environ.get("CLIPPREP_FUZZ") or 300)
#: Formats of which Pillow reads all files or these variants, with modes that take different ways out of Pillow.
FILES: dict[str, list[tuple[str, dict[str, object]]]] = {
    "TGA": [("1", {}), ("LA", {}), ("P", {}), ("RGB", {"compression": "tga_rle"}), ("RGBA", {})],
    "PCX": [("1", {}), ("L", {}), ("P", {}), ("RGB", {})],
    "SGI": [("L", {}), ("RGB", {}), ("RGBA", {})],
    "DDS": [("L", {}), ("RGB", {}), ("RGBA", {})],
    "DIB": [("RGB", {}), ("L", {})],
    "ICO": [("RGBA", {}), ("P", {}), ("RGBA", {"bitmap_format": "bmp"})],
    "XBM": [("1", {})],
    "MSP": [("1", {})],
    "IM": [("YCbCr", {}), ("F", {}), ("I;16", {})],
    "TIFF": [("LAB", {}), ("L", {"compression": "jpeg"}), ("CMYK", {}), ("I;16", {}), ("F", {}), ("RGB", {"tiffinfo": {274: 6}})],
    "AVIF": [("RGB", {}), ("RGBA", {}), ("L", {})],
    "JPEG2000": [("L", {}), ("LA", {}), ("RGB", {}), ("RGBA", {})],
    "BLP": [("P", {})],
    "ICNS": [("RGBA", {})],
    "GIF": [("P", {"transparency": 0})],
}  # fmt: skip
OPTIONS: list[dict[str, object]] = [
    {},
    {"truncated": "pad", "exif": True},
    {"profile": "hf-torchvision"},
    {"formats": ["TGA", "BLP", "ICNS", "TIFF"]},
    {"limits": clipprep.Limits(max_pixels=10_000, max_memory=400_000)},
]


# Pillow says which formats it will not have for ever, and which images are large.
pytestmark = pytest.mark.filterwarnings("ignore")


def outcome(pre: clipprep.Preprocess, source: object) -> tuple[object, ...]:
    """The pixels, or the class, the message and the cause of the error."""
    try:
        return "pixels", pre(source).tobytes()
    except clipprep.ImageError as error:
        return type(error).__name__, str(error), str(error.__cause__)
    except OSError as error:
        return type(error).__name__, str(error), error.errno


def both(**options: object) -> list[clipprep.Preprocess]:
    return [clipprep.Preprocess(24, fallback=way, **options) for way in ("inline", "process")]


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            f"{name} of {mode} {options}": saved(picture(mode, 61, 45), name, **options)
            for name, kinds in FILES.items()
            for mode, options in kinds
        }


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_files_of_every_format(files: dict[str, bytes], options: dict[str, object]) -> None:
    inline, process = both(**options)
    found = Counter[object]()
    for name, data in files.items():
        expected = outcome(inline, data)
        assert outcome(process, data) == expected, name
        assert (
            outcome(process, Image.open(io.BytesIO(data)))[:2]
            == outcome(inline, Image.open(io.BytesIO(data)))[:2]
        ), name
        found[expected[0]] += 1
    assert found["pixels"] >= 5, found


@pytest.mark.parametrize("truncated", ["error", "pad"])
def test_damaged_files(files: dict[str, bytes], truncated: str) -> None:
    """Bytes that are changed, left out and cut off, by a seed: the same class and the same words."""
    inline, process = both(truncated=truncated)
    random_ = random.Random(7)
    found = Counter[object]()
    # Pictures inside an ICNS file read a switch that is Pillow's own in a helper.
    names = [name for name in files if not name.startswith("ICNS")]
    for number in range(COUNT // 2):
        name = names[number % len(names)]
        data = bytearray(files[name])
        for _ in range(random_.randint(1, 4)):
            at = random_.randrange(min(len(data), random_.choice((40, 400, 10**6))))
            deed = random_.randrange(4)
            if deed == 0:
                del data[at:]
            elif deed == 1:
                del data[at : at + random_.randint(1, 8)]
            else:
                data[at : at + 1] = [random_.randrange(256)]
            data = data or bytearray(b"x")
        expected = outcome(inline, bytes(data))
        assert outcome(process, bytes(data)) == expected, f"{name}, number {number}"
        found[expected[0]] += 1
    assert found["pixels"] > COUNT / 20, found
    assert len(found) >= 3, found


def test_a_batch_from_paths_and_files(files: dict[str, bytes], tmp_path: Path) -> None:
    sources: list[object] = []
    for number, data in enumerate(files.values()):
        path = tmp_path / str(number)
        path.write_bytes(data)
        sources += [path, io.BytesIO(data), b"bad"]
    one, other = (pre.try_batch(sources, num_threads=2) for pre in both())
    assert np.array_equal(one.pixels, other.pixels)
    assert {row: str(error) for row, error in one.errors.items()} == {
        row: str(error) for row, error in other.errors.items()
    }
    assert one.ok.sum() > len(FILES)


@pytest.mark.parametrize("most", [100, 3000, None])
def test_pillows_own_limit_holds(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], most: int | None
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", most)
    inline, process = both()
    data = files["TGA of RGBA {}"]
    assert outcome(process, data) == outcome(inline, data)


def test_a_warning_that_is_an_error(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 2000)
    for pre in both():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(clipprep.LimitError, match="within Pillow's own limit"):
                pre(files["TGA of RGBA {}"])


def test_explain_says_which_it_was(files: dict[str, bytes]) -> None:
    data = files["TGA of RGBA {}"]
    inline, process = (pre.explain(data) for pre in both())
    assert process.decoder == inline.decoder == "pillow"
    assert process.notes == (*inline.notes, "Pillow decoded it in a helper process")
    assert both()[1].explain(saved(picture("RGB", 40, 30), "PNG")).notes == ()


def test_a_mode_that_is_not_read() -> None:
    """Pillow converts La to LA alone."""
    plug.register()
    try:
        inline, process = (outcome(pre, plug.file("la")) for pre in both())
    finally:
        plug.unregister()
    assert process == inline
    assert (inline[0], '"La"' in str(inline[1])) == ("UnsupportedError", True)


def test_a_helper_does_not_grow(files: dict[str, bytes]) -> None:
    """Not even by images that refer to themselves."""
    process = both()[1]
    data = saved(Image.new("CMYK", (1200, 900)), "TIFF")
    process(data)
    pid = POOL.idle()[-1].pid
    for _ in range(30):
        process(data)
    assert POOL.idle()[-1].pid == pid, "it was not replaced"


def test_seeking_before_the_beginning(tmp_path: Path) -> None:
    """A file in memory begins again there, and one on the disk refuses."""
    path = tmp_path / "image.tga"
    # A run of more pixels than the image has.
    path.write_bytes(struct.pack("<2xB5x4H2B", 10, 0, 9, 10, 1, 32, 0) + b"\xdb\xff\xff")
    found = []
    for source in (path, path.read_bytes()):
        inline, process = (outcome(pre, source) for pre in both(truncated="pad"))
        assert process == inline, source
        found.append(inline[0])
    assert found == ["DecodeError", "pixels"]
