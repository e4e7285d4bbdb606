"""A PIL image that was opened lazily and left as it is goes through the checks of its file's bytes."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable

import pytest
from PIL import Image

import clipprep
from support.attacks import memory, scans
from support.compare import assert_equal_bits
from support.expect import opened
from support.pictures import picture
from support.reference import load_truncated, reference
from support.writers import saved

RGB = picture("RGB", 200, 150)
#: Formats whose pixels Pillow reads after it has opened a file.
LAZY = ("JPEG", "PNG", "GIF", "BMP", "PPM", "QOI", "TIFF", "TGA", "PCX", "JPEG2000", "SGI")
CLASSES = (clipprep.TruncatedError, clipprep.DecodeError)


def lazy(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@functools.cache
def cut(name: str) -> bytes:
    data = saved(RGB.quantize() if name == "GIF" else RGB, name)
    return data[: len(data) * 4 // 5]


COSTLY: dict[str, Callable[[], bytes]] = {
    **{f"JPEG: {name}": file for name, file in scans.FILES.items()},
    "FLI": lambda: memory.fli(5600, 800),
    "JPEG 2000": lambda: memory.jpeg2000(4000),
    "JPEG 2000 of many layers": lambda: memory.layers(65_535),
    "WebP": lambda: memory.of_one_colour("WEBP", 5700, lossless=True),
    "PPM of comments": lambda: b"P3 " + b"#\n" * 60_000 + b"1000 1000 255 " + b"#\n" * 500_000 + b"1 " * 3_000_000,
}  # fmt: skip


@pytest.mark.parametrize("name", COSTLY)
def test_what_a_file_may_cost(name: str) -> None:
    """However many checks there are: none is for bytes alone."""
    try:
        image = lazy(COSTLY[name]())
    except OSError:
        pytest.skip("Pillow does not open it")
    pre = clipprep.Preprocess(32, limits=clipprep.Limits(max_memory=256 << 20))
    for call in (lambda: pre(image), lambda: pre.batch([image]), lambda: pre.explain(image)):
        with pytest.raises((clipprep.LimitError, clipprep.BatchError), match="expected at most"):
            call()
    assert getattr(image, "_im", None) is None


@pytest.mark.parametrize("switch", [False, True])
@pytest.mark.parametrize("name", LAZY)
def test_truncated_alone_decides(name: str, switch: bool) -> None:
    """Whatever `ImageFile.LOAD_TRUNCATED_IMAGES` says."""
    strict, padded = (clipprep.Preprocess(32, truncated=how) for how in ("error", "pad"))
    try:
        expected = reference(opened(cut(name), truncated="pad"), 32)
    except (OSError, ValueError, IndexError):  # QOI's
        expected = None
    with load_truncated(switch):
        with pytest.raises(CLASSES) as found:
            strict(lazy(cut(name)))
        with pytest.raises(CLASSES) as of_bytes:
            clipprep.Preprocess(32, pillow="installed")(cut(name))
        # Of a QOI, Pillow says the same whether it is cut or damaged.
        assert type(found.value) is type(of_bytes.value) or name == "QOI"
        assert found.value.__cause__ is not None
        if expected is None:
            with pytest.raises(CLASSES):
                padded(lazy(cut(name)))
        else:
            assert_equal_bits(padded(lazy(cut(name))), expected, f"{name}, padded")


def test_a_drafted_image_costs_its_own_size() -> None:
    data = saved(picture("RGB", 800, 600), "JPEG")
    pre = clipprep.Preprocess(32, limits=clipprep.Limits(max_pixels=50_000))
    with pytest.raises(clipprep.LimitError, match="max_pixels"):
        pre(lazy(data))
    image, same = lazy(data), lazy(data)
    image.draft("RGB", (200, 150))
    same.draft("RGB", (200, 150))
    assert_equal_bits(pre(image), reference(same, 32), "drafted")


@pytest.mark.parametrize("note", ["exif", "info", "frame"])
def test_a_changed_image_is_loaded_as_it_is(small, note: str) -> None:
    """What the caller has done to it counts, whatever its file says."""
    data = saved(RGB, "TIFF", save_all=True, append_images=[picture("RGB", 90, 60, 5)])
    changes = {
        "exif": lambda image: image.getexif().update({270: "text"}),
        "info": lambda image: image.info.update(note=[1]),
        "frame": lambda image: image.seek(1),
    }
    image, same = lazy(data), lazy(data)
    changes[note](image)
    changes[note](same)
    assert_equal_bits(small(image), reference(same, 32), note)
