"""The image processors of the transformers that is installed: their classes, and what an instance is set to do."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, Literal, TypeAlias
from weakref import WeakKeyDictionary

from PIL import Image

from .._messages import kind, shown, value_error
from .._preprocess import Preprocess
from ..configs import build, check, objects
from ..configs.hf import table, version_4
from ..configs.hf.arguments import arguments_by
from .inputs import Readers, is_file

Backend: TypeAlias = Literal["torchvision", "pil"]

try:
    Base: type = import_module("transformers.image_processing_utils").BaseImageProcessor
    #: The major version of transformers; 0 without it.
    VERSION = int(import_module("transformers").__version__.partition(".")[0])
except ImportError:
    Base, VERSION = object, 0

#: Arguments of a call that say nothing about pixels.
_OTHER = frozenset({"device", "disable_grouping", "input_data_format", "return_tensors"})


def find(stem: str, backend: Backend) -> type | None:
    """The class of transformers with this backend; None where it, or what it needs, is not installed.

    Raises ValueError for a backend that there is not.
    """
    check.backend(backend)
    if not VERSION:
        return None
    if VERSION >= 5:
        suffix = "Pil" if backend == "pil" else ""
    else:
        suffix = "" if backend == "pil" else "Fast"
    auto = import_module("transformers.models.auto.image_processing_auto")
    try:
        found: type | None = auto.get_image_processor_class_from_name(
            f"{stem}ImageProcessor{suffix}"
        )
        # Where a package is missing, a class of this name raises for whatever it is asked.
        return found if hasattr(found, "preprocess") else None
    except ImportError:
        return None


def backend_of(live: type) -> Backend:
    """The backend of a class of transformers."""
    if VERSION >= 5:
        return "pil" if live.__name__.endswith("Pil") else "torchvision"
    return "torchvision" if live.__name__.endswith("Fast") else "pil"


def readers(
    fields: Mapping[str, Any], stem: str, backend: Backend, options: Mapping[str, Any]
) -> Readers:
    """The readers that the fields of an image processor ask for.

    Raises ValueError for fields that no options of `Preprocess` express.
    """
    live = find(stem, backend) if VERSION == 4 else None
    if live is not None:
        fields = version_4.fields(live, fields)
    size, decided = arguments_by(table.row(stem, backend), fields, stem, backend)
    if live is not None:
        decided["over_white"] = False
    as_read = {"exif": True, "over_white": False, "convert_rgb": True}
    _, of_images = build.join(size, decided, options)
    _, of_files = build.join(size, decided, as_read | dict(options))
    return Readers(Preprocess(size, **of_images), Preprocess(size, **of_files))


_last: WeakKeyDictionary[Any, tuple[str, Readers]] = WeakKeyDictionary()


def readers_of(processor: Any, live: type, call: Mapping[str, Any]) -> Readers | None:
    """The readers that an instance and the arguments of a call ask for; None where only the live class can.

    Raises ValueError where clipprep's own options were given, which the live class has not.
    """
    if name := _changed(processor, live):
        if processor.clipprep_options:
            own, expected = _own(processor), "the methods of the class of transformers"
            raise value_error(
                f"expected {expected} beside {own}, found another {name}: leave out {own}"
            )
        return None
    stem, backend = table.stem(live.__name__), backend_of(live)
    row = table.row(stem, backend)
    names = row.defaults.keys() | row.neutral.keys()
    given = {name: value for name, value in call.items() if name in names}
    # The live class knows the meaning of null beside an option of the instance.
    if call.keys() - names - _OTHER or any(value is None for value in given.values()):
        return None
    fields = {name: getattr(processor, name) for name in names if hasattr(processor, name)} | given
    options = processor.clipprep_options
    try:
        key = json.dumps({name: _plain(value) for name, value in fields.items()}, sort_keys=True)
        known = _last.get(processor)
        if known is None or known[0] != key:
            plain = {name: _plain(value) for name, value in fields.items()}
            known = _last[processor] = key, readers(plain, stem, backend, options)
    except (TypeError, ValueError) as error:
        if options:
            own = _own(processor)
            raise value_error(
                f"{error}; leave out {own} to have the class of transformers do it"
            ) from error
        return None
    return known[1]


def _changed(processor: Any, live: type) -> str | None:
    """The name of a method that a derived class, or the instance itself, has in the place of the live class's."""
    for cls in type(processor).__mro__:
        if "live" in vars(cls):  # ours
            break
        for name, value in vars(cls).items():
            is_public = not name.startswith("__") and name != "preprocess"
            if is_public and inspect.isroutine(value) and hasattr(live, name):
                return name
    return objects.changed(processor)


