"""The image processors of transformers 4: configs of the slow ones, and live objects, without white under transparency."""

from __future__ import annotations

import json
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

import clipprep
from clipprep import Preprocess
from clipprep.configs.hf import table, version_4
from support.compare import assert_equal_bits
from support.named_configs import HUGGING_FACE, digest, golden_images
from support.paths import DATA

DIGESTS = json.loads((DATA / "transformers_4.json").read_text())["digests"]
IMAGES = golden_images()


@pytest.mark.parametrize("key", DIGESTS)
def test_slow_processors(key: str) -> None:
    name, title = key.split("; ")
    pre = Preprocess.from_hf(HUGGING_FACE[name], backend="pil", over_white=False)
    if DIGESTS[key] == "refused":
        with pytest.raises(clipprep.UnsupportedError):
            pre(IMAGES[title])
    else:
        assert digest(pre(IMAGES[title])) == DIGESTS[key]


def test_transparency_is_why_version_5_differs() -> None:
    name, title = "CLIP ViT-B/32", "RGBA 230 x 231"
    pre = Preprocess.from_hf(HUGGING_FACE[name], backend="pil")
    assert digest(pre(IMAGES[title])) != DIGESTS[f"{name}; {title}"]


def live(name: str, version: str, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> Any:
    """An image processor of that version, whose class has a parameter for `size`, `crop_size` and `do_convert_rgb`."""
    module = ModuleType("transformers")
    module.__version__ = version  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "transformers", module)

    def init(
        self: Any, size: Any = None, crop_size: Any = None, do_convert_rgb: Any = None
    ) -> None:
        """Reads what a slow class names; any other field is an attribute alone."""

    path = {"__module__": "transformers.image_processing_utils"}
    base = type("BaseImageProcessor", (), path)
    cls = type(
        name,
        (base,),
        path | {"__init__": init, "to_dict": lambda self: {"image_processor_type": name} | fields},
    )
    return cls()


SIZES = {"size": {"height": 40, "width": 40}, "crop_size": {"height": 33, "width": 33}}


def test_fast_processors_crop_otherwise_before_4_57(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = SIZES | {"do_center_crop": True, "do_convert_rgb": True}
    for version in ("4.57.0", "4.57.6", "4.60.0.dev0"):
        pre = Preprocess.from_hf(live("DeiTImageProcessorFast", version, monkeypatch, **fields))
        assert (pre.size, pre.profile, pre.over_white) == (33, "hf-torchvision", False)
    for version in ("4.50.0", "4.56.2"):
        for read in (Preprocess, Preprocess.from_hf):
            with pytest.raises(ValueError, match=r"4\.57 or newer"):
                read(live("DeiTImageProcessorFast", version, monkeypatch, **fields))
        whole = fields | {"do_center_crop": False}
        assert Preprocess.from_hf(live("DeiTImageProcessorFast", version, monkeypatch, **whole))
        assert Preprocess.from_hf(live("DeiTImageProcessor", version, monkeypatch, **fields))


def test_a_slow_processor_reads_what_its_class_names(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = SIZES | {"do_center_crop": True, "do_convert_rgb": True}
    pre = Preprocess.from_hf(live("ViTImageProcessor", "4.57.6", monkeypatch, **fields))
    assert (pre.size, pre.profile) == (40, "hf-pil")  # nothing is cropped


@pytest.mark.parametrize(
    "name",
    ["JanusImageProcessor", "ConvNextImageProcessorFast", "ChameleonImageProcessorFast", "Mine"],
)
def test_classes_that_were_not_compared(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=f"one of 4 that was compared.*{name}"):
        Preprocess.from_hf(live(name, "4.57.6", monkeypatch, **SIZES))


def test_live_processors() -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    if not transformers.__version__.startswith("4."):
        pytest.skip("transformers is not of version 4")
    images = [
        Image.fromarray(np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8))
        for width, height in ((47, 40), (40, 46), (45, 40), (43, 40), (90, 61), (30, 33))
    ]
    variants: list[dict[str, Any]] = [
        {},
        {"size": {"shortest_edge": 40}, "crop_size": 33},
        {"size": {"height": 40, "width": 43}, "crop_size": 36, "do_center_crop": True},
        {"size": {"shortest_edge": 37}, "crop_pct": 0.875},
    ]
    compared = 0
    for stem, fast in ((stem, fast) for stem in table.classes() for fast in ("", "Fast")):
        cls = getattr(transformers, f"{stem}ImageProcessor{fast}", None)
        if cls is None or stem not in (version_4._FAST if fast else version_4._SLOW):
            continue
        for variant in variants:
            try:
                processor = cls(do_convert_rgb=True, **variant)
                pre = Preprocess.from_hf(processor)
                expected = [
                    processor(image, return_tensors="pt").pixel_values[0] for image in images
                ]
            except Exception:  # sizes that one of the two does not take
                continue
            compared += 1
            for image, tensor in zip(images, expected, strict=True):
                assert_equal_bits(
                    pre(image), tensor.numpy(), f"{cls.__name__} {variant} {image.size}"
                )
    assert compared > 50
