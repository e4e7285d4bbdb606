"""Run transformers' own tests of image processors over ours, and over the live classes for comparison.

    pip download --no-binary :all: --no-deps transformers && tar xzf transformers-*.tar.gz
    python benches/mixin.py transformers-VERSION

where torch, torchvision, this version of transformers, pytest and parameterized are installed. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PHOTO = Path(__file__).parent.parent / "photos" / "cat.jpg"
HALF = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
COMMON = {"do_resize": True, "do_normalize": True, **HALF}
SQUARE = {"size": {"height": 20, "width": 20}, **COMMON}
CROP = {"do_center_crop": True, "crop_size": {"height": 18, "width": 18}}
#: The models by the folder of their tests: the class, and its fields in the tests.
MODELS = {
    "clip": ("CLIP", {"size": {"shortest_edge": 20}, **COMMON, **CROP, "do_convert_rgb": True}),
    "siglip": ("Siglip", SQUARE),
    "vit": ("ViT", SQUARE),
    "deit": ("DeiT", SQUARE | CROP),
    "convnext": ("ConvNext", {"size": {"shortest_edge": 20}, "crop_pct": 0.875, **COMMON}),
    "blip": ("Blip", SQUARE | {"do_convert_rgb": True}),
    "chinese_clip": ("ChineseCLIP", SQUARE | CROP | {"do_convert_rgb": True}),
}
PROGRAM = """\
import os, unittest
from ...test_image_processing_common import ImageProcessingTester, ImageProcessingTestMixin

class Tester(ImageProcessingTester):
    def __init__(self, parent, **fields):
        super().__init__(parent, **{{**{fields!r}, **fields}})
        if os.environ["OURS"] == "1":
            from clipprep.transformers.processor import made_of
            classes = self.image_processing_classes
            self.image_processing_classes = {{name: made_of(cls) for name, cls in classes.items()}}

    def expected_output_image_shape(self, images):
        size = getattr(self, "crop_size", self.size)
        edge = size.get("shortest_edge")
        return self.num_channels, size.get("height", edge), size.get("width", edge)

class {name}ImageProcessingTest(ImageProcessingTestMixin, unittest.TestCase):
    image_processor_tester_class = Tester
    test_cast_dtype = True
"""


def main() -> int:
    """Run both and print the last line of each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("sdist", type=Path, help="the unpacked source distribution of transformers")
    sdist = parser.parse_args().sdist
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        write(root / "utils" / "fetch_hub_objects_for_ci.py", local_path())
        write(root / "tests" / "__init__.py", "")
        shutil.copy(sdist / "tests" / "test_image_processing_common.py", root / "tests")
        write(root / "tests" / "models" / "__init__.py", "")
        for folder, (name, fields) in MODELS.items():
            place = root / "tests" / "models" / folder
            write(place / "__init__.py", "")
            program = PROGRAM.format(name=name, fields=fields)
            write(place / f"test_image_processing_{folder}.py", program)
        status = 0
        for ours in ("0", "1"):
            print("clipprep:" if ours == "1" else "transformers:", flush=True)
            command = [sys.executable, "-m", "pytest", "-q", "--tb=line", "-W", "ignore", "tests"]
            environment = {**os.environ, "OURS": ours, "HF_HUB_OFFLINE": "1"}
            status = subprocess.run(command, cwd=root, env=environment).returncode
    return status


def write(path: Path, text: str) -> None:
    """A file, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def local_path() -> str:
    """The module of the tests that has the images of the Hub: a photo of ours for each."""
    return f"def url_to_local_path(url):\n    return {str(PHOTO)!r}\n"


if __name__ == "__main__":
    sys.exit(main())
