"""All readers: where a config is found, and options beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import clipprep
from clipprep import Preprocess
from support.named_configs import HUGGING_FACE, write

CLIP = HUGGING_FACE["CLIP ViT-B/32"]


def test_files_that_are_none(tmp_path: Path) -> None:
    for read in (Preprocess.from_hf, Preprocess.from_open_clip, Preprocess.from_timm):
        with pytest.raises(FileNotFoundError):
            read(tmp_path)
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "none.json")
        for content in ("{", "[]", "3"):
            with pytest.raises(ValueError, match="JSON"):
                read(write(tmp_path, "bad.json", content))
        with pytest.raises(TypeError, match="config"):
            read(3)


def test_options_beside_a_config() -> None:
    limits = clipprep.Limits(max_pixels=10_000)
    pre = Preprocess.from_hf(CLIP, dtype="float16", layout="NHWC", exif=True, limits=limits)
    assert (pre.dtype, pre.layout, pre.exif, pre.limits) == ("float16", "NHWC", True, limits)
    vit = HUGGING_FACE["ViT base 224"]
    grey = np.zeros((9, 9), np.uint8)
    with pytest.raises(clipprep.UnsupportedError, match="convert_rgb"):
        Preprocess.from_hf(vit)(grey)
    assert Preprocess.from_hf(vit, convert_rgb=True)(grey).shape == (3, 224, 224)
    for option in ("mean", "size", "interpolation", "profile", "resize_mode", "rescale_factor"):
        with pytest.raises(TypeError, match=option):
            Preprocess.from_hf(CLIP, **{option: None})
    with pytest.raises(TypeError, match="mean"):
        Preprocess.from_open_clip({}, mean=(0, 0, 0))
    with pytest.raises(TypeError, match="std"):
        Preprocess.from_timm({}, std=(1, 1, 1))
