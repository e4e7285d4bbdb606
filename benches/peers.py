"""The peers, and how each is asked for the same thing: one image, or a list of them, to CLIP tensors.

A peer is made by a function that imports what it needs; where that is absent (ImportError), or where this build of
clipprep does not have the option (TypeError, ValueError), the peer is left out with a line that says so.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import peers_of_torch as torch_peers
from kinds import KINDS
from peers_of_torch import opened
from PIL import Image

import clipprep
from clipprep.verify.reference import normalise, pixels, resized_size

Job = Callable[[Any], Any]
FILES, PIXELS = ("jpeg", "png", *KINDS), ("array", "pil")
ALL = (*FILES, *PIXELS)
#: The kinds of tables that have all peers; those of `KINDS` have the ones that the chart shows.
MAIN = ("jpeg", "png", *PIXELS)
JPEGS = tuple(kind for kind in KINDS if kind.startswith("JPEG"))
#: Those that simplejpeg decodes: it converts no CMYK.
YCC = tuple(kind for kind in JPEGS if "CMYK" not in kind)


@dataclass(frozen=True)
class Peer:
    name: str
    kinds: tuple[str, ...]
    make: Callable[[str, int, int], Job]  # kind, side, threads -> a job for one image
    batch: Callable[[str, int, int], Job] | None = None  # the same for a list, where it has that
    expected: Callable[[np.ndarray], np.ndarray] = normalise  # what exact means, from pixels
    floor: bool = False  # only decodes: what the others stand on

    def batch_job(self, kind: str, n: int, threads: int) -> Job:
        """A list to an array; a peer that has no batches of its own gets a pool of threads."""
        if self.batch:
            return self.batch(kind, n, threads)
        one = self.make(kind, n, 1)
        pool = ThreadPoolExecutor(threads)
        spread = map if threads == 1 else pool.map

        def run(sources: list[Any]) -> list[Any]:
            return list(spread(one, sources))

        return run


def _ours(**options: Any) -> dict[str, Callable[[str, int, int], Job]]:
    def out(pre: clipprep.Preprocess, *shape: int) -> np.ndarray:
        """Memory like that of the first result, so that any dtype and layout will do."""
        like = pre(np.zeros((8, 8, 3), np.uint8))
        return np.empty((*shape, *like.shape), like.dtype)

    def make(kind: str, n: int, threads: int) -> Job:
        pre = clipprep.Preprocess(n, **options)
        memory = out(pre)
        return lambda source: pre(source, out=memory, num_threads=threads)

    def batch(kind: str, n: int, threads: int) -> Job:
        pre = clipprep.Preprocess(n, **options)
        memory: dict[int, np.ndarray] = {}

        def run(sources: list[Any]) -> np.ndarray:
            if len(sources) not in memory:
                memory[len(sources)] = out(pre, len(sources))
            return pre.batch(sources, out=memory[len(sources)], num_threads=threads)

        return run

    return {"make": make, "batch": batch}


def _simplejpeg(kind: str, n: int, threads: int) -> Job:
    import simplejpeg

    # The decoder's defaults are the slow, exact ones: no fast DCT, no fast upsampling.
    return lambda data: simplejpeg.decode_jpeg(data, colorspace="RGB")


def _png_floor(kind: str, n: int, threads: int) -> Job:
    import cv2

    cv2.setNumThreads(threads)
    return lambda data: cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)


def _pillow(kind: str, n: int, threads: int) -> Job:
    return lambda source: normalise(pixels(opened(source), n))


def _pillow_floor(kind: str, n: int, threads: int) -> Job:
    return lambda data: Image.open(io.BytesIO(data)).load()


def _pillow_draft(kind: str, n: int, threads: int) -> Job:
    def run(data: bytes) -> np.ndarray:
        image = Image.open(io.BytesIO(data))
        w, h = resized_size(*image.size, n)
        image.draft("RGB", (2 * w, 2 * h))  # a DCT scale that keeps twice the size, as thumbnail()
        image = image.resize((w, h), Image.Resampling.BICUBIC)
        left, top = round((w - n) / 2), round((h - n) / 2)
        return normalise(np.asarray(image.crop((left, top, left + n, top + n)).convert("RGB")))

    return run


def _affine(n: int) -> Callable[[np.ndarray], np.ndarray]:
    """(n, n, 3) bytes to floats by one multiplication and one addition, for peers that are inexact anyway."""
    std, mean = np.array(clipprep.STD, np.float32), np.array(clipprep.MEAN, np.float32)
    scale, shift = 1 / (255 * std), -mean / std

    def run(array: np.ndarray) -> np.ndarray:
        tensor = np.empty((3, n, n), np.float32)
        np.multiply(array, scale, out=tensor.transpose(1, 2, 0))
        np.add(tensor, shift[:, None, None], out=tensor)
        return tensor

    return run


def _opencv(kind: str, n: int, threads: int) -> Job:
    import cv2

    cv2.setNumThreads(threads)
    to_floats = _affine(n)

    def run(source: Any) -> np.ndarray:
        if isinstance(source, bytes):
            source = cv2.imdecode(np.frombuffer(source, np.uint8), cv2.IMREAD_COLOR_RGB)
        h, w = source.shape[:2]
        nw, nh = resized_size(w, h, n)
        left, top = round((nw - n) / 2), round((nh - n) / 2)
        resized = cv2.resize(source, (nw, nh), interpolation=cv2.INTER_AREA)
        return to_floats(resized[top : top + n, left : left + n])

    return run


def _pyvips(kind: str, n: int, threads: int) -> Job:
    import pyvips

    pyvips.cache_set_max(0)  # or the second round would be answered from memory
    pyvips.vips_lib.vips_concurrency_set(threads)
    to_floats = _affine(n)

    def run(source: Any) -> np.ndarray:
        if isinstance(source, bytes):
            image = pyvips.Image.thumbnail_buffer(source, n, height=n, crop="centre")
        else:
            image = pyvips.Image.new_from_array(source)
            image = image.thumbnail_image(n, height=n, crop="centre")
        return to_floats(image.numpy()[..., :3])

    return run


def _hf_rust(backend: str) -> dict[str, Callable[[str, int, int], Job]]:
    def processor(n: int) -> Any:
        import hf_processors_rs

        hf_processors_rs.set_max_image_pixels(None)
        config = torch_peers.hugging_face_config(n)
        return hf_processors_rs.AutoImageProcessor.from_dict(config, backend=backend)

    def make(kind: str, n: int, threads: int) -> Job:
        run = processor(n)
        return lambda source: run(source, num_threads=threads)[0]

    def batch(kind: str, n: int, threads: int) -> Job:
        run = processor(n)
        return lambda sources: run(sources, num_threads=threads)

    return {"make": make, "batch": batch}


def _levels(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array.transpose(2, 0, 1))


OURS, FAST = "clipprep", "clipprep, fast"
TORCHVISION, TORCHVISION_TENSORS = "torchvision, PIL", "torchvision v2, uint8 tensors"
PILLOW, PILLOW_DECODE = "Pillow and NumPy", "Pillow, decode only"
#: What only decodes, by kind.
FLOOR = {
    **dict.fromkeys(KINDS, PILLOW_DECODE),
    **dict.fromkeys(("jpeg", *YCC), "simplejpeg, decode only"),
    "png": "OpenCV, decode only",
}

PEERS = (
    Peer(OURS, ALL, **_ours()),
    Peer(FAST, (*MAIN, *JPEGS), **_ours(precision="fast")),
    Peer(
        "clipprep, float16",
        MAIN,
        **_ours(dtype="float16"),
        expected=lambda array: normalise(array).astype(np.float16),
    ),
    Peer("clipprep, uint8", MAIN, **_ours(dtype="uint8"), expected=_levels),
    Peer(
        "clipprep, uint8 NHWC",
        MAIN,
        **_ours(dtype="uint8", layout="NHWC"),
        expected=lambda array: array,
    ),
    Peer(FLOOR["jpeg"], ("jpeg", *YCC), _simplejpeg, floor=True),
    Peer(PILLOW_DECODE, tuple(KINDS), _pillow_floor, floor=True),
    Peer(FLOOR["png"], ("png",), _png_floor, floor=True),
    Peer(PILLOW, ALL, _pillow),
    Peer("Pillow, draft mode", ("jpeg",), _pillow_draft),
    Peer(TORCHVISION, ALL, torch_peers.torchvision_pil),
    Peer(TORCHVISION_TENSORS, ALL, torch_peers.torchvision_tensors),
    Peer("transformers, pil", MAIN, **torch_peers.hugging_face("pil")),
    Peer("transformers, torchvision", ALL, **torch_peers.hugging_face("torchvision")),
    Peer("hf-processors-rs, pil", MAIN, **_hf_rust("pil")),
    Peer("hf-processors-rs, torchvision", ALL, **_hf_rust("torchvision")),
    Peer("OpenCV, INTER_AREA", (*FILES, "array"), _opencv),
    Peer("pyvips, thumbnail", ("jpeg", "png", "array"), _pyvips),
)
