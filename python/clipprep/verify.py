"""``clipprep verify``: every file of some folders through the live reference and through clipprep."""

from __future__ import annotations

import hashlib
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from time import monotonic

import numpy as np
from PIL import Image, ImageOps

from clipprep import Preprocess, _pillow, _reference
from clipprep._isolated import CrashError, isolated_map

#: Larger images are skipped by default: 60 megapixels are up to 240 MB to Pillow, more than once.
MAX_PIXELS = 60_000_000
#: Larger files are skipped.
MAX_BYTES = 1 << 28
#: Seconds that one file may take on each side together.
TIMEOUT = 300.0

#: What may be said of a file. From "differ" on it makes the exit status 1.
EQUAL, BOTH, THEIRS, SKIPPED, DIFFER, OURS, CRASHED = OUTCOMES = (
    *("equal", "refused by both", "refused by Pillow alone", "skipped"),
    *("differ", "refused by clipprep alone", "crashed"),
)
FAILURES = (DIFFER, OURS, CRASHED)


@dataclass(frozen=True)
class Verdict:
    """What one file gave."""

    source: str
    """The folder's own name and the path inside it."""
    outcome: str
    format: str = "-"
    """Pillow's name; a dash where Pillow does not open the file."""
    mode: str = "-"
    decoder: str | None = None
    """Ours; None where we refuse."""
    notes: str = ""
    """What `explain` adds, such as why the file was left to Pillow."""
    levels: int = 0
    """The largest difference, in levels of 0 to 255."""
    share: float = 0.0
    """How much of the values differs."""
    pillow: str = ""
    """What Pillow said, or why the file was skipped."""
    clipprep: str = ""
    """What clipprep said."""

    def __str__(self) -> str:
        text = f"{self.outcome}: {self.source} ({self.format} {self.mode}"
        text += f", decoder {self.decoder})" if self.decoder else ")"
        if self.outcome == DIFFER:
            text += f", by up to {self.levels} levels in {self.share:.2%} of the values"
        for who in ("pillow", "clipprep"):
            if said := getattr(self, who):
                text += f"\n    {who}: {said}"
        return text


@dataclass(frozen=True)
class Item:
    """A file to verify, by its path or as its bytes, and what the report calls it."""

    source: Path | bytes
    name: str


def check(item: Item, *, preprocess: Preprocess, max_pixels: int = MAX_PIXELS) -> Verdict:
    """Puts one file through the reference and through `preprocess`; raises for no file.

    The options `truncated` and `exif` of `preprocess` are the reference's as well.
    """
    verdict, expected, source = Verdict(item.name, SKIPPED), None, item.source
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        if size > MAX_BYTES:
            return replace(verdict, pillow=f"{size:,} bytes are more than {MAX_BYTES:,}")
        with warnings.catch_warnings(), _reference.load_truncated(preprocess.truncated == "pad"):
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(source) if isinstance(source, bytes) else source) as image:
                verdict = replace(verdict, format=image.format or "-", mode=image.mode)
                if why := _too_much(image, preprocess.size, max_pixels):
                    return replace(verdict, pillow=why)
                upright = ImageOps.exif_transpose(image) if preprocess.exif else image
                expected = _reference.pixels(upright, preprocess.size)
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
    wanted = _reference.normalise(expected)
    if actual.shape == wanted.shape and actual.tobytes() == wanted.tobytes():
        return replace(verdict, outcome=EQUAL)
    distance = np.abs(_reference.levels(actual) - expected.transpose(2, 0, 1))
    share = float(np.mean(actual.view(np.uint32) != wanted.view(np.uint32)))
    return replace(verdict, outcome=DIFFER, levels=int(distance.max()), share=share)


def _too_much(image: Image.Image, n: int, max_pixels: int) -> str:
    if image.format in _pillow.UNSAFE:
        return f"{image.format} may run other programs"
    resized = _reference.resized_size(*image.size, n)
    for width, height in (image.size, resized):
        if width * height > max_pixels:
            return f"{width} x {height} pixels are more than {max_pixels:,}"
    return ""


def _said(error: BaseException, item: Item) -> str:
    """On one line, and with the report's name of the file: a report may be published."""
    text = str(error)
    if isinstance(item.source, Path):
        text = text.replace(str(item.source), item.name)
    return f"{type(error).__name__}: {' '.join(text.split())}"[:400]


def find(folders: Sequence[Path]) -> Iterator[Item]:
    """The image-like files of the folders, hidden ones left out; of equal files the first."""
    Image.init()
    seen: set[bytes] = set()
    for folder in folders:
        paths = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
        for path in paths:
            inside = path.relative_to(folder)
            if any(part.startswith(".") for part in inside.parts) or not path.is_file():
                continue
            try:
                if path != folder and not _looks_like_an_image(path):
                    continue
                if path.stat().st_size <= MAX_BYTES:
                    with path.open("rb") as opened:
                        digest = hashlib.file_digest(opened, "sha256").digest()
                    if digest in seen:
                        continue
                    seen.add(digest)
            except OSError:
                pass  # both sides shall say so
            yield Item(path, (folder.resolve().name / inside).as_posix())


def _looks_like_an_image(path: Path) -> bool:
    """Whether Pillow knows the suffix, or one of its plugins the first bytes."""
    if Image.EXTENSION.get(path.suffix.lower()) in Image.OPEN:
        return True
    with path.open("rb") as opened:
        prefix = opened.read(16)
    return any(_accepts(accept, prefix) for _, accept in Image.OPEN.values() if accept)


def _accepts(accept: Callable[[bytes], bool | str], prefix: bytes) -> bool:
    try:
        return accept(prefix) is True
    except Exception:  # too short for the plugin
        return False


def verify(
    items: Iterable[Item], preprocess: Preprocess, *, max_pixels: int, jobs: int
) -> Iterator[Verdict]:
    """A verdict for each file, in order, from `jobs` processes, or from this one for 0."""
    one = partial(check, preprocess=preprocess, max_pixels=max_pixels)
    if jobs < 1:
        yield from map(one, items)
        return
    for item, verdict in isolated_map(one, items, jobs=jobs, timeout=TIMEOUT):
        if isinstance(verdict, CrashError):
            yield Verdict(item.name, CRASHED, clipprep=f"{verdict} (in clipprep or in Pillow)")
        else:
            yield verdict


def with_progress(verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
    """Passes verdicts on, and says on standard error every now and then how far it is."""
    failures, shown = 0, monotonic()
    for done, verdict in enumerate(verdicts, 1):
        yield verdict
        failures += verdict.outcome in FAILURES
        if monotonic() - shown > 5:
            shown = monotonic()
            text = f"{done:,} files, {failures:,} of them differ or fail, now {verdict.source}"
            print(text, file=sys.stderr, flush=True)


def default_jobs() -> int:
    """As many as there are cores for this process."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
