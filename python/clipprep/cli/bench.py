"""``clipprep bench``: how fast this machine is, by threads."""

from __future__ import annotations

import argparse
import contextlib
from io import BytesIO
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from PIL import Image

import clipprep
from clipprep.cli import _arguments, _options, share

DESCRIPTION = """\
Measure encoded bytes to tensors on this machine, with 1, 2, 4 ... threads: the
best of the rounds that fit in the time. Without sources it measures a JPEG that is
made for it, 640 x 480. Bad images are left out. How others compare is measured by
`make bench` in the repository.
"""


def add(commands: Any) -> None:
    """The command and its arguments."""
    parser = _arguments.command(
        commands,
        "bench",
        call,
        summary="measure the speed here",
        description=DESCRIPTION,
        operands="[SOURCE ...]",
    )
    _arguments.add_sources(parser, "*")
    _arguments.add_model(parser)
    parser.add_argument(
        "--seconds",
        type=_arguments.positive,
        default=2,
        metavar="N",
        help="for each number of threads (default: %(default)s)",
    )
    parser.add_argument(
        "--max-images",
        type=_arguments.positive,
        default=256,
        metavar="N",
        help="of the sources, the first (default: %(default)s)",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument(
        "--share",
        action="store_true",
        help="print Markdown for an issue: the machine, the rates, and Pillow's beside them",
    )
    _arguments.add_json(output)


def call(args: argparse.Namespace) -> int:
    """Run the command."""
    preprocess = _options.preprocess(args)
    size = preprocess.size
    if args.share and not isinstance(size, int):
        args.parser.error(f"expected a square size beside --share, found {size}")
    images = _read(args, preprocess) or 64 * [jpeg()]
    ok = preprocess.try_batch(images).ok  # warms up, too
    images = [image for image, good in zip(images, ok, strict=True) if good]
    if not images:
        raise OSError("expected an image that can be read, found none")
    megabytes = sum(map(len, images)) / 1e6
    if not args.json and not args.share:
        print(f"{len(images)} images, {megabytes:.1f} MB, {preprocess!r}")
    measured = []
    for threads in steps(clipprep.build_info()["threads"]):
        rate = measure(preprocess, images, threads, args.seconds)
        measured.append({"threads": threads, "images_per_second": round(rate, 1)})
        if not args.json and not args.share:
            factor = rate / measured[0]["images_per_second"]
            print(f"{threads:>4} threads  {rate:>10,.0f} images/s  {factor:.2f} times one thread")
    if args.share and isinstance(size, int):
        base = share.pillow(images, size, args.seconds)
        print(share.markdown(preprocess, images, measured, base))
    if args.json:
        _arguments.print_json({"images": len(images), "megabytes": megabytes, "measured": measured})
    return 0


def measure(
    preprocess: clipprep.Preprocess, images: list[bytes], threads: int, seconds: float
) -> float:
    """Images a second, in the best of the rounds."""
    out = preprocess.batch(images, num_threads=threads)
    best, begin = 0.0, perf_counter()
    while not best or perf_counter() - begin < seconds:
        start = perf_counter()
        preprocess.batch(images, out=out, num_threads=threads)
        best = max(best, len(images) / (perf_counter() - start))
    return best


def steps(threads: int) -> list[int]:
    """1, 2, 4 ... and all."""
    return [*(1 << i for i in range((threads - 1).bit_length())), threads]


def jpeg() -> bytes:
    """A picture with the detail of a photo."""
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    smooth = np.asarray(Image.fromarray(noise).resize((640, 480), Image.Resampling.BICUBIC))
    grain = np.random.default_rng(1).normal(0, 4, smooth.shape)
    encoded = BytesIO()
    picture = np.clip(smooth + grain, 0, 255).astype(np.uint8)
    Image.fromarray(picture).save(encoded, "JPEG", quality=90)
    return encoded.getvalue()


def _read(args: argparse.Namespace, preprocess: clipprep.Preprocess) -> list[bytes]:
    if not args.sources:
        return []
    images = []
    with _arguments.find(args, preprocess) as listing:
        for _, source in listing.first(args.max_images):
            if isinstance(source, str):
                with contextlib.suppress(OSError):
                    images.append(Path(source).read_bytes())
            elif isinstance(source, bytes):
                images.append(source)
    return images
