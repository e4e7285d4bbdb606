"""Every class of transformers that is read, and named configs of all libraries, against the live libraries.

Writes docs/configs.md. Needs the peers of the extra `bench`; `make peers` installs them. Photos are read
from the folders that are named, besides the images that are made here.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import multiprocessing
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hf_probe import variants
from images import made, opened, photos
from live import Reference, hugging_face, open_clip, openai_clip, timm
from PIL import Image

import clipprep
from clipprep import openai
from clipprep.configs.hf import table

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from support.named_configs import (
    HUGGING_FACE,
    OPEN_CLIP,
    TIMM,
    class_configs,
    digest,
    golden_images,
)

#: The makers of the two that are compared.
Pair = Callable[[], tuple[Callable[[Any], np.ndarray], Reference]]
#: Library, name, backend.
Case = tuple[str, str, str, list[Pair]]

BACKENDS = ("torchvision", "pil")


def hf_pair(config: dict[str, Any], backend: str) -> Pair:
    return lambda: (
        clipprep.Preprocess.from_hf(config, backend=backend, pillow="installed"),
        hugging_face(config, backend),
    )


def class_cases(thin: int) -> Iterator[Case]:
    """Each class that is read: its defaults, and every `thin`-th variant of them with every field that is honoured."""
    for backend in BACKENDS:
        for stem, config in class_configs(backend).items():
            pairs = [hf_pair(config, backend)]
            for variant in itertools.islice(variants(), 0, None, thin):
                more = config | variant
                try:
                    clipprep.Preprocess.from_hf(more, backend=backend)
                except ValueError:
                    continue
                pairs.append(hf_pair(more, backend))
            yield "transformers", stem, backend, pairs


def named_cases() -> Iterator[Case]:
    """Named configs, as they are published or made to use every field."""
    options = {"pillow": "installed"}
    for name, config in HUGGING_FACE.items():
        for backend in BACKENDS:
            if backend == "torchvision" and config.get("resample") in (4, 5):
                continue  # torchvision has no box and hamming for tensors
            yield "transformers", name, backend, [hf_pair(config, backend)]
    for library, configs, read, reference in (
        ("open_clip", OPEN_CLIP, clipprep.Preprocess.from_open_clip, open_clip),
        ("timm", TIMM, clipprep.Preprocess.from_timm, timm),
    ):
        for name, config in configs.items():
            yield (
                library,
                name,
                "",
                [
                    lambda config=config, read=read, reference=reference: (
                        read(config, **options),
                        reference(config),
                    )
                ],
            )
    for n in (224, 336):
        transform = openai.transform(n)
        yield (
            "OpenAI",
            f"clip._transform({n})",
            "",
            [lambda n=n, transform=transform: (lambda x: transform(x).numpy(), openai_clip(n))],
        )


def outcome(function: Callable[[Any], np.ndarray], image: Any) -> Any:
    """Its result, or its exception."""
    try:
        return function(image)
    except Exception as error:
        return error


def compare(
    ours: Callable[[Any], np.ndarray],
    reference: Reference,
    images: list[tuple[str, Any, Image.Image]],
) -> tuple[dict[str, int], list[str]]:
    """The numbers of images compared and refused, of values and of those that differ. One that one side alone refuses
    counts as a difference; what is refused for its mode is compared in RGB."""
    counts = dict.fromkeys(("compared", "refused", "values", "different"), 0)
    wrong = []
    for name, source, image in images:
        expected, actual = outcome(reference, image), outcome(ours, source)
        if "convert_rgb is False" in str(actual):
            counts["refused"] += 1
            image = image.convert("RGB")
            expected, actual = outcome(reference, image), outcome(ours, image)
            if isinstance(expected, Exception) and isinstance(actual, clipprep.ImageError):
                continue  # counted already
        if isinstance(expected, Exception) and isinstance(actual, clipprep.ImageError):
            counts["refused"] += 1
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


def record(only: str) -> dict[str, str]:
    """Each library's results for the images of the goldens: a digest, or "refused"; of configs whose name has `only`
    in it."""
    small = [
        ("transformers", f"class {stem}", backend, [hf_pair(config, backend)])
        for backend in BACKENDS
        for stem, config in class_configs(backend, small=True).items()
    ]
    goldens = {}
    for library, name, backend, pairs in [*named_cases(), *small]:
        if only not in name:
            continue
        _, reference = pairs[0]()
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
    """One row of a table, in a process of its own."""
    total = dict.fromkeys(("compared", "refused", "values", "different"), 0)
    wrong = []
    # Variants of a class have each their part of the images.
    for i, pair in enumerate(CASES[index][3]):
        images = IMAGES if i == 0 else IMAGES[i % 7 :: 7]
        counts, differences = compare(*pair(), images)
        total = {name: count + counts[name] for name, count in total.items()}
        wrong += differences
    return total, wrong


HEAD = """# Configs against the live libraries

