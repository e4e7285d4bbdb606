#!/usr/bin/env python3
"""Draw docs/images/drift.png and write the table of docs/why.md: how far other ways to resize are from
OpenAI's transform, in levels of 0 to 255, over the photos of this repository.

    scripts/drift.py        # `make drift` installs what it needs
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib import colors
from numpy.typing import NDArray
from PIL import Image
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms import functional as tf

import clipprep

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "why.md"
PICTURE = ROOT / "docs" / "images" / "drift.png"
PHOTOS = [
    path
    for path in sorted((ROOT / "photos").iterdir())
    if path.suffix in (".jpg", ".png", ".webp") and Image.open(path).mode == "RGB"
]
SHOWN = ROOT / "photos" / "rocket.jpg"
N = 224

Pixels = NDArray[np.uint8]
BICUBIC = InterpolationMode.BICUBIC


def reference(path: Path) -> Pixels:
    """The bytes before the float part of `clip._transform`, on torchvision and the installed Pillow."""
    image = tf.center_crop(tf.resize(Image.open(path), N, BICUBIC), [N, N])
    return np.asarray(image.convert("RGB"))


def ours(path: Path) -> Pixels:
    pre = clipprep.Preprocess(N, pillow="installed")
    return pre.unnormalize(pre(path))


def torchvision_on_tensors(path: Path) -> Pixels:
    image = v2.functional.pil_to_tensor(Image.open(path).convert("RGB"))
    resized = v2.functional.resize(image, [N], BICUBIC, antialias=True)
    return v2.functional.center_crop(resized, [N, N]).permute(1, 2, 0).numpy()


def torchvision_in_floats(path: Path) -> Pixels:
    image = v2.functional.pil_to_tensor(Image.open(path).convert("RGB")).float() / 255
    resized = v2.functional.resize(image, [N], BICUBIC, antialias=True)
    cropped = v2.functional.center_crop(resized, [N, N]).permute(1, 2, 0)
    return (cropped.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def opencv(interpolation: int) -> Callable[[Path], Pixels]:
    def pixels(path: Path) -> Pixels:
        image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        height, width = image.shape[:2]
        scale = N / min(height, width)
        size = (max(N, int(width * scale)), max(N, int(height * scale)))
        image = cv2.resize(image, size, interpolation=interpolation)
        top, left = round((size[1] - N) / 2), round((size[0] - N) / 2)
        return image[top : top + N, left : left + N]

    return pixels


def of_transformers(path: Path) -> Pixels:
    """By our profile of that name, which is equal to it."""
    pre = clipprep.Preprocess(N, profile="hf-torchvision")
    return pre.unnormalize(pre(path))


def bilinear(path: Path) -> Pixels:
    return np.asarray(tf.center_crop(tf.resize(Image.open(path), N), [N, N]).convert("RGB"))


PEERS: dict[str, Callable[[Path], Pixels]] = {
    "clipprep": ours,
    "transformers, torchvision backend": of_transformers,
    "torchvision on uint8 tensors": torchvision_on_tensors,
    "torchvision on float tensors": torchvision_in_floats,
    "Pillow, bilinear": bilinear,
    "OpenCV, INTER_AREA": opencv(cv2.INTER_AREA),
    "OpenCV, INTER_CUBIC": opencv(cv2.INTER_CUBIC),
}


def levels(peer: Callable[[Path], Pixels], path: Path) -> NDArray[np.int64]:
    return np.abs(peer(path).astype(np.int64) - reference(path))


def table() -> str:
    lines = ["| way | values that differ | mean difference | largest |", "|---|--:|--:|--:|"]
    for name, peer in PEERS.items():
        found = np.concatenate([levels(peer, path).ravel() for path in PHOTOS])
        share, mean = np.mean(found > 0), found.mean()
        lines.append(f"| {name} | {share:.1%} | {mean:.2f} | {found.max()} |")
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("pillow", "torchvision", "opencv-python-headless")
    )
    photos = f"{len(PHOTOS)} photos of this repository, {N} x {N} x 3 values each"
    return "\n".join([*lines, "", f"By scripts/drift.py, over the {photos}; {versions}."])


def draw() -> None:
    figure, axes = plt.subplots(2, 4, figsize=(12, 6.4), layout="constrained")
    axes[0, 0].imshow(reference(SHOWN))
    axes[0, 0].set_title("OpenAI's transform")
    for axis, (name, peer) in zip(axes.flat[1:], PEERS.items(), strict=True):
        found = levels(peer, SHOWN).max(axis=2)
        scale = colors.PowerNorm(0.5, 0, 32)
        drawn = axis.imshow(found, cmap="magma", norm=scale, interpolation="nearest")
        axis.set_title(
            f"{name}\n{np.mean(found > 0):.0%} of pixels, by up to {found.max()}", size=10
        )
    for axis in axes.flat:
        axis.set_axis_off()
    bar = figure.colorbar(drawn, ax=axes, shrink=0.8, extend="max", ticks=[0, 1, 2, 4, 8, 16, 32])
    bar.set_label("levels of 0 to 255, the largest of the three channels")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=80, metadata={"Software": None})


def main() -> int:
    draw()
    text = PAGE.read_text(encoding="utf-8")
    before, mark, rest = text.partition("<!-- drift -->\n")
    _, end, after = rest.partition("<!-- /drift -->")
    if not mark or not end:
        print(f"expected the lines <!-- drift --> and <!-- /drift --> in {PAGE}", file=sys.stderr)
        return 1
    PAGE.write_text(f"{before}{mark}\n{table()}\n\n{end}{after}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
