"""Sources of the command line, listed and run."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np

import clipprep
from clipprep import cli
from clipprep.cli.sources import Asked, find
from support.pictures import picture
from support.writers import saved

DATA = saved(picture("RGB", 90, 60), "JPEG")
PRE = clipprep.Preprocess(32)
EXPECTED = PRE(DATA)


def names(*words: object, **asked: object) -> list[str]:
    with find(map(str, words), Asked(**asked)) as listing:
        return [item.name for item in listing]


def rows(*words: object, **asked: object) -> dict[str, object]:
    """By name: whether the row is right, or its error."""
    with find(map(str, words), Asked(**asked)) as listing:
        found = PRE.try_batch(listing.sources())
        return {
            item.name: str(found.errors[row])
            if row in found.errors
            else np.array_equal(found.pixels[row], EXPECTED)
            for row, item in enumerate(listing)
        }


def left_out(*words: object, **asked: object) -> dict[str, int]:
    with find(map(str, words), Asked(**asked)) as listing:
        return dict(listing.left_out.counts)


def run(folder: Path, *arguments: object) -> int:
    try:
        return cli.main(["run", *map(str, arguments), "--model", "32", "--out", f"{folder}/t.npy"])
    except SystemExit as end:
        return int(str(end.code))


def tar(path: Path, members: dict[str, bytes], mode: str = "w", **settings: object) -> Path:
    with tarfile.open(path, mode, **settings) as opened:  # type: ignore[call-overload]
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
    return path
