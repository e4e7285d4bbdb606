"""The image processor that stands in for those of transformers."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any

from .._messages import shown, type_error, value_error
from .._preprocess import Preprocess
from .._tensor import as_tensor
from ..configs import build, hf
from ..configs.hf import table
from ..configs.hf.find import find
from ..configs.hf.live import fields_of
from . import live
from .inputs import Readers, flat

if TYPE_CHECKING:  # names of annotations alone
    from typing import Self

    from .live import Backend


class Features(dict[str, Any]):
    """A mapping whose entries are attributes too, as transformers' `BatchFeature`."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    @property
    def data(self) -> dict[str, Any]:
        """The mapping itself."""
        return self

    def to(self, *args: Any, **kwargs: Any) -> Features:
        """Calls `to` of the tensors: a device, a dtype."""
        return Features(
            {
                name: value.to(*args, **kwargs) if hasattr(value, "to") else value
                for name, value in self.items()
            }
        )


class ClipPrepImageProcessor(live.Base):  # type: ignore[misc]
    """Called as `processor(images=..., return_tensors="pt")`, gives `pixel_values`.

    Where transformers is installed (4.50 to 5.x), an instance that is made from a config is one of the class of
    transformers that the config names, too: `isinstance(processor, CLIPImageProcessor)` holds, and its attributes,
    `save_pretrained`, `to_dict` and options in the call are that class's. What `Preprocess` expresses is computed
    here, to the same bits; the rest (floats, other devices, outputs of several sizes) is left to that class.
    Each of these classes is a name of this module, too: `from clipprep.transformers import CLIPImageProcessor`.
    A saved config names the class of transformers, so `AutoImageProcessor` returns that one for it;
    `ClipPrepImageProcessor.from_pretrained` returns this. Options of clipprep, such as `dtype`, are not saved.

    What an image is decides how it is read, as in transformers:

    - a PIL image, or an array of uint8 whose channels are first or last, is taken as it is;
    - a `str` is the path of a file, a `data:image/` URI, or base64 text. The file is turned as its EXIF
      orientation says, and its alpha is dropped before it is resized. (With the backend "pil", one transparent
      colour, as a GIF has it, shows white: Pillow hands it on to the processor.);
    - a `pathlib.Path`, encoded bytes and a binary file, which transformers does not take, are read as the
      file of a path is.

    >>> from clipprep.transformers import ClipPrepImageProcessor
    >>> processor = ClipPrepImageProcessor.from_pretrained(
    ...     {"image_processor_type": "CLIPImageProcessor"}
    ... )
    >>> import numpy as np
    >>> processor(np.zeros((3, 40, 30), np.uint8), return_tensors="np").pixel_values.shape
    (1, 3, 224, 224)
    """

    model_input_names = ("pixel_values",)

    #: The class of transformers that an instance is one of; None for one that is made from a `Preprocess`.
    live: type | None = None

    def __new__(cls, *args: Any, **fields: Any) -> Self:
        """The subclass of the class of transformers that is meant."""
        if cls is ClipPrepImageProcessor and not (args and isinstance(args[0], Preprocess)):
            found = _class_of(args[0] if args else fields, fields.get("backend"))
            if found is not None:
                return object.__new__(found)
        return object.__new__(cls)

    def __init__(
        self,
        preprocess: Preprocess | Any = None,
        files: Preprocess | None = None,
        *,
        backend: Backend | None = None,
        **fields: Any,
    ) -> None:
        """Prepare what is done to images.

        Args:
            preprocess: What is done to PIL images and arrays: a `Preprocess`. Or a live image processor.
            files: What is done to files; None stands for the same.
            backend: "torchvision" or "pil"; None stands for that of a live processor, else for "torchvision".
            fields: Instead of these, the fields of a config, and options of `Preprocess` beside it.
        """
        if preprocess is not None and not isinstance(preprocess, Preprocess):
            found = fields_of(preprocess)
            if found is None:
                raise type_error(f"expected a Preprocess, found {type(preprocess).__name__}")
            fields = found[0] | fields
            preprocess = None
        options = {name: fields.pop(name) for name in build.OPTIONS & fields.keys()}
        if self.live is not None:
            kind = {"image_processor_type", "feature_extractor_type"}
            super().__init__(**{name: fields[name] for name in fields.keys() - kind})
            self.clipprep_options = options
        elif preprocess is not None:
            self.readers = Readers(preprocess, preprocess if files is None else files)
        else:
            self.readers = _readers(fields, backend or "torchvision", options)

    @classmethod
    def from_pretrained(
        cls,
        config: Any,
        *,
        backend: Backend | None = None,
        return_unused_kwargs: bool = False,
        **options: Any,
    ) -> Any:
        """Make an image processor from a config.

        Args:
            config: What `Preprocess.from_hf` takes: a folder, a `preprocessor_config.json`, a dict, a name of the Hub,
                a live image processor.
            backend: Whose bits: "torchvision" or "pil". None stands for that of a live processor, else for
                "torchvision".
            return_unused_kwargs: Give the options that say nothing here too, as transformers does.
            options: Options of `Preprocess` that a config does not decide, such as `dtype` and `limits`. With
                transformers, its own ones too: fields of the config such as `size`, and `revision`, `cache_dir`,
                `token` and the like.

        Returns:
            The image processor; with `return_unused_kwargs`, the tuple of it and of a dict.

        Raises:
            ValueError: A field is unknown or cannot be honoured.
            OSError: A file cannot be read.
        """
        own = {name: options.pop(name) for name in build.OPTIONS & options.keys()}
        if cls.live is not None:
            make = cls.from_dict if isinstance(config, Mapping) else super().from_pretrained
            made, unused = make(config, return_unused_kwargs=True, **options)
            made.clipprep_options = own
            return (made, unused) if return_unused_kwargs else made
        alive = fields_of(config)
        if alive is not None:
            config, backend = alive[0], backend or alive[1]  # type: ignore[assignment]
        elif isinstance(config, (str, PathLike)) and options.keys() & _HUB:
            # Where and what to download, transformers knows.
            config, options = cls.get_image_processor_dict(config, **options)
        backend = backend or "torchvision"
        for name in _MEANINGLESS & options.keys():
            del options[name]
        fields, name = find(config)
        name = _STANDARD if name == ClipPrepImageProcessor.__name__ else name
        found = None if name in hf.OPEN_CLIP else live.find(table.stem(name), backend)
        if found is None:
            unused = {name: options.pop(name) for name in options.keys() - table.names()}
            readers = _readers(fields | options | {"image_processor_type": name}, backend, own)
            made = cls(readers.images, readers.files)
        else:
            made, unused = made_of(found).from_dict(fields, return_unused_kwargs=True, **options)
            made.clipprep_options = own
            if own:  # which the live class, that does the rest, has not
                live.readers_of(made, found, {})
        return (made, unused) if return_unused_kwargs else made

    def __call__(self, images: Any, *args: Any, **options: Any) -> Any:
        """Turn images into `pixel_values`.

        Args:
            images: An image, or a list of them, also nested; or an array (N, H, W, C) or (N, C, H, W).
            args: Other arguments of the class of transformers.
            options: `return_tensors`: "pt" for a tensor, "np" for an array, None for a list. With
                `dtype="bfloat16"` the tensor is of `torch.bfloat16`; NumPy has no such type, so that the array holds
                its bits as uint16. `num_threads`, as of `Preprocess.batch`. All others of the class of transformers:
                `size`, `do_resize`, `device` and so on.

        Returns:
            A `BatchFeature`, or without transformers a mapping like it, with `pixel_values` of shape
            (N, 3, height, width).

        Raises:
            BatchError: An image fails.
            ValueError: A `str` is no image, or an option cannot be honoured.
            ImportError: "pt" was asked for, and torch is not installed.
        """
        return self.preprocess(images, *args, **options)

    def preprocess(self, images: Any, *args: Any, **options: Any) -> Any:
        """Do what a call does."""
        num_threads = options.pop("num_threads", None)
        if self.live is None:
            return self._features(images, num_threads, *args, **options)
        live.refuse_own_in_call(options)
        readers = None if args else live.readers_of(self, self.live, options)
        sources = list(flat(images))
        order = options.get("input_data_format")
        if readers is None or not live.takes(readers, sources, order):
            live.refuse_beside_own(self, readers, sources, options)
            return super().preprocess(images, *args, **options)
        if order is not None:
            readers = live.ordered(readers, order)
        pixels: Any = readers.pixels(sources, num_threads)
        kind = options.get("return_tensors")
        kind = getattr(kind, "value", kind)
        by_torch = live.backend_of(self.live) == "torchvision"
        if kind == "pt" or (kind is None and by_torch):
            pixels = as_tensor(pixels)
            if by_torch and options.get("device") is not None:  # the others know no device
                pixels = pixels.to(options["device"])
        data = {"pixel_values": list(pixels) if kind is None else pixels}
        made = import_module("transformers.image_processing_utils").BatchFeature
        return made(data=data, tensor_type=options.get("return_tensors"))

    def _features(
        self, images: Any, num_threads: int | None, *, return_tensors: str | None = None
    ) -> Features:
        if return_tensors not in ("pt", "np", None):
            raise value_error(
                f'expected return_tensors= one of "pt", "np" and None, found {shown(return_tensors)}'
            )
        pixels: Any = self.readers.pixels(list(flat(images)), num_threads)
        if return_tensors == "pt":
            pixels = as_tensor(pixels)
        return Features(pixel_values=list(pixels) if return_tensors is None else pixels)

    def to_dict(self) -> dict[str, Any]:
        """The config, which names the class of transformers."""
        if self.live is None:
            raise type_error(f"expected a processor that was made from a config, found {self!r}")
        found: dict[str, Any] = super().to_dict()
        del found["clipprep_options"]
        return found | {"image_processor_type": self.live.__name__.removesuffix("Pil")}

    def __reduce__(self) -> Any:
        if self.live is None:
            return ClipPrepImageProcessor, (self.readers.images, self.readers.files)
        return super().__reduce__()

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.__reduce__() if self.live is None else super().__reduce_ex__(protocol)

    def __repr__(self) -> str:
        if self.live is None:
            return f"ClipPrepImageProcessor({self.readers.images!r})"
        return f"{__package__}.{super().__repr__()}"


