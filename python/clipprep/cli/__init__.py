"""The command line: ``clipprep run photos --out tensors.npy``. One module for each command."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import clipprep
from clipprep.cli import bench, doctor, explain, failures, models, run, verify, view
from clipprep.cli.names import warn

EPILOG = """\
`clipprep COMMAND --help` says more. Results go to standard output (with --json as
JSON), progress and errors to standard error. Exit status: 0 all went well, 1 an
image or a check failed, 2 nothing was done, 130 interrupted.
"""


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="clipprep",
        description="Turn images into the tensors that CLIP models expect.",
        epilog=EPILOG,
    )
    parser.add_argument("--version", action="version", version=clipprep.__version__)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in (run, view, explain, verify, bench, models, doctor):
        module.add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status; a wrong command exits with status 2."""
    failures.open_missing()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name may have what the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    try:
        return _called(_completed(parser()).parse_args(argv))
    finally:
        failures.drop_what_cannot_be_said()


def _called(args: argparse.Namespace) -> int:
    try:
        return failures.flushed(args.parser.prog, args.call(args))
    except (OSError, failures.FailedError) as error:
        raise SystemExit(failures.tell(args.parser.prog, error)) from None
    except KeyboardInterrupt:
        warn("interrupted")
        return 130


def _completed(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Answers a shell that asks how a line may go on, and exits then."""
    if "_ARGCOMPLETE" in os.environ:
        with contextlib.suppress(ImportError):
            import_module("argcomplete").autocomplete(parser)
    return parser