def _plain(value: Any) -> Any:
    """A value as a config has it: a dict for a size, a name for a filter of torchvision, a list for a tuple."""
    if isinstance(value, Mapping) or type(value).__name__ == "SizeDict":
        return {name: side for name, side in dict(value).items() if side is not None}
    if isinstance(value, tuple):
        return list(value)
    if type(value).__name__ == "InterpolationMode":
        return value.value
    return value


def refuse_beside_own(
    processor: Any, readers: Readers | None, images: Sequence[Any], call: Mapping[str, Any]
) -> None:
    """Refuse what only the live class can do where clipprep's own options were given, which it would drop.

    Raises ValueError that names the option.
    """
    if not processor.clipprep_options:
        return
    own = _own(processor)
    if readers is None:
        found = f"the arguments {shown(sorted(call))}"
        what = "arguments of the call that clipprep honours itself"
    else:
        other = [
            image
            for image in images
            if not _takes(readers.images, image, call.get("input_data_format"))
        ]
        found = _described(other[0]) if other else "no images"
        what = "images that clipprep reads itself (files, PIL images, uint8 arrays in the host's memory)"
    raise value_error(
        f"expected {what} beside {own}, found {found}: only the class of transformers takes"
        f" that, which has no {own}"
    )


def _own(processor: Any) -> str:
    """The options of clipprep that a processor was made with, for a message."""
    return ", ".join(f"{name}=" for name in sorted(processor.clipprep_options))


def refuse_own_in_call(call: Mapping[str, Any]) -> None:
    """Refuse clipprep's own options as arguments of a call. Raises ValueError that names the option."""
    if wrong := sorted(build.OPTIONS & call.keys()):
        raise value_error(
            f"expected {wrong[0]}= where the processor is made, as in"
            f" ClipPrepImageProcessor.from_pretrained(name, {wrong[0]}=...), found it in the call"
        )


def _described(image: Any) -> str:
    dtype = getattr(image, "dtype", None)
    if dtype is not None:
        device = getattr(image, "device", "cpu")
        where = "" if str(device) == "cpu" else f" on {shown(device)}"
        return f"an array of {shown(str(dtype))} and shape {tuple(image.shape)}{where}"
    if isinstance(image, Image.Image):
        return f"an image of mode {image.mode}"
    return f"a {kind(image)}"


def takes(readers: Readers, images: Sequence[Any], order: object) -> bool:
    """Whether images are of the kinds that are read here; `order` is the live class's name for that of the axes."""
    return all(_takes(readers.images, image, order) for image in images) and bool(images)


def _takes(preprocess: Preprocess, image: Any, order: object) -> bool:
    if is_file(image):
        text_or_bytes = isinstance(image, (str, bytes, bytearray, memoryview))
        return text_or_bytes or hasattr(image, "__fspath__") or hasattr(image, "read")
    if isinstance(image, Image.Image):
        return preprocess.convert_rgb or image.mode == "RGB"
    if VERSION < 5:
        return False  # converts no array, and takes the first one's order for all
    dtype, device = getattr(image, "dtype", None), getattr(image, "device", "cpu")
    if str(dtype).removeprefix("torch.") != "uint8" or str(device) != "cpu":
        return False
    shape = tuple(image.shape)
    if len(shape) == 2:
        return preprocess.convert_rgb
    if len(shape) != 3 or 0 in shape:
        return False
    first, last = shape[0], shape[2]
    if order is None:
        channels = first if first in (1, 3, 4) else last
    else:
        channels = first if "first" in str(getattr(order, "value", order)) else last
    return channels == 3 or (channels in (1, 4) and preprocess.convert_rgb)


def ordered(readers: Readers, order: object) -> Readers:
    """The same with the order of the axes of arrays as a call names it."""
    layout = "CHW" if "first" in str(getattr(order, "value", order)) else "HWC"
    (size,), options = readers.images.__getnewargs_ex__()
    return Readers(Preprocess(size, **{**options, "input_layout": layout}), readers.files)
