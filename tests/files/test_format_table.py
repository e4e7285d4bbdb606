"""The table of formats that are left to Pillow: complete, and what it says is what happens."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import pytest
from PIL import Image, ImageFile

import clipprep
from clipprep._pillow import formats, refusals
from support.compare import assert_equal_bits
from support.expect import opened
from support.pictures import picture
from support.reference import reference
from support.writers import saved


def test_every_format_of_pillows_has_a_row() -> None:
    own = [
        name for name, (factory, _) in Image.OPEN.items() if factory.__module__.startswith("PIL.")
    ]
    Image.init()
    own += [name for name in Image.ID if Image.OPEN[name][0].__module__.startswith("PIL.")]
    assert set(own) <= formats.FORMATS.keys()


def test_what_is_not_read_by_default() -> None:
    by_name = {name for name, row in formats.FORMATS.items() if row.by_name}
    assert by_name == {
        *("IPTC", "EPS", "WMF", "FPX", "MIC", "BUFR", "GRIB", "HDF5", "ICNS", "BLP", "FITS"),
    }
    assert {name for name in by_name if formats.FORMATS[name].runs_program} == formats.PROGRAMS
    assert not by_name & set(formats.default_formats())
    assert not formats.PROGRAMS & set(formats.harmless_formats())


@pytest.mark.parametrize("name", ["ICNS", "BLP"])
def test_a_format_by_name(small, name: str) -> None:
    image = picture("RGB", 256, 256)
    data = saved(image.quantize() if name == "BLP" else image, name)
    for size in (len(data), len(data) // 2):
        with pytest.raises(clipprep.UnsupportedError, match=rf"formats=\['{name}'\] reads it"):
            small(data[:size])
    with pytest.raises(clipprep.UnsupportedError, match=f"begins as {name} \\(Pillow"):
        clipprep.Preprocess(32, formats=["PNG"])(data)
    with pytest.raises(clipprep.TruncatedError, match=f"whole {name} file"):
        clipprep.Preprocess(32, formats=[name])(data[: len(data) // 2])
    named = clipprep.Preprocess(32, pillow="installed", formats=[name])
    assert_equal_bits(named(data), reference(opened(data), 32), name)


class Plugin(ImageFile.ImageFile):
    """A format of an application's own."""

    format = "MINE"

    def _open(self) -> None:
        self._size, self._mode = (4, 3), "L"
        self.tile = [ImageFile._Tile("raw", (0, 0, 4, 3), 4, ("L", 0, 1))]


@pytest.mark.parametrize("truncated", ["error", "pad"])
def test_a_plug_in_is_read_as_soon_as_it_is_registered(monkeypatch, truncated: str) -> None:
    pre = clipprep.Preprocess(8, pillow="installed", truncated=truncated)
    data = b"MINE" + bytes(range(0, 120, 10))
    with pytest.raises(clipprep.UnsupportedError):
        pre(data)
    monkeypatch.setattr(Image, "ID", [*Image.ID])
    monkeypatch.setitem(Image.OPEN, "MINE", (Plugin, lambda prefix: prefix[:4] == b"MINE"))
    Image.ID.append("MINE")
    assert_equal_bits(pre(data), reference(opened(data), 8), "a plug-in")
    with pytest.raises(clipprep.UnsupportedError):
        clipprep.Preprocess(8, formats=["PNG"])(data)


@pytest.fixture
def older_pillow(monkeypatch) -> None:
    """Any installed Pillow counts as one with known holes."""
    monkeypatch.setattr(formats, "SOUND", 10**6)


