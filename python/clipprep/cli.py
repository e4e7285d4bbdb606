"""The command line: ``clipprep run photos --out tensors.npy --contact-sheet sheet.png``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.lib.format import open_memmap

import clipprep
from clipprep import contact_sheet, verify, verify_report

#: What a folder is searched for; a file named on the command line may have any suffix.
IMAGE_SUFFIXES = (
    *(".apng", ".avif", ".bmp", ".dib", ".gif", ".ico", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg"),
    *(".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".qoi", ".tga", ".tif", ".tiff", ".webp"),
)

RUN_DESCRIPTION = f"""\
Preprocess images into one NumPy file: an array (N, 3, n, n) of float32.

Row i belongs to the i-th file, in the order of the sources; a folder gives its image
files sorted by path, those of its subfolders included, hidden ones left out. Beside the
array, a file of the same name with the suffix .jsonl says line by line what is in a row:
{{"row": 0, "source": "cat.jpg", "error": null}}

A file that cannot be read costs its own row and no other: that row is all zeros, the
error is in the .jsonl file and on standard error, and the exit status is 1.

The contact sheet shows the first {contact_sheet.MAX_IMAGES} files, each source with the crop drawn as
a box and beside it what the model sees.
"""

VERIFY_DESCRIPTION = f"""\
Put every image file of some folders through OpenAI's transform on the installed Pillow and
through clipprep, and count where both give the same bits.

Files count as images when Pillow knows their suffix or their first bytes; of files with the
same bytes the first counts. They are read in other processes, so that a crash or a hang
({verify.TIMEOUT:g} s) costs one file and no more. Skipped are files of more than
{verify.MAX_BYTES >> 20} MB, images over --max-pixels, and formats that run other programs.

