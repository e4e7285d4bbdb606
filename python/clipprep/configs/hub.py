"""Find the config of a model of the Hugging Face Hub: in the local cache, else by `huggingface_hub`."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from .._messages import message, said
from ..errors import HubError

#: `owner/name`, with a revision where there is an `@`.
_NAME = re.compile(r"(?:hf[-_]hub:)?(?P<repo>[\w-][\w.-]*/[\w-][\w.-]*)(?:@(?P<revision>[\w.-]+))?")

#: Where a model's folder may have the config of its images: in sentence-transformers, diffusers' pipelines, immich.
FOLDERS = ("", "0_CLIPModel", "feature_extractor", "image_processor", "visual")


def without_prefix(name: str) -> str:
    """A name without open_clip's `hf-hub:` or timm's older `hf_hub:`."""
    return name.removeprefix("hf-hub:").removeprefix("hf_hub:")


def is_name(text: str) -> bool:
    """Whether a text has the form of a name of the Hub."""
    return len(text) <= 200 and _NAME.fullmatch(text) is not None and ".." not in text


def folder(
    name: str, wanted: Sequence[str], beside: Sequence[str] = (), *, download: bool = True
) -> Path:
    """The local folder of a model that has one of the files `wanted`, with those `beside` where they are.

    Raises FileNotFoundError where it is not in the cache, and the Hub has none either; HubError where the Hub gives
    no answer.
    """
    match = _NAME.fullmatch(name)
    assert match is not None, "checked by is_name"
    repo, revision = match["repo"], match["revision"] or "main"
    cached = snapshot(_cache() / f"models--{repo.replace('/', '--')}", revision)
    if cached is not None and has(cached, wanted):
        return cached
    hub = _library() if download else None
    if hub is None:
        raise FileNotFoundError(
            message(
                f"expected {' or '.join(wanted)} of {repo!r} in the cache of the Hub, {str(_cache())!r}, "
                "found none: pip install clipprep[hub] to download it, or give a folder"
            )
        )
    for inside in FOLDERS:
        found: Path | None = None
        for file in (*wanted, *beside):
            path = f"{inside}/{file}".lstrip("/")
            local = _download(hub, repo, path, revision)
            if local is not None and file in wanted:
                found = local.parents[path.count("/")]
        if found is not None:
            return found
    raise FileNotFoundError(
        message(f"expected {' or '.join(wanted)} in {repo!r} of the Hub, found none")
    )


def _library() -> Any:
    """The module `huggingface_hub`; None where it is not installed."""
    try:
        return import_module("huggingface_hub")
    except ImportError:
        return None


def _download(hub: Any, repo: str, path: str, revision: str) -> Path | None:
    """The local copy of a file of the Hub; None where the Hub has none."""
    errors = import_module("huggingface_hub.errors")
    expected = f"expected {path!r} of {repo!r} from the Hub"
    try:
        return Path(hub.hf_hub_download(repo, path, revision=revision))
    except errors.LocalEntryNotFoundError as error:  # which says nothing about the file
        why = said(error.__cause__ or error)
        found = f"no answer ({why}) and no copy in the cache: try again, or give a folder"
        raise HubError(message(f"{expected}, found {found}")) from error
    except errors.EntryNotFoundError:
        return None
    except errors.GatedRepoError as error:
        found = "a model that asks for consent: give it on the model's page, and run hf auth login"
        raise HubError(message(f"{expected}, found {found}")) from error
    except errors.RepositoryNotFoundError as error:
        found = "no such model: correct its name, or, where it is private, run hf auth login"
        raise FileNotFoundError(message(f"{expected}, found {found}")) from error
    except errors.RevisionNotFoundError as error:
        raise FileNotFoundError(message(f"{expected}, found no revision {revision!r}")) from error
    except Exception as error:  # of the network, of its server, of the disk
        raise HubError(
            message(f"{expected}, found {said(error)}: try again, or give a folder")
        ) from error


def root(path: Path) -> Path:
    """The folder of a model's files, where the path is that of its folder in the cache of the Hub."""
    if not (path / "snapshots").is_dir():
        return path
    found = snapshot(path, "main")
    if found is None:
        raise FileNotFoundError(
            message(f"expected a snapshot that refs/main names in {str(path)!r}, found none")
        )
    return found


def snapshot(cached: Path, revision: str) -> Path | None:
    """The folder of a revision in a model's folder in the cache; None where there is none."""
    reference = cached / "refs" / revision
    commit = reference.read_text("utf-8")[:100].strip() if reference.is_file() else revision
    if re.fullmatch(r"\w[\w.-]*", commit) is None:
        return None  # a path that leads elsewhere
    path = cached / "snapshots" / commit
    return path if path.is_dir() else None


def has(path: Path, wanted: Sequence[str]) -> bool:
    """Whether a folder has one of the files, or a folder in it that is known to hold them."""
    return any((path / inside / file).is_file() for inside in FOLDERS for file in wanted)


def _cache() -> Path:
    """The folder of the cache, by the variables that `huggingface_hub` reads."""
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(name):
            return Path(os.environ[name]).expanduser()
    home = os.environ.get("HF_HOME")
    if not home:
        cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        home = os.path.join(cache, "huggingface")
    return Path(home).expanduser() / "hub"
