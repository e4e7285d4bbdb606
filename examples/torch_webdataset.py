"""Tars in the layout of webdataset, through a DataLoader, to batches of tensors.

    pip install clipprep torch
    python examples/torch_webdataset.py photos

packs the images of a folder into small tars, as webdataset lays them out: the files of one sample
stand side by side and share their name up to the first dot (`000007.jpg`, `000007.json`). Then it
reads the tars as a training loop would. Workers only read bytes; the main process decodes each batch
on all cores, without the GIL, so that no pixels travel between processes. With real shards, give
`Shards` your own list of tars, or use webdataset's own pipeline with the same `collate_fn`.
"""

from __future__ import annotations

import io
import json
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from clipprep.torch import Collate


class Shards(IterableDataset):
    """(encoded image, caption) of each sample; each worker reads its own share of the tars."""

    def __init__(self, tars: list[Path]) -> None:
        self.tars = tars

    def __iter__(self) -> Iterator[tuple[bytes, str]]:
        worker = get_worker_info()
        share = slice(worker.id, None, worker.num_workers) if worker else slice(None)
        for tar in self.tars[share]:
            for sample in samples(tar):
                yield sample["image"], json.loads(sample["json"])["caption"]


def samples(tar: Path) -> Iterator[dict[str, bytes]]:
    """The files of each sample, by the part of their names after the first dot."""
    sample: dict[str, bytes] = {}
    current = None
    with tarfile.open(tar) as opened:
        for member in opened:
            name, _, kind = member.name.partition(".")
            if sample and name != current:
                yield sample
                sample = {}
            current = name
            sample["json" if kind == "json" else "image"] = opened.extractfile(member).read()
    if sample:
        yield sample


def pack(photos: list[Path], folder: Path, per_tar: int) -> list[Path]:
    """Writes the tars that a data set would bring."""
    tars = []
    for start in range(0, len(photos), per_tar):
        tars.append(folder / f"{start // per_tar:06}.tar")
        with tarfile.open(tars[-1], "w") as tar:
            for number, photo in enumerate(photos[start : start + per_tar], start):
                caption = json.dumps({"caption": f"a photo of a {photo.stem}"}).encode()
                for suffix, content in ((photo.suffix, photo.read_bytes()), (".json", caption)):
                    member = tarfile.TarInfo(f"{number:06}{suffix}")
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
    return tars


def main() -> None:
    photos = sorted(path for path in Path(sys.argv[1]).iterdir() if path.suffix != ".md")
    with tempfile.TemporaryDirectory() as folder:
        loader = DataLoader(
            Shards(pack(photos, Path(folder), per_tar=4)),
            batch_size=4,
            num_workers=2,
            collate_fn=Collate("ViT-B/32", errors="mask"),
        )
        start, images = time.perf_counter(), 0
        for pixels, ok, captions in loader:
            print(tuple(pixels.shape), pixels.dtype, f"{int(ok.sum())} good:", ", ".join(captions))
            images += len(pixels)
    print(
        f"{images} images in {time.perf_counter() - start:.2f} s, most of it to start the workers"
    )


if __name__ == "__main__":
    main()
