"""Ask a class of transformers how it reads a config: give configs to it and to a reader, and compare bits."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from live import pixel_values
from PIL import Image
from transformers.image_utils import SizeDict

import clipprep
from clipprep.configs.hf.arguments import arguments_by
from clipprep.configs.hf.table import Row

Config = dict[str, Any]
#: Tensors of the test images, or why there are none.
Outcome = list[np.ndarray] | str

#: The fields that kinds and `read` honour, as far as a class reads them.
HONOURED = (
    "crop_pct", "crop_size", "default_to_square", "do_center_crop", "do_convert_rgb",
    "do_flip_channel_order", "do_normalize", "do_pad", "do_rescale", "do_resize", "image_mean",
    "image_std", "include_top", "offset", "pad_size", "pretrained_cfg", "resample", "rescale_factor",
    "rescale_offset", "resize_short", "size",
)  # fmt: skip


def images() -> list[Image.Image]:
    """Small ones, wide, high, square; of odd sides, so that crops round."""
    rng = np.random.default_rng(0)
    return [
        Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
        for height, width in ((61, 90), (75, 51), (64, 64), (35, 121))
    ]


IMAGES = images()
#: Of other modes, for the field that converts them.
MODES = [IMAGES[0].convert("RGBA"), IMAGES[1].convert("L")]
MODES[0].putalpha(77)


def live(cls: Any, config: Config, of: list[Image.Image]) -> Outcome:
    """The live class's results for the images, each on its own."""
    try:
        processor = cls.from_dict(config)
        return [pixel_values(processor, image) for image in of]
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:200]


def ours(row: Row, backend: str, config: Config, of: list[Image.Image]) -> Outcome:
    """The reader's results for the images by a row of the table."""
    try:
        size, arguments = arguments_by(row, config, "", backend)
        pre = clipprep.Preprocess(size, **arguments, pillow="installed")
        return [pre(image) for image in of]
    except (ValueError, TypeError, clipprep.ImageError) as error:
        return str(error)


def same(one: Outcome, other: Outcome) -> bool:
    """The same bits."""
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) and isinstance(other, str)
    return all(
        a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()
        for a, b in zip(one, other, strict=True)
    )


