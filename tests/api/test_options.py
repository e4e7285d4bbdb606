"""The options, by the table that declares them: each is read, shown, refused by its name and has a flag."""

from __future__ import annotations

import argparse
import copy
import inspect
import pickle
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image

import clipprep
from clipprep import _core, _helper, _option_hints, cli
from clipprep.cli import _arguments, _options

OPTIONS = {row["name"]: row for row in _core.describe_options()}
BOUNDS = {row["name"]: row for row in _core.describe_limits()}
#: For each option a value that is not the default, and how a command line says it.
OTHERS: dict[str, tuple[Any, str]] = {
    "profile": ("hf-torchvision", "--profile hf-torchvision"),
    "pillow": ("12", "--pillow 12"),
    "mean": ((0.5, 0.25, 0.0), "--mean 0.5 0.25 0"),
    "std": ((0.5, 0.25, 1.0), "--std 0.5 0.25 1"),
    "interpolation": ("lanczos", "--interpolation lanczos"),
    "antialias": (
        False,
        "--profile hf-torchvision --no-antialias",
    ),
    "dtype": ("float16", "--dtype float16"),
    "layout": ("NHWC", "--layout NHWC"),
    "input_layout": ("CHW", "--input-layout CHW"),
    "channel_order": ("BGR", "--channel-order BGR"),
    "precision": ("fast", "--precision fast"),
    "resize_mode": ("squash", "--resize-mode squash"),
    "resize_size": ((40, 50), "--resize-size 40x50"),
    "fill_color": ((1, 2, 3), "--fill-color 1,2,3"),
    "position": ("top-left", "--position top-left"),
    "convert_rgb": (False, "--no-convert-rgb"),
    "over_white": (False, "--no-over-white"),
    "rescale_factor": (None, "--profile hf-pil --rescale-factor none"),
    "rescale_offset": (True, "--rescale-offset"),
    "normalize": (False, "--no-normalize"),
    "std_twice": (True, "--std-twice"),
    "limits": (clipprep.Limits(max_pixels=10, max_scans=None), "--max-pixels 10 --max-scans none"),
    "truncated": ("pad", "--truncated pad"),
    "exif": (True, "--exif"),
    "formats": (("JPEG", "PNG"), "--formats JPEG,PNG"),
    "fallback": ("process", "--fallback process"),
}
#: Options that a value needs beside it.
BESIDE = {
    "antialias": {"profile": "hf-torchvision"},
    "rescale_factor": {"profile": "hf-pil"},
}


def other(name: str, **more: Any) -> clipprep.Preprocess:
    return clipprep.Preprocess(32, **more | BESIDE.get(name, {}) | {name: OTHERS[name][0]})


def test_every_option_is_tried_here() -> None:
    assert list(OTHERS) == list(OPTIONS)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_is_an_attribute_with_documentation(name: str) -> None:
    row = OPTIONS[name]
    pre = other(name)
    assert getattr(pre, name) == OTHERS[name][0]
    assert getattr(clipprep.Preprocess, name).__doc__ == row["doc"]
    assert row["doc"].endswith(".")
    with pytest.raises(AttributeError):
        setattr(pre, name, OTHERS[name][0])


@pytest.mark.parametrize("name", OPTIONS)
def test_a_changed_option_is_in_repr_pickle_equality_and_hash(name: str) -> None:
    pre, plain = other(name), clipprep.Preprocess(32, **BESIDE.get(name, {}))
    assert f"{name}={OTHERS[name][0]!r}" in repr(pre)
    assert name not in repr(plain)
    for same in (pickle.loads(pickle.dumps(pre)), copy.copy(pre), other(name)):
        assert (same, hash(same), repr(same)) == (pre, hash(pre), repr(pre))
    assert pre != plain
    assert hash(pre) != hash(plain)


@pytest.mark.parametrize("name", OPTIONS)
def test_the_signature_has_the_option_with_its_default(name: str) -> None:
    for signature in (
        inspect.signature(clipprep.Preprocess),
        inspect.signature(clipprep.Preprocess.__init__),
    ):
        parameter = signature.parameters[name]
        assert parameter.kind is parameter.KEYWORD_ONLY
        assert parameter.default == OPTIONS[name]["default"]
        assert parameter.annotation == OPTIONS[name]["annotation"].replace('"', "'")
    assert f"    {name}: " in clipprep.Preprocess.__init__.__doc__


@pytest.mark.parametrize("name", OPTIONS)
def test_the_default_is_a_value_too(name: str) -> None:
    assert clipprep.Preprocess(32, **{name: OPTIONS[name]["default"]}) == clipprep.Preprocess(32)


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("value", [object(), 1.5j, b"x", {"a": 1}, print, np.zeros((2, 2))])
def test_a_value_of_another_type_is_refused_by_the_options_name(name: str, value: object) -> None:
    messages = set()
    for _ in range(2):
        with pytest.raises((TypeError, ValueError), match=f"^expected {name}= ") as caught:
            clipprep.Preprocess(32, **{name: value})
        messages.add(str(caught.value))
    (message,) = messages
    assert " at 0x" not in message
    assert len(message) <= 500


