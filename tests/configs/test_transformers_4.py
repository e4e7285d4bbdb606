"""The slow image processors of transformers 4: `backend="pil"` without white under transparency."""

from __future__ import annotations

import json

import pytest

import clipprep
from clipprep import Preprocess
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
