"""PIL images in every mode, however they came to be, give the bits of live Pillow; nothing of them is changed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

import clipprep
from support.compare import assert_equal_bits
from support.expect import assert_explained, assert_file
from support.pictures import picture
from support.reference import FILTERS, LIVE, reference, resized_size
from support.writers import saved

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK")
SIZES = ((157, 243), (243, 157), (300, 17), (17, 300), (1, 1), (1, 90), (64, 64))


def check(image: Image.Image, n: int, name: str, **options: object) -> None:
    expected = reference(image, n, **options)
    before = image.tobytes(), image.mode, image.size
    actual = clipprep.Preprocess(n, **{"pillow": LIVE, **options})(image)
    assert_equal_bits(actual, expected, name)
    assert (image.tobytes(), image.mode, image.size) == before, f"{name}: the image was changed"


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("mode", MODES)
def test_modes_and_filters(mode: str, interpolation: str) -> None:
    for size in SIZES:
        for n in (17, 64, 100):
            image = picture(mode, *size, seed=n)
            check(image, n, f"PIL {mode} {size} n={n} {interpolation}", interpolation=interpolation)


@given(
    mode=st.sampled_from(MODES),
    width=st.one_of(st.integers(1, 80), st.integers(1, 500)),
    height=st.one_of(st.integers(1, 80), st.integers(1, 500)),
    n=st.integers(1, 64),
    interpolation=st.sampled_from([*FILTERS, "bicubic", "bicubic"]),
    profile=st.sampled_from(["openai", "openai", "hf-pil"]),
    pillow=st.sampled_from(["12", "13"]),
    seed=st.integers(0, 1000),
)
def test_any_image(mode, width, height, n, interpolation, profile, pillow, seed) -> None:
    resized = resized_size(width, height, n)
    if resized[0] * resized[1] > 1_000_000:
        n = 1 + n % 8
    image = picture(mode, width, height, seed)
    options = {"interpolation": interpolation, "profile": profile, "pillow": pillow}
    check(image, n, f"PIL {mode} {width} x {height} n={n} {options}", **options)


@pytest.mark.parametrize("mode", MODES)
def test_explained(small, mode: str) -> None:
    for size in SIZES:
        image = picture(mode, *size)
        assert_explained(small.explain(image), image, 32, decoder="none", format_name=None)


@pytest.mark.parametrize("entries", [1, 2, 3, 16, 100, 255, 256])
@pytest.mark.parametrize("raw", ["RGB", "RGBA", "BGR"])
def test_palettes(entries: int, raw: str) -> None:
    """Fewer than 256 colours, alphas among them, and indices beyond the last."""
    rng = np.random.default_rng(entries)
    for top in (entries, 256):
        image = Image.frombytes(
            "P", (61, 40), rng.integers(0, top, 61 * 40, dtype=np.uint16).astype(np.uint8).tobytes()
        )
        image.putpalette(rng.integers(0, 256, len(raw) * entries, dtype=np.uint8).tobytes(), raw)
        for profile in ("openai", "hf-pil"):
            check(
                image,
                24,
                f"PIL P {entries} of {raw}, indices below {top}, {profile}",
                profile=profile,
            )


@pytest.mark.parametrize("transparency", [0, 7, 255, bytes(range(256)), b"\x00", b""])
@pytest.mark.parametrize("mode", ["P", "L", "1"])
def test_transparency_information(mode: str, transparency: object) -> None:
    if mode != "P" and isinstance(transparency, bytes):
        transparency = 1
    image = picture(mode, 61, 40)
    image.info["transparency"] = transparency
    for profile in ("openai", "hf-pil"):
        check(
            image,
            24,
            f"PIL {mode} with transparency {transparency!r:.20} {profile}",
            profile=profile,
        )


def test_transparency_of_rgb() -> None:
    image = picture("RGB", 61, 40)
    image.info["transparency"] = (1, 2, 3)
    check(image, 24, "PIL RGB with a transparent colour")


def test_quantised_and_adaptive_palettes() -> None:
    for colours in (2, 5, 64, 256):
        for dither in (Image.Dither.NONE, Image.Dither.FLOYDSTEINBERG):
            check(
                picture("RGB", 90, 61).quantize(colours, dither=dither),
                24,
                f"quantised to {colours}",
            )
    check(picture("RGB", 90, 61).convert("P"), 24, "web palette")
    check(picture("RGBA", 90, 61).quantize(30), 24, "quantised RGBA")
    remapped = picture("RGB", 90, 61).quantize(8).remap_palette([3, 1, 0, 2])
    check(remapped, 24, "remapped palette")


def test_a_palette_that_changes() -> None:
    image = picture("P", 61, 40)
    check(image, 24, "first palette")
    image.putpalette(bytes(reversed(range(256))) * 3)
    check(image, 24, "second palette")
    image.palette.getcolor((9, 8, 7), image) if len(image.palette.palette) < 768 else None
    image.putpalette([1, 2, 3, 250, 251, 252])
    check(image, 24, "short palette")


def test_in_place_edits_are_seen() -> None:
    """Nothing may be remembered about an image from one call to the next."""
    image = picture("RGB", 90, 61)
    check(image, 24, "before")
    image.putpixel((45, 30), (255, 0, 255))
    check(image, 24, "after putpixel")
    image.paste((1, 250, 3), (20, 10, 60, 50))
    check(image, 24, "after paste")
    image.paste(picture("RGBA", 30, 30), (5, 5), picture("L", 30, 30))
    check(image, 24, "after a masked paste")
    ImageDraw.Draw(image).ellipse((10, 10, 70, 55), fill=(0, 0, 255), outline="white")
    check(image, 24, "after drawing")
    image.load()[44, 30] = (7, 7, 7)
    check(image, 24, "after access to a pixel")
    image.thumbnail((50, 50))
    check(image, 24, "after thumbnail")
    image.putalpha(picture("L", *image.size))
    check(image, 24, "after putalpha")


def test_images_derived_from_others() -> None:
    image = picture("RGBA", 120, 90)
    for name, derived in {
        "crop": image.crop((7, 5, 93, 71)),
        "crop beyond the edge": image.crop((-9, 5, 150, 71)),
        "rotated": image.rotate(90, expand=True),
        "mirrored": image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "band": image.getchannel("G"),
        "alpha": image.getchannel("A"),
        "merged": Image.merge("RGB", image.split()[:3][::-1]),
        "converted": image.convert("LA"),
        "copy": image.copy(),
        "reduced": image.reduce(3),
        "from an array": Image.fromarray(np.asarray(image)),
        "from a view of memory": Image.frombuffer(
            "RGBA", image.size, image.tobytes(), "raw", "RGBA", 0, 1
        ),
        "upside down in memory": Image.frombuffer(
            "RGBA", image.size, image.tobytes(), "raw", "RGBA", 0, -1
        ),
        "grey from a view": Image.frombuffer("L", (120, 360), image.tobytes(), "raw", "L", 0, 1),
    }.items():
        check(derived, 24, f"derived: {name}")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "CMYK", "P", "1"])
def test_images_in_several_blocks_of_memory(pre, mode: str) -> None:
    """Pillow keeps pixels in blocks of 16 MB; only images of one block can be lent through Arrow."""
    image = picture("L" if mode in "1LP" else mode, 2501, 1800).convert(mode)
    if mode in "1LP":
        image = image.resize((5001, 3601), Image.Resampling.NEAREST)
    assert image.width * image.height * (1 if mode in "1LP" else 4) > 16 << 20
    assert_equal_bits(pre(image), reference(image, 224), f"several blocks {mode}")


@pytest.mark.parametrize(
    ("name", "mode"),
    [("PPM", "L"), ("TIFF", "L"), ("TIFF", "RGBA"), ("TIFF", "CMYK"), ("BMP", "P")],
)
def test_images_in_a_mapped_file(small, tmp_path, name: str, mode: str) -> None:
    """Pillow maps raw pixels of a file; such an image has no blocks, and Pillow 11.3 to 12 crash on lending it."""
    path = tmp_path / f"mapped.{name.lower()}"
    path.write_bytes(saved(picture(mode, 157, 90), name))
    with Image.open(path) as image:
        image.load()
        assert (image.mode, image.readonly) == (mode, 1)
        assert_equal_bits(small(image), reference(image, 32), f"mapped {name} {mode}")
        assert_equal_bits(small.batch([image])[0], reference(image, 32), f"mapped {name} {mode}")


@pytest.mark.parametrize("mode", MODES)
def test_images_that_borrow_memory(small, mode: str) -> None:
    """`Image.frombuffer` lends the caller's bytes to Pillow without a copy."""
    image = picture(mode, 157, 90)
    raw = image.tobytes()
    borrowed = Image.frombuffer(mode, image.size, raw, "raw", mode, 0, 1)
    if mode == "P":
        borrowed.putpalette(image.getpalette())
    assert_equal_bits(small(borrowed), reference(image, 32), f"borrowed {mode}")