#: The class where a config names none.
_STANDARD = "CLIPImageProcessor"
#: Arguments of `from_pretrained` of transformers that say where a config is.
_HUB = frozenset(
    {"cache_dir", "force_download", "local_files_only", "proxies", "revision", "subfolder", "token"}
)
#: Those that say nothing here.
_MEANINGLESS = frozenset({"trust_remote_code", "use_fast", *_HUB})


def made_of(found: type) -> type[ClipPrepImageProcessor]:
    """The class that is this one and one of transformers, as a name of this package, so that it pickles."""
    name = found.__name__
    home = import_module(f"{__package__}.pil" if name.endswith("Pil") else __package__)
    known: type[ClipPrepImageProcessor] | None = vars(home).get(name)
    if known is not None:
        return known

    @functools.wraps(found.preprocess)  # type: ignore[attr-defined]
    def preprocess(self: ClipPrepImageProcessor, images: Any, *args: Any, **options: Any) -> Any:
        return ClipPrepImageProcessor.preprocess(self, images, *args, **options)

    preprocess.__signature__ = inspect.signature(found.preprocess)  # type: ignore[attr-defined]
    body = {
        "__module__": home.__name__,
        "__doc__": f"`{name}` of transformers, computed by clipprep where that gives its bits.",
        "live": found,
        "model_input_names": found.model_input_names,  # type: ignore[attr-defined]
        "preprocess": preprocess,
    }
    made = type(name, (ClipPrepImageProcessor, found), body)
    setattr(home, name, made)
    if hasattr(found, "valid_kwargs"):
        setattr(home, f"{name.removesuffix('Pil')}Kwargs", found.valid_kwargs)
    return made


