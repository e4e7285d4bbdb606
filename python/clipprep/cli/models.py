"""``clipprep models``: the names that a model may have, and the size of the output of each."""

from __future__ import annotations

import argparse
import fnmatch
from typing import Any

import clipprep
from clipprep.cli import _arguments
from clipprep.cli.names import say


def add(commands: Any) -> None:
    """The command and its arguments."""
    parser = _arguments.command(
        commands,
        "models",
        call,
        summary="list the models' names",
        description="List the models of OpenAI, open_clip and timm, and the size of their input in pixels.",
        operands="[PATTERN]",
    )
    parser.add_argument(
        "pattern",
        nargs="?",
        default="*",
        metavar="PATTERN",
        help="the names to list, with * and ?, such as 'ViT-*' (default: all)",
    )
    _arguments.add_json(parser)


def call(args: argparse.Namespace) -> int:
    """Run the command."""
    names = fnmatch.filter(clipprep.available_models(), args.pattern)
    if not names:
        hint = "" if set(args.pattern) & set("*?[") else f": try '*{args.pattern}*'"
        args.parser.error(
            f"expected a pattern that some name matches, found {args.pattern!r}{hint}"
        )
    sizes = {name: clipprep.Preprocess(name).size for name in names}
    if args.json:
        _arguments.print_json(sizes)
    else:
        for name, size in sizes.items():
            shown = size if isinstance(size, int) else "x".join(map(str, size))
            say(f"{name:<48} {shown}")
    return 0
