"""`Preprocess.from_torchvision`: steps whose bits a profile has, as torchvision, open_clip and timm make them for
evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._messages import kind, type_error, value_error
from . import build, check, objects


@dataclass
class _Steps:
    """The steps up to one of them, applied to a PIL image.

    The profile is timm's until a step says otherwise: a conversion to RGB that comes late, a resize of tensors,
    floats of version 2.
    """

    #: Height and width of the output, once an image has it whatever its shape.
    size: tuple[int, int] | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    resized: bool = False
    cropped: bool = False
    #: "image", then "bytes" or "floats" once it is a tensor.
    form: str = "image"


def read(compose: Any, options: Mapping[str, object]) -> tuple[tuple[int, int], dict[str, Any]]:
    """The size and the options of what `Preprocess.from_torchvision` returns.

    Raises ValueError for a step whose bits no profile has, which it names.
    """
    if objects.kind(compose) != "torchvision":
        expected = (
            "expected a Compose of torchvision, its weights, or what weights.transforms() gives"
        )
        raise type_error(f"{expected}, found {kind(compose)}")
    if objects.is_weights(compose):
        compose = compose.transforms()
    # Without a step that converts, torchvision takes an image as it is, and so an image in RGB alone.
    found = _Steps(arguments={"profile": "timm", "convert_rgb": False, "normalize": False})
    for step in _flat(compose):
        name = type(step).__name__
        read_step = _convert if _converts_to_rgb(step) else _KNOWN.get(_library(step) + name)
        if read_step is None:
            raise value_error(
                f"expected each step of the transform to be one of {_NAMES}, found {_shown(step)!r}: leave it out, "
                "and call it yourself on images before or on tensors after"
            )
        try:
            read_step(found, step)
        except (AttributeError, ValueError) as error:
            raise value_error(f"in the step {name}: {error}") from None
    if found.form == "image":
        raise check.refuse("a transform", "one that ends with an image", "that makes a tensor")
    if found.size is None:
        raise check.refuse("a transform", "none", "with a step that makes all images one size")
    if found.form == "bytes":
        found.arguments["dtype"] = "uint8"
    return build.join(found.size, found.arguments, options)


#: More steps than any transform has, whose lists may hold each other.
_MOST_STEPS = 1000


def _flat(transform: Any) -> Iterator[Any]:
    """The steps of a transform, those of transforms inside it included.

    Raises ValueError for one that does something else than its class, by a hook or a method of its own.
    """
    waiting = [transform]
    for _ in range(_MOST_STEPS):
        if not waiting:
            return
        step = waiting.pop()
        if name := objects.changed(step):
            found, expected = f"{_shown(step)} with another {name}", "to do what its class does"
            raise check.refuse("each step of the transform", found, expected)
        inside = _inside(step)
        if inside is None:
            yield step
        else:
            waiting += reversed(inside)
    raise check.refuse("a transform", "more", f"of at most {_MOST_STEPS} steps")


def _inside(step: Any) -> Sequence[Any] | None:
    """The steps of a `Compose`, or of torch's `Sequential`; None for any other step, and for classes derived from
    these, which may do anything."""
    match _library(step) + type(step).__name__:
        case "torchvision.Compose" | "torchvision.v2.Compose":
            return list(step.transforms)
        case "torch.Sequential":
            return list(step)
    return None


def _resize(found: _Steps, step: Any) -> None:
    _before(found, "image")
    _resize_to(found, step, step.size, _filter(step.interpolation))


def _resize_either(found: _Steps, step: Any) -> None:
    """Version 2's, which resizes tensors of bytes as bytes; version 1 makes them floats."""
    if found.form != "bytes":
        return _resize(found, step)
    name = _filter_of_tensors(step.interpolation)
    if not name.startswith("nearest") and step.antialias is not True:
        raise check.refuse("antialias", step.antialias, "True, where a tensor is resized")
    _resize_to(found, step, step.size, name)
    found.arguments["profile"] = "torchvision"


def _resize_to(found: _Steps, step: Any, size: Any, name: str) -> None:
    if getattr(step, "max_size", None) is not None:
        raise check.refuse("max_size", step.max_size, "None")
    if found.resized or found.cropped:
        raise check.refuse("a resize", "another step first", "before any crop or other resize")
    if isinstance(size, (tuple, list)) and len(size) == 1:
        size = size[0]
    resized = check.pair("size", size)
    squashed = isinstance(size, (tuple, list))
    found.arguments["resize_mode"] = "squash" if squashed else "shortest"
    found.arguments |= {"resize_size": resized, "interpolation": name}
    found.size = resized if squashed else None
    found.resized = True