Written by `make peers`. Each config is given to the library that it is for and to clipprep, and both to the same images:
{made} made ones of many sizes, shapes and modes (RGB, L, LA, RGBA, P, PA, 1, CMYK, I;16, and P with transparent
colours; half of them as PNG files), and {photos} photos. A value differs if one bit of it does. *Refused* are images of
other modes where a config does not convert to RGB (the live libraries fail on most of them); these are compared after a conversion.

Versions: {versions}.

| classes of transformers {transformers} | read | not read | configs compared | values | different |
|---|---|---|---|---|---|
| {classes} | {read} | {refused} | {configs:,} | {values:,} | {different:,} |
"""

READ = """
## The stand-in on paths

`clipprep.transformers.ClipPrepImageProcessor` takes what an image processor of transformers takes. A `str` is a path (or a
`data:image/` URI, or base64 text), which transformers reads itself: it applies the EXIF orientation, and drops alpha before it
resizes; of a PIL image it does neither. The stand-in does the same, and reads a `pathlib.Path`, bytes and file
objects, which transformers does not take, as it reads a path.

- Backend `pil`: the same bits for every file that Pillow reads. One transparent colour (a GIF's, or tRNS of a PNG that has no
  palette) shows white, since Pillow hands it on; any other transparency is dropped.
- Backend `torchvision`: the same bits for JPEG, WebP and PNG of 8 bits and less. The decoders of torchvision 0.29 differ
  elsewhere: they clip a PNG of 16 bits to the low levels (here it is what Pillow makes of it), give all frames of an animated GIF
  (here the first), show other colours under the transparency of a GIF, and do not read BMP, TIFF and the other formats at all (here
  they are read).

## transformers 4

The image processors of version 4 that are slow (`use_fast=False`, the default up to 4.5x) drop alpha where those of version 5 show white.
`Preprocess.from_hf(config, backend="pil", over_white=False)` has their bits for a config that writes its fields: recorded goldens of
4.57.6 are among the tests, for CLIP, Bit (DINOv2), BLIP, ViT and DeiT. Some defaults differ between the versions, such as ConvNext's mean.

Live processors of version 4 are read where their class was compared: 30 slow ones and 29 fast ones, in 4.50 and 4.57, with no value that differs. Fast ones that
crop are refused before 4.57, where they round margins differently, and so are Janus, DeepSeek-VL, TVP and the fast ones of Chameleon and ConvNeXT. The `to_dict()` of
a refused one is read as that of version 5.

## Arrays

The `hf-` profiles read an array of uint8 as transformers does: (1, H, W), (3, H, W) and (4, H, W) have channels first, also
where the last axis could be the channels; (H, W) is grey, and any other shape has channels last. `openai` and `timm` always
read channels last: to them (3, 40, 3) is three rows of RGB. `input_layout="HWC"` or `"CHW"` decides for every profile.

## Classes of transformers that are read

Each is named without its suffix `ImageProcessor`. Its defaults and variants that use every field are compared with the
live class, with both backends; a class that has one backend uses it for both. *Must be* are fields that the live class reads and no
option expresses, with the values that are taken; every other field is honoured, or ignored as the live class ignores it.
Of what a class returns `pixel_values` alone is made: no `pixel_mask`, `original_sizes` or `num_crops`. Classes of detection and segmentation
whose default size depends on the image (DETR and its kin, MaskFormer, OneFormer, Idefics2) are read where their config has a height and a width, or
a `pad_size`.

| class | geometry | must be | configs | values | different |
|---|---|---|---|---|---|
"""

NOT_READ = """
## Classes of transformers that are not read

| class | why |
|---|---|
"""

NAMED = """
## Named configs

