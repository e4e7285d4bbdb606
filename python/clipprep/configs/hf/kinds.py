"""The geometry of each kind of image processor: the size of the output, and how the image gets to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .. import check

Geometry = tuple[tuple[int, int], dict[str, Any]]


def standard(fields: Mapping[str, Any]) -> Geometry:
    """Resize to a size, or so that the shorter side has a length; then crop."""
    return _resized(fields, fields.get("size"), size_dict(fields, "size"))


def convnext(fields: Mapping[str, Any]) -> Geometry:
    """Below 384 pixels a crop by `crop_pct` follows the resize; from 384 on the image is squashed."""
    size, cropped = size_dict(fields, "size"), _crop(fields)
    if set(size) != {"shortest_edge"}:
        raise check.refuse("size", fields.get("size"), "a shortest_edge")
    side = size["shortest_edge"]
    if side >= 384:
        return cropped or (side, side), {"resize_mode": "squash", "resize_size": (side, side)}
    if cropped not in (None, (side, side)):
        raise check.refuse(
            "crop_size", fields.get("crop_size"), f"{side}, which is cropped already"
        )
    return (side, side), {"resize_size": (_enlarged(fields, side),) * 2}


def poolformer(fields: Mapping[str, Any]) -> Geometry:
    """The size is enlarged by `crop_pct`, where there is one; a square one then fits the shorter side."""
    size = size_dict(fields, "size")
    if fields.get("crop_pct") is not None:
        size = {name: _enlarged(fields, side) for name, side in size.items()}
        if size.get("height") == size.get("width"):
            size = {"shortest_edge": next(iter(size.values()))}
    return _resized(fields, fields.get("size"), size)


def levit(fields: Mapping[str, Any]) -> Geometry:
    """The shorter side is enlarged by 256 / 224."""
    size = size_dict(fields, "size")
    if set(size) == {"shortest_edge"}:
        size = {"shortest_edge": int(256 / 224 * size["shortest_edge"])}
    return _resized(fields, fields.get("size"), size)


def bridgetower(fields: Mapping[str, Any]) -> Geometry:
    """Both sides are multiples of 32; the crop has a shortest edge too."""
    side, cropped = size_dict(fields, "size"), size_dict(fields, "crop_size")
    for name, size in ("size", side), ("crop_size", cropped):
        if set(size) != {"shortest_edge"}:
            raise check.refuse(name, fields[name], "a shortest_edge")
    if not check.wanted(fields, "do_center_crop"):
        raise check.refuse("do_center_crop", False, "true: else outputs differ in size")
    resized = (side["shortest_edge"],) * 2
    return (cropped["shortest_edge"],) * 2, {"resize_mode": "bridgetower", "resize_size": resized}


def janus(fields: Mapping[str, Any]) -> Geometry:
    """The image fits into a square; the mean colour fills the rest, before it is rounded to a level."""
    size = size_dict(fields, "size")
    side = size.get("height", 0)
    if size != {"height": side, "width": side} or side < 14:
        raise check.refuse("size", fields.get("size"), "a height and an equal width from 14")
    if "do_pad" in fields and not check.wanted(fields, "do_pad"):
        raise check.refuse("do_pad", False, "true: else outputs differ in size")
    mean = fields.get("image_mean")
    if not isinstance(mean, (list, tuple)):
        raise check.refuse("image_mean", mean, "three numbers, which are the padding too")
    levels = tuple(int(value * 255) for value in check.three("image_mean", mean))
    if not all(0 <= level <= 255 for level in levels):
        raise check.refuse("image_mean", mean, "numbers from 0 to 1, which are the padding too")
    return (side, side), {"resize_mode": "janus", "fill_color": levels}


def sam(fields: Mapping[str, Any]) -> Geometry:
    """The longer side has a length; the padding at the right and below is 0 in the tensor."""
    size, padded = size_dict(fields, "size"), _padded(fields)
    if set(size) != {"longest_edge"}:
        raise check.refuse("size", fields.get("size"), "a longest_edge")
    if check.wanted(fields, "do_center_crop"):
        raise check.refuse("do_center_crop", True, "false: what is padded is not cropped")
    longest = size["longest_edge"]
    if padded is None or min(padded) < longest:
        raise check.refuse("pad_size", fields.get("pad_size"), f"at least the size, {longest}")
    return padded, {"resize_mode": "sam", "resize_size": (longest, longest)} | _CORNER


def aria(fields: Mapping[str, Any]) -> Geometry:
    """The longer side has one of two lengths; the padding at the right and below is black."""
    side = fields.get("max_image_size")
    if side not in (490, 980):
        raise check.refuse("max_image_size", side, "490 or 980")
    return (side, side), {"resize_mode": "aria", "position": "top-left"}


def deepseek_ocr(fields: Mapping[str, Any]) -> Geometry:
    """The image fits into a square of `tile_size`, where it is not cut into tiles; a colour fills the rest."""
    side = check.number("tile_size", fields.get("tile_size"))
    return (side, side), {"resize_mode": "deepseek-ocr", "fill_color": _background(fields)}


def unlimited_ocr(fields: Mapping[str, Any]) -> Geometry:
    """The image fits into a square, or fills it where the square has no more than `maximum_pad_value` pixels a side."""
    size = size_dict(fields, "size")
    if set(size) != {"height", "width"}:
        raise check.refuse("size", fields.get("size"), "a height and a width")
    side = max(size.values())
    if side <= check.number("maximum_pad_value", fields.get("maximum_pad_value")):
        return (side, side), {"resize_mode": "squash"}
    return (side, side), {"resize_mode": "deepseek-ocr", "fill_color": _background(fields)}


def maskformer(fields: Mapping[str, Any]) -> Geometry:
    """Both sides are rounded up to multiples of `size_divisor`, where that is not 0."""
    size, divisor = size_dict(fields, "size"), fields.get("size_divisor")
    if divisor != 0:
        divisor = check.number("size_divisor", divisor)
        if set(size) != {"height", "width"}:
            raise check.refuse(
                "size", fields.get("size"), "a height and a width, or size_divisor 0"
            )
        size = {name: -(-side // divisor) * divisor for name, side in size.items()}
    return _resized(fields, fields.get("size"), size)


def donut(fields: Mapping[str, Any]) -> Geometry:
    """Two resizes: to the shorter side of the size, then down into it. Black fills the rest."""
    written = fields.get("size")
    if isinstance(written, (list, tuple)):
        fields = {**fields, "size": written[::-1]}  # a pair is a width and a height here
    size, cropped = size_dict(fields, "size"), _crop(fields)
    if set(size) != {"height", "width"}:
        raise check.refuse("size", written, "a height and a width")
    for name in ("do_thumbnail", "do_pad"):
        if not check.wanted(fields, name):
            raise check.refuse(name, False, "true: else outputs differ in size")
    if check.wanted(fields, "do_align_long_axis"):
        raise check.refuse("do_align_long_axis", True, "false: no image is turned")
    sides = size["height"], size["width"]
    if cropped not in (None, sides):
        raise check.refuse("crop_size", fields["crop_size"], f"{sides}, the size of the output")
    if not fields.get("resample"):
        raise check.refuse("resample", fields.get("resample"), "a filter that both resizes have")
    return sides, {"resize_mode": "donut", "resize_size": sides}


def owlv2(fields: Mapping[str, Any]) -> Geometry:
    """Black makes the image a square, which is blurred and sampled."""
    size = size_dict(fields, "size")
    if set(size) != {"height", "width"} or size["height"] in (1, 3):
        raise check.refuse("size", fields.get("size"), "a width and a height other than 1 and 3")
    for name in ("do_pad", "do_rescale"):
        if not check.wanted(fields, name):
            raise check.refuse(name, False, "true")
    if not fields.get("resample"):
        raise check.refuse("resample", fields.get("resample"), "a filter: none turns the blur off")
    return (size["height"], size["width"]), {"resize_mode": "squash"}


def tvp(fields: Mapping[str, Any]) -> Geometry:
    """The longer side has a length, and the crop pads the image to its size."""
    size, cropped = size_dict(fields, "size"), _crop(fields)
    if set(size) != {"longest_edge"} or cropped is None:
        return _resized(fields, fields.get("size"), size)
    resized = (size["longest_edge"],) * 2
    return cropped, {"resize_mode": "tvp", "resize_size": resized}


def pplcnet(fields: Mapping[str, Any]) -> Geometry:
    """`resize_short`, where there is one, is the length of the shorter side."""
    short, cropped = fields.get("resize_short"), _crop(fields)
    if short is None:
        return standard(fields)
    if cropped is None:
        raise check.refuse("do_center_crop", False, "true: else outputs differ in size")
    resized = (check.number("resize_short", short),) * 2
    return cropped, {"resize_mode": "pp-lcnet", "resize_size": resized}


def perceiver(fields: Mapping[str, Any]) -> Geometry:
    """The centre is cropped first, to the share that `size` has of `crop_size`."""
    if not check.wanted(fields, "do_center_crop"):
        return standard(fields)
    size, cropped = size_dict(fields, "size"), _crop(fields)
    if set(size) != {"height", "width"}:
        raise check.refuse("size", fields.get("size"), "a height and a width")
    sides = size["height"], size["width"]
    if cropped is None or cropped[0] < sides[0] or cropped[1] < sides[1]:
        raise check.refuse("crop_size", fields["crop_size"], f"at least the size, {sides}")
    return sides, {"resize_mode": "perceiver", "resize_size": cropped}


@dataclass(frozen=True)
class Kind:
    """A kind of geometry."""

    #: The size and the options where the image is resized.
    resized: Callable[[Mapping[str, Any]], Geometry]
    #: Whether an image that is not resized can be cropped or padded to a size all the same.
    crops_alone: bool = True
    #: Fields that no other kind honours.
    fields: tuple[str, ...] = ()


#: Each kind by the name that the table of classes has it under.
KINDS = {
    "standard": Kind(standard),
    "convnext": Kind(convnext),
    "poolformer": Kind(poolformer),
    "levit": Kind(levit),
    "bridgetower": Kind(bridgetower, crops_alone=False),
    "janus": Kind(janus, crops_alone=False),
    "tvp": Kind(tvp),
    "pplcnet": Kind(pplcnet),
    "perceiver": Kind(perceiver, crops_alone=False),
    "sam": Kind(sam),
    "owlv2": Kind(owlv2, crops_alone=False),
    "aria": Kind(aria, crops_alone=False, fields=("max_image_size",)),
    "deepseek-ocr": Kind(deepseek_ocr, crops_alone=False, fields=("background_color", "tile_size")),
    "unlimited-ocr": Kind(
        unlimited_ocr, crops_alone=False, fields=("background_color", "maximum_pad_value")
    ),
    "maskformer": Kind(maskformer, fields=("size_divisor",)),
    "donut": Kind(donut, crops_alone=False, fields=("do_align_long_axis", "do_thumbnail")),
}


def geometry(kind: str, fields: Mapping[str, Any]) -> Geometry:
    """The size of the output, and the options of `Preprocess` that say how the image gets to it.

    Raises ValueError for a field that cannot be honoured.
    """
    if check.wanted(fields, "do_resize"):
        size, arguments = KINDS[kind].resized(fields)
    else:
        if not KINDS[kind].crops_alone:
            raise check.refuse("do_resize", False, "true: else outputs differ in size")
        size, arguments = _framed(
            fields, {"resize_mode": "none"}, "do_resize", False, "true, or do_center_crop true"
        )
    if _padded(fields) not in (None, size):
        raise check.refuse("pad_size", fields["pad_size"], f"{size}, the size of the output")
    return size, arguments


def size_dict(fields: Mapping[str, Any], name: str) -> dict[str, int]:
    """A size in the form that transformers writes it today (`get_size_dict`)."""
    size = fields.get(name)
    if isinstance(size, Mapping):
        return {str(key): check.number(f"{name}.{key}", value) for key, value in size.items()}
    if isinstance(size, (list, tuple)):
        height, width = check.pair(name, size)
        return {"height": height, "width": width}
    side = check.number(name, size)
    if name == "size" and not check.wanted(fields, "default_to_square"):
        return {"shortest_edge": side}
    return {"height": side, "width": side}


def _crop(fields: Mapping[str, Any]) -> tuple[int, int] | None:
    """Height and width of the crop; None where nothing is cropped."""
    if not check.wanted(fields, "do_center_crop"):
        return None
    size = size_dict(fields, "crop_size")
    if set(size) != {"height", "width"}:
        raise check.refuse("crop_size", fields["crop_size"], "to have a height and a width")
    return size["height"], size["width"]


def _padded(fields: Mapping[str, Any]) -> tuple[int, int] | None:
    """Height and width that an image is padded to at the end, in zeros; None where it is not."""
    if not check.wanted(fields, "do_pad") or fields.get("pad_size") is None:
        return None
    size = size_dict(fields, "pad_size")
    if set(size) != {"height", "width"}:
        raise check.refuse("pad_size", fields["pad_size"], "to have a height and a width")
    return size["height"], size["width"]


def _background(fields: Mapping[str, Any]) -> tuple[int, ...]:
    """The colour around an image."""
    colour = fields.get("background_color")
    levels = tuple(colour) if isinstance(colour, (list, tuple)) else ()
    if len(levels) != 3 or not all(type(level) is int and 0 <= level <= 255 for level in levels):
        raise check.refuse("background_color", colour, "three levels of 0 to 255")
    return levels


#: Options of an image that is padded at the end.
_CORNER: dict[str, Any] = {"position": "top-left", "fill_color": None}
#: The forms of a size that leave one side to the image, with the way of resizing and the numbers that it is about.
_FORMS: dict[tuple[str, ...], tuple[str, tuple[str, str]]] = {
    ("shortest_edge",): ("shortest", ("shortest_edge", "shortest_edge")),
    ("longest_edge", "shortest_edge"): ("detr", ("shortest_edge", "longest_edge")),
    ("max_height", "max_width"): ("fit", ("max_height", "max_width")),
}


def _resized(fields: Mapping[str, Any], written: object, size: Mapping[str, int]) -> Geometry:
    padded = _padded(fields)
    if set(size) == {"height", "width"}:
        resized = size["height"], size["width"]
        arguments: dict[str, Any] = {"resize_mode": "squash", "resize_size": resized}
        if check.wanted(fields, "do_center_crop") or padded in (None, resized):
            return _crop(fields) or resized, arguments
        if padded[0] < resized[0] or padded[1] < resized[1]:
            raise check.refuse("pad_size", fields["pad_size"], f"at least the size, {resized}")
        return padded, arguments | _CORNER
    if tuple(sorted(size)) not in _FORMS:
        raise check.refuse("size", written, "a shortest_edge, or a height and a width")
    mode, names = _FORMS[tuple(sorted(size))]
    arguments = {"resize_mode": mode, "resize_size": tuple(size[name] for name in names)}
    expected = "a height and a width where nothing is cropped or padded"
    return _framed(fields, arguments, "size", written, expected)


def _framed(
    fields: Mapping[str, Any], arguments: dict[str, Any], name: str, value: object, expected: str
) -> Geometry:
    """What is left of an image of any size: a crop, or all of it with padding."""
    cropped, padded = _crop(fields), _padded(fields)
    if cropped is not None:
        return cropped, arguments
    if padded is None:
        raise check.refuse(name, value, f"{expected}: else outputs differ in size")
    return padded, arguments | _CORNER


def _enlarged(fields: Mapping[str, Any], side: int) -> int:
    """A side that a crop by `crop_pct` makes `side` again."""
    return check.number("crop_pct", int(side / check.positive("crop_pct", fields.get("crop_pct"))))