@pytest.mark.usefixtures("older_pillow")
class TestAnOlderPillow:
    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "PPM", "TIFF"])
    def test_is_not_needed_for_what_is_decoded_here(self, small, kind: str) -> None:
        data = saved(picture("RGB", 40, 30), kind)
        assert_equal_bits(small(data), reference(opened(data), 32), kind)

    @pytest.mark.parametrize("fallback", ["inline", "process"])
    @pytest.mark.parametrize(("kind", "mode"), [("TGA", "RGB"), ("TIFF", "CMYK")])
    def test_reads_what_is_named(self, kind: str, mode: str, fallback: str) -> None:
        data = saved(picture(mode, 40, 30), kind)
        # A helper asks its own Pillow for its version.
        said = r"known holes.*install Pillow" if fallback == "inline" else None
        with pytest.raises(clipprep.UnsupportedError, match=said):
            clipprep.Preprocess(32, fallback=fallback)(data)
        named = clipprep.Preprocess(32, pillow="installed", fallback=fallback, formats=[kind])
        assert_equal_bits(named(data), reference(opened(data), 32), kind)

    def test_says_what_is_wrong_with_a_damaged_file(self, small) -> None:
        data = saved(picture("RGB", 40, 30), "JPEG")
        with pytest.raises(clipprep.TruncatedError):
            small(data[: len(data) // 2])
        with pytest.raises(clipprep.UnsupportedError, match="an HTML page"):
            small(b"<!DOCTYPE html><html>")

    def test_loads_images_that_the_caller_opened(self, small) -> None:
        data = saved(picture("RGB", 40, 30), "TGA")
        assert_equal_bits(small(opened(data)), reference(opened(data), 32), "TGA")

    def test_has_plug_ins_all_the_same(self, monkeypatch) -> None:
        test_a_plug_in_is_read_as_soon_as_it_is_registered(monkeypatch, "error")


@pytest.mark.parametrize("kind", ["TGA", "PCX", "SGI"])
def test_memory_is_counted_before_it_is_taken(kind: str) -> None:
    data = saved(picture("RGB", 200, 100), kind)
    cost = formats.FORMATS[kind].pixel_bytes * 200 * 100
    enough = clipprep.Limits(max_memory=cost + 100_000)
    assert clipprep.Preprocess(8, limits=enough)(data).shape == (3, 8, 8)
    with pytest.raises(clipprep.LimitError, match="max_memory"):
        clipprep.Preprocess(8, limits=clipprep.Limits(max_memory=cost - 1))(data)


DAMAGED = {
    "TIFF": {"compression": "tiff_lzw"},
    "JPEG2000": {},
    "AVIF": {},
    "ICO": {},
    "PCX": {},
    "TGA": {"compression": "tga_rle"},
    "SGI": {},
    "DDS": {},
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_of_a_known_format_is_none_that_is_not_read(kind: str) -> None:
    try:
        whole = saved(picture("RGB", 200, 150), kind, **DAMAGED[kind])
    except (KeyError, OSError):
        pytest.skip(f"this Pillow does not write {kind}")
    pre = clipprep.Preprocess(32, pillow="installed")
    rng = np.random.default_rng(0)
    damaged = [whole[: len(whole) * tenths // 10] for tenths in (3, 6, 9)]
    for _ in range(8):
        changed = bytearray(whole)
        for at in rng.integers(len(whole) // 4, len(whole), 20):
            changed[at] = int(rng.integers(0, 256))
        damaged.append(bytes(changed))
    errors = pre.try_batch(damaged).errors.values()
    assert errors
    for error in errors:
        assert isinstance(error, (clipprep.DecodeError, clipprep.TruncatedError)), error
        assert " at 0x" not in str(error)
        assert len(str(error)) <= 500


def test_a_warning_of_a_bomb_made_an_error_is_a_limit(monkeypatch) -> None:
    data = saved(picture("RGB", 200, 150), "TGA")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20_000)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with pytest.raises(clipprep.LimitError, match="Pillow's own limit"):
            clipprep.Preprocess(32)(data)


def test_words_of_pillows_are_short_and_the_same_on_each_run() -> None:
    error = OSError(f"cannot read {object()!r}\nat all, {'x' * 1000}")
    said = refusals.said(error)
    assert said.startswith("cannot read <object object> at all, xxx")
    assert len(said) <= 200
    assert refusals.said(ValueError()) == "ValueError"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError("image file is truncated (3 bytes not processed)"), "truncated"),
        (struct.error("unpack requires a buffer of 4 bytes"), "truncated"),
        (EOFError(), "truncated"),
        (SyntaxError("unknown pixel mode"), "unsupported"),
        (NotImplementedError("Unimplemented pixel format 7"), "unsupported"),
        (OSError("broken data stream when reading image file"), "decode"),
        (Image.DecompressionBombError("too large"), "limit"),
    ],
)
def test_kinds_of_refusals(error: Exception, kind: str) -> None:
    assert refusals.refusal(error, "TIFF")[0] == kind


def test_a_file_that_is_handed_out_in_pieces_is_pillows_file(tmp_path) -> None:
    """A path's bytes are not copied on their way to Pillow."""
    path = tmp_path / "picture"
    pre = clipprep.Preprocess(32, pillow="installed")
    for kind in ("TGA", "PCX", "XBM"):
        image = picture("RGB", 90, 60)
        data = saved(image.convert("1") if kind == "XBM" else image, kind)
        path.write_bytes(data)
        assert_equal_bits(pre(path), pre(data), kind)
        assert pre.explain(path).decoder == "pillow"


def test_a_file_object_is_read_as_far_as_it_may_be(small) -> None:
    class Endless:
        asked = 0

        def read(self, size: int) -> bytes:
            self.asked += size
            return bytes(size)

    file = Endless()
    limited = clipprep.Preprocess(32, limits=clipprep.Limits(max_bytes=10_000_000))
    with pytest.raises(clipprep.LimitError, match="max_bytes"):
        limited(file)
    assert file.asked < 30_000_000
    data = saved(picture("RGB", 90, 60), "PNG")
    assert_equal_bits(small(io.BytesIO(data)), small(data), "a file object")
