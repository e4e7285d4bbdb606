"""``clipprep view``: what the model sees, beside the source with the crop drawn."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clipprep import contact_sheet
from clipprep.cli import _arguments, _options, pictures
from clipprep.cli.names import say, warn

#: Where a sheet goes unless the command line says it.
DEFAULT = Path("contact_sheet.png")
DESCRIPTION = f"""\
Draw a contact sheet: each source with the crop as a box, and beside it what the
model sees, made from the tensor. The first {contact_sheet.MAX_IMAGES} images are shown, a bad one with
its error.
"""


def add(commands: Any) -> None:
    """The command and its arguments."""
    parser = _arguments.command(
        commands,
        "view",
        call,
        summary="draw what the model sees",
        description=DESCRIPTION,
        operands="SOURCE ...",
    )
    _arguments.add_sources(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"a picture: PNG, JPEG or WebP (default: {DEFAULT}, without --html)",
    )
    pictures.add_html(parser)
    _arguments.add_overwrite(parser)
    _arguments.add_model(parser)
    _arguments.add_json(parser)


def call(args: argparse.Namespace) -> int:
    """Run the command."""
    preprocess = _options.preprocess(args)
    out = args.out or (None if args.html else DEFAULT)
    pictures.check(out, args.html, overwrite=args.overwrite)
    with _arguments.find(args, preprocess) as listing:
        title = pictures.title(args, preprocess)
        drawn = pictures.draw(preprocess, listing, sheet=out, html=args.html, model=title)
        found = len(listing)
        left_out = listing.left_out
    for error in drawn.errors:
        warn(error)
    for line in left_out.lines():
        warn(line)
    paths = {name: str(path) for name, path in (("out", out), ("html", args.html)) if path}
    if args.json:
        counts = {"found": found, "shown": drawn.shown, "errors": len(drawn.errors)}
        _arguments.print_json({**paths, **counts, **left_out.as_json()})
    else:
        for path in paths.values():
            say(f"{path}: {drawn.shown} of {found:,} images")
    return 1 if drawn.errors else 0