@pytest.mark.parametrize(
    "setting", [("alignment", 64), ("alignment", 16), ("block_size", 4096)], ids=str
)
def test_images_made_with_other_settings_of_memory(small, setting: tuple[str, int]) -> None:
    """Rows with gaps between them, and many blocks: an image keeps them when the setting changes back."""
    name, value = setting
    before = getattr(Image.core, f"get_{name}")()
    getattr(Image.core, f"set_{name}")(value)
    try:
        images = [picture(mode, 33, 57).copy() for mode in MODES]
        for image in images:
            assert_equal_bits(small(image), reference(image, 32), f"{name}={value} {image.mode}")
    finally:
        getattr(Image.core, f"set_{name}")(before)
    for image in images:
        assert_equal_bits(
            small(image), reference(image, 32), f"{name}={value}, then {before} {image.mode}"
        )


@pytest.mark.parametrize("size", [(0, 0), (0, 9), (9, 0)], ids=str)
def test_images_without_pixels(small, size: tuple[int, int]) -> None:
    for mode in MODES:
        with pytest.raises((clipprep.ImageError, ValueError)):
            small(Image.new(mode, size))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM"])
def test_lazily_opened_files(small, tmp_path, name: str) -> None:
    path = tmp_path / f"image.{name.lower()}"
    path.write_bytes(saved(picture("L" if name == "GIF" else "RGB", 157, 90), name))
    with Image.open(path) as image:
        expected = reference(image, 32)
    with Image.open(path) as image:
        assert_equal_bits(small(image), expected, f"lazy {name}")
        assert_equal_bits(small(image), expected, f"lazy {name}, again")
    with Image.open(io.BytesIO(path.read_bytes())) as image:
        explained = small.explain(image)
        assert (explained.format, explained.decoder) == (None, "none")
        assert_equal_bits(small.batch([image, image])[1], expected, f"lazy {name} in a batch")


