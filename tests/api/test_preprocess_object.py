"""The object itself: models, options, identity, pickling, and refused arguments."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest

import clipprep
from support.compare import assert_equal_bits
from support.pictures import photo
from support.reference import FILTERS, LIVE, MEAN, STD, from_array, reference

MODELS = {
    "RN50": 224,
    "RN101": 224,
    "RN50x4": 288,
    "RN50x16": 384,
    "RN50x64": 448,
    "ViT-B/32": 224,
    "ViT-B/16": 224,
    "ViT-L/14": 224,
    "ViT-L/14@336px": 336,
}
ARRAY = photo(90, 157, 3)


def test_the_nine_models_of_openai_are_listed_first() -> None:
    assert clipprep.available_models()[:9] == list(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_each_model_has_its_size(name: str) -> None:
    n = MODELS[name]
    pre = clipprep.Preprocess(name)
    x = pre(ARRAY)
    assert (x.shape, x.dtype) == ((3, n, n), np.float32)
    assert x.flags.c_contiguous
    assert x.flags.writeable
    assert x.flags.owndata | (x.base is not None)
    assert_equal_bits(
        clipprep.Preprocess(name, pillow=LIVE)(ARRAY), reference(from_array(ARRAY), n), name
    )
    batch = pre.batch([ARRAY, ARRAY])
    assert (batch.shape, batch.dtype) == ((2, 3, n, n), np.float32)
    assert batch.flags.c_contiguous
    assert batch.flags.writeable


@pytest.mark.parametrize("size", [0, -1, -224, 2**31, 2**63, 2**70])
def test_sizes_out_of_range(size: int) -> None:
    with pytest.raises((ValueError, OverflowError)):
        clipprep.Preprocess(size)


@pytest.mark.parametrize("size", [None, 224.0, b"x", (224, 2.0), [224], (1, 2, 3), True])
def test_sizes_of_other_types(size: object) -> None:
    with pytest.raises(TypeError):
        clipprep.Preprocess(size)
    with pytest.raises(TypeError):
        clipprep.Preprocess()


def test_numpy_integers_are_sizes() -> None:
    assert clipprep.Preprocess(np.int64(32)) == clipprep.Preprocess(32)


# Options -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "option",
    [
        "crop",
        "size",
        "mode",
    ],
)
def test_options_that_do_not_exist_yet_are_type_errors(option: str) -> None:
    for value in ("float32", None, False):
        with pytest.raises(TypeError, match=option):
            clipprep.Preprocess(32, **{option: value})


def test_options_are_keyword_only() -> None:
    with pytest.raises(TypeError):
        clipprep.Preprocess(32, "openai")


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("profile", "hf", "hf-torchvision"),
        ("profile", "", "openai"),
        ("pillow", "11", "installed"),
        ("pillow", "13.0", "13"),
        ("interpolation", "cubic", "bicubic"),
        ("interpolation", "BICUBIC", "lanczos"),
        ("truncated", "strict", "pad"),
        ("formats", ["JPG"], "JPEG"),
        ("formats", [], "none"),
        ("mean", (0.5, 0.5), "3"),
        ("mean", (0.5,) * 4, "3"),
        ("mean", (float("nan"), 0.5, 0.5), "mean"),
        ("mean", (float("inf"), 0.5, 0.5), "mean"),
        ("std", (0.5, 0.5), "3"),
        ("std", (0.5, 0, 0.5), "std"),
        ("std", (0.5, float("nan"), 0.5), "std"),
        ("std", (0.5, float("inf"), 0.5), "std"),
    ],
)
def test_bad_values_are_value_errors(option: str, value: object, expected: str) -> None:
    with pytest.raises(ValueError, match=option) as caught:
        clipprep.Preprocess(32, **{option: value})
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("profile", 1),
        ("pillow", 13),
        ("interpolation", 3),
        ("mean", "abc"),
        ("std", 0.5),
        ("limits", 10),
        ("truncated", False),
        ("exif", "yes"),
        ("formats", "JPEG"),
    ],
)
def test_values_of_other_types_are_errors(option: str, value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        clipprep.Preprocess(32, **{option: value})


@pytest.mark.parametrize("interpolation", FILTERS)
@pytest.mark.parametrize("profile", ["openai", "hf-pil"])
def test_options_do_what_they_say(profile: str, interpolation: str) -> None:
    mean, std = (0.5, 0.25, 0.125), (0.3, 0.7, 1.5)
    options = {"interpolation": interpolation, "profile": profile, "mean": mean, "std": std}
    expected = reference(from_array(ARRAY), 32, **options)
    for given in (mean, list(mean), np.array(mean), np.array(mean, np.float32)):
        pre = clipprep.Preprocess(32, pillow=LIVE, **{**options, "mean": given})
        assert_equal_bits(pre(ARRAY), expected, f"{options} mean as {type(given).__name__}")


def test_pillow_installed_is_the_installed_one() -> None:
    assert clipprep.Preprocess(32, pillow="installed") == clipprep.Preprocess(32, pillow=LIVE)


def test_constants() -> None:
    assert tuple(clipprep.MEAN) == MEAN
    assert tuple(clipprep.STD) == STD
    default = clipprep.Preprocess(32)
    assert default == clipprep.Preprocess(32, mean=clipprep.MEAN, std=clipprep.STD)
    assert default == clipprep.Preprocess(
        32,
        profile="openai",
        pillow="13",
        interpolation="bicubic",
        limits=clipprep.Limits(),
        truncated="error",
        exif=False,
        formats=None,
    )


def test_build_info() -> None:
    info = clipprep.build_info()
    assert isinstance(info, dict)
    assert info["version"] == clipprep.__version__
    assert {"version", "simd", "jpeg_simd"} <= set(info)
    assert isinstance(info["jpeg_simd"], bool)
    assert all(isinstance(key, str) for key in info)
    assert repr(info["simd"]), info


# Identity ----------------------------------------------------------------------------------------

DIFFERENT = [
    clipprep.Preprocess("ViT-B/32"),
    clipprep.Preprocess(32),
    clipprep.Preprocess(32, profile="hf-pil"),
    clipprep.Preprocess(32, profile="hf-torchvision"),
    clipprep.Preprocess(32, pillow="12"),
    clipprep.Preprocess(32, mean=(0.5, 0.5, 0.5)),
    clipprep.Preprocess(32, std=(0.5, 0.5, 0.5)),
    clipprep.Preprocess(32, interpolation="box"),
    clipprep.Preprocess(32, limits=clipprep.Limits(max_pixels=10**6)),
    clipprep.Preprocess(32, limits=clipprep.Limits(max_bytes=None)),
    clipprep.Preprocess(32, limits=clipprep.Limits(max_memory=None)),
    clipprep.Preprocess(32, limits=clipprep.Limits(max_scans=10)),
    clipprep.Preprocess(32, truncated="pad"),
    clipprep.Preprocess(32, exif=True),
    clipprep.Preprocess(32, formats=["JPEG"]),
    clipprep.Preprocess(32, formats=("PNG", "JPEG")),
]


def test_equality_and_hash() -> None:
    assert len(set(DIFFERENT)) == len(DIFFERENT)
    for i, one in enumerate(DIFFERENT):
        for j, other in enumerate(DIFFERENT):
            assert (one == other) == (i == j)
            assert (one != other) == (i != j)
    assert (
        clipprep.Preprocess("ViT-B/32")
        == clipprep.Preprocess("ViT-B/16")
        == clipprep.Preprocess(224)
    )
    assert hash(clipprep.Preprocess("ViT-B/32")) == hash(clipprep.Preprocess(224))
    assert clipprep.Preprocess(32) != 32
    assert clipprep.Preprocess(32) != "Preprocess(32)"


@pytest.mark.parametrize("pre", DIFFERENT, ids=str)
def test_repr_is_the_call_that_makes_it(pre: clipprep.Preprocess) -> None:
    assert repr(pre).startswith(("Preprocess(", "clipprep.Preprocess("))
    scope = {"clipprep": clipprep, "Preprocess": clipprep.Preprocess, "Limits": clipprep.Limits}
    assert eval(repr(pre), scope) == pre


@pytest.mark.parametrize("pre", DIFFERENT, ids=str)
def test_pickle_and_copy(pre: clipprep.Preprocess) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(pre, protocol)) == pre
    assert copy.copy(pre) == pre == copy.deepcopy(pre)
    assert_equal_bits(pickle.loads(pickle.dumps(pre))(ARRAY), pre(ARRAY), f"pickled {pre!r}")


def test_pickle_in_another_process() -> None:
    """As in a data loader's spawned worker, which inherits nothing."""
    pre = clipprep.Preprocess(32, profile="hf-pil", mean=(0.5, 0.25, 0.125))
    program = (
        "import pickle, sys; pre, array = pickle.load(sys.stdin.buffer); "
        "sys.stdout.buffer.write(repr(pre).encode() + b'\\n' + pre.batch([array, array])[1].tobytes())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps((pre, ARRAY)), capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    shown, _, tensor = done.stdout.partition(b"\n")
    assert shown.decode() == repr(pre)
    assert_equal_bits(np.frombuffer(tensor, np.float32).reshape(3, 32, 32), pre(ARRAY), "spawned")


def test_immutable() -> None:
    pre = clipprep.Preprocess(32)
    before = repr(pre)
    for name in (
        "size",
        "profile",
        "mean",
        "std",
        "limits",
        "truncated",
        "exif",
        "formats",
        "anything",
    ):
        with pytest.raises((AttributeError, TypeError)):
            setattr(pre, name, 1)
    limits = clipprep.Limits(max_pixels=10)
    with pytest.raises((AttributeError, TypeError)):
        limits.max_pixels = 1
    assert repr(pre) == before


def test_the_package_shows_what_it_has() -> None:
    names = {"Preprocess", "Limits", "available_models", "build_info", "MEAN", "STD", "__version__"}
    errors = {
        "ClipPrepError",
        "ImageError",
        "DecodeError",
        "TruncatedError",
        "UnsupportedError",
        "LimitError",
        "BatchError",
    }
    assert names | errors <= set(clipprep.__all__) | {"__version__"}
    for name in clipprep.__all__:
        assert hasattr(clipprep, name)
    for name in ("__call__", "batch", "explain"):
        assert getattr(clipprep.Preprocess, name).__doc__
    assert clipprep.Preprocess.__doc__


def test_outputs_are_told_apart_by_what_changes_a_row() -> None:
    """Of each option with choices, all are told apart but those that give the same rows."""

    def told(name: str, choice: str) -> str:
        try:
            return clipprep.Preprocess(224, **{name: choice})._outcome()
        except ValueError:  # it needs another option
            return choice

    same = {
        (name, one, other)
        for name, choices in (
            (row["name"], [choice for choice in row["choices"] if choice != "installed"])
            for row in clipprep._core.describe_options()
            if row["name"] != "resize_mode"
        )
        for one in choices
        for other in choices
        if one < other and told(name, one) == told(name, other)
    }
    assert same == {("fallback", "inline", "process")}
    assert clipprep.Preprocess("RN50x4", fallback="process")._outcome() == "Preprocess('RN50x4')"


METHODS = [
    name
    for name in dir(clipprep.Preprocess)
    if not name.startswith("_") and callable(getattr(clipprep.Preprocess, name))
]


@pytest.mark.parametrize("name", ["__call__", *METHODS])
def test_python_names_methods_as_the_documentation_does(name):
    method = getattr(clipprep.Preprocess(8), name)
    with pytest.raises(TypeError, match=rf"^(clipprep\.)?Preprocess\.{name}\(\)"):
        method(*[None] * 9)
    found = getattr(clipprep.Preprocess, name)
    assert pickle.loads(pickle.dumps(found)) == found
