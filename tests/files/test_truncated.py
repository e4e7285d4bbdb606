"""truncated="pad": missing pixels are filled as Pillow fills them with LOAD_TRUNCATED_IMAGES, which is never set."""

from __future__ import annotations

import io
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageFile

import clipprep
from support.compare import assert_equal_bits
from support.expect import assert_as_pillow_decides, opened
from support.paths import DATA
from support.pictures import picture
from support.reference import load_truncated, reference
from support.samples import FILES, JPEGS, file
from support.writers import TRUECOLOUR, jpeg_lossless, jpeg_with_empty_scans, png, png_chunk, saved

MORE = {
    "grey progressive jpeg": lambda: saved(picture("L", 70, 50), "JPEG", progressive=True),
    "cmyk progressive jpeg": lambda: saved(picture("CMYK", 70, 50), "JPEG", progressive=True),
    "mpo": lambda: saved(
        picture("RGB", 70, 50), "MPO", save_all=True, append_images=[picture("RGB", 70, 50)]
    ),
    "lossless jpeg": lambda: jpeg_lossless(np.asarray(picture("RGB", 30, 20))),
    "interlaced png": lambda: png(
        np.asarray(picture("RGB", 45, 60)), TRUECOLOUR, 8, interlaced=True, idat=500
    ),
    "deep png": lambda: png(
        np.asarray(picture("RGB", 45, 60)).astype(np.uint16) * 257, TRUECOLOUR, 16, idat=300
    ),
    "apng": lambda: saved(
        picture("RGB", 30, 40), "PNG", save_all=True, append_images=[picture("RGB", 30, 40)]
    ),
    "ico": lambda: saved(picture("RGBA", 48, 48), "ICO", bitmap_format="bmp"),
    "ico of png": lambda: saved(picture("RGBA", 48, 48), "ICO"),
    "animated gif": lambda: saved(
        picture("P", 30, 40), "GIF", save_all=True, append_images=[picture("L", 30, 40)]
    ),
    "lzw tiff": lambda: saved(picture("RGB", 40, 30), "TIFF", compression="tiff_lzw"),
    "striped tiff": lambda: saved(picture("RGB", 40, 300), "TIFF", strip_size=4000),
    "pcx": lambda: saved(picture("RGB", 40, 30), "PCX"),
    "sgi": lambda: saved(picture("RGB", 40, 30), "SGI"),
    "jpeg 2000": lambda: saved(picture("RGB", 40, 30), "JPEG2000"),
}
ALL = {**FILES, **MORE}


@pytest.fixture(scope="module")
def padding() -> clipprep.Preprocess:
    return clipprep.Preprocess(32, pillow="installed", truncated="pad")


def bytes_of(name: str) -> bytes:
    return file(name) if name in FILES else MORE[name]()


