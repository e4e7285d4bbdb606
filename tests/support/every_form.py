"""Every form of call. test_typing.py has it checked by mypy, and calls it."""

import io
import json
import mmap
import os
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import clipprep
from clipprep import BatchResult, Preprocess, Source, StreamBatch


def sources(data: bytes, path: Path, archive: zipfile.ZipFile) -> list[Source]:
    pixels = np.zeros((4, 5, 3), np.uint8)
    mapped = mmap.mmap(-1, len(data))
    mapped.write(data)
    return [
        data,
        bytearray(data),
        memoryview(data),
        np.frombuffer(data, np.uint8),
        str(path),
        path,
        io.BytesIO(data),
        path.open("rb"),
        mapped,
        archive.open("cat.jpg"),
        zipfile.Path(archive, "cat.jpg"),
        Image.new("RGB", (4, 5)),
        pixels,
        {"bytes": data, "path": None},
        {"path": str(path)},
    ]


def entries(folder: str) -> list[Source]:
    return [*os.scandir(folder), *os.scandir(os.fsencode(folder))]


def made(folder: Path, transform: object) -> list[Preprocess]:
    """A config of each library in every form, and every way of naming a model, a size and an option."""
    clip = {"image_processor_type": "CLIPImageProcessor"}
    (folder / "preprocessor_config.json").write_text(json.dumps(clip), "utf-8")
    first = Preprocess("ViT-B/32", pillow="installed")
    return [
        first,
        Preprocess("ViT-L-14", pretrained="openai"),
        Preprocess(32, limits=clipprep.Limits(max_pixels=100), dtype=np.float16, layout="NHWC"),
        Preprocess((32, 48), dtype=np.dtype("uint8"), interpolation=Image.Resampling.BOX),
        Preprocess([32, 48], mean=np.zeros(3), std=[1, 1, 1], fill_color=(1, 2, 3)),
        Preprocess(transform, formats={"JPEG"}),
        Preprocess.from_hf(clip, backend="pil", exif=True),
        Preprocess.from_hf(folder),
        Preprocess.from_hf(str(folder / "preprocessor_config.json")),
        Preprocess.from_open_clip({"size": 256}),
        Preprocess.from_open_clip("ViT-B-32", pretrained="openai", truncated="pad"),
        Preprocess.from_timm("resnet50.a1_in1k", pillow="12"),
        Preprocess.from_torchvision(transform, convert_rgb=True),
    ]


def looked_at(pre: Preprocess, source: Source) -> list[str]:
    """What a model sees, and why."""
    pixels: NDArray[np.uint8] = pre.unnormalize(pre(source))
    image = pre.to_pil(pre(source))
    why: clipprep.Explanation = pre.explain(source)
    try:
        pre(b"")
    except (clipprep.ImageError, OSError) as error:
        said = str(error)
    return [str(pixels.shape), repr(image), why.decoder, said, *clipprep.available_models("openai")]


def embed(pre: Preprocess, given: list[Source]) -> NDArray[Any]:
    out = np.empty((len(given), 3, 224, 224), np.float32)
    pre(given[0], out=out[0])
    pixels: NDArray[Any] = pre.batch(given, out=out, num_threads=2)
    pre.batch(np.array([], str))
    pre.batch(np.zeros((2, 4, 5, 3), np.uint8))
    pre.batch(str(path) for path in Path().glob("*.no-such-name"))
    result: BatchResult = pre.try_batch([*given, None])
    for row, error in result.errors.items():
        name = error.source if isinstance(error, clipprep.ImageError) else error.filename
        assert (row, name) == (len(given), None)
    for batch in pre.stream(given, batch_size=4):
        start: int = batch.start
        assert start < len(given)
        assert batch.ok.all()
    return pixels


async def uploads(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def serve(pre: Preprocess, data: bytes) -> list[StreamBatch]:
    pixels: NDArray[Any] = await pre.abatch([data])
    result: BatchResult = await pre.try_abatch([data, None])
    assert len(pixels) == 1
    assert list(result.ok) == [True, False]
    async for batch in pre.astream([data]):
        assert batch.start == 0
    return [batch async for batch in pre.astream(uploads(data), batch_size=8, num_threads=1)]
