"""The contact sheet and the page of a listing, which `run` and `view` draw. Only our own are replaced."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

import clipprep
from clipprep import contact_sheet
from clipprep.cli import place
from clipprep.cli.failures import FailedError
from clipprep.cli.names import shown
from clipprep.cli.outputs.part import telling
from clipprep.cli.sources import Listing
from clipprep.sheets.page import GENERATOR

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_SOFTWARE = 305  # the tag of EXIF
_OURS = "clipprep"


@dataclass(frozen=True)
class Pictures:
    """The images that are drawn, and the errors of the bad ones."""

    shown: int
    errors: list[str]


def add_html(parser: argparse.ArgumentParser) -> None:
    """--html."""
    parser.add_argument(
        "--html", type=Path, metavar="FILE", help="a page for a browser, which sorts the images"
    )


def check(sheet: Path | None, html: Path | None, *, overwrite: bool) -> None:
    """Raises FailedError before any work where a picture cannot be, or would replace what is not ours."""
    if sheet is not None and sheet.suffix.lower() not in _FORMATS:
        raise FailedError(f"expected a file ending in {', '.join(_FORMATS)}, found {sheet}")
    for path, is_ours in ((sheet, _is_our_sheet), (html, _is_our_page)):
        if path is not None and os.path.lexists(path) and not (overwrite or is_ours(path)):
            raise FailedError(
                f"{path}: expected nothing there or a picture of clipprep, found something else;"
                " --overwrite replaces it"
            )


def draw(
    preprocess: clipprep.Preprocess,
    listing: Listing,
    *,
    sheet: Path | None,
    html: Path | None,
    model: str,
) -> Pictures:
    """Draws the first images of a listing, as a sheet, a page or both."""
    images, sources, failed = [], [], {}
    for row, (name, source) in enumerate(listing.first(contact_sheet.MAX_IMAGES)):
        if isinstance(source, Exception):
            failed[row] = str(source)
            source = b""
        images.append(contact_sheet.Shown(name, source))
        sources.append(source)
    result = preprocess.try_batch(sources)
    errors = {row: str(error) for row, error in result.errors.items()} | failed
    if sheet is not None:
        picture = contact_sheet.draw(preprocess, images, result.pixels, errors, model)
        exif, encoded = Image.Exif(), BytesIO()
        exif[_SOFTWARE] = _OURS
        picture.save(encoded, _FORMATS[sheet.suffix.lower()], exif=exif)
        _write(sheet, encoded.getvalue())
    if html is not None:
        page = contact_sheet.page(preprocess, images, result.pixels, errors, model)
        _write(html, page.encode())
    return Pictures(len(images), [_named(images[row].name, errors[row]) for row in sorted(errors)])


def title(args: argparse.Namespace, preprocess: clipprep.Preprocess) -> str:
    """The model's name and what it means."""
    name = args.config or args.model
    return f"{name}: {preprocess!r}" if name else repr(preprocess)


def _write(path: Path, data: bytes) -> None:
    part = place.beside(path, ".part")
    with telling(path, len(data)):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(data)
            place.put(part, path)
        except OSError:
            part.unlink(missing_ok=True)
            raise


def _named(name: str, error: str) -> str:
    return error if shown(name) in shown(error) else f"{name}: {error}"


def _is_our_sheet(path: Path) -> bool:
    try:
        with Image.open(path, formats=sorted(set(_FORMATS.values()))) as image:
            return image.getexif().get(_SOFTWARE) == _OURS
    except Exception:  # no picture
        return False


def _is_our_page(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return GENERATOR.encode() in file.read(1000)
    except OSError:
        return False
