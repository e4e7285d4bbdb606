"""``clipprep explain``: how an image is read and resized."""

from __future__ import annotations

import argparse
from typing import Any

import clipprep
from clipprep.cli import _arguments, _options
from clipprep.cli.names import say, warn

DESCRIPTION = """\
Say of each image how it is read and resized: format, mode, sizes, the crop, who
decodes it, the order of the passes. It is run, so that the answer is what happens.
"""


def add(commands: Any) -> None:
    """The command and its arguments."""
    parser = _arguments.command(
        commands,
        "explain",
        call,
        summary="say how images are read",
        description=DESCRIPTION,
        operands="SOURCE ...",
    )
    _arguments.add_sources(parser)
    _arguments.add_model(parser)
    _arguments.add_json(parser)


def call(args: argparse.Namespace) -> int:
    """Run the command."""
    preprocess = _options.preprocess(args)
    explained: list[dict[str, Any]] = []
    failed = False
    with _arguments.find(args, preprocess) as listing:
        sources = zip(listing, listing.sources(), strict=True)
        for item, source in sources:
            try:
                plan = preprocess.explain(source)._asdict()
            except (clipprep.ImageError, OSError) as error:
                failed = True
                explained.append({"source": item.name, "error": str(error)})
                if not args.json:
                    warn(error)
                continue
            explained.append({"source": item.name, "error": None, **plan})
            if not args.json:
                say(item.name)
                for name, value in plan.items():
                    if value:
                        say(f"  {name:<8} {'; '.join(value) if name == 'notes' else value}")
        for line in listing.left_out.lines():
            warn(line)
    if args.json:
        _arguments.print_json(explained)
    return int(failed)
