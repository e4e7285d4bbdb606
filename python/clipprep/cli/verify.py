"""``clipprep verify``: a comparison with the reference on the Pillow that is installed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from clipprep import _pillow, verify
from clipprep.cli import _arguments, _options
from clipprep.cli.failures import FailedError
from clipprep.cli.names import say, warn
from clipprep.cli.sources import kinds
from clipprep.verify import report

DESCRIPTION = f"""\
Put the images of some folders through the model's transform on the installed
Pillow and through clipprep, and count where both give the same bits. Images are
files whose suffix or first bytes Pillow knows; of equal files the first. Other
processes read them: a crash or a hang costs one file. Skipped are files of more
than {verify.MAX_BYTES >> 20} MB, and formats that run other programs. Exit status 1: a file
differs, clipprep alone refuses it, or a crash.
"""


def add(commands: Any) -> None:
    """The command and its arguments."""
    parser = _arguments.command(
        commands,
        "verify",
        call,
        summary="compare with the installed Pillow, on your own files",
        description=DESCRIPTION,
        operands="FOLDER ...",
    )
    parser.add_argument(
        "folders", nargs="+", type=Path, metavar="FOLDER", help="folders of images, or single files"
    )
    _arguments.add_model(parser, names=("--model", "--size"))
    parser.add_argument(
        "--jobs",
        type=int,
        default=verify.default_jobs(),
        metavar="N",
        help="processes; 0: this one, where a crash ends it all",
    )
    parser.add_argument(
        "--markdown",
        type=Path,
        metavar="FILE",
        help="also write the tables, between FILE's marking lines",
    )
    _arguments.add_json(parser)


def call(args: argparse.Namespace) -> int:
    """Run the command."""
    if missing := [str(folder) for folder in args.folders if not folder.exists()]:
        raise FileNotFoundError(f"no such file or folder: {', '.join(missing)}")
    kinds.register_plugins()
    # Images larger than --max-pixels are skipped, on both sides.
    max_pixels = _options.given(args, "max_pixels", verify.MAX_PIXELS)
    # Pillow reads each file in this process in any case, to compare with.
    preprocess = _options.preprocess(
        args,
        pillow="installed",
        formats=_pillow.harmless_formats(),
        max_pixels=None,
        fallback="inline",
    )
    try:
        transform = verify.Transform(preprocess)
    except ValueError as error:
        raise FailedError(str(error)) from error
    files = verify.find(args.folders)
    verdicts = verify.verify(
        files, preprocess, max_pixels=max_pixels or sys.maxsize, jobs=args.jobs
    )
    found = list(verify.with_progress(verdicts))
    if not found:
        warn("no image files found")
    where = report.environment(preprocess)
    if args.json:
        _arguments.print_json(report.as_json(found, where, transform.name))
    elif found:
        for line in report.as_text(found, transform.name).splitlines():
            say(line)
    if args.markdown is not None:
        report.write_markdown(args.markdown, report.as_markdown(found, where))
    return int(not found or any(verdict.outcome in verify.FAILURES for verdict in found))
