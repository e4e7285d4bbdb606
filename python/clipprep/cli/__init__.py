"""The command line: ``clipprep run photos --out tensors.npy``. One module for each command."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence

import clipprep
from clipprep.cli import bench, doctor, explain, failures, models, run, verify, view

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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a name may have what the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    args = parser().parse_args(argv)
    try:
        status: int = args.call(args)
    except (OSError, failures.FailedError) as error:
        raise SystemExit(failures.tell(args.parser.prog, error)) from None
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    return failures.flushed(args.parser.prog, status)
