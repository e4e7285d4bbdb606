"""``clipprep run``: images to a file of tensors."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import clipprep
from clipprep import contact_sheet
from clipprep.cli import _arguments, _options, outputs
from clipprep.cli.journal import Journal
from clipprep.cli.progress import Progress
from clipprep.cli.sources import Source, find

DESCRIPTION = """\
Preprocess images into a file, a row each, in the order of the sources: files,
folders, patterns, tars, or - for a list of them on standard input. FILE ends in
.npy or .safetensors (a .jsonl beside it names the rows), .parquet or .arrow (with
the columns id, ok, error, pixels), or / for a folder of Parquet files. A bad image
costs its own row, and exit status 1. The same command goes on after a stop.
"""

#: So many errors are printed; all of them are in the output.
SHOWN = 20


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
    parser.add_argument("sources", nargs="+", metavar="SOURCE", help="where the images are")
    parser.add_argument(
        "--out", default="tensors.npy", metavar="FILE", help="where to (default: %(default)s)"
    )
    _arguments.add_model(parser, shown=("profile", "dtype"))
    parser.add_argument(
        "--contact-sheet",
        type=Path,
        metavar="FILE",
        help=f"a picture of the first {contact_sheet.MAX_IMAGES}, PNG",
    )
    parser.add_argument(
        "--threads", type=_arguments.positive, metavar="N", help="at most (default: all cores)"
    )
    parser.add_argument(
        "--batch-size",
        type=_arguments.positive,
        default=256,
        metavar="N",
        help="images at a time (default: %(default)s)",
    )
    parser.add_argument("--restart", action="store_true", help="forget what a stopped run has done")
    _arguments.add_json(parser)


def call(args: argparse.Namespace) -> int:
    """Run the command."""
    say = _silent if args.json else print
    preprocess = _options.preprocess(args)
    info = clipprep.build_info()
    jpeg = "with SIMD" if info["jpeg_simd"] else "without SIMD (slow)"
    say(f"clipprep {info['version']}: {info['simd']} kernels, JPEG {jpeg}")

    start = perf_counter()
    sources = find(args.sources)
    if not sources:
        raise FileNotFoundError(f"no image files in {', '.join(args.sources)}")
    say(_step("find", len(sources), perf_counter() - start, ", ".join(args.sources)))

    out = Path(args.out)
    folder = args.out.endswith("/") or out.is_dir()
    try:
        output = outputs.output(out, preprocess, len(sources), folder=folder)
    except (ValueError, ImportError) as error:
        args.parser.error(str(error))
    out.parent.mkdir(parents=True, exist_ok=True)
    journal = Journal(out.with_name(out.name + ".progress"), preprocess, sources)
    start = perf_counter()
    done = write(preprocess, sources, output, journal, args)
    seconds = perf_counter() - start
    errors = journal.errors
    shape = (len(sources), *preprocess.batch([]).shape[1:])
    say(_step("preprocess", len(sources) - done, seconds, f"{out} {shape} {preprocess.dtype}"))

    if args.contact_sheet is not None:
        start = perf_counter()
        shown = sources[: contact_sheet.MAX_IMAGES]
        args.contact_sheet.parent.mkdir(parents=True, exist_ok=True)
        sheet = contact_sheet.draw(preprocess, shown, output.first(len(shown)), errors)
        sheet.save(args.contact_sheet)
        say(_step("contact sheet", len(shown), perf_counter() - start, str(args.contact_sheet)))

    for row, said in list(errors.items())[:SHOWN]:
        print(f"row {row}: {said}", file=sys.stderr)
    if errors:
        print(f"{len(errors)} of {len(sources)} images could not be read", file=sys.stderr)
    if args.json:
        _arguments.print_json(
            {
                "out": str(out),
                "rows": len(sources),
                "errors": len(errors),
                "resumed_at": done,
                "seconds": round(seconds, 3),
                "preprocess": repr(preprocess),
            }
        )
    return 1 if errors else 0


def write(
    preprocess: clipprep.Preprocess,
    sources: list[Source],
    output: outputs.Output,
    journal: Journal,
    args: argparse.Namespace,
) -> int:
    """Writes what is not written yet; gives how many rows an earlier run had done."""
    resumed = not args.restart and journal.resume()
    output.open(resumed)
    if not resumed:
        journal.start()
    done = journal.done
    left = sources[done:]
    try:
        with Progress(len(sources), done) as progress:
            batches = preprocess.stream(left, batch_size=args.batch_size, num_threads=args.threads)
            for batch in batches:
                row = done + batch.start
                some = left[batch.start : batch.start + len(batch.pixels)]
                output.write(some, row, batch)
                journal.add(len(some), {row + i: str(e) for i, e in batch.errors.items()})
                progress.advance(len(some), len(batch.errors))
    except KeyboardInterrupt:
        print(f"{journal.done:,} rows are kept: the same command goes on", file=sys.stderr)
        raise
    output.finish(sources, journal.errors)
    journal.remove()
    return done


def _step(name: str, images: int, seconds: float, detail: str) -> str:
    rate = f"{images} images in {seconds:.3f} s, {images / seconds:,.0f} images/s"
    return f"{name:<13} {rate}: {detail}"


def _silent(_: str) -> None:
    pass
