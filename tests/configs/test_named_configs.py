"""Configs of all libraries: the bits of the live libraries, recorded by benches/configs.py."""

from __future__ import annotations

import json
import pickle

import pytest

import clipprep
from clipprep import Preprocess
from support.named_configs import (
    HUGGING_FACE,
    OPEN_CLIP,
    TIMM,
    class_configs,
    digest,
    golden_images,
)
from support.paths import DATA

GOLDENS = json.loads((DATA / "config_goldens.json").read_text())
IMAGES = golden_images()
CLASSES = {
    f"class {stem}": config
    for backend in ("torchvision", "pil")
    for stem, config in class_configs(backend, small=True).items()
}
READERS = {
    "transformers": (HUGGING_FACE | CLASSES, Preprocess.from_hf),
    "open_clip": (OPEN_CLIP, Preprocess.from_open_clip),
    "timm": (TIMM, Preprocess.from_timm),
}
CASES = sorted({tuple(key.split("; ")[:3]) for key in GOLDENS} - {("OpenAI",)})


@pytest.mark.parametrize(("library", "name", "backend"), CASES)
def test_named_configs(library: str, name: str, backend: str) -> None:
    """The live library's results for each image, recorded by benches/configs.py."""
    if library == "OpenAI":
        size = int(name.removeprefix("clip._transform(").removesuffix(")"))
        pre = Preprocess(size)
    else:
        configs, read = READERS[library]
        pre = read(configs[name], **({"backend": backend} if backend else {}))
    assert pickle.loads(pickle.dumps(pre)) == pre
    for title, image in IMAGES.items():
        golden = GOLDENS["; ".join((library, name, backend, title))]
        other_mode = not pre.convert_rgb and image.mode != "RGB"
        if golden == "refused" or other_mode:  # a processor or two widens grey images all the same
            with pytest.raises(clipprep.UnsupportedError):
                pre(image)
        else:
            assert digest(pre(image)) == golden, f"{library} {name} {backend} {title}"


def test_every_named_config_has_goldens() -> None:
    for library, (configs, _) in READERS.items():
        assert {name for of, name, _ in CASES if of == library} == set(configs)
    refused = [key for key, value in GOLDENS.items() if value == "refused"]
    assert len(GOLDENS) == len(CASES) * len(IMAGES)
    assert 0 < len(refused) < len(GOLDENS) / 3