def variants() -> Iterator[Config]:
    """Configs that use each honoured field, on sizes that are quick."""
    small = {"size": 40, "default_to_square": True}, {"size": {"height": 40, "width": 56}}
    small += {"size": {"shortest_edge": 40}}, {"size": [40, 56]}, {"size": 47}
    small += ({"size": {"longest_edge": 40}}, {"size": {"height": 40, "width": 40}})
    crops = {}, {"do_center_crop": True, "crop_size": {"height": 32, "width": 31}}
    crops += {"do_center_crop": True, "crop_size": 65}, {"do_center_crop": False}
    crops += ({"do_center_crop": True, "crop_size": {"shortest_edge": 32}},)
    numbers = (
        {}, {"do_rescale": False}, {"do_normalize": False}, {"do_normalize": True},
        {"do_rescale": False, "do_normalize": False}, {"rescale_factor": 1 / 127.5},
        {"rescale_factor": 1 / 127.5, "do_normalize": False},
        {"image_mean": 0.4, "image_std": 0.3}, {"image_mean": [0.1, 0.2, 0.3], "image_std": [0.3] * 3},
        {"rescale_offset": True}, {"rescale_offset": True, "do_normalize": False},
        {"rescale_offset": True, "do_rescale": False}, {"offset": True}, {"offset": False},
        {"offset": True, "do_rescale": False}, {"include_top": False}, {"include_top": True},
        {"include_top": True, "do_normalize": False}, {"include_top": True, "rescale_offset": True},
        {"include_top": True, "do_normalize": False, "do_rescale": False},
    )  # fmt: skip
    others = (
        {"resample": 0}, {"resample": 1}, {"resample": 2}, {"resample": 3}, {"resample": "bilinear"},
        {"resample": "bicubic"}, {"resample": None}, {"do_convert_rgb": True}, {"do_convert_rgb": None},
        {"do_pad": True}, {"do_pad": True, "pad_size": 40}, {"do_pad": True, "pad_size": {"height": 70, "width": 70}},
        {"crop_pct": 0.7}, {"crop_pct": None}, {"do_resize": False}, {"resize_short": 45}, {"resize_short": None},
        {"do_flip_channel_order": True}, {"do_flip_channel_order": False},
    )  # fmt: skip
    yield {}
    for size, crop in itertools.product(small, crops):
        yield size | crop
    padded = {"do_pad": True, "pad_size": {"height": 70, "width": 90}}
    framed = (
        {"shortest_edge": 40, "longest_edge": 56},
        {"max_height": 40, "max_width": 56},
        {"longest_edge": 64},
    )
    framed += {"shortest_edge": 33}, {"height": 40, "width": 56}, {"height": 64, "width": 33}
    for size in framed:
        yield {"size": size} | padded
        yield {"size": size} | padded | crops[1]
        yield {"size": size} | padded | {"do_center_crop": False}
        yield {"size": size} | padded | {"do_normalize": False}
        yield {"size": size} | padded | {"resample": 3}
    yield padded | {"do_resize": False}
    yield padded | {"do_resize": False, "do_rescale": False, "do_normalize": False}
    yield {"do_pad": True, "pad_size": {"height": 130, "width": 130}, "do_resize": False}
    for divisor, size in itertools.product((0, 1, 32), (small[1], framed[0])):
        yield {"size_divisor": divisor, "size": size}
        yield {"size_divisor": divisor, "size": size} | padded
    yield {"max_image_size": 490}
    for more in ({}, {"background_color": [1, 200, 30]}, {"resample": 2}):
        yield {"tile_size": 57} | more
        yield {"size": {"height": 57, "width": 40}, "maximum_pad_value": 56} | more
        yield {"size": {"height": 57, "width": 40}, "maximum_pad_value": 57} | more
    for more in (
        {},
        {"do_thumbnail": False},
        {"do_thumbnail": None},
        {"resample": 3},
        {"resample": 0},
    ):
        for size in ([40, 56], {"height": 40, "width": 56}, {"height": 56, "width": 40}, 47):
            yield {"size": size} | more
            yield {"size": size, "do_pad": False} | more
            yield {"size": size, "do_align_long_axis": True} | more
    for more in (*numbers, *others):
        for size in (small[1], small[2], small[6]):
            yield size | crops[1] | more
            yield size | more


def fit(cls: Any, row: Row, base: Config, honoured: tuple[str, ...], backend: str) -> Row | None:
    """The row with the profile of the class, if it is right: each config that is read has the live class's bits,
    and so has `base`."""
    expected = live(cls, base, IMAGES[:2])
    profiles = (f"hf-{backend}", "hf-pil", "hf-torchvision", "hf-torchvision-floats", "hf-scipy")
    ways = itertools.product(dict.fromkeys(profiles), (False, True), (False, True))
    for profile, bgr, samples in ways:
        if samples and profile != "hf-torchvision":
            continue
        row = replace(row, profiles={backend: profile}, bgr=bgr, samples=samples)
        found = ours(row, backend, base, IMAGES[:2])
        if isinstance(expected, str) or not same(found, expected):
            if isinstance(found, str):
                print(f"{cls.__name__} is not {row.kind} by {profile}: {found}", flush=True)
            continue
        wrong = None
        for config in variants():
            if not set(config) <= set(honoured):
                continue
            config = base | config
            found = ours(row, backend, config, IMAGES)
            if not isinstance(found, str) and not same(found, live(cls, config, IMAGES)):
                form = sorted(config["size"]) if isinstance(config.get("size"), dict) else []
                if form in RARE_FORMS and form in row.sizes:
                    # The class takes this form of a size, and makes something else of it.
                    row = replace(row, sizes=[known for known in row.sizes if known != form])
                    continue
                wrong = config
                break
        if wrong is None:
            return row
        print(f"{cls.__name__} is not {row.kind} by {profile}: {wrong}", flush=True)
    return None


@functools.cache
def made(cls: Any) -> Any:
    """An object of the class by its defaults; the class itself where there is none."""
    try:
        return cls()
    except Exception:
        return cls


