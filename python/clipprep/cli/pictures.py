"""The contact sheet of a listing, which `run` and `view` draw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import clipprep
from clipprep import contact_sheet
from clipprep.cli.sources import Listing


@dataclass(frozen=True)
class Sheet:
    """The picture that was drawn."""

    shown: int
    errors: list[str]


def draw(preprocess: clipprep.Preprocess, listing: Listing, out: Path) -> Sheet:
    """Draws the first images of a listing."""
    shown, sources, failed = [], [], {}
    for row, (name, source) in enumerate(listing.first(contact_sheet.MAX_IMAGES)):
        if isinstance(source, OSError):
            failed[row] = str(source)
            source = b""
        shown.append(contact_sheet.Shown(name, source))
        sources.append(source)
    result = preprocess.try_batch(sources)
    errors = {row: str(error) for row, error in result.errors.items()} | failed
    out.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet.draw(preprocess, shown, result.pixels, errors).save(out)
    return Sheet(len(shown), [_named(shown[row].name, errors[row]) for row in sorted(errors)])


def _named(name: str, error: str) -> str:
    return error if name in error else f"{name}: {error}"
