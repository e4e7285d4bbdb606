"""Look up names of models in the tables of open_clip and timm."""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Mapping
from importlib.resources import files
from typing import Any, Literal, TypeAlias

from ... import _core
from ..._messages import shown, type_error, value_error
from .near import near

#: OpenAI's own names of its models on the Hub. They mean OpenAI's transform, not the processors of transformers.
OPENAI: Mapping[str, int] = {
    "openai/clip-vit-base-patch32": 224,
    "openai/clip-vit-base-patch16": 224,
    "openai/clip-vit-large-patch14": 224,
    "openai/clip-vit-large-patch14-336": 336,
}

Library: TypeAlias = Literal["open_clip", "timm"]


@functools.cache
def _read(library: Library) -> dict[str, Any]:
    content = files(__package__).joinpath(f"{library}.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(content)
    return table


@functools.cache
def models(library: Library) -> dict[str, dict[str, int]]:
    """The tags of each model's weights, with the number of the config that each has."""
    return {
        name: {tag: int(number) for number, tags in by_config.items() for tag in tags.split(" ")}
        for name, by_config in _read(library)["models"].items()
    }


#: The ends of files of weights.
_CHECKPOINTS = (".pt", ".pth", ".bin", ".ckpt", ".npz", ".safetensors")


def open_clip(name: str, pretrained: str | None) -> dict[str, Any] | None:
    """The `preprocess_cfg` of a model of open_clip; None for a name that is unknown.

    `NAME:TAG`, as `open_clip.list_pretrained(as_str=True)` writes it, stands for both. A name without a tag means
    what all its weights share, else what those of OpenAI have.

    Raises ValueError for a tag that is unknown, and where the weights of a name without one differ.
    """
    if not isinstance(pretrained, str | None):
        raise type_error(f"expected pretrained= a tag or None, found {shown(pretrained)}")
    name, _, tag = name.removeprefix("open_clip:").replace("/", "-").partition(":")
    tags = models("open_clip").get(name)
    if tags is None:
        return None
    tag = tag if pretrained is None else pretrained
    tag = tag.lower().replace("-", "_")
    if not tag:
        number = tags.get("openai")
        if number is None and len(set(tags.values())) > 1:
            raise value_error(
                f"expected pretrained= one of {', '.join(tags)} for {name!r}, whose weights differ in their "
                "preprocessing, found none"
            )
        number = next(iter(tags.values())) if number is None else number
    elif tag not in tags and tag.endswith(_CHECKPOINTS):
        raise value_error(
            f"expected pretrained= a tag of {name!r}, found the checkpoint file {shown(pretrained or tag)}, which has"
            " no config: leave pretrained= out, give the tag of the weights that it was trained from, or pass"
            " its preprocess_cfg to Preprocess.from_open_clip"
        )
    elif tag not in tags and pretrained is None:
        full = [f"{name}:{known}" for known in tags if known]
        raise unknown(f"{name}:{tag}", full, "a model of open_clip")
    elif tag not in tags:
        raise unknown(tag, list(filter(None, tags)), f"pretrained= for {name!r}")
    else:
        number = tags[tag]
    config: dict[str, Any] = _read("open_clip")["configs"][number]
    return dict(config)


def timm(name: str) -> dict[str, Any] | None:
    """The data config of a model of timm; None for a name that is unknown.

    Raises ValueError for a tag that is unknown.
    """
    name = name.removeprefix("timm/")
    name = _read("timm")["renamed"].get(name, name)
    name, _, tag = name.partition(".")
    tags = models("timm").get(name)
    if tags is None:
        return None
    if tag not in tags:
        full = [f"{name}.{known}" for known in tags if known]
        raise unknown(f"{name}.{tag}", full, "a model of timm")
    config: dict[str, Any] = _read("timm")["configs"][tags[tag]]
    return dict(config)


def loaded_by_both(name: str) -> bool:
    """Whether open_clip and timm load weights by this name of the Hub, each with its own transform."""
    return name in _read("open_clip")["also_of_timm"]


@functools.cache
def listed(library: Library) -> tuple[str, ...]:
    """Every name of a library that stands for one config, in a form that no other library has."""
    own = models(library)
    others = models("timm" if library == "open_clip" else "open_clip")
    if library == "timm":
        return tuple(
            f"timm/{name}" if name in others and not tag else ".".join(filter(None, (name, tag)))
            for name, tags in own.items()
            for tag in tags
        )
    return tuple(
        form
        for name, tags in own.items()
        for form in (
            [f"open_clip:{name}" if name in others else name]
            if "openai" in tags or len(set(tags.values())) == 1
            else [f"{name}:{tag}" for tag in tags]
        )
    )


def available(library: Literal["openai", "open_clip", "timm"] | None = None) -> list[str]:
    """The list that `clipprep.available_models` returns."""
    openai = [*_core.available_models(), *OPENAI]
    match library:
        case None:
            return list(dict.fromkeys([*openai, *listed("open_clip"), *listed("timm")]))
        case "openai":
            return openai
        case "open_clip" | "timm":
            return list(listed(library))
    raise value_error(f"expected library= one of openai, open_clip, timm, found {library!r}")


#: More names than a message lists.
_MANY = 30


def all_near(name: str) -> list[str]:
    """The names of every library, with and without tags, that a name may mean."""
    pairs = (f"{name}:{tag}" for name, tags in models("open_clip").items() for tag in tags if tag)
    return near(name, [*available(), *pairs])


def unknown(
    name: str, known: Collection[str], what: str, hint: str = "", nearest: Collection[str] = ()
) -> ValueError:
    """The error about a name that is not among those known, with the nearest ones, or all where they are few."""
    listed = nearest or near(name, known) or known
    if len(listed) > _MANY:
        listed = ["ViT-B/32"] if "ViT-B/32" in known else [next(iter(known))]
        hint = hint or "clipprep.available_models() lists all"
    what += f" such as {', '.join(map(repr, listed))}"
    return value_error(f"expected {what}, found {name[:200]!r}" + (f"; {hint}" if hint else ""))