The exit status is 1 when a file differs, when clipprep alone refuses it, or on a crash.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    0: every file became a row; 1: some did not. A wrong command exits with status 2.
    """
    parser = argparse.ArgumentParser(
        prog="clipprep", description="Turn images into the tensors that CLIP models expect."
    )
    parser.add_argument("--version", action="version", version=clipprep.build_info()["version"])
    commands = parser.add_subparsers(title="commands", required=True)

    run = commands.add_parser(
        "run",
        help="preprocess image files into one .npy file",
        description=RUN_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("sources", nargs="+", type=Path, help="image files, and folders of them")
    run.add_argument(
        "--model",
        type=_model,
        default="ViT-B/32",
        help=f"{', '.join(clipprep.available_models())}, or a side length in pixels"
        " (default: %(default)s)",
    )
    run.add_argument(
        "--out",
        type=Path,
        default=Path("tensors.npy"),
        metavar="FILE.npy",
        help="where the array goes (default: %(default)s)",
    )
    run.add_argument("--contact-sheet", type=Path, metavar="FILE.png", help="none without this")
    run.add_argument("--threads", type=_positive, metavar="N", help="default: one for each core")
    run.add_argument(
        "--batch-size",
        type=_positive,
        default=256,
        metavar="N",
        help="how many images one call preprocesses (default: %(default)s)",
    )

    check = commands.add_parser(
        "verify",
        help="compare with the installed Pillow, on your own files",
        description=VERIFY_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("folders", nargs="+", type=Path, help="folders of images, or single files")
    check.add_argument(
        "--model",
        "--size",
        type=_model,
        default="ViT-B/32",
        help="as for run (default: %(default)s)",
    )
    check.add_argument(
        "--truncated",
        choices=["error", "pad"],
        default="error",
        help="pad compares what is made of truncated files too, with Pillow's"
        " LOAD_TRUNCATED_IMAGES (default: %(default)s)",
    )
    check.add_argument(
        "--exif", action="store_true", help="turn images as ImageOps.exif_transpose does"
    )
    check.add_argument(
        "--max-pixels",
        type=_positive,
        default=verify.MAX_PIXELS,
        metavar="N",
        help="skip what is larger, before or after resizing (default: %(default)s)",
    )
    check.add_argument(
        "--jobs",
        type=int,
        default=verify.default_jobs(),
        metavar="N",
        help="processes; 0 works in this one, where a crash ends it all (default: %(default)s)",
    )
    check.add_argument("--json", action="store_true", help="print JSON, with a line for each file")
    check.add_argument(
        "--markdown",
        type=Path,
        metavar="FILE.md",
        help="also write the tables to a file, between its marking lines if it exists",
    )

    args = parser.parse_args(argv)
    if "folders" in args:
        if missing := [str(folder) for folder in args.folders if not folder.exists()]:
            check.error(f"no such file or folder: {', '.join(missing)}")
        return _verify(args)
    try:
        return _run(
            clipprep.Preprocess(args.model),
            args.sources,
            args.out,
            args.contact_sheet,
            args.threads,
            args.batch_size,
        )
    except OSError as error:
        run.error(str(error))


def _model(text: str) -> str | int:
    model = int(text) if text.isdecimal() else text
    try:
        clipprep.Preprocess(model)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return model


def _positive(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"expected a number from 1 up, found {text!r}")
    return int(text)


def _verify(args: argparse.Namespace) -> int:
    preprocess = clipprep.Preprocess(
        args.model, pillow="installed", truncated=args.truncated, exif=args.exif
    )
    files = verify.find(args.folders)
    verdicts = verify.verify(files, preprocess, max_pixels=args.max_pixels, jobs=args.jobs)
    found = list(verify.with_progress(verdicts))
    if not found:
        print("no image files found", file=sys.stderr)
    where = verify_report.environment(preprocess)
    print((verify_report.as_json if args.json else verify_report.as_text)(found, where))
    if args.markdown is not None:
        verify_report.write_markdown(args.markdown, verify_report.as_markdown(found, where))
    return int(not found or any(verdict.outcome in verify.FAILURES for verdict in found))


def _run(
    preprocess: clipprep.Preprocess,
    sources: Sequence[Path],
    out: Path,
    sheet: Path | None,
    threads: int | None,
    batch_size: int,
) -> int:
    info = clipprep.build_info()
    jpeg = "with SIMD" if info["jpeg_simd"] else "without SIMD (slow)"
    print(f"clipprep {info['version']}: {info['simd']} kernels, JPEG {jpeg}")

    start = perf_counter()
    paths = find_images(sources)
    if not paths:
        raise FileNotFoundError(f"no image files in {', '.join(map(str, sources))}")
    _report("find", len(paths), start, ", ".join(map(str, sources)))

    start = perf_counter()
    out.parent.mkdir(parents=True, exist_ok=True)
    errors = write_tensors(preprocess, paths, out, threads=threads, batch_size=batch_size)
    tensors = np.load(out, mmap_mode="r")
    _report("preprocess", len(paths), start, f"{out} {tensors.shape} {tensors.dtype}")

    if sheet is not None:
        start = perf_counter()
        sheet.parent.mkdir(parents=True, exist_ok=True)
        contact_sheet.draw(preprocess, paths, tensors, errors).save(sheet)
        _report("contact sheet", min(len(paths), contact_sheet.MAX_IMAGES), start, str(sheet))

    for row, error in errors.items():
        print(f"row {row}: {error}", file=sys.stderr)
    if errors:
        print(f"{len(errors)} of {len(paths)} files could not be read", file=sys.stderr)
    return 1 if errors else 0


def _report(step: str, images: int, start: float, detail: str) -> None:
    seconds = perf_counter() - start
    rate = f"{images} images in {seconds:.3f} s, {images / seconds:,.0f} images/s"
    print(f"{step:<13} {rate}: {detail}")


def find_images(sources: Iterable[Path]) -> list[Path]:
    """The files among `sources`, and in their place the image files of each folder."""
    found: list[Path] = []
    for source in sources:
        if source.is_dir():
            found += sorted(path for path in source.rglob("*") if _is_image(path, source))
        else:
            found.append(source)
    return found


def _is_image(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return not hidden and path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()


def write_tensors(
    preprocess: clipprep.Preprocess,
    paths: Sequence[Path],
    out: Path,
    *,
    threads: int | None = None,
    batch_size: int = 256,
) -> dict[int, Exception]:
    """Write one row for each path to the .npy file `out`, and its index beside it.

    The rows are written in place through a memory map, `batch_size` at a time, so memory
    stays bounded. `out` appears only when it is complete.

    Returns the errors of the rows that could not be read; those rows are zero.
    """
    shape = (len(paths), 3, preprocess.size, preprocess.size)
    partial = out.with_name(out.name + ".part")
    tensors = open_memmap(partial, mode="w+", dtype=np.float32, shape=shape)
    if hasattr(os, "posix_fallocate"):
        # A disk that is full is an error here; found out in the middle of the map it kills the process.
        with partial.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, partial.stat().st_size)
    errors: dict[int, Exception] = {}
    for start in range(0, len(paths), batch_size):
        rows = np.asarray(tensors[start : start + batch_size])
        result = preprocess.try_batch(
            paths[start : start + batch_size], out=rows, num_threads=threads
        )
        errors |= {start + row: error for row, error in result.errors.items()}
    tensors.flush()
    _write_index(out.with_suffix(".jsonl"), paths, errors)
    os.replace(partial, out)
    return errors


def _write_index(out: Path, paths: Sequence[Path], errors: Mapping[int, Exception]) -> None:
    with out.open("w", encoding="utf-8") as index:
        for row, path in enumerate(paths):
            error = str(errors[row]) if row in errors else None
            index.write(json.dumps({"row": row, "source": str(path), "error": error}) + "\n")