@pytest.mark.parametrize("name", ALL)
def test_cut_anywhere(padding, name: str) -> None:
    data = bytes_of(name)
    ends = {*range(0, len(data), max(1, len(data) // 50)), *range(len(data) - 15, len(data))}
    for end in sorted(ends):
        assert_as_pillow_decides(data[:end], padding, f"{name} cut at {end} of {len(data)}")
    assert assert_as_pillow_decides(data, padding, name)


@pytest.mark.parametrize("name", JPEGS)
def test_a_cut_jpeg_is_padded_natively(padding, small, name: str) -> None:
    data = file(name)
    for share in (0.4, 0.6, 0.8, 0.99):
        cut = data[: int(share * len(data))]
        with pytest.raises(clipprep.TruncatedError):
            small(cut)
        assert padding.explain(cut).decoder == "libjpeg"
        assert_equal_bits(
            padding(cut), reference(opened(cut, truncated="pad"), 32), f"{name} cut at {share}"
        )


@pytest.mark.parametrize("name", sorted(ALL))
def test_a_whole_file_is_what_it_was(padding, small, name: str) -> None:
    data = bytes_of(name)
    assert_as_pillow_decides(data, small, name)
    if name != "lossless jpeg":  # which Pillow refuses, but not with the switch set
        assert_equal_bits(padding(data), small(data), name)


@given(
    name=st.sampled_from(sorted(ALL)),
    where=st.floats(0, 1, exclude_max=True),
    value=st.integers(0, 255),
    end=st.floats(0.2, 1),
)
@example(name="mpo", where=0.0859375, value=0, end=1.0)
def test_a_changed_byte(padding, name: str, where: float, value: int, end: float) -> None:
    data = bytearray(bytes_of(name))
    data[int(where * len(data))] = value
    cut = bytes(data[: int(end * len(data))])
    assert_as_pillow_decides(
        cut, padding, f"{name}, byte {int(where * len(data))} is {value}, cut at {len(cut)}"
    )


@given(name=st.sampled_from(sorted(ALL)), at=st.integers(0, 200), value=st.integers(0, 255))
def test_a_changed_byte_of_a_header(padding, name: str, at: int, value: int) -> None:
    data = bytearray(bytes_of(name))
    data[at] = value
    assert_as_pillow_decides(bytes(data), padding, f"{name}, byte {at} is {value}")


@pytest.mark.parametrize("name", ["arithmetic.jpg", "arithmetic-progressive.jpg"])
def test_arithmetic_files_cut_anywhere(padding, name: str) -> None:
    """Between two scans too, where Pillow's end of image is still seen."""
    data = (DATA / "jpeg" / name).read_bytes()
    for end in range(0, len(data), 1 if "progressive" in name else 7):
        assert_as_pillow_decides(data[:end], padding, f"{name} cut at {end}")


def test_a_second_header_of_a_png(padding, small) -> None:
    """Pillow uses the last one: the values of the first are no reason to refuse the file."""
    data = bytes_of("png")
    first = png_chunk(b"IHDR", b"\0\1\0\0\0\1\0\0" + data[24:29])
    for pre in (padding, small):
        assert_as_pillow_decides(data[:8] + first + data[8:], pre, "a second header")


def test_cuts_in_the_chunk_after_the_pixels(padding) -> None:
    whole = png(np.asarray(picture("L", 30, 20))[..., None], 0, 8)
    pixels = whole[: whole.rindex(b"IEND") - 4]
    for name in (b"tEXt", b"none"):
        chunk = png_chunk(name, b"key\0text")
        for end in range(len(chunk)):
            assert_as_pillow_decides(pixels + chunk[:end], padding, f"{name!r}, {end} bytes")


def test_junk_behind_a_cut(padding) -> None:
    for name in JPEGS:
        for junk in (
            b"\xff",
            b"\xff\xe1",
            b"\xff\xe1\x00\x40",
            b"\xff\xe1\x00\x03",
            b"\xff\xd0",
            b"x" * 9,
        ):
            cut = file(name)[: len(file(name)) * 2 // 3] + junk
            assert_as_pillow_decides(cut, padding, f"{name} with {junk!r} after the cut")


@pytest.mark.parametrize("kind", [3, 4])
@pytest.mark.parametrize("mode", ["1", "L", "RGB", "CMYK"])
def test_tiff_fields_beyond_the_file(padding, small, mode: str, kind: int) -> None:
    """Pillow skips them, and pads what is then missing."""
    data = saved(picture(mode, 70, 50), "TIFF")
    at = int.from_bytes(data[4:8], "little")
    for entry in range(at + 2, at + 2 + 12 * int.from_bytes(data[at : at + 2], "little"), 12):
        tag = int.from_bytes(data[entry : entry + 2], "little")
        beyond = data[entry : entry + 2] + struct.pack("<HII", kind, 9, 1 << 24)
        changed = data[:entry] + beyond + data[entry + 12 :]
        for pre in (padding, small):
            assert_as_pillow_decides(changed, pre, f"TIFF {mode}, tag {tag}, {pre.truncated}")


def test_scans_that_are_not_there(padding) -> None:
    data = jpeg_with_empty_scans(file("progressive jpeg"), (120, 90), 7)
    for end in range(len(data) - 120, len(data)):
        assert_as_pillow_decides(data[:end], padding, f"empty scans cut at {end}")


def test_the_switch_of_pillow_is_not_touched(padding, monkeypatch) -> None:
    """Any assignment to it would be seen here, from this thread or another."""

    class Watched(type(ImageFile)):
        def __setattr__(self, name: str, value: object) -> None:
            assert name != "LOAD_TRUNCATED_IMAGES"
            super().__setattr__(name, value)

    cuts = [
        bytes_of(name)[: len(bytes_of(name)) * 2 // 3] for name in ("png", "gif", "tiff", "jpeg")
    ]
    expected = [padding(cut) for cut in cuts]
    monkeypatch.setattr(ImageFile, "__class__", Watched)
    for (start, got), want in zip(
        enumerate(padding.batch(cuts, num_threads=4)), expected, strict=True
    ):
        assert_equal_bits(got, want, f"cut {start}")
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def test_pillows_classes_stay_as_they_are(padding) -> None:
    """The copies that read truncated files are ours alone."""
    data = bytes_of("png")
    before = dict(Image.OPEN)
    padding(data[:3000])
    assert before == Image.OPEN
    assert type(opened(data)).__module__ == "PIL.PngImagePlugin"


def test_many_threads_at_once(padding) -> None:
    cuts = [
        bytes_of(name)[: len(bytes_of(name)) * 2 // 3] for name in ("png", "gif", "tiff", "bmp")
    ]
    expected = [padding(cut) for cut in cuts]
    with ThreadPoolExecutor(8) as pool:
        for at, got in enumerate(pool.map(padding, cuts * 16)):
            assert_equal_bits(got, expected[at % 4], f"call {at}")


def test_images_that_the_caller_opened_follow_the_option_until_they_are_loaded(
    small, padding
) -> None:
    cut = bytes_of("png")[:3000]
    for switch in (False, True):
        with load_truncated(switch):
            assert_equal_bits(padding(Image.open(io.BytesIO(cut))), padding(cut), "not loaded")
            with pytest.raises(clipprep.TruncatedError):
                small(Image.open(io.BytesIO(cut)))
    with load_truncated(True):
        image = Image.open(io.BytesIO(cut))
        image.load()
    for pre in (small, padding):
        assert_equal_bits(pre(image), padding(cut), "loaded")


@pytest.mark.parametrize("wrong", ["", "Pad", "strict", "none"])
def test_wrong_values(wrong: str) -> None:
    with pytest.raises(ValueError, match="truncated"):
        clipprep.Preprocess(32, truncated=wrong)
