"""Arrays of every size, mode, content and memory layout give the bits of live Pillow and NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import clipprep
from support.compare import assert_equal_bits
from support.pictures import CONTENTS, LAYOUTS, content, layout
from support.reference import FILTERS, LIVE, from_array, reference, resized_size

#: Shapes of one pixel: (H, W) and (H, W, C).
PIXELS = ((), (1,), (2,), (3,), (4,))
#: A reference of more resized pixels than this is too slow for hundreds of examples.
QUICK_PIXELS = 1_500_000


def check(array: np.ndarray, n: int, name: str, **options: object) -> None:
    before = array.copy()
    image = from_array(array, str(options.get("profile", "openai")))
    expected = reference(image, n, **options)
    actual = clipprep.Preprocess(n, **{"pillow": LIVE, **options})(array)
    assert_equal_bits(actual, expected, name)
    assert_equal_bits(array, before, f"{name}: the source itself")


sides = st.one_of(st.integers(1, 80), st.integers(1, 4), st.integers(81, 400))
sizes = st.one_of(
    st.tuples(sides, sides),
    st.tuples(
        st.integers(1, 3), st.integers(100, 900)
    ),  # up to 1:900, across Pillow 12's limit of 1:100
    st.tuples(st.integers(100, 900), st.integers(1, 3)),
    st.tuples(st.integers(1, 80), st.integers(1, 80)).map(
        lambda size: (size[0], 2 * size[0] + size[1])
    ),
)
targets = st.one_of(st.integers(1, 64), st.sampled_from([1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 224]))


@given(
    size=sizes,
    n=targets,
    pixel=st.sampled_from(PIXELS),
    kind=st.sampled_from(CONTENTS),
    memory=st.sampled_from(LAYOUTS),
    interpolation=st.sampled_from([*FILTERS, "bicubic", "bicubic", "bicubic"]),
    pillow=st.sampled_from(["12", "13"]),
    seed=st.integers(0, 2**32 - 1),
)
@example((1, 1), 1, (), "extremes", "c", "bicubic", "13", 0)
@example((1, 1), 224, (4,), "random", "c", "lanczos", "13", 0)
@example((3, 301), 1, (4,), "extremes", "fortran", "bicubic", "12", 0)
@example((300, 1), 32, (2,), "extremes", "flipped", "bicubic", "13", 0)
def test_any_array(
    size: tuple[int, int],
    n: int,
    pixel: tuple[int, ...],
    kind: str,
    memory: str,
    interpolation: str,
    pillow: str,
    seed: int,
) -> None:
    width, height = size
    resized = resized_size(width, height, n)
    if max(resized[0] * resized[1], width * resized[1], height * resized[0]) > QUICK_PIXELS:
        n = 1 + n % 16
    array = layout(memory, content(kind, (height, width, *pixel), seed))
    name = f"array {array.shape} {kind} {memory} n={n} {interpolation} pillow={pillow}"
    check(array, n, name, interpolation=interpolation, pillow=pillow)


@given(
    size=sizes,
    n=st.integers(1, 48),
    pixel=st.sampled_from(PIXELS),
    kind=st.sampled_from(CONTENTS),
    interpolation=st.sampled_from([*FILTERS, "bicubic", "bicubic"]),
    mean=st.tuples(*[st.floats(-2, 2)] * 3),
    std=st.tuples(*[st.floats(0.01, 3)] * 3),
    seed=st.integers(0, 2**32 - 1),
)
@example((20, 3), 8, (3,), "random", "bicubic", (0, 0, 0), (1, 1, 1), 0)
@example((20, 1), 8, (2,), "random", "bicubic", (0, 0, 0), (1, 1, 1), 0)
def test_any_array_as_hugging_face_on_pillow(
    size, n, pixel, kind, interpolation, mean, std, seed
) -> None:
    width, height = size
    array = content(kind, (height, width, *pixel), seed)
    name = f"hf-pil {array.shape} {kind} n={n} {interpolation} mean={mean} std={std}"
    check(array, n, name, profile="hf-pil", interpolation=interpolation, mean=mean, std=std)


@pytest.mark.parametrize("pixel", PIXELS, ids=str)
@pytest.mark.parametrize("width", range(1, 71))
def test_every_source_width(width: int, pixel: tuple[int, ...]) -> None:
    """Each width around each SIMD boundary, as the shorter and as the longer side, shrunk and grown."""
    for height in (width + 3, max(1, width - 3), 150):
        array = content("extremes" if height % 2 else "random", (height, width, *pixel), width)
        for n in (5, 33):
            check(array, n, f"width {width}, height {height}, pixel {pixel}, n={n}")


@pytest.mark.parametrize("pixel", PIXELS, ids=str)
@pytest.mark.parametrize("n", range(1, 71))
def test_every_output_width(n: int, pixel: tuple[int, ...]) -> None:
    for height, width in ((61, 83), (83, 61), (19, 40)):
        array = content("random", (height, width, *pixel), n)
        check(array, n, f"n {n} from {width} x {height}, pixel {pixel}")


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("taps", range(1, 66))
def test_every_number_of_taps(taps: int, interpolation: str) -> None:
    """Shrinking by 1, 1.5, 2, ... 33 walks through every kernel width; the other axis shrinks differently."""
    n = 8
    for height, width in ((n * (taps + 1) // 2 + 1, n * 3), (n * 3, n * (taps + 1) // 2 + 1)):
        for pixel in PIXELS[1:]:
            array = content("extremes" if taps % 2 else "random", (height, width, *pixel), taps)
            check(
                array, n, f"taps {taps} {interpolation} {array.shape}", interpolation=interpolation
            )


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("pillow", ["12", "13"])
@pytest.mark.parametrize(
    "shape", [(300, 1, 3), (1, 300, 3), (300, 1), (1, 300, 4), (2, 601, 2), (601, 2, 3)], ids=str
)
def test_extreme_ratios_at_full_size(
    shape: tuple[int, ...], pillow: str, interpolation: str
) -> None:
    """1:300 grows to 224 x 67,200 before the crop."""
    array = content("random", shape, 3)
    check(
        array,
        224,
        f"{shape} n=224 {interpolation} pillow={pillow}",
        interpolation=interpolation,
        pillow=pillow,
    )


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize(
    "shape", [(1200, 1601, 3), (1601, 1200, 4), (997, 1303), (1500, 700, 2)], ids=str
)
def test_large_arrays(shape: tuple[int, ...], kind: str) -> None:
    for n in (224, 336):
        check(content(kind, shape, 5), n, f"large {shape} {kind} n={n}")


@pytest.mark.parametrize("memory", LAYOUTS)
@pytest.mark.parametrize("pixel", PIXELS, ids=str)
def test_every_memory_layout(pixel: tuple[int, ...], memory: str) -> None:
    for shape in ((57, 91), (91, 57), (1, 40), (40, 1), (17, 17)):
        array = layout(memory, content("random", (*shape, *pixel), 11))
        check(array, 17, f"layout {memory} {array.shape}")


@pytest.mark.parametrize("pixel", PIXELS, ids=str)
def test_views_without_memory_of_their_own(pixel: tuple[int, ...]) -> None:
    """Zero strides: one pixel shown everywhere, one row, one column."""
    for source in (content("random", (1, 1, *pixel), 1), content("random", (1, 70, *pixel), 2)):
        check(np.broadcast_to(source, (50, 70, *pixel)), 24, f"broadcast {source.shape}")
    column = content("random", (50, 1, *pixel), 3)
    check(np.broadcast_to(column, (50, 70, *pixel)), 24, f"broadcast {column.shape}")


@pytest.mark.parametrize("shape", [(50, 70, 4), (70, 50, 4)], ids=str)
def test_channels_cut_out_of_others(shape: tuple[int, ...]) -> None:
    frame = content("random", shape, 9)
    for channels in (slice(0, 3), slice(1, 4), slice(2, None, -1), slice(0, 4, 2), slice(3, 4), 2):
        check(frame[..., channels], 24, f"channels {channels} of {shape}")


@pytest.mark.parametrize("alpha", [0, 1, 2, 127, 128, 254, 255])
@pytest.mark.parametrize("channels", [2, 4])
def test_alpha_is_multiplied_and_divided_as_pillow_does(channels: int, alpha: int) -> None:
    """A ramp of colours under one alpha, and under alphas that change from pixel to pixel."""
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16)
    array = np.stack([ramp, ramp.T, ramp[::-1], np.full_like(ramp, alpha)][-channels:], axis=-1)
    for n in (7, 16, 40):
        check(array, n, f"alpha {alpha} x {channels}, n={n}")
    mixed = array.copy()
    mixed[::2, 1::2, -1] = 255 - alpha
    for n in (7, 16, 40):
        check(mixed, n, f"alphas {alpha} and {255 - alpha} x {channels}, n={n}")


@pytest.mark.parametrize("size", [1, 16, 224])
def test_an_image_of_the_right_size_is_not_resampled(size: int) -> None:
    for pixel in PIXELS:
        array = content("random", (size, size, *pixel), size)
        check(array, size, f"identity {array.shape}")


def test_the_default_order_is_the_one_of_pillow_13() -> None:
    """Fixed, whatever Pillow is installed: the two orders differ on this array."""
    array = content("random", (260, 40, 3), 1)
    old, new = (reference(from_array(array), 24, pillow=pillow) for pillow in ("12", "13"))
    assert not np.array_equal(old, new), "the example no longer tells the two orders apart"
    assert_equal_bits(clipprep.Preprocess(24)(array), new, "default order")
    assert_equal_bits(clipprep.Preprocess(24, pillow="13")(array), new, "pillow=13")
    assert_equal_bits(clipprep.Preprocess(24, pillow="12")(array), old, "pillow=12")
    live = clipprep.Preprocess(24, pillow="installed")(array)
    assert_equal_bits(live, {"12": old, "13": new}[LIVE[:2]], "pillow=installed")
