"""The files that ``clipprep verify`` compares."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

#: Larger files are skipped.
MAX_BYTES = 1 << 28


@dataclass(frozen=True)
class Item:
    """A file to verify, by its path or as its bytes, and what the report calls it."""

    source: Path | bytes
    name: str


def find(folders: Sequence[Path]) -> Iterator[Item]:
    """The image-like files of the folders, hidden ones left out; of equal files the first."""
    Image.init()
    seen: set[bytes] = set()
    for folder in folders:
        paths = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
        for path in paths:
            inside = path.relative_to(folder)
            if any(part.startswith(".") for part in inside.parts) or not path.is_file():
                continue
            try:
                if path != folder and not _looks_like_an_image(path):
                    continue
                if path.stat().st_size <= MAX_BYTES:
                    with path.open("rb") as opened:
                        digest = hashlib.file_digest(opened, "sha256").digest()
                    if digest in seen:
                        continue
                    seen.add(digest)
            except OSError:
                pass  # both sides shall say so
            yield Item(path, (folder.resolve().name / inside).as_posix())


def _looks_like_an_image(path: Path) -> bool:
    """Whether Pillow knows the suffix, or one of its plugins the first bytes."""
    if Image.EXTENSION.get(path.suffix.lower()) in Image.OPEN:
        return True
    with path.open("rb") as opened:
        prefix = opened.read(16)
    return any(_accepts(accept, prefix) for _, accept in Image.OPEN.values() if accept)


def _accepts(accept: Callable[[bytes], bool | str], prefix: bytes) -> bool:
    try:
        return accept(prefix) is True
    except Exception:  # too short for the plugin
        return False
