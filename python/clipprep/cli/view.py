"""``clipprep view``: what the model sees, beside the source with the crop drawn."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clipprep import contact_sheet
from clipprep.cli import _arguments, _options
from clipprep.cli.names import say, warn
from clipprep.cli.sources import find

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
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="as for `clipprep run`")
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
    sources = find(args.sources)
    if not sources:
        raise FileNotFoundError(f"no image files in {', '.join(args.sources)}")
    shown = sources[: contact_sheet.MAX_IMAGES]
    result = preprocess.try_batch(shown)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet.draw(preprocess, shown, result.pixels, result.errors).save(args.out)
    for error in result.errors.values():
        warn(error)
    if args.json:
        counts = {"found": len(sources), "shown": len(shown), "errors": len(result.errors)}
        _arguments.print_json({"out": str(args.out), **counts})
    else:
        say(f"{args.out}: {len(shown)} of {len(sources)} images")
    return 1 if result.errors else 0
