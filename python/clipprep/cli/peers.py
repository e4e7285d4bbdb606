"""The peers of `clipprep bench`: the same images through the libraries that are installed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from time import perf_counter, process_time
from typing import Any

from PIL import Image

from clipprep import Preprocess
from clipprep.verify import Transform

OURS, PILLOW = "clipprep", "Pillow with NumPy"

Peer = Callable[[bytes], Any]


def rates(preprocess: Preprocess, images: list[bytes], seconds: float) -> dict[str, float]:
    """Images a second on one thread, by peer: all images in turns, so that nobody has a better minute."""
    peers = _peers(preprocess)
    spent = dict.fromkeys(peers, 0.0)
    done = 0
    begin = perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for peer in peers.values():  # warms up
            peer(images[0])
        while not done or perf_counter() - begin < seconds:
            image = images[done % len(images)]
            for name, peer in peers.items():
                start = process_time()
                peer(image)
                spent[name] += process_time() - start
            done += 1
    return {name: done / max(taken, 1e-9) for name, taken in spent.items()}


def rate(preprocess: Preprocess, images: list[bytes], threads: int, seconds: float) -> float:
    """Images a second of clipprep on so many threads, in the best of the rounds."""
    out = preprocess.batch(images, num_threads=threads)
    best, begin = 0.0, perf_counter()
    while not best or perf_counter() - begin < seconds:
        start = perf_counter()
        preprocess.batch(images, out=out, num_threads=threads)
        best = max(best, len(images) / (perf_counter() - start))
    return best


def _peers(preprocess: Preprocess) -> dict[str, Peer]:
    peers: dict[str, Peer] = {OURS: preprocess}
    try:
        transform = Transform(preprocess)
    except ValueError:  # other bits than anybody's
        transform = Transform(Preprocess(preprocess.size))
    peers[PILLOW] = lambda data: transform(Image.open(BytesIO(data)))
    side = preprocess.size
    if not isinstance(side, int):
        return peers
    if find_spec("torchvision"):
        import_module("torch").set_num_threads(1)
        peers["torchvision"] = _torchvision(preprocess, side)
    if find_spec("transformers"):
        processor = import_module("transformers").CLIPImageProcessor(
            size={"shortest_edge": side}, crop_size={"height": side, "width": side}
        )
        peers["transformers"] = lambda data: processor(
            Image.open(BytesIO(data)), return_tensors="np"
        )
    return peers


def _torchvision(preprocess: Preprocess, side: int) -> Peer:
    """OpenAI's own transform."""
    transforms = import_module("torchvision.transforms")
    compose = transforms.Compose(
        [
            transforms.Resize(side, interpolation=transforms.InterpolationMode.BICUBIC),
            transforms.CenterCrop(side),
            lambda image: image.convert("RGB"),
            transforms.ToTensor(),
            transforms.Normalize(preprocess.mean, preprocess.std),
        ]
    )
    return lambda data: compose(Image.open(BytesIO(data)))