def default(cls: Any, name: str) -> Any:
    """The defaults of a class, as JSON has them."""
    value = getattr(made(cls), name, None)
    if isinstance(value, SizeDict):
        value = vars(value)
    if isinstance(value, Mapping):
        return {key: side for key, side in value.items() if side is not None}
    if isinstance(value, (tuple, list)):
        return [float(item) if isinstance(item, np.floating) else item for item in value]
    return value.value if hasattr(value, "value") else value


def values_of(name: str, annotation: str, initial: Any) -> list[Any]:
    """Values to try a field with."""
    if name.startswith("do_") or "bool" in annotation or isinstance(initial, bool):
        return [True, False]
    if "resample" in name:
        return [0, 2, 3]
    if "size" in name and ("dict" in annotation or isinstance(initial, dict)):
        return [{"height": 48, "width": 24}, {"shortest_edge": 33}, 29]
    if name in ("image_mean", "image_std"):
        return [[0.2, 0.3, 0.4], 0.6]
    if "str" in annotation and "int" not in annotation:
        return ["x"]
    if isinstance(initial, float) or "float" in annotation:
        return [0.5, 1.5]
    return [1, 2, 7, 32]


def cropped(cls: Any) -> Config:
    """A crop, in the form that the class takes."""
    size = default(cls, "crop_size")
    by_edge = isinstance(size, dict) and "shortest_edge" in size
    size = {"shortest_edge": 32} if by_edge else {"height": 32, "width": 31}
    return {"do_center_crop": True, "crop_size": size}


#: Sizes of each form that some class takes.
SIZES = (
    {"height": 41, "width": 57}, {"height": 41, "width": 41}, {"shortest_edge": 41}, {"longest_edge": 41},
    {"shortest_edge": 41, "longest_edge": 57}, {"max_height": 41, "max_width": 57},
)  # fmt: skip

#: Those of them that a class may read in a way of its own.
RARE_FORMS = (["longest_edge", "shortest_edge"], ["max_height", "max_width"])

#: Configs in which fields may come to matter; the first ones are enough for fields of single classes.
CONTEXTS: tuple[Config, ...] = (
    {},
    {"do_center_crop": True},
    {"size": {"height": 41, "width": 57}},
    {"size": {"shortest_edge": 41}, "do_center_crop": True},
    {"do_pad": True},
    {"do_resize": False, "do_center_crop": True},
    {"do_convert_rgb": None},
    {"pad_size": {"height": 300, "width": 300}},
    {"do_pad": True, "pad_size": {"height": 300, "width": 300}},
    {"do_rescale": True, "do_normalize": True},
    {"size": 40},
    {"size": {"shortest_edge": 41}},
    {"resize_short": None},
)


def in_contexts(
    cls: Any, base: Config, honoured: tuple[str, ...], of: list[Image.Image]
) -> list[tuple[Config, Outcome]]:
    """The class's results for the images in each context of fields that are honoured."""
    configs = [
        {"crop_size": cropped(cls)["crop_size"]} | base | context
        for context in CONTEXTS
        if set(context) <= set(honoured)
    ]
    return [(config, live(cls, config, of)) for config in configs]


def changing_nothing(
    cls: Any,
    name: str,
    values: list[Any],
    of: list[Image.Image],
    known: list[tuple[Config, Outcome]],
) -> list[Any]:
    """The values of a field that change no tensor of the images, whose outcomes in contexts are known."""
    return [
        value
        for value in values
        if all(same(live(cls, config | {name: value}, of), was) for config, was in known)
    ]


def bases(cls: Any, annotations: Mapping[str, str]) -> Iterator[Config]:
    """The class's own defaults, those with everything off that has no kind, and both at a size that does not
    depend on the image."""
    yield {}
    if "pretrained_cfg" in annotations:
        yield {"pretrained_cfg": {"input_size": [3, 40, 56], "crop_pct": 0.9}}
    off = {
        name: False
        for name, annotation in annotations.items()
        if name not in HONOURED and "bool" in annotation and default(cls, name)
    }
    less: list[Config] = [off] if off else []
    if getattr(cls, "do_pad", None):
        less.append(off | {"do_pad": False})
    yield from less
    if "size" in annotations:
        yield from (base | {"size": {"height": 64, "width": 96}} for base in ({}, *less))
