"""The peers that need torch: torchvision's two ways, and transformers' two processors.

The number of torch's threads is set in each call, for it holds for the process and the peers take turns.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

import clipprep

Job = Callable[[Any], Any]


def opened(source: Any) -> Image.Image:
    """A source as a PIL image."""
    if isinstance(source, bytes):
        return Image.open(io.BytesIO(source))
    return source if isinstance(source, Image.Image) else Image.fromarray(source)


def torchvision_pil(kind: str, n: int, threads: int) -> Job:
    """OpenAI's own transform."""
    import torch
    from torchvision import transforms as t

    run = t.Compose(
        [
            t.Resize(n, t.InterpolationMode.BICUBIC),
            t.CenterCrop(n),
            lambda image: image.convert("RGB"),
            t.ToTensor(),
            t.Normalize(clipprep.MEAN, clipprep.STD),
        ]
    )

    def job(source: Any) -> np.ndarray:
        torch.set_num_threads(threads)
        return run(opened(source)).numpy()

    return job


def torchvision_tensors(kind: str, n: int, threads: int) -> Job:
    """v2 on uint8 tensors, decoded by torchvision itself where there is something to decode."""
    import torch
    from torchvision import io as tv
    from torchvision.transforms import v2

    run = v2.Compose(
        [
            v2.Resize(n, v2.InterpolationMode.BICUBIC, antialias=True),
            v2.CenterCrop(n),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize(clipprep.MEAN, clipprep.STD),
        ]
    )

    def tensor(source: Any) -> Any:
        if isinstance(source, bytes):
            encoded = torch.from_numpy(np.frombuffer(source, np.uint8))
            return tv.decode_image(encoded, mode=tv.ImageReadMode.RGB)
        if kind == "array":
            return torch.from_numpy(source).permute(2, 0, 1)
        return v2.functional.pil_to_tensor(source)

    def job(source: Any) -> np.ndarray:
        torch.set_num_threads(threads)
        return run(tensor(source)).numpy()

    return job


def hugging_face_config(n: int) -> dict[str, Any]:
    """The `preprocessor_config.json` of openai/clip-vit-base-patch32, for any side."""
    return {
        "image_processor_type": "CLIPImageProcessor",
        "do_resize": True,
        "size": {"shortest_edge": n},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": n, "width": n},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(clipprep.MEAN),
        "image_std": list(clipprep.STD),
        "do_convert_rgb": True,
    }


def hugging_face(backend: str) -> dict[str, Callable[[str, int, int], Job]]:
    def processor(kind: str, n: int, threads: int) -> Job:
        import torch
        from transformers import CLIPImageProcessor, CLIPImageProcessorPil

        cls = CLIPImageProcessorPil if backend == "pil" else CLIPImageProcessor
        process = cls(**hugging_face_config(n))
        kind_of_tensor = "np" if backend == "pil" else "pt"

        def run(sources: list[Any]) -> np.ndarray:
            torch.set_num_threads(threads)
            # It takes arrays as they are, and decodes no files.
            images = sources if kind == "array" else [opened(source) for source in sources]
            return np.asarray(process(images, return_tensors=kind_of_tensor)["pixel_values"])

        return run

    def make(kind: str, n: int, threads: int) -> Job:
        run = processor(kind, n, threads)
        return lambda source: run([source])[0]

    return {"make": make, "batch": processor}
