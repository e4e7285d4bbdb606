"""The meaning of the first argument of `Preprocess`: names of OpenAI, open_clip and timm by tables, those of the Hub by
their config, and objects of these libraries."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, TypeAlias

from .. import _core
from .._messages import kind, message, type_error, value_error
from ..errors import HubError
from . import files, hf, hub, libraries, objects, open_clip, timm, torchvision
from .names import tables

#: Height and width of the output, and the other options of `Preprocess`.
Named: TypeAlias = tuple[tuple[int, int], dict[str, Any]]


def by_object(value: object) -> Named | None:
    """The size, and the options of `Preprocess`, that an object of another library means; None for any other.

    Raises TypeError for a config or its path, which do not say whose they are.
    """
    match objects.kind(value):
        case "hf":
            return hf.read(value, None, {})
        case "open_clip":
            return open_clip.read(value, {})
        case "timm":
            return timm.read(value, {})
        case "torchvision":
            return torchvision.read(value, {})
    if isinstance(value, (Mapping, os.PathLike)):
        expected = "expected a model's name, a size or an object of its library"
        raise type_error(f"{expected}, found {kind(value)}: {_how_to_read(value)}")
    return None


def by_name(name: str, pretrained: str | None) -> Named:
    """The size, and the options of `Preprocess`, that a name means.

    Raises ValueError for a name that no table has, or two; OSError for one of the Hub that is not found.
    """
    if pretrained is None and name in tables.OPENAI:
        size = tables.OPENAI[name]
        return (size, size), {}
    if name.startswith(("hf-hub:", "hf_hub:")):
        return _of_the_hub(name, pretrained)
    of_open_clip = tables.open_clip(name, pretrained)
    of_timm = tables.timm(name) if pretrained is None else None
    if of_open_clip is not None and of_timm is not None:
        raise _ambiguous(name, f"open_clip:{name}", f"timm/{name}")
    if of_open_clip is not None:
        return open_clip.arguments_of(of_open_clip)
    if of_timm is not None:
        return timm.arguments_of(of_timm)
    if pretrained is not None:
        known = tables.listed("open_clip")
        raise tables.unknown(name, known, "a model of open_clip beside pretrained=")
    if hub.is_name(name) and files.is_name(name) and not _is_like_openais(name):
        try:
            return hf.read(name, "torchvision", {})
        except FileNotFoundError as error:
            raise _unknown(name, str(error)) from error
        except HubError as error:
            raise _with_nearest(error, name) from error.__cause__
    if name.isascii() and name.isdigit():
        raise _unknown(name, f"a size is an int: Preprocess({name[:9]})")
    raise _unknown(name, _how_to_read(name) if os.path.exists(name) else "")


def _how_to_read(config: object) -> str:
    """The method of `Preprocess` that reads a config, for an error about its use in the place of a name."""
    return libraries.hint(files.libraries_of(config)) or _ANY_METHOD


_ANY_METHOD = "Preprocess.from_hf, from_open_clip and from_timm read configs"


def _is_like_openais(name: str) -> bool:
    """Whether a name of two parts begins as those of OpenAI do, such as `ViT-B/32`."""
    first = {known.partition("/")[0].lower() for known in _core.available_models() if "/" in known}
    owner = name.partition("/")[0].lower().replace("_", "-")
    return bool(get_close_matches(owner, first, cutoff=0.8))


def _unknown(name: str, hint: str) -> ValueError:
    nearest = tables.all_near(name)
    return tables.unknown(name, tables.available(), "a model's name", hint, nearest)


def _with_nearest(error: OSError, name: str) -> OSError:
    """The error about a name of the Hub, with the names that need no Hub."""
    nearest = tables.all_near(name)
    if not nearest:
        return error
    return type(error)(message(f"{error}; known without the Hub: {', '.join(nearest)}"))


def _of_the_hub(name: str, pretrained: str | None) -> Named:
    """A name as open_clip and timm write those of the Hub: by the config that is there."""
    if pretrained is not None:
        raise type_error(f"expected pretrained= beside a name of open_clip, found {name!r}")
    repo = hub.without_prefix(name)
    if tables.loaded_by_both(repo):
        raise _ambiguous(name, f"Preprocess.from_open_clip({name!r})", repo)
    of_timm = tables.timm(repo) if repo.startswith("timm/") else None
    if of_timm is not None:
        return timm.arguments_of(of_timm)
    if not hub.is_name(name):
        raise value_error(f"expected hf-hub:OWNER/NAME, found {name[:200]!r}")
    try:
        found = files.read(name, (*libraries.FILES["open_clip"], *libraries.FILES["timm"]))
    except (FileNotFoundError, HubError) as error:
        raise _with_nearest(error, repo) from error.__cause__
    readers = {
        "open_clip": any(file in found for file in libraries.FILES["open_clip"]),
        "timm": "pretrained_cfg" in found.get("config.json", {}),
    }
    if all(readers.values()):
        raise _ambiguous(
            name, f"Preprocess.from_open_clip({name!r})", f"Preprocess.from_timm({name!r})"
        )
    if readers["timm"]:
        return timm.arguments_of(timm.find(name))
    return open_clip.arguments_of(open_clip.find(name))


def _ambiguous(name: str, open_clip: str, timm: str) -> ValueError:
    return value_error(
        f"expected a name of one library, found {name!r}, which open_clip and timm both have with other "
        f"preprocessing: give {open_clip} for open_clip's, {timm} for timm's"
    )