@pytest.mark.parametrize("name", [name for name, row in OPTIONS.items() if row["choices"]])
def test_an_unknown_choice_lists_the_known_ones(name: str) -> None:
    with pytest.raises(ValueError, match=f'^expected {name}= one of .*, found "nothing"') as caught:
        clipprep.Preprocess(32, **{name: "nothing"})
    assert all(f'"{choice}"' in str(caught.value) for choice in OPTIONS[name]["choices"])


def test_what_objects_of_a_caller_raise_is_not_hidden() -> None:
    class Hostile:
        def __index__(self) -> int:
            raise KeyboardInterrupt

        __float__ = __iter__ = __index__

    for name in ("mean", "resize_size", "fill_color", "rescale_factor"):
        with pytest.raises(KeyboardInterrupt):
            clipprep.Preprocess(32, **{name: Hostile()})


def test_a_long_value_is_not_shown_whole() -> None:
    with pytest.raises(ValueError, match=r"expected layout= .*, found str$"):
        clipprep.Preprocess(32, layout="x" * 100_000)


def test_an_unknown_option_lists_the_known_ones() -> None:
    with pytest.raises(TypeError, match="found sise=") as caught:
        clipprep.Preprocess(32, sise=3)
    assert all(name in str(caught.value) for name in OPTIONS)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("dytpe", "do you mean dtype=?"),
        ("resample", "do you mean interpolation=?"),
        ("num_threads", "an argument of each call"),
        ("batch_size", "an argument of stream()"),
    ],
)
def test_an_unknown_option_says_what_it_may_mean(name: str, hint: str) -> None:
    with pytest.raises(TypeError, match=f"found {name}=: {re.escape(hint)}"):
        clipprep.Preprocess(32, **{name: 1})


def test_hints_are_about_names_that_are_no_options_and_name_some_that_are() -> None:
    assert {*_option_hints._NAMES_ELSEWHERE.values()} <= {*OPTIONS}
    assert not {*_option_hints._NAMES_ELSEWHERE, *_option_hints._GIVEN_ELSEWHERE} & {*OPTIONS}


def test_an_unknown_option_like_no_other_has_no_hint() -> None:
    with pytest.raises(TypeError, match=r"found zzz=$"):
        clipprep.Preprocess(32, zzz=1)
    with pytest.raises(TypeError, match=r"found z+.*=$"):
        clipprep.Preprocess(32, **{"z" * 1_000_000: 1})


def test_a_size_in_quotes_is_no_name() -> None:
    with pytest.raises(ValueError, match=r"found '224'.*a size is an int: Preprocess\(224\)"):
        clipprep.Preprocess("224")


# Objects of other libraries ----------------------------------------------------------------------


@pytest.mark.parametrize("name", ["float32", "float16", "uint8"])
def test_dtypes_of_numpy(name: str) -> None:
    expected = clipprep.Preprocess(32, dtype=name)
    kind = getattr(np, name)
    for dtype in (kind, np.dtype(kind), np.str_(name)):
        assert clipprep.Preprocess(32, dtype=dtype) == expected


@pytest.mark.parametrize("dtype", [np.float64, np.dtype(">f4"), np.dtype("i4"), float, int, str])
def test_dtypes_that_tensors_do_not_have(dtype: object) -> None:
    with pytest.raises(ValueError, match="expected dtype= one of"):
        clipprep.Preprocess(32, dtype=dtype)


@pytest.mark.parametrize("constant", Image.Resampling)
def test_filters_of_pillow(constant: Image.Resampling) -> None:
    if constant.name.lower() in OPTIONS["interpolation"]["choices"]:
        pre = clipprep.Preprocess(32, interpolation=constant)
        assert pre.interpolation == constant.name.lower()
    else:
        with pytest.raises(ValueError, match="expected interpolation= one of"):
            clipprep.Preprocess(32, interpolation=constant)


@pytest.mark.parametrize(
    "name", ["bilinear", "bicubic", "box", "hamming", "lanczos", "nearest-exact", "nearest", "new"]
)
def test_filters_of_torchvision(name: str) -> None:
    """A mode is read by its value; "nearest" is one filter for PIL images, and another one for tensors."""
    mode = type("InterpolationMode", (), {"__module__": "torchvision.transforms.functional"})()
    mode.value = name
    if name == "nearest":
        with pytest.raises(ValueError, match=r'"nearest" for .* PIL images, or "nearest-floor"'):
            clipprep.Preprocess(32, interpolation=mode)
    elif name == "new":
        with pytest.raises(ValueError, match="expected interpolation= one of"):
            clipprep.Preprocess(32, interpolation=mode)
    else:
        ours = name.removesuffix("-exact")
        assert clipprep.Preprocess(32, interpolation=mode).interpolation == ours
    mode.value = 3
    with pytest.raises(TypeError, match="expected interpolation= one of"):
        clipprep.Preprocess(32, interpolation=mode)