def test_a_drafted_jpeg_is_the_smaller_image(small) -> None:
    data = saved(picture("RGB", 400, 300), "JPEG")
    expected, image = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(data))
    expected.draft("L", (100, 75))
    image.draft("L", (100, 75))
    assert expected.size == (100, 75)
    assert_equal_bits(small(image), reference(expected, 32), "drafted")


def test_a_later_frame(small) -> None:
    frames = [picture("RGB", 90, 61, seed) for seed in (1, 2, 3)]
    for name in ("GIF", "WEBP", "TIFF", "PNG"):
        data = saved(frames[0], name, save_all=True, append_images=frames[1:])
        image, same = Image.open(io.BytesIO(data)), Image.open(io.BytesIO(data))
        image.seek(2)
        same.seek(2)
        assert_equal_bits(small(image), reference(same, 32), f"frame 2 of {name}")
        assert_file(data, small, small.explain(data).decoder, f"frame 0 of {name}")


def test_a_lazily_opened_cut_file(small) -> None:
    """Pillow finds out when it loads; so do we, with an ImageError that keeps Pillow's as its cause."""
    data = saved(picture("RGB", 157, 90), "JPEG")
    image = Image.open(io.BytesIO(data[: len(data) // 2]))
    with pytest.raises((clipprep.ImageError, OSError), match="truncated"):
        small(image)


def test_a_closed_image(small) -> None:
    image = picture("RGB", 90, 61)
    image.close()
    with pytest.raises((clipprep.ImageError, ValueError)):
        small(image)


def test_subclasses_are_images(small) -> None:
    class Mine(Image.Image):
        pass

    image = picture("RGB", 90, 61)
    mine = Mine()
    mine.__setstate__(image.__getstate__())
    assert_equal_bits(small(mine), reference(image, 32), "subclass")
