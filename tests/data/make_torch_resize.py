"""Records torchvision's output for computed images: torch_resize.npz. Needs torch and torchvision."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
import torchvision
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

sys.path.insert(0, str(Path(__file__).parent.parent))
from support.named_configs import pixels

#: Height and width before and after: both axes shrunk, by up to 1:2500, grown, one alone.
SIZES = [
    ((480, 640), (40, 53)), ((1200, 90), (24, 18)), ((61, 83), (100, 31)), ((7, 5), (40, 33)),
    ((3, 20_000), (3, 40)), ((20_000, 3), (33, 3)), ((5000, 9), (2, 20)), ((9, 5000), (20, 2)),
    ((700, 700), (2, 3)), ((1, 1), (9, 5)), ((2, 1), (17, 40)), ((333, 333), (32, 32)),
    ((2000, 1500), (5, 7)), ((64, 50), (64, 20)), ((64, 50), (20, 50)), ((36, 10), (91, 60)),
]  # fmt: skip
MODES = {
    "bicubic": InterpolationMode.BICUBIC,
    "bilinear": InterpolationMode.BILINEAR,
    "lanczos": InterpolationMode.LANCZOS,
    "nearest": InterpolationMode.NEAREST_EXACT,
}


def main() -> None:
    arrays = {
        "versions": np.array(f"torch {torch.__version__} torchvision {torchvision.__version__}")
    }
    for (height, width), size in SIZES:
        tensor = torch.from_numpy(pixels(width, height, 3)).permute(2, 0, 1).contiguous()
        for name, mode in MODES.items():
            resized = functional.resize(tensor, list(size), interpolation=mode, antialias=True)
            key = f"{name} {height} {width} {size[0]} {size[1]}"
            arrays[key] = resized.permute(1, 2, 0).numpy()
    np.savez_compressed(Path(__file__).with_name("torch_resize.npz"), **arrays)


if __name__ == "__main__":
    main()
