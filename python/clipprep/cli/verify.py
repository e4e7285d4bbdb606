"""``clipprep verify``: a comparison with the reference on the Pillow that is installed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from clipprep import _pillow, verify
from clipprep.cli import _arguments, _options
from clipprep.verify import report

DESCRIPTION = f"""\
Put the images of some folders through OpenAI's transform on the installed Pillow
and through clipprep, and count where both give the same bits. Images are files
whose suffix or first bytes Pillow knows; of equal files the first. Other processes
read them: a crash or a hang ({verify.TIMEOUT:g} s) costs one file. Skipped are files of more
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
    parser.add_argument(
        "--model",
        "--size",
        type=_arguments.model,
        default="ViT-B/32",
        help="as for run (default: %(default)s)",
    )
    _options.add_some(parser, ("truncated", "exif"))  # the reference has no others
    parser.add_argument(
        "--max-pixels",
        type=_arguments.positive,
        default=verify.MAX_PIXELS,
        metavar="N",
        help="skip what is larger, before or after resizing",
    )
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
        args.parser.error(f"no such file or folder: {', '.join(missing)}")
    preprocess = _options.preprocess(args, pillow="installed", formats=_pillow.harmless_formats())
    if not isinstance(preprocess.size, int):
        args.parser.error(f"expected a square size, as the reference has, found {preprocess.size}")
    files = verify.find(args.folders)
    verdicts = verify.verify(files, preprocess, max_pixels=args.max_pixels, jobs=args.jobs)
    found = list(verify.with_progress(verdicts))
    if not found:
        print("no image files found", file=sys.stderr)
    where = report.environment(preprocess)
    print((report.as_json if args.json else report.as_text)(found, where))
    if args.markdown is not None:
        report.write_markdown(args.markdown, report.as_markdown(found, where))
    return int(not found or any(verdict.outcome in verify.FAILURES for verdict in found))