def _class_of(config: Any, backend: Backend | None) -> type[ClipPrepImageProcessor] | None:
    """The subclass for a live processor, or for the fields of a config; CLIP's where these name none."""
    alive = fields_of(config)
    if alive is not None:
        config, backend = alive[0], backend or alive[1]  # type: ignore[assignment]
    if not isinstance(config, Mapping):
        return None
    name = config.get("image_processor_type") or config.get("feature_extractor_type")
    name = _STANDARD if name in (None, ClipPrepImageProcessor.__name__) else str(name)
    if name in hf.OPEN_CLIP:
        return None
    found = live.find(table.stem(name), backend or "torchvision")
    return None if found is None else made_of(found)


def _readers(fields: Mapping[str, Any], backend: Backend, options: Mapping[str, Any]) -> Readers:
    """The readers that a config asks for, without transformers."""
    fields = {"image_processor_type": _STANDARD, **fields}
    as_read = {"exif": True, "over_white": False, "convert_rgb": True}
    return Readers(
        Preprocess.from_hf(fields, backend=backend, **options),
        Preprocess.from_hf(fields, backend=backend, **{**as_read, **options}),
    )


def class_named(name: str) -> type[ClipPrepImageProcessor] | None:
    """The subclass in the place of a class of transformers; None for a name of none.

    Raises ModuleNotFoundError for a class of transformers where transformers is not installed.
    """
    stem = name.removesuffix("Pil").removesuffix("Fast").removesuffix("ImageProcessor")
    if stem != name and stem in table.classes() and not live.VERSION:
        expected = f"clipprep.transformers.{name} needs transformers"
        raise ModuleNotFoundError(
            f"{expected}: pip install 'clipprep[transformers]', or use ClipPrepImageProcessor",
            name="transformers",
        )
    backends: tuple[Backend, ...] = ("torchvision", "pil")
    for backend in backends:
        found = live.find(stem, backend) if stem in table.classes() else None
        if found is not None and found.__name__ == name:
            return made_of(found)
    return None
