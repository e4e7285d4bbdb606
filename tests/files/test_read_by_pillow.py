"""Formats without a native decoder are decoded by Pillow and then go through the same core; explain says so."""

from __future__ import annotations

import pytest
from PIL import Image, features

import clipprep
from support.expect import assert_as_pillow_decides, assert_file, opened
from support.pictures import picture
from support.writers import saved

CASES = {
    "TIFF": {
        "1": [{"compression": "group4"}],
        "L": [{"compression": "jpeg"}],
        "RGB": [{"compression": "jpeg", "quality": 70}, {"tiffinfo": {274: 6}}],
        "CMYK": [{}, {"compression": "tiff_lzw"}],
    },
    "TGA": {
        "1": [{}],
        "L": [{}, {"compression": "tga_rle"}],
        "LA": [{}],
        "P": [{}, {"compression": "tga_rle"}],
        "RGB": [{}, {"compression": "tga_rle"}, {"orientation": 1}],
        "RGBA": [{}, {"compression": "tga_rle"}],
    },
    "ICO": {"RGB": [{}], "RGBA": [{}, {"bitmap_format": "bmp"}], "P": [{}], "L": [{}]},
    "PCX": {"1": [{}], "L": [{}], "P": [{}], "RGB": [{}]},
    "SGI": {"L": [{}], "RGB": [{}], "RGBA": [{}]},
    "DDS": {"L": [{}], "RGB": [{}], "RGBA": [{}]},
    "DIB": {"RGB": [{}], "L": [{}]},
    "XBM": {"1": [{}]},
    "MSP": {"1": [{}]},
    "AVIF": {"RGB": [{}, {"quality": 40, "subsampling": "4:4:4"}], "RGBA": [{}], "L": [{}]},
    "JPEG2000": {
        "L": [{}],
        "LA": [{}],
        "RGB": [{}, {"irreversible": True}, {"num_resolutions": 2}],
        "RGBA": [{}],
    },
}
NEEDS = {"AVIF": "avif", "JPEG2000": "jpg_2000"}


@pytest.mark.parametrize(
    ("name", "mode", "options"),
    [
        (name, mode, options)
        for name, modes in CASES.items()
        for mode, all_ in modes.items()
        for options in all_
    ],
    ids=str,
)
def test_formats(small, pre, name: str, mode: str, options: dict[str, object]) -> None:
    if name in NEEDS and not features.check(NEEDS[name]):
        pytest.skip(f"this Pillow has no {name}")
    for size in ((157, 90), (61, 133)):
        data = saved(picture(mode, *size), name, **options)
        assert_file(data, small, "pillow", f"{name} from {mode} {size} {options}")
    assert_file(data, pre, "pillow", f"{name} from {mode} n=224 {options}")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_tiff_turns_as_pillow_turns_it(small, orientation: int) -> None:
    """Pillow's TIFF reader, unlike its others, applies the orientation while it loads."""
    data = saved(picture("RGB", 157, 90), "TIFF", tiffinfo={274: orientation})
    assert opened(data).size == ((157, 90) if orientation < 5 else (90, 157))
    decoder = "clipprep" if orientation == 1 else "pillow"
    assert_file(data, small, decoder, f"tiff, orientation {orientation}", "RGB")


def test_several_pages(small) -> None:
    pages = [picture("RGB", 90, 61, seed) for seed in (1, 2)]
    data = saved(pages[0], "TIFF", save_all=True, append_images=pages[1:])
    assert_file(data, small, "clipprep", "tiff of two pages", "RGB")
    data = saved(picture("RGBA", 64, 64), "ICO", sizes=[(16, 16), (48, 48), (64, 64)])
    assert_file(data, small, "pillow", "icon of three sizes", "RGBA")


def test_formats_that_run_other_programs_are_refused(small, monkeypatch) -> None:
    """EPS is PostScript: reading it means running Ghostscript on a stranger's program."""
    data = saved(picture("RGB", 40, 30), "EPS")
    started = []
    monkeypatch.setattr("subprocess.check_call", lambda *args, **kwargs: started.append(args))
    monkeypatch.setattr("subprocess.Popen", lambda *args, **kwargs: started.append(args))
    with pytest.raises(clipprep.UnsupportedError):
        small(data)
    assert not started


def test_pillows_globals_are_left_alone(small, tmp_path) -> None:
    from PIL import ImageFile

    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    small(saved(picture("RGB", 40, 30), "TIFF"))
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)
    cut = saved(picture("RGB", 40, 30), "TIFF")[:-500]
    assert_as_pillow_decides(cut, small, "a cut tiff")
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)


@pytest.mark.parametrize(
    ("name", "codec"), [("AVIF", "avif"), ("JPEG2000", "jpg_2000"), ("J2K", "jpg_2000")]
)
@pytest.mark.parametrize("truncated", ["error", "pad"])
def test_a_missing_codec_is_named_with_the_install_that_has_it(
    monkeypatch, name: str, codec: str, truncated: str
) -> None:
    if not features.check(codec):
        pytest.skip(f"this Pillow has no {codec}")
    options = {"no_jp2": True} if name == "J2K" else {}
    data = saved(picture("RGB", 40, 30), name.replace("J2K", "JPEG2000"), **options)
    lenient = clipprep.Preprocess(32, pillow="installed", truncated=truncated)
    assert_file(data, lenient, "pillow", name)
    supported = [feature for feature in features.get_supported() if feature != codec]
    monkeypatch.setattr(features, "get_supported", lambda: supported)
    with pytest.raises(clipprep.UnsupportedError, match="pip install --upgrade pillow") as caught:
        lenient(data)
    assert codec in str(caught.value)
    assert lenient(saved(picture("RGB", 40, 30), "TIFF")).shape == (3, 32, 32)
