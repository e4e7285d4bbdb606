"""``clipprep models``: the names that a model may have, and the size each stands for."""

from __future__ import annotations

import argparse
from typing import Any

import clipprep
from clipprep.cli import _arguments


def add(commands: Any) -> None:
    """The command and its arguments."""
    parser = _arguments.command(
        commands,
        "models",
        call,
        summary="list the models' names",
        description="List OpenAI's models and the side of their input in pixels.",
    )
    _arguments.add_json(parser)


def call(args: argparse.Namespace) -> int:
    """Run the command."""
    sizes = {name: clipprep.Preprocess(name).size for name in clipprep.available_models()}
    if args.json:
        _arguments.print_json(sizes)
    else:
        for name, size in sizes.items():
            print(f"{name:<16} {size}")
    return 0