def _resize_keeping_ratio(found: _Steps, step: Any) -> None:
    _before(found, "image")
    for name in ("random_scale_prob", "random_aspect_prob"):
        if getattr(step, name, 0.0) != 0.0:
            raise check.refuse(name, getattr(step, name), "0")
    if found.resized or found.cropped:
        raise check.refuse("a resize", "another step first", "before any crop or other resize")
    size = check.pair("size", list(step.size))
    # Of a square it rounds otherwise than Resize does; open_clip and timm make that one then.
    modes = {1.0: "longest"} if size[0] == size[1] else {1.0: "longest", 0.0: "shortest"}
    if step.longest not in modes:
        raise check.refuse("longest", step.longest, f"one of {', '.join(map(str, modes))}")
    found.arguments |= {
        "resize_mode": modes[step.longest],
        "resize_size": size,
        "interpolation": _filter(step.interpolation),
    }
    found.resized = True


def _crop(found: _Steps, step: Any) -> None:
    _before(found, "image")
    _crop_to(found, step, step.size)


def _crop_either(found: _Steps, step: Any) -> None:
    """Version 2's, which pads and cuts tensors of bytes as it does images."""
    if found.form != "bytes":
        _before(found, "image")
    _crop_to(found, step, step.size)


def _crop_to(found: _Steps, step: Any, size: Any) -> None:
    if isinstance(size, (tuple, list)) and len(size) == 1:
        size = size[0]
    size = check.pair("size", list(size) if isinstance(size, tuple) else size)
    if found.cropped:
        raise check.refuse("a crop", "another one first", "that is the only one")
    if not found.resized:
        found.arguments["resize_mode"] = "none"
    elif found.arguments["profile"] == "openai" and _may_pad(found.arguments, size):
        raise check.refuse("a crop that pads", "a conversion to RGB first", "before it")
    fill = getattr(step, "fill", 0)
    found.arguments["fill_color"] = tuple(fill) if isinstance(fill, (list, tuple)) else fill
    found.size, found.cropped = size, True


def _may_pad(arguments: Mapping[str, Any], size: tuple[int, int]) -> bool:
    """Whether a crop may be larger than what a resize made."""
    larger = any(cut > side for cut, side in zip(size, arguments["resize_size"], strict=True))
    return larger or arguments["resize_mode"] == "longest"


def _convert(found: _Steps, step: Any) -> None:
    _before(found, "image")
    found.arguments["convert_rgb"] = True
    if found.resized or found.cropped:
        found.arguments["profile"] = "openai"


def _to_floats(found: _Steps, step: Any) -> None:
    if found.form == "image":
        found.form = "floats"


def _to_bytes(found: _Steps, step: Any) -> None:
    _before(found, "image")
    found.form = "bytes"


def _stay(found: _Steps, step: Any) -> None:
    """Changes no number of a tensor."""
    if found.form == "image":
        raise value_error(f"expected a tensor as its input, found {_FORMS[found.form]}")


def _divide(found: _Steps, step: Any) -> None:
    """Version 1's floats: bytes divided by 255."""
    _before(found, "bytes")
    if str(step.dtype) != "torch.float32":
        raise check.refuse("dtype", str(step.dtype), "torch.float32")
    if found.arguments["profile"] == "torchvision":
        raise check.refuse("ConvertImageDtype", "that of version 1", "of version 2, as the resize")
    found.form = "floats"


def _multiply(found: _Steps, step: Any) -> None:
    """Version 2's floats: bytes multiplied by 1/255."""
    _before(found, "bytes")
    dtype = str(step.dtype)
    if dtype == "torch.uint8":
        return
    if dtype != "torch.float32":
        raise check.refuse("dtype", dtype, "torch.float32")
    if found.arguments["profile"] == "openai":
        raise check.refuse("a conversion to RGB", "one after another step", "before them")
    if found.arguments["profile"] == "timm":
        found.arguments["profile"] = "torchvision-pil"
    if not getattr(step, "scale", True):
        found.arguments["rescale_factor"] = None
    found.form = "floats"


def _classify(found: _Steps, preset: Any) -> None:
    """What `weights.transforms()` gives for models of classification: five steps of version 1."""
    _before(found, "image")
    _resize_to(found, preset, preset.resize_size, _filter(preset.interpolation))
    _crop_to(found, preset, preset.crop_size)
    found.form = "floats"
    _normalize(found, preset)


def _normalize(found: _Steps, step: Any) -> None:
    _before(found, "floats")
    if found.arguments["normalize"]:
        raise check.refuse("Normalize", "another one first", "that is the only one")
    found.arguments |= {
        "normalize": True,
        "mean": check.three("mean", _numbers(step.mean)),
        "std": check.three("std", _numbers(step.std)),
    }


