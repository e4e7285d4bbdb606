"""The live libraries that configs are for: from a config to a function of an image."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from transformers import AutoImageProcessor, BatchFeature, TimmWrapperImageProcessor

import clipprep

Reference = Callable[[Image.Image], np.ndarray]


def hugging_face(config: dict[str, Any], backend: str) -> Reference:
    with tempfile.TemporaryDirectory() as folder:
        for name in ("preprocessor_config.json", "config.json"):  # where timm's models have it
            Path(folder, name).write_text(json.dumps(config))
        processor = AutoImageProcessor.from_pretrained(folder, backend=backend)

    def run(image: Image.Image) -> np.ndarray:
        pixels = pixel_values(processor, image)
        if pixels.shape[0] != 3:
            raise ValueError("no image of three channels")
        return pixels

    return run


def pixel_values(processor: Any, image: Image.Image) -> np.ndarray:
    """The tensor of one image; a video processor takes it for a video of one frame.

    Raises ValueError where one image has several tensors.
    """
    # That of timm's models gives tensors of torch alone.
    tensors = "pt" if isinstance(processor, TimmWrapperImageProcessor) else "np"
    found = processor([image], return_tensors=tensors)
    if isinstance(found, BatchFeature):
        if any(name.endswith("pixel_values") and name != "pixel_values" for name in found):
            raise ValueError("several tensors for one image")
        found = found["pixel_values"]
    pixels = np.asarray(found)
    if pixels.shape[0] != 1:
        raise ValueError("several tensors for one image")
    pixels = pixels[0]
    return pixels[0] if pixels.ndim == 4 and pixels.shape[0] == 1 else pixels


def open_clip(cfg: dict[str, Any]) -> Reference:
    from open_clip.transform import PreprocessCfg, image_transform_v2

    transform = image_transform_v2(PreprocessCfg(**cfg), is_train=False)
    return lambda image: transform(image).numpy()


def timm(cfg: dict[str, Any]) -> Reference:
    from timm.data import create_transform, resolve_data_config

    transform = create_transform(**resolve_data_config(pretrained_cfg=cfg), is_training=False)
    return lambda image: transform(image.convert("RGB")).numpy()


def openai_clip(n: int) -> Reference:
    from torchvision import transforms as t

    transform = t.Compose(
        [
            t.Resize(n, interpolation=t.InterpolationMode.BICUBIC),
            t.CenterCrop(n),
            lambda image: image.convert("RGB"),
            t.ToTensor(),
            t.Normalize(clipprep.MEAN, clipprep.STD),
        ]
    )
    return lambda image: transform(image).numpy()
