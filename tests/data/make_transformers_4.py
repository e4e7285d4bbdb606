"""Record what the slow image processors of transformers 4 make of the images of the goldens.

Run `PYTHONPATH=tests python tests/data/make_transformers_4.py` where transformers 4 and Pillow are installed (no torch);
writes transformers_4.json beside itself.
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from pathlib import Path

import numpy as np
import transformers
from transformers import AutoImageProcessor

sys.path.insert(0, str(Path(__file__).parent.parent))
from support.named_configs import HUGGING_FACE, digest, golden_images

#: Configs that write what the versions have different defaults for.
NAMES = (
    "CLIP ViT-B/32", "CLIP, new style", "DINOv2 base", "BLIP captioning base", "ViT base 224",
    "DeiT base", "nearest", "Lanczos", "box", "Hamming", "do_rescale off", "do_normalize off",
    "both off, uint8", "rescale_factor 1/127.5", "one mean and deviation", "do_resize off, padded",
    "crop above size, padded", "crop beside a stretched image",
)  # fmt: skip


def main() -> None:
    assert transformers.__version__.startswith("4."), transformers.__version__
    logging.disable(logging.WARNING)
    found = {}
    for name in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "preprocessor_config.json").write_text(json.dumps(HUGGING_FACE[name]))
            processor = AutoImageProcessor.from_pretrained(folder, use_fast=False)
        for title, image in golden_images().items():
            try:
                pixels = np.asarray(processor(image, return_tensors="np")["pixel_values"][0])
                value = digest(pixels)
            except ValueError:
                value = "refused"
            found[f"{name}; {title}"] = value
    out = Path(__file__).parent / "transformers_4.json"
    out.write_text(
        json.dumps({"transformers": transformers.__version__, "digests": found}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