#: The forms of an image on its way, in words.
_FORMS = {"image": "a PIL image", "bytes": "a uint8 tensor", "floats": "a float tensor"}


def _before(found: _Steps, form: str) -> None:
    if found.form != form:
        raise value_error(f"expected {_FORMS[form]} as its input, found {_FORMS[found.form]}")


def _numbers(values: Any) -> Any:
    """A list of numbers, of a tensor too; one for all channels where it has just that."""
    found = values.tolist() if hasattr(values, "tolist") else values
    if not isinstance(found, (list, tuple)):
        return found
    return found[0] if len(found) == 1 else list(found)


def _filter(interpolation: Any) -> str:
    """The name of a filter, of torchvision's mode or Pillow's number."""
    name = getattr(interpolation, "value", interpolation)
    numbers = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")
    if isinstance(name, int) and 0 <= name < len(numbers):
        name = numbers[name]
    name = "nearest" if name == "nearest-exact" else name  # one filter to Pillow
    if name not in numbers:
        raise check.refuse("interpolation", interpolation, f"of {', '.join(numbers)}")
    return str(name)


def _filter_of_tensors(interpolation: Any) -> str:
    """The same of a filter that resizes tensors, of which torch has fewer."""
    name = getattr(interpolation, "value", interpolation)
    if name in (
        "nearest",
        0,
    ):  # the pixel that an output's corner lies in, where Pillow takes the nearest
        return "nearest-floor"
    name = _filter(interpolation)
    if name in ("box", "hamming"):
        raise check.refuse("interpolation", name, "that tensors have")
    return name


#: How each known step is read, by its package and class.
_KNOWN: Mapping[str, Callable[[_Steps, Any], None]] = {
    "torchvision.Resize": _resize,
    "torchvision.CenterCrop": _crop,
    "torchvision.ToTensor": _to_floats,
    "torchvision.PILToTensor": _to_bytes,
    "torchvision.ConvertImageDtype": _divide,
    "torchvision.Normalize": _normalize,
    "torchvision.ImageClassification": _classify,
    "torchvision.v2.Resize": _resize_either,
    "torchvision.v2.CenterCrop": _crop_either,
    "torchvision.v2.ToTensor": _to_floats,
    "torchvision.v2.PILToTensor": _to_bytes,
    "torchvision.v2.ToImage": _to_bytes,
    "torchvision.v2.ToPureTensor": _stay,
    "torchvision.v2.ToDtype": _multiply,
    "torchvision.v2.ConvertImageDtype": _multiply,
    "torchvision.v2.Normalize": _normalize,
    "torchvision.v2.RGB": _convert,
    "open_clip.ResizeKeepRatio": _resize_keeping_ratio,
    "open_clip.CenterCropOrPad": _crop,
    "open_clip.MaybeToTensor": _to_floats,
    "timm.ResizeKeepRatio": _resize_keeping_ratio,
    "timm.CenterCropOrPad": _crop,
    "timm.MaybeToTensor": _to_floats,
    "timm.MaybePILToTensor": _to_bytes,
}
_NAMES = (
    ", ".join(dict.fromkeys(name.rpartition(".")[2] for name in _KNOWN)) + ", a conversion to RGB"
)


def _library(step: Any) -> str:
    """The package of a step, with a dot; version 2 of torchvision's transforms has a name of its own."""
    module = type(step).__module__
    if module.startswith("torchvision.transforms.v2"):
        return "torchvision.v2."
    return module.partition(".")[0] + "."


def _plain(image: Any) -> Any:
    return image.convert("RGB")


def _documented(image: Any) -> Any:
    """Convert to RGB. From Python 3.14 on, the text moves the other constants."""
    return image.convert("RGB")


#: What a function does that converts to RGB and nothing else.
_CONVERSIONS = {convert.__code__.co_code for convert in (_plain, _documented)}


def _converts_to_rgb(step: Any) -> bool:
    """Whether a step is a function that does `image.convert("RGB")` and nothing else, by its code; or a class that is
    known to."""
    if type(step).__name__ == "MaybeConvertMode" and _library(step) == "open_clip.":
        return bool(step.mode == "RGB")
    if type(step).__name__ == "Lambda" and _library(step).startswith("torchvision."):
        if getattr(step, "types", (object,)) != (object,):
            return False
        step = step.lambd
    code = getattr(step, "__code__", None)
    return code is not None and (
        code.co_code in _CONVERSIONS
        and (code.co_names, code.co_consts[-1:]) == (("convert",), ("RGB",))
        and code.co_argcount == 1
        and len(code.co_consts) <= 2
    )


def _shown(step: Any) -> str:
    return str(getattr(step, "__name__", type(step).__name__))
