"""One file through the live reference and through clipprep, and the verdict."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from clipprep import Preprocess, _pillow
from clipprep.verify import reference
from clipprep.verify.files import MAX_BYTES, Item
from clipprep.verify.transform import Transform

#: Larger images are skipped by default: 60 megapixels are up to 240 MB to Pillow, more than once.
MAX_PIXELS = 60_000_000

#: The verdicts on a file. From "differ" on it makes the exit status 1.
EQUAL, BOTH, THEIRS, SKIPPED, DIFFER, OURS, CRASHED = OUTCOMES = (
    *("equal", "refused by both", "refused by Pillow alone", "skipped"),
    *("differ", "refused by clipprep alone", "crashed"),
)
FAILURES = (DIFFER, OURS, CRASHED)


@dataclass(frozen=True)
class Verdict:
    """The result of one file."""

    source: str
    """The folder's own name and the path inside it."""
    outcome: str
    format: str = "-"
    """Pillow's name; a dash where Pillow does not open the file."""
    mode: str = "-"
    decoder: str | None = None
    """Ours; None where we refuse."""
    notes: str = ""
    """The notes of `explain`, such as why the file was left to Pillow."""
    levels: int = 0
    """The largest difference, in levels of 0 to 255."""
    share: float = 0.0
    """The share of the values that differs."""
    pillow: str = ""
    """Pillow's message, or why the file was skipped."""
    clipprep: str = ""
    """clipprep's message."""

    def __str__(self) -> str:
        text = f"{self.outcome}: {self.source} ({self.format} {self.mode}"
        text += f", decoder {self.decoder})" if self.decoder else ")"
        if self.outcome == DIFFER:
            text += f", by up to {self.levels} levels in {self.share:.2%} of the values"
        for who in ("pillow", "clipprep"):
            if said := getattr(self, who):
                text += f"\n    {who}: {said}"
        return text


def check(
    item: Item,
    *,
    preprocess: Preprocess,
    max_pixels: int = MAX_PIXELS,
    transform: Transform | None = None,
) -> Verdict:
    """Puts one file through the reference and through `preprocess`; raises for no file.

    The reference is `transform`, or else OpenAI's of that size. The options `truncated` and `exif` of
    `preprocess` are the reference's as well.
    """
    verdict, expected, source = Verdict(item.name, SKIPPED), None, item.source
    transform = transform or Transform(Preprocess(preprocess.size, pillow=preprocess.pillow))
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size > MAX_BYTES:
            return replace(verdict, pillow=f"{size:,} bytes are more than {MAX_BYTES:,}")
        with warnings.catch_warnings(), reference.load_truncated(preprocess.truncated == "pad"):
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(source) if isinstance(source, bytes) else source) as image:
                verdict = replace(verdict, format=image.format or "-", mode=image.mode)
                if why := _too_much(image, transform, max_pixels):
                    return replace(verdict, pillow=why)
                upright = ImageOps.exif_transpose(image) if preprocess.exif else image
                expected = transform(upright)
    except Exception as error:
        verdict = replace(verdict, pillow=_said(error, item))
    try:
        actual = preprocess(source)
        explained = preprocess.explain(source)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a panic is no Exception
        outcome = BOTH if expected is None else OURS
        if not isinstance(error, Exception):
            outcome = CRASHED
        return replace(verdict, outcome=outcome, clipprep=_said(error, item))
    verdict = replace(verdict, decoder=explained.decoder, notes=" ".join(explained.notes))
    if expected is None:
        return replace(verdict, outcome=THEIRS)
    if actual.shape == expected.shape and actual.tobytes() == expected.tobytes():
        return replace(verdict, outcome=EQUAL)
    number = np.dtype(f"u{actual.itemsize}")
    share = float(np.mean(actual.view(number) != expected.view(number)))
    return replace(verdict, outcome=DIFFER, levels=transform.levels(actual, expected), share=share)


def _too_much(image: Image.Image, transform: Transform, max_pixels: int) -> str:
    if image.format in _pillow.PROGRAMS:
        return f"{image.format} may run other programs"
    for width, height in (image.size, transform.resized(image.size)):
        if width * height > max_pixels:
            return f"{width} x {height} pixels are more than {max_pixels:,}"
    return ""


def _said(error: BaseException, item: Item) -> str:
    """On one line, and with the report's name of the file: a report may be published."""
    text = str(error)
    if isinstance(item.source, Path):
        text = text.replace(str(item.source), item.name)
    return f"{type(error).__name__}: {' '.join(text.split())}"[:400]
