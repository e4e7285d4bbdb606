"""Every named config, on images of all sizes and modes, against the live library that it is for.

Writes docs/configs.md. Needs the peers of the extra `bench`; `make peers` installs them. Photos are read
from the folders that are named, besides the images that are made here.
"""

from __future__ import annotations

import argparse
import io
import json
import logging
import multiprocessing
import random
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import clipprep
from clipprep import openai

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from support.named_configs import HUGGING_FACE, OPEN_CLIP, TIMM, digest, golden_images

Reference = Callable[[Image.Image], np.ndarray]

#: The modes that images are made in; the others of Pillow are checked by the project's tests.
MODES = ("RGB", "RGB", "RGB", "L", "RGBA", "LA", "P", "1", "CMYK", "I;16", "PA", "transparent P")


def made(count: int) -> Iterator[tuple[str, Any]]:
    """Images of many sizes, shapes and modes; every second one that PNG can hold is encoded."""
    rng = np.random.default_rng(20)
    for i in range(count):
        mode = MODES[i % len(MODES)]
        width, height = size(i, rng)
        image = picture(mode, width, height, rng)
        source: Any = image
        if i % 2 and mode not in ("CMYK", "PA"):
            file = io.BytesIO()
            image.save(file, "PNG")
            source = file.getvalue()
        yield f"{mode} {width} x {height}", source


def size(i: int, rng: np.random.Generator) -> tuple[int, int]:
    """From a pixel to a thousand, some thin, and the sides around which processors change what they do."""
    kind = i % 7
    if kind == 0:
        return int(rng.integers(1, 60)), int(rng.integers(1, 60))
    if kind == 1:
        return int(rng.integers(8, 40)), int(rng.integers(300, 1200))
    if kind == 2:
        return int(rng.integers(300, 1200)), int(rng.integers(8, 40))
    if kind == 3:
        return random.Random(i).choices((223, 224, 225, 255, 256, 384, 768), k=2)  # type: ignore[return-value]
    return int(rng.integers(60, 1000)), int(rng.integers(60, 1000))


def picture(mode: str, width: int, height: int, rng: np.random.Generator) -> Image.Image:
    """Noise, extremes, or waves, which are smooth."""
    kind = rng.integers(3)
    shape = (height, width, 4)
    if kind == 0:
        pixels = rng.integers(0, 256, shape)
    elif kind == 1:
        pixels = rng.integers(0, 2, shape) * 255
    else:
        y, x, c = np.ogrid[:height, :width, :4]
        pixels = 127.5 + 127.5 * np.sin(x / (3 + c) + y / 17 + c)
    image = Image.fromarray(pixels.astype(np.uint8), "RGBA")
    if mode == "transparent P":
        image = image.convert("RGB").quantize(64)
        image.info["transparency"] = bytes(rng.integers(0, 256, 64, dtype=np.uint8))
        return image
    if mode == "I;16":
        return Image.frombytes("I;16", (width, height), pixels[..., 0].astype("<u2").tobytes())
    if mode == "P":
        return image.convert("RGB").quantize(64)
    if mode == "PA":
        return image.convert("RGB").quantize(64).convert("PA")
    return (
        image
        if mode == "RGBA"
        else image.convert("RGB").convert(mode)
        if mode != "LA"
        else image.convert("LA")
    )


def photos(folders: list[Path]) -> Iterator[tuple[str, Any]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp", ".gif"):
                yield path.name, str(path)


def opened(source: Any) -> Image.Image:
    """A source as the peers take it."""
    if not isinstance(source, Image.Image):
        source = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source)
    source.load()
    return source


def hugging_face(config: dict[str, Any], backend: str) -> Reference:
    from transformers import AutoImageProcessor

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "preprocessor_config.json").write_text(json.dumps(config))
        processor = AutoImageProcessor.from_pretrained(folder, backend=backend)
    expected = "VideoMAE" in type(processor).__name__

    def run(image: Image.Image) -> np.ndarray:
        pixels = processor([image], return_tensors="np")["pixel_values"][0]
        pixels = np.asarray(pixels[0] if expected else pixels)
        if pixels.shape[0] != 3:
            raise ValueError("no image of three channels")
        return pixels

    return run


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


Case = tuple[str, str, str, Callable[[], tuple[Callable[[Any], np.ndarray], Reference]]]


def cases() -> Iterator[Case]:
    """Library, name and backend, and what makes the two that are compared."""
    options = {"pillow": "installed"}
    for name, config in HUGGING_FACE.items():
        for backend in ("torchvision", "pil"):
            if backend == "torchvision" and config.get("resample") in (4, 5):
                continue  # torchvision has no box and hamming for tensors
            yield (
                "transformers",
                name,
                backend,
                lambda config=config, backend=backend: (
                    clipprep.Preprocess.from_hf(config, backend=backend, **options),
                    hugging_face(config, backend),
                ),
            )
    for library, configs, read, reference in (
        ("open_clip", OPEN_CLIP, clipprep.Preprocess.from_open_clip, open_clip),
        ("timm", TIMM, clipprep.Preprocess.from_timm, timm),
    ):
        for name, config in configs.items():
            yield (
                library,
                name,
                "",
                lambda config=config, read=read, reference=reference: (
                    read(config, **options),
                    reference(config),
                ),
            )
    for n in (224, 336):
        transform = openai.transform(n)
        yield (
            "OpenAI",
            f"clip._transform({n})",
            "",
            lambda n=n, transform=transform: (lambda x: transform(x).numpy(), openai_clip(n)),
        )


