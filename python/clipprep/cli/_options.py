"""The options of `Preprocess` as flags, made from the core's table: a new option needs nothing here."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection, Iterator
from functools import partial
from typing import Any

import clipprep
from clipprep import _core, _helper
from clipprep.cli import _config
from clipprep.cli.failures import FailedError

#: The model where the command line names none.
MODEL = "ViT-B/32"
#: Where an option's value is kept among a command's arguments.
_PREFIX = "preprocess_"
#: Where the help of an argument that --help does not say is kept.
_HIDDEN = "hidden_help"


def add(parser: argparse.ArgumentParser, shown: Collection[str]) -> None:
    """A flag for each option. --help says those that are `shown`, --help-options all of them."""
    for row in _rows():
        _add(parser, row, shown=row["name"] in shown)
    parser.add_argument(
        "--help-options", action=_HelpOptions, nargs=0, help="list the other options, too"
    )


def add_hidden(parser: argparse.ArgumentParser, *names: str, **settings: Any) -> None:
    """An argument that --help-options says, and --help does not."""
    action = parser.add_argument(*names, **{**settings, "help": argparse.SUPPRESS})
    vars(action)[_HIDDEN] = settings["help"]


def given(args: argparse.Namespace, name: str, otherwise: Any) -> Any:
    """The value of an option, if the command line has it."""
    return getattr(args, _PREFIX + name, otherwise)


def preprocess(args: argparse.Namespace, **decided: Any) -> clipprep.Preprocess:
    """The `Preprocess` of `--model` or `--config` and the flags. A command has `decided` on some options, where the flags
    say nothing else; `fallback` is the command line's own choice, where neither says it."""
    options = (
        {"fallback": _helper.usual()}
        | decided
        | {
            name.removeprefix(_PREFIX): value
            for name, value in vars(args).items()
            if name.startswith(_PREFIX)
        }
    )
    parser: argparse.ArgumentParser = args.parser
    names = {row["name"] for row in _core.describe_limits()}
    bounds = {name: options.pop(name) for name in names & options.keys()}
    try:
        if bounds:
            options["limits"] = clipprep.Limits(**bounds)
        if args.config is not None:
            for name in ("model", "pretrained"):
                if getattr(args, name) is not None:
                    parser.error(f"expected one of --config and --{name}")
            return _config.preprocess(args.config, args.backend, options)
        if args.backend is not None:
            parser.error("expected --config beside --backend")
        if args.pretrained is not None:
            options["pretrained"] = args.pretrained
        return clipprep.Preprocess(_model(args.model or MODEL), **options)
    except (TypeError, ValueError) as error:
        parser.error(str(error))
    except OSError as error:
        raise FailedError(str(error)) from error


def _model(text: str) -> str | int | tuple[int, int]:
    """A model's name or a size, as `Preprocess` takes it."""
    try:
        return size(text)
    except argparse.ArgumentTypeError:
        return text


def usages(row: _core._Row) -> list[str]:
    """The flags of a row as they are written."""
    if row["kind"] == "limits":
        return [usage for bound in _core.describe_limits() for usage in usages(bound)]
    name = "--" + row["name"].replace("_", "-")
    if row["kind"] == "flag":
        return [name, name.replace("--", "--no-", 1)]
    metavar = _KINDS[row["kind"]][1]
    return [" ".join([name, *([metavar] if isinstance(metavar, str) else metavar)])]


def size(text: str) -> int | tuple[int, int]:
    """A side in pixels, or HEIGHTxWIDTH."""
    sides = text.split("x")
    if not all(side.isdecimal() for side in sides) or len(sides) > 2:
        raise argparse.ArgumentTypeError(f"expected N or HEIGHTxWIDTH, found {text!r}")
    return int(text) if len(sides) == 1 else (int(sides[0]), int(sides[1]))


def _or_none(value: Callable[[str], Any]) -> Callable[[str], Any]:
    def parse(text: str) -> Any:
        return None if text == "none" else value(text)

    parse.__name__ = f"{value.__name__.lstrip('_')} or none"  # which argparse shows
    return parse


def _colour(text: str) -> int | list[int]:
    levels = [int(level) for level in text.split(",")]
    return levels[0] if len(levels) == 1 else levels


def _names(text: str) -> list[str]:
    return text.split(",")


#: How a value of each kind is parsed and shown.
_KINDS: dict[str, tuple[Callable[[str], Any], str | tuple[str, ...]]] = {
    "bound": (_or_none(int), "N"),
    "choice": (str, "NAME"),
    "colour": (_or_none(_colour), "N[,N,N]"),
    "factor": (_or_none(float), "X"),
    "names": (_names, "NAME[,NAME...]"),
    "numbers": (float, ("R", "G", "B")),
    "size": (size, "N"),
}


def _rows() -> Iterator[_core._Row]:
    for row in _core.describe_options():
        yield from _core.describe_limits() if row["kind"] == "limits" else [row]


def _add(parser: argparse.ArgumentParser, row: _core._Row, *, shown: bool) -> None:
    kind, choices = row["kind"], row.get("choices")
    settings: dict[str, Any] = {"dest": _PREFIX + row["name"], "default": argparse.SUPPRESS}
    summary = " ".join(row["doc"].split()).partition(". ")[0].removesuffix(".")
    if kind == "flag":
        settings["action"] = argparse.BooleanOptionalAction
    else:
        settings["type"], settings["metavar"] = _KINDS[kind]
        if kind == "numbers":
            settings["nargs"] = 3
    if choices:
        settings["choices"] = list(choices)
        summary = ", ".join(choices)
    if row["default"] is not None:
        value = row["default"]
        summary += f" (default: {value:g})" if isinstance(value, float) else f" (default: {value})"
    summary = summary.replace("%", "%%").replace("`", "")
    settings["help"] = summary
    (parser.add_argument if shown else partial(add_hidden, parser))(
        "--" + row["name"].replace("_", "-"), **settings
    )


class _HelpOptions(argparse.Action):
    """Lists every option and exits."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        for action in parser._actions:
            action.help = getattr(action, _HIDDEN, action.help)
        parser.exit(message=parser.format_help())
