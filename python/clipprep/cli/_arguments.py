"""Arguments that several commands have."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Collection
from typing import Any

import clipprep
from clipprep.cli import _options, progress, sources
from clipprep.cli.names import clean, write
from clipprep.cli.sources import kinds

Commands = argparse._SubParsersAction  # the type that argparse keeps to itself


def command(
    commands: Commands[argparse.ArgumentParser],
    name: str,
    call: Callable[[argparse.Namespace], int],
    *,
    summary: str,
    description: str,
    operands: str = "",
) -> argparse.ArgumentParser:
    """A parser whose arguments `call` turns into an exit status."""
    parser = commands.add_parser(
        name,
        help=summary,
        usage=f"clipprep {name} [OPTION ...] {operands}".rstrip(),
        description=description,
    )
    parser.set_defaults(call=call, parser=parser)
    return parser


def add_model(
    parser: argparse.ArgumentParser,
    shown: Collection[str] = (),
    names: Collection[str] = ("--model",),
) -> None:
    """--model, --config and the options of `Preprocess`, of which --help shows some."""
    argument = parser.add_argument(
        *names,
        dest="model",
        metavar="NAME",
        help=f"a model's name, N or HxW pixels (default: {_options.MODEL})",
    )
    vars(argument)["completer"] = lambda **_: clipprep.available_models()
    parser.add_argument(
        "--config",
        metavar="WHERE",
        help="a model's config: file, folder or name of the Hub",
    )
    for name, metavar, text in (
        ("--pretrained", "TAG", "the tag of the weights, beside a name of open_clip"),
        ("--backend", "NAME", "torchvision or pil, of transformers, beside --config"),
    ):
        _options.add_hidden(parser, name, metavar=metavar, help=text)
    _options.add(parser, shown)


def add_sources(
    parser: argparse.ArgumentParser, nargs: str = "+", summary: str = "as for run"
) -> None:
    """The sources, and how they are read."""
    parser.add_argument("sources", nargs=nargs, metavar="SOURCE", help=summary)
    for name, text in (
        ("--follow", "enter links to folders"),
        ("--null", "names on standard input end with a zero byte (find -print0)"),
        ("--remote", "ask for the addresses in lists and columns, too"),
    ):
        names = ("-0", name) if name == "--null" else (name,)
        _options.add_hidden(parser, *names, action="store_true", help=text)


def find(args: argparse.Namespace, preprocess: clipprep.Preprocess) -> sources.Listing:
    """The images that the sources stand for."""
    kinds.register_plugins()
    asked = sources.Asked(args.follow, args.null, args.remote, preprocess.limits.max_bytes)
    quiet = getattr(args, "quiet", False)
    return sources.find(args.sources, asked, lambda items: progress.counted(items, quiet=quiet))


def add_overwrite(parser: argparse._ActionsContainer) -> None:
    """--overwrite."""
    parser.add_argument("--overwrite", action="store_true", help="replace what stands at FILE")


def add_json(parser: argparse._ActionsContainer) -> None:
    """--json."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def print_json(value: Any) -> None:
    """The result of a command with --json."""
    write(json.dumps(clean(value), indent=2))


def positive(text: str) -> int:
    """A type for arguments: a number from 1 up."""
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a number from 1 up, found {text!r}")
    return int(text)
