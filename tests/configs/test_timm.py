"""Configs of timm: read as its loader reads them, refused by name where not."""

from __future__ import annotations

from pathlib import Path

import pytest

from clipprep import Preprocess
from support.named_configs import write


def test_forms_of_timm(tmp_path: Path) -> None:
    cfg = {"input_size": [3, 256, 256], "crop_pct": 0.95, "interpolation": "bilinear"}
    more = {"architecture": "resnet50", "num_classes": 1000, "test_input_size": [3, 288, 288]}
    expected = Preprocess.from_timm(cfg)
    assert (expected.size, expected.resize_size, expected.profile) == (256, 269, "timm")
    whole = {"architecture": "resnet50", "pretrained_cfg": cfg | more}
    file = write(tmp_path, "config.json", whole)
    for config in (cfg | more, whole, file, tmp_path):
        assert Preprocess.from_timm(config) == expected
    assert Preprocess.from_timm({}).mean == (0.485, 0.456, 0.406)
    # Early versions have all at one level.
    assert Preprocess.from_timm(cfg | more | {"num_features": 2048, "labels": ["cat"]}) == expected


def test_arguments_of_a_model_of_timm() -> None:
    """They say which size its weights are for, as timm's loader reads them."""
    cfg = {"input_size": [3, 224, 224], "fixed_input_size": True}
    for arguments, size in (
        ({"img_size": 256}, 256),
        ({"img_size": [200, 300]}, (200, 300)),
        ({"img_size": 256, "dynamic_img_size": True}, 224),
        ({"img_size": 256, "strict_img_size": False}, 224),
        ({"drop_rate": 0.1}, 224),
        (None, 224),
    ):
        assert Preprocess.from_timm({"pretrained_cfg": cfg, "model_args": arguments}).size == size
    with pytest.raises(ValueError, match="input_size"):
        Preprocess.from_timm({"pretrained_cfg": cfg, "model_args": {"in_chans": 1}})
    with pytest.raises(ValueError, match="model_args"):
        Preprocess.from_timm({"pretrained_cfg": cfg, "model_args": [1]})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("interpolation", "random"),
        ("crop_mode", "top"),
        ("crop_pct", -1.0),
        ("input_size", [1, 224, 224]),
        ("input_size", [224, 224]),
        ("mean", [0.5]),
        ("crop_border_pixels", 3),
    ],
)
def test_fields_of_timm_that_are_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        Preprocess.from_timm({field: value})
