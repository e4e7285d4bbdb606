"""``clipprep run``: images to a file of tensors."""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter
from typing import Any

import clipprep
from clipprep import contact_sheet
from clipprep.cli import _arguments, _options, outputs, pictures, place
from clipprep.cli.failures import FailedError
from clipprep.cli.journal import Journal
from clipprep.cli.names import warn
from clipprep.cli.outputs.part import telling
from clipprep.cli.sources import Listing
from clipprep.cli.writing import State, prepare, terminable, write

DESCRIPTION = """\
Preprocess images into a file, a row each, in the order of the sources: files,
folders, patterns, tars, or - for a list of them on standard input. FILE ends in
.npy or .safetensors (FILE.jsonl names the rows), .parquet or .arrow (with the
columns id, ok, error, pixels), or / for a folder of Parquet. A bad image costs its
row, and exit status 1. The same command goes on after a stop.
"""


def add(commands: Any) -> None:
    """The command and its arguments."""
    parser = _arguments.command(
        commands,
        "run",
        call,
        summary="preprocess images into a file",
        description=DESCRIPTION,
        operands="SOURCE ...",
    )
    _arguments.add_sources(parser, summary="where the images are")
    parser.add_argument(
        "--out", default="tensors.npy", metavar="FILE", help="where to (default: %(default)s)"
    )
    _arguments.add_model(parser, shown=("dtype",))
    parser.add_argument(
        "--contact-sheet",
        type=Path,
        metavar="FILE",
        help=f"a picture of the first {contact_sheet.MAX_IMAGES}",
    )
    pictures.add_html(parser)
    _options.add_hidden(
        parser,
        "--threads",
        type=_arguments.positive,
        metavar="N",
        help="at most (default: all cores)",
    )
    _options.add_hidden(
        parser,
        "--batch-size",
        type=_arguments.positive,
        default=256,
        metavar="N",
        help="images at a time (default: %(default)s)",
    )
    restart = "begin anew what a stopped run has left"
    _options.add_hidden(parser, "--restart", action="store_true", help=restart)
    parser.add_argument("--quiet", action="store_true", help="say nothing but what fails")
    _arguments.add_overwrite(parser)
    _arguments.add_json(parser)


def call(args: argparse.Namespace) -> int:
    """Run the command."""
    tell = _silent if args.json or args.quiet else warn
    preprocess = _options.preprocess(args)
    out = Path(args.out)
    folder = args.out.endswith("/") or out.is_dir()
    try:
        outputs.check(out, folder=folder)
    except (ValueError, ImportError) as error:
        raise FailedError(str(error)) from error
    pictures.check(args.contact_sheet, args.html, overwrite=args.overwrite)
    start = perf_counter()
    with _arguments.find(args, preprocess) as listing:
        first = ", ".join(args.sources[:3]) + (", ..." if len(args.sources) > 3 else "")
        found = _step("find", len(listing), perf_counter() - start, first)
        run = {"preprocess": preprocess._outcome(), "rows": len(listing), "sources": listing.digest}
        output = outputs.output(out, preprocess, run, folder=folder)
        with telling(out):
            out.parent.mkdir(parents=True, exist_ok=True)
        journal = Journal(place.beside(out, ".progress"), run)
        start = perf_counter()
        with terminable(), place.locked(out):
            state = prepare(output, journal, restart=args.restart, overwrite=args.overwrite)
            # A command that is refused says nothing but why.
            tell(_build())
            tell(found)
            done = len(listing) if state is State.FINISHED else journal.done
            if state is State.RESUMED:
                tell(f"{out}: going on after row {done:,} of {len(listing):,}")
            if state is not State.FINISHED:
                write(
                    preprocess,
                    listing,
                    output,
                    journal,
                    batch_size=args.batch_size,
                    threads=args.threads,
                    quiet=args.quiet,
                )
        seconds = perf_counter() - start
        if state is State.FINISHED:
            tell(f"{out}: finished before, by the same sources and options: nothing to do")
        else:
            made = f"{out} {(len(listing), *preprocess.batch([]).shape[1:])} {preprocess.dtype}"
            tell(_step("preprocess", len(listing) - done, seconds, made))
        if args.contact_sheet or args.html:
            start = perf_counter()
            title = pictures.title(args, preprocess)
            drawn = pictures.draw(
                preprocess, listing, sheet=args.contact_sheet, html=args.html, model=title
            )
            paths = ", ".join(str(path) for path in (args.contact_sheet, args.html) if path)
            tell(_step("contact sheet", drawn.shown, perf_counter() - start, paths))

        _complain(journal, listing, quiet=args.quiet)
        if args.json:
            _arguments.print_json(
                {
                    "out": str(out),
                    "state": state.value,
                    "rows": len(listing),
                    "errors": journal.failed,
                    **listing.left_out.as_json(),
                    "resumed_at": done,
                    "seconds": round(seconds, 3),
                    "preprocess": repr(preprocess),
                }
            )
        return 1 if journal.failed else 0


def _build() -> str:
    info = clipprep.build_info()
    jpeg = "with SIMD" if info["jpeg_simd"] else "without SIMD (slow)"
    return f"clipprep {info['version']}: {info['simd']} kernels, JPEG {jpeg}"


def _step(name: str, images: int, seconds: float, detail: str) -> str:
    rate = f"{images} images in {seconds:.3f} s, {images / max(seconds, 1e-9):,.0f} images/s"
    return f"{name:<13} {rate}: {detail}"


def _complain(journal: Journal, listing: Listing, *, quiet: bool) -> None:
    """Says what failed, and what was left out."""
    for row, said in journal.errors.items() if not quiet else ():
        warn(f"row {row}: {said}")
    if journal.failed:
        warn(f"{journal.failed:,} of {len(listing):,} images could not be read")
    for line in listing.left_out.lines() if not quiet else ():
        warn(line)


def _silent(_: str) -> None:
    pass
