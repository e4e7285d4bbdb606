"""``clipprep bench``: how fast this machine is, by threads, and beside the libraries that are installed."""

from __future__ import annotations

import argparse
import contextlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import clipprep
from clipprep.cli import _arguments, _options, peers, share
from clipprep.cli.names import say, write

DESCRIPTION = """\
Measure encoded bytes to tensors on this machine, with 1, 2, 4 ... threads, and
beside it what is installed: Pillow with NumPy, torchvision, transformers, on one
thread, in turns within the same run. Without sources it measures a JPEG that is
made for it, 640 x 480. Bad images are left out.
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
        type=_seconds,
        default=2.0,
        metavar="N",
        help="for each number of threads (default: %(default)g)",
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
    # As the peers, which decode in this process.
    preprocess = _options.preprocess(args, fallback="inline")
    images = _read(args, preprocess) or 64 * [jpeg()]
    ok = preprocess.try_batch(images).ok  # warms up, too
    images = [image for image, good in zip(images, ok, strict=True) if good]
    if not images:
        raise OSError("expected an image that can be read, found none")
    megabytes = sum(map(len, images)) / 1e6
    if not args.json and not args.share:
        say(f"{len(images)} images, {megabytes:.1f} MB, {preprocess!r}")
    rates = peers.rates(preprocess, images, args.seconds)
    counts = steps(clipprep.build_info()["threads"])
    measured = [{"threads": 1, "images_per_second": round(rates[peers.OURS], 1)}]
    for threads in counts[1:]:
        rate = peers.rate(preprocess, images, threads, args.seconds)
        measured.append({"threads": threads, "images_per_second": round(rate, 1)})
    fastest = max(row["images_per_second"] for row in measured)
    gigabytes = fastest * megabytes / len(images) / 1000
    times = rates[peers.OURS] / rates[peers.PILLOW]
    result = sentence(times, gigabytes, images)
    if args.json:
        _arguments.print_json(
            {
                "images": len(images),
                "megabytes": megabytes,
                "measured": measured,
                "one_thread": {name: round(rate, 1) for name, rate in rates.items()},
                "times_pillow": round(times, 2),
                "gigabytes_per_second": round(gigabytes, 3),
                "result": result,
            }
        )
        return 0
    if args.share:
        write(share.markdown(preprocess, images, measured, rates[peers.PILLOW]))
        return 0
    for name, rate in rates.items():
        if name != peers.OURS:
            say(f"{name:<24} {rate:>10,.0f} images/s on one thread")
    for row in measured:
        rate = row["images_per_second"]
        name = f"clipprep, {row['threads']} thread{'s' if row['threads'] > 1 else ''}"
        factor = rate / measured[0]["images_per_second"]
        say(f"{name:<24} {rate:>10,.0f} images/s, {factor:.2f} times one thread")
    say(result)
    return 0


def sentence(times: float, gigabytes: float, images: list[bytes]) -> str:
    """The answer: how many times as fast as Pillow, and how much it reads."""
    is_jpeg = all(image.startswith(b"\xff\xd8") for image in images)
    read = f"{gigabytes:.2g} GB/s of {'JPEG' if is_jpeg else 'files'}"
    return f"{times:.1f} times Pillow's speed here, {read}"


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


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 1e6:
        raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, found {text!r}")
    return seconds


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
