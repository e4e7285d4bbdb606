"""Who is measured, and what each is asked to do: one encoded image or one array to one CLIP tensor.

A peer is made by a function that imports what it needs, and raises ImportError where that is absent.
`decode` peers do less than the job: they are the floor that the others stand on.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

import clipprep

Job = Callable[[Any], Any]


@dataclass(frozen=True)
class Peer:
    name: str
    make: Callable[[int], Job]
    takes: str  # "jpeg" or "array"
    whole: bool = True  # False: a part of the job, its output is not compared


def normalise(pixels: np.ndarray) -> np.ndarray:
    """The reference's float part, on (H, W, 3) bytes."""
    mean = np.array(clipprep.MEAN, np.float32)
    std = np.array(clipprep.STD, np.float32)
    scaled = (pixels.astype(np.float32) / np.float32(255) - mean) / std
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def pillow_reference(n: int) -> Callable[[Image.Image], np.ndarray]:
    def run(image: Image.Image) -> np.ndarray:
        w, h = image.size
        nw, nh = (n, int(n * h / w)) if w <= h else (int(n * w / h), n)
        left, top = round((nw - n) / 2), round((nh - n) / 2)
        resized = image if (nw, nh) == (w, h) else image.resize((nw, nh), Image.Resampling.BICUBIC)
        return normalise(np.asarray(resized.crop((left, top, left + n, top + n)).convert("RGB")))

    return run


def _clipprep(n: int) -> Job:
    pre = clipprep.Preprocess(n)
    out = np.empty((3, n, n), np.float32)
    return lambda source: pre(source, out=out)


def _pillow_jpeg(n: int) -> Job:
    run = pillow_reference(n)
    return lambda data: run(Image.open(io.BytesIO(data)))


def _pillow_array(n: int) -> Job:
    run = pillow_reference(n)
    return lambda array: run(Image.fromarray(array))


def _simplejpeg(n: int) -> Job:
    import simplejpeg

    # The decoder's defaults are the slow, exact ones: no fast DCT, no fast upsampling.
    return lambda data: simplejpeg.decode_jpeg(data, colorspace="RGB")


def _torchvision_pil(n: int) -> Job:
    import torch
    from torchvision import transforms as t

    torch.set_num_threads(1)
    run = t.Compose(
        [
            t.Resize(n, t.InterpolationMode.BICUBIC),
            t.CenterCrop(n),
            lambda image: image.convert("RGB"),
            t.ToTensor(),
            t.Normalize(clipprep.MEAN, clipprep.STD),
        ]
    )
    return lambda data: run(Image.open(io.BytesIO(data)))


def _torchvision_tensor(n: int) -> Job:
    import torch
    from torchvision.transforms import v2

    torch.set_num_threads(1)
    run = v2.Compose(
        [
            v2.Resize(n, v2.InterpolationMode.BICUBIC, antialias=True),
            v2.CenterCrop(n),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(clipprep.MEAN, clipprep.STD),
        ]
    )
    return lambda array: run(torch.from_numpy(array).permute(2, 0, 1)).numpy()


def _opencv(n: int) -> Job:
    import cv2

    cv2.setNumThreads(1)

    def run(data: bytes) -> np.ndarray:
        image = cv2.cvtColor(
            cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB
        )
        h, w = image.shape[:2]
        nw, nh = (n, int(n * h / w)) if w <= h else (int(n * w / h), n)
        left, top = round((nw - n) / 2), round((nh - n) / 2)
        resized = cv2.resize(image, (nw, nh), interpolation=cv2.INTER_AREA)
        return normalise(resized[top : top + n, left : left + n])

    return run


PEERS = [
    Peer("clipprep", _clipprep, "jpeg"),
    Peer("simplejpeg, decode only", _simplejpeg, "jpeg", whole=False),
    Peer("Pillow + NumPy", _pillow_jpeg, "jpeg"),
    Peer("torchvision on PIL", _torchvision_pil, "jpeg"),
    Peer("OpenCV, INTER_AREA", _opencv, "jpeg"),
    Peer("clipprep", _clipprep, "array"),
    Peer("Pillow + NumPy", _pillow_array, "array"),
    Peer("torchvision v2 on uint8 tensors", _torchvision_tensor, "array"),
]