def outcome(function: Callable[[Any], np.ndarray], image: Any) -> Any:
    """What it returns or raises."""
    try:
        return function(image)
    except Exception as error:
        return error


def compare(
    ours: Callable[[Any], np.ndarray],
    reference: Reference,
    images: list[tuple[str, Any, Image.Image]],
) -> tuple[dict[str, int], list[str]]:
    """How many images were compared, and refused; values, and those that differ. One that one side alone refuses
    counts as a difference; what both refuse is compared in RGB."""
    counts = dict.fromkeys(("compared", "refused", "values", "different"), 0)
    wrong = []
    for name, source, image in images:
        expected, actual = outcome(reference, image), outcome(ours, source)
        if isinstance(expected, Exception) and isinstance(actual, clipprep.ImageError):
            counts["refused"] += 1
            image = image.convert("RGB")
            expected, actual = outcome(reference, image), outcome(ours, image)
            if isinstance(expected, Exception) and isinstance(actual, clipprep.ImageError):
                continue
        if isinstance(expected, Exception) or isinstance(actual, Exception):
            counts["different"] += 1
            wrong.append(f"{name}: {expected if isinstance(expected, Exception) else actual}")
            continue
        same_form = expected.shape == actual.shape and expected.dtype == actual.dtype
        bits = f"u{expected.dtype.itemsize}"
        different = (
            int((expected.view(bits) != actual.view(bits)).sum()) if same_form else expected.size
        )
        counts["compared"] += 1
        counts["values"] += expected.size
        counts["different"] += different
        if different:
            wrong.append(f"{name}: {different} of {expected.size}, {expected.shape} {actual.shape}")
    return counts, wrong


def record() -> dict[str, str]:
    """What each library makes of the images of the goldens: a digest, or "refused"."""
    goldens = {}
    for library, name, backend, make in cases():
        _, reference = make()
        for title, image in golden_images().items():
            try:
                value = digest(reference(image))
            except Exception:
                value = "refused"
            goldens["; ".join((library, name, backend, title))] = value
    return goldens


IMAGES: list[tuple[str, Any, Image.Image]] = []
CASES: list[Case] = []


def run(index: int) -> tuple[dict[str, int], list[str]]:
    """One row of the table, in a process of its own."""
    return compare(*CASES[index][3](), IMAGES)


HEAD = """# Configs against the live libraries

Written by `make peers`: each named config is given to the library that it is for and to clipprep, and both to the same
images. {images} images: {made} made ones of many sizes, shapes and modes (RGB, L, LA, RGBA, P, PA, 1, CMYK, I;16, and P with
transparent colours; half of them as PNG files), and {photos} photos. A value differs if one bit of it does. *Refused* are images that
both refuse, since a processor whose config does not convert to RGB takes no other mode; these are compared after a conversion.

Versions: {versions}.

| library | config | backend | images | refused by both | values | different |
|---|---|---|---|---|---|---|
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="*", type=Path, help="folders of photos")
    parser.add_argument("--made", type=int, default=210, help="how many images to make")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes compare")
    parser.add_argument("--only", default="", help="configs whose name has this in it")
    parser.add_argument("--out", type=Path, help="where to write the table")
    parser.add_argument("--record", type=Path, help="write goldens for the tests there instead")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("transformers").setLevel(logging.ERROR)
    torch.set_num_threads(1)  # its threads wait busily for each other where others run
    if arguments.record:
        arguments.record.write_text(json.dumps(record(), indent=1) + "\n")
        return

    images = [(name, source, opened(source)) for name, source in made(arguments.made)]
    photo_list = [(name, source, opened(source)) for name, source in photos(arguments.photos)]
    packages = (
        "transformers",
        "torch",
        "torchvision",
        "open_clip_torch",
        "timm",
        "pillow",
        "numpy",
    )
    table = HEAD.format(
        images=len(images) + len(photo_list),
        made=len(images),
        photos=len(photo_list),
        versions=", ".join(f"{package} {version(package)}" for package in packages),
    )
    total = 0
    IMAGES.extend(images + photo_list)
    chosen = [case for case in cases() if arguments.only in case[1]]
    CASES.extend(chosen)
    # Forked, so that each has the images; what is compared is made in the process that compares it.
    with ProcessPoolExecutor(arguments.jobs, multiprocessing.get_context("fork")) as pool:
        for (library, name, backend, _), (counts, wrong) in zip(
            chosen, pool.map(run, range(len(chosen))), strict=True
        ):
            total += counts["different"]
            row = (library, name, backend, counts["compared"], counts["refused"])
            line = " | ".join(map(str, row)) + f" | {counts['values']:,} | {counts['different']:,}"
            print(line, *wrong[:4], sep="\n    ", flush=True)
            table += f"| {line} |\n"
    if arguments.out:
        arguments.out.write_text(table)
    if total:
        raise SystemExit(f"{total} values differ")


if __name__ == "__main__":
    main()