def test_live_filters_of_torchvision() -> None:
    modes = pytest.importorskip("torchvision.transforms", reason="torchvision is not installed")
    for mode in modes.InterpolationMode:
        if mode is not modes.InterpolationMode.NEAREST:
            ours = clipprep.Preprocess(32, interpolation=mode).interpolation
            assert ours == mode.value.removesuffix("-exact")


def test_flags_of_numpy() -> None:
    assert clipprep.Preprocess(32, exif=np.True_, normalize=np.bool_(False)) == clipprep.Preprocess(
        32, exif=True, normalize=False
    )


@pytest.mark.parametrize("kind", [tuple, list, np.array, iter])
def test_numbers_in_any_container(kind: Any) -> None:
    numbers = (1, 2.5, np.float32(0.5))
    pre = clipprep.Preprocess(32, mean=kind(numbers), std=kind(numbers))
    assert pre == clipprep.Preprocess(32, mean=numbers, std=numbers)
    assert clipprep.Preprocess(32, fill_color=kind([1, 2, 3])).fill_color == (1, 2, 3)


# Limits ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("value", [-1, 2**64, 1.5, "1", True, object()])
def test_a_bound_that_is_none_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises((TypeError, ValueError), match=f"^expected {name}= "):
        clipprep.Limits(**{name: value})


@pytest.mark.parametrize("name", BOUNDS)
def test_a_bound_is_a_parameter_with_its_default(name: str) -> None:
    parameter = inspect.signature(clipprep.Limits).parameters[name]
    assert parameter.default == BOUNDS[name]["default"] == getattr(clipprep.Limits(), name)
    limits = clipprep.Limits(**{name: 7})
    assert clipprep.Preprocess(32, limits=limits).limits == limits != clipprep.Limits()


# The command line --------------------------------------------------------------------------------


def parse(*words: str, shown: tuple[str, ...] = ()) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.set_defaults(parser=parser)
    _arguments.add_model(parser, shown)
    return parser.parse_args(words)


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_is_a_flag(name: str) -> None:
    args = parse("--model", "32", *OTHERS[name][1].split())
    assert _options.preprocess(args) == other(name, fallback=_helper.usual())


@pytest.mark.parametrize("command", ["run", "view", "explain", "verify", "bench"])
def test_the_flags_are_those_of_each_command(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main([command, "--help-options"])
    assert raised.value.code == 0
    listed = capsys.readouterr().err
    for row in (*OPTIONS.values(), *BOUNDS.values()):
        for usage in _options.usages(row):
            assert usage.partition(" ")[0] in listed


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--layout CHW", "invalid choice: 'CHW'"),
        ("--mean 1 2 x", "invalid float value: 'x'"),
        ("--std 1 1 0", "expected std= 3 finite numbers above 0"),
        ("--fill-color 300", "expected fill_color="),
        ("--max-pixels -1", "expected max_pixels="),
        ("--max-pixels few", "invalid int or none value: 'few'"),
        ("--resize-size 3x4x5", "expected N or HEIGHTxWIDTH, found '3x4x5'"),
        ("--rescale-factor 2", "expected rescale_factor=1/255"),
        ("--formats JPG", "expected formats="),
    ],
)
def test_a_wrong_flag_is_a_usage_error(
    words: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as raised:
        _options.preprocess(parse(*words.split()))
    assert raised.value.code == 2
    assert said in capsys.readouterr().err


def test_a_size_of_two_sides() -> None:
    assert _options.preprocess(parse("--model", "32x48")).size == (32, 48)
    plain = clipprep.Preprocess("ViT-B/32", fallback=_helper.usual())
    assert _options.preprocess(parse()) == plain


# The class ---------------------------------------------------------------------------------------


class Mine(clipprep.Preprocess):
    """A class of a caller."""

    def double(self, source: Any) -> Any:
        return 2 * self(source)


def test_a_subclass_stays_one() -> None:
    mine = Mine(32, exif=True)
    assert repr(mine) == "Mine(32, exif=True)"
    for same in (pickle.loads(pickle.dumps(mine)), copy.deepcopy(mine)):
        assert type(same) is Mine
        assert same == mine == clipprep.Preprocess(32, exif=True)
    assert type(Mine.from_open_clip({"size": 32})) is Mine
    assert type(Mine.from_timm({"input_size": [3, 32, 32]})) is Mine
    image = np.full((40, 40, 3), 200, np.uint8)
    assert np.array_equal(mine.double(image), 2 * mine(image))


@pytest.mark.parametrize(
    "name",
    [
        *("__init__", "from_hf", "from_open_clip", "from_timm"),
        *("__call__", "batch", "try_batch", "stream", "abatch", "explain"),
    ],
)
def test_methods_have_signatures_and_say_what_they_take_give_and_raise(name: str) -> None:
    method = getattr(clipprep.Preprocess(32), name)
    signature = inspect.signature(method)
    doc = inspect.getdoc(method)
    assert doc is not None
    for parameter in signature.parameters:
        assert f"    {parameter}: " in doc, parameter
    assert "Raises:" in doc
    assert "Example:" in doc
    assert clipprep.Preprocess.__module__ == "clipprep"
