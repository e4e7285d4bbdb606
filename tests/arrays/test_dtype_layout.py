"""`dtype=` and `layout=` against NumPy's own casts and transpositions of the reference."""

from __future__ import annotations

import numpy as np
import pytest

import clipprep
from clipprep.verify.reference import pixels as reference_pixels
from support.compare import assert_equal_bits
from support.pictures import photo, picture
from support.reference import from_array, reference
from support.writers import saved

IMAGES = [photo(61, 90, 3, 1), photo(90, 61, 1, 2), photo(50, 50, 4, 3), photo(40, 77, 2, 4)]


def bfloat16_bits(values: np.ndarray) -> np.ndarray:
    """Float32 rounded to bfloat16, to nearest and ties to even, in float64 arithmetic."""
    mantissa, exponent = np.frexp(values.astype(np.float64))
    rounded = np.ldexp(np.rint(np.ldexp(mantissa, 8)), exponent - 8).astype(np.float32)
    bits = rounded.view(np.uint32)
    assert not (bits & 0xFFFF).any()
    return (bits >> 16).astype(np.uint16)


CASTS = {
    "float32": lambda values: values,
    "float16": lambda values: values.astype(np.float16),
    "bfloat16": bfloat16_bits,
}


def expected(array: np.ndarray, n: int, dtype: str, layout: str) -> np.ndarray:
    if dtype == "uint8":
        tensor = reference_pixels(from_array(array), n).transpose(2, 0, 1)
    else:
        tensor = CASTS[dtype](reference(from_array(array), n))
    return np.ascontiguousarray(tensor if layout == "NCHW" else tensor.transpose(1, 2, 0))


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "uint8"])
@pytest.mark.parametrize("n", [1, 15, 16, 17, 40, 47, 48, 49, 224])
def test_every_type_and_layout(n: int, dtype: str, layout: str) -> None:
    pre = clipprep.Preprocess(n, dtype=dtype, layout=layout)
    wanted = np.stack([expected(image, n, dtype, layout) for image in IMAGES])
    for image, tensor in zip(IMAGES, wanted, strict=True):
        assert_equal_bits(pre(image), tensor, f"{dtype} {layout} {image.shape}")
        assert_equal_bits(pre(from_array(image)), tensor, f"PIL {dtype} {layout} {image.shape}")
    assert_equal_bits(pre.batch(IMAGES), wanted, f"batch of {dtype} {layout}")
    out = np.full_like(wanted, 7)
    assert pre.batch(IMAGES, out=out) is out
    assert_equal_bits(out, wanted, f"batch of {dtype} {layout} with out")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "uint8"])
def test_encoded_and_pil_sources_of_other_modes(dtype: str) -> None:
    for layout in ("NCHW", "NHWC"):
        pre = clipprep.Preprocess(48, dtype=dtype, layout=layout)
        for mode in ("1", "P", "LA", "CMYK", "I;16", "F", "HSV", "RGBA"):
            image = picture(mode, 70, 55)
            if dtype == "uint8":
                tensor = reference_pixels(image, 48).transpose(2, 0, 1)
            else:
                tensor = CASTS[dtype](reference(image, 48))
            if layout == "NHWC":
                tensor = tensor.transpose(1, 2, 0)
            tensor = np.ascontiguousarray(tensor)
            assert_equal_bits(pre(image), tensor, f"{mode} {dtype} {layout}")
            if mode in ("1", "P", "LA", "RGBA", "I;16"):
                assert_equal_bits(pre(saved(image, "PNG")), tensor, f"PNG {mode} {dtype} {layout}")


def test_out_has_to_be_of_the_type_and_the_layout() -> None:
    pre = clipprep.Preprocess(8, dtype="bfloat16", layout="NHWC")
    for out, found in [
        (np.zeros((8, 8, 3), np.float32), "dtype float32"),
        (np.zeros((8, 8, 3), np.int16), "dtype int16"),
        (np.zeros((3, 8, 8), np.uint16), r"shape \(3, 8, 8\)"),
    ]:
        with pytest.raises(ValueError, match=rf"uint16 array of shape \(8, 8, 3\), found {found}"):
            pre(IMAGES[0], out=out)


def test_an_empty_batch() -> None:
    batch = clipprep.Preprocess(8, dtype="float16", layout="NHWC").batch([])
    assert (batch.shape, batch.dtype) == ((0, 8, 8, 3), np.float16)


def test_values_beyond_a_half_become_infinite_as_numpy_casts_them() -> None:
    pre = clipprep.Preprocess(8, dtype="float16", mean=(0, 0, 0), std=(1e-6, 1e-5, 1))
    whole = clipprep.Preprocess(8, mean=(0, 0, 0), std=(1e-6, 1e-5, 1))
    with np.errstate(over="ignore"):
        cast = whole(IMAGES[0]).astype(np.float16)
    assert np.isinf(cast).any()
    assert_equal_bits(pre(IMAGES[0]), cast, "beyond a half")
