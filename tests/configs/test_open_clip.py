"""Configs of open_clip: read as its transform reads them, refused by name where not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from clipprep import Preprocess
from support.named_configs import OPEN_CLIP, write


@dataclass
class PreprocessCfg:
    size: Any = 224
    mode: str = "RGB"
    mean: Any = (0.5, 0.5, 0.5)
    std: Any = (0.5, 0.5, 0.5)
    interpolation: str = "bicubic"
    resize_mode: str = "squash"
    fill_color: int = 0


def test_forms_of_open_clip(tmp_path: Path) -> None:
    cfg = {"mean": [0.5] * 3, "std": [0.5] * 3, "resize_mode": "squash"}
    expected = Preprocess.from_open_clip(cfg)
    whole = {
        "model_cfg": {"embed_dim": 8, "vision_cfg": {"image_size": 224}},
        "preprocess_cfg": cfg,
    }
    file = write(tmp_path, "open_clip_config.json", whole)
    for config in (PreprocessCfg(), whole, file, tmp_path, {"preprocess_cfg": cfg}):
        assert Preprocess.from_open_clip(config) == expected
    # The model decides the size.
    model = {"vision_cfg": {"image_size": [336, 300]}}
    config = {"model_cfg": model, "preprocess_cfg": cfg | {"size": 224}}
    assert Preprocess.from_open_clip(config).size == (336, 300)
    config = {"model_cfg": {"vision_cfg": {}}, "preprocess_cfg": cfg | {"size": 256}}
    assert Preprocess.from_open_clip(config).size == 224
    nulls = dict.fromkeys(OPEN_CLIP["ViT-B-16-SigLIP"])
    assert Preprocess.from_open_clip(nulls) == Preprocess.from_open_clip({}) == Preprocess(224)


def test_open_clip_takes_its_default_filter_for_a_pair() -> None:
    cfg = {"size": [200, 320], "interpolation": "bilinear"}
    assert Preprocess.from_open_clip(cfg).interpolation == "bicubic"
    for mode in ("squash", "longest"):
        assert Preprocess.from_open_clip(cfg | {"resize_mode": mode}).interpolation == "bilinear"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("interpolation", "lanczos"),
        ("mode", "L"),
        ("resize_mode", "middle"),
        ("size", [1, 2, 3]),
        ("size", "224"),
        ("mean", [1, 2]),
        ("crop_pct", 0.9),
        ("do_center_crop", False),
        ("resample", 2),
        ("resizemode", "squash"),
        ("interpolaton", "bilinear"),
        ("embed_dim", 512),
    ],
)
def test_fields_of_open_clip_that_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        Preprocess.from_open_clip({field: value})


def test_fields_that_open_clip_ignores_are_ignored() -> None:
    """It reads the fields that it knows, of both levels, and drops the others."""
    cfg = {"size": 256, "mean": [0.5] * 3, "interpolation": "bilinear"}
    expected = Preprocess.from_open_clip(cfg)
    clothes = {"image_processor_type": "JinaCLIPImageProcessor", "auto_map": {}, "notes": "mine"}
    assert Preprocess.from_open_clip(cfg | clothes) == expected
    model = {"vision_cfg": {"image_size": 256, "layers": 12}, "text_cfg": {}}
    whole = {"hf_tokenizer_name": "x", "version": 2, "model_cfg": model, "preprocess_cfg": cfg}
    assert Preprocess.from_open_clip(whole | {"preprocess_cfg": cfg | clothes}) == expected
    with pytest.raises(ValueError, match="preproces_cfg"):
        Preprocess.from_open_clip({"model_cfg": model, "preproces_cfg": cfg})
    for other in (
        cfg,
        whole["model_cfg"],
    ):  # a misspelt field, or another library's, beside known ones
        with pytest.raises(ValueError, match=r"image_mean|vision_cfg"):
            Preprocess.from_open_clip(other | {"image_mean": [0.5] * 3})


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_a_random_filter_is_bicubic_outside_of_training(mode: str) -> None:
    cfg = {"resize_mode": mode, "interpolation": "random"}
    assert Preprocess.from_open_clip(cfg) == Preprocess.from_open_clip({"resize_mode": mode})


def test_a_fill_of_open_clip_that_is_refused() -> None:
    with pytest.raises(ValueError, match="fill_color"):
        Preprocess.from_open_clip({"resize_mode": "longest", "fill_color": 300})