| library | config | backend | images | refused | values | different |
|---|---|---|---|---|---|---|
"""


def must_be(stem: str) -> str:
    """The fields that no option expresses, with the values that are taken."""
    neutral = {
        name: values
        for backend in BACKENDS
        for name, values in table.row(stem, backend).neutral.items()
    }
    return "<br>".join(
        f"`{name}`: {' or '.join(f'`{json.dumps(value)}`' for value in values) or 'absent'}"
        for name, values in neutral.items()
    )


def kind(stem: str) -> str:
    """The geometry of a class, of the first backend that is read."""
    kinds = {backend: table.row(stem, backend).kind for backend in BACKENDS}
    named = {backend: kind for backend, kind in kinds.items() if kind}
    only = "" if len(named) == len(kinds) else f", backend `{next(iter(named))}`"
    return f"{next(iter(named.values()))}{only}"


def report(results: list[tuple[Case, dict[str, int]]], **facts: Any) -> str:
    """docs/configs.md."""
    per_class: dict[str, dict[str, int]] = {}
    named = ""
    for (library, name, backend, pairs), counts in results:
        if name in table.classes():
            total = per_class.setdefault(name, dict.fromkeys((*counts, "configs"), 0))
            for key, count in (counts | {"configs": len(pairs)}).items():
                total[key] += count
        else:
            row = (library, name, backend, counts["compared"], counts["refused"])
            cells = " | ".join(map(str, row))
            named += f"| {cells} | {counts['values']:,} | {counts['different']:,} |\n"
    read = "".join(
        f"| {stem} | {kind(stem)} | {must_be(stem)} "
        f"| {total['configs']} | {total['values']:,} | {total['different']:,} |\n"
        for stem, total in per_class.items()
    )
    whys = {stem: table.row(stem, "torchvision").why for stem in table.classes()}
    refused = "".join(f"| {stem} | {why} |\n" for stem, why in whys.items() if why)
    sums = {
        key: sum(total[key] for total in per_class.values())
        for key in ("configs", "values", "different")
    }
    head = HEAD.format(
        transformers=version("transformers"),
        classes=len(whys),
        read=len(whys) - sum(map(bool, whys.values())),
        refused=sum(map(bool, whys.values())),
        **sums,
        **facts,
    )
    return head + READ + read + NOT_READ + refused + NAMED + named


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="*", type=Path, help="folders of photos")
    parser.add_argument("--made", type=int, default=210, help="how many images to make")
    parser.add_argument("--thin", type=int, default=1, help="take each variant of so many")
    parser.add_argument("--jobs", type=int, default=2, help="how many processes compare")
    parser.add_argument("--only", default="", help="configs whose name has this in it")
    parser.add_argument("--out", type=Path, help="where to write the tables")
    parser.add_argument("--record", type=Path, help="write goldens for the tests there instead")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)  # its threads wait busily for each other where others run
    if arguments.record:
        known = json.loads(arguments.record.read_text()) if arguments.only else {}
        goldens = known | record(arguments.only)
        arguments.record.write_text(json.dumps(goldens, indent=1) + "\n")
        return

    images = [(name, source, opened(source)) for name, source in made(arguments.made)]
    photo_list = [(name, source, opened(source)) for name, source in photos(arguments.photos)]
    packages = ("torch", "torchvision", "open_clip_torch", "timm", "pillow", "numpy")
    IMAGES.extend(images + photo_list)
    CASES.extend(
        case for case in (*class_cases(arguments.thin), *named_cases()) if arguments.only in case[1]
    )
    results = []
    # Forked, so that each has the images; what is compared is made in the process that compares it.
    with ProcessPoolExecutor(arguments.jobs, multiprocessing.get_context("fork")) as pool:
        for case, (counts, wrong) in zip(CASES, pool.map(run, range(len(CASES))), strict=True):
            print(*case[:3], counts, *wrong[:4], sep="\n    ", flush=True)
            results.append((case, counts))
    if arguments.out:
        facts = {"made": len(images), "photos": len(photo_list)}
        versions = ", ".join(f"{package} {version(package)}" for package in packages)
        arguments.out.write_text(report(results, versions=versions, **facts))
    total = sum(counts["different"] for _, counts in results)
    if total:
        raise SystemExit(f"{total} values differ")


if __name__ == "__main__":
    main()
