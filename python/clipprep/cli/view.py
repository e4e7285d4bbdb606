"""``clipprep view``: what the model sees, beside the source with the crop drawn."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clipprep import contact_sheet
from clipprep.cli import _arguments, _options, pictures
from clipprep.cli.names import say, warn

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
        default=Path("contact_sheet.png"),
        metavar="FILE",
        help="where to (default: %(default)s)",
    )
    _arguments.add_model(parser)
    _arguments.add_json(parser)


def call(args: argparse.Namespace) -> int:
    """Run the command."""
    preprocess = _options.preprocess(args)
    with _arguments.find(args, preprocess) as listing:
        sheet = pictures.draw(preprocess, listing, args.out)
        found = len(listing)
        left_out = listing.left_out
    for error in sheet.errors:
        warn(error)
    for line in left_out.lines():
        warn(line)
    if args.json:
        counts = {"found": found, "shown": sheet.shown, "errors": len(sheet.errors)}
        _arguments.print_json({"out": str(args.out), **counts, **left_out.as_json()})
    else:
        say(f"{args.out}: {sheet.shown} of {found:,} images")
    return 1 if sheet.errors else 0
