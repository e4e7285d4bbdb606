"""Configs as they are published, variations of them that use every field, and images to compare on.

`benches/configs.py` gives them to the live libraries, and records in `tests/data/config_goldens.json` what
those make of the images below; the tests compare with the record, without the libraries.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from clipprep.configs.hf import table

CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
CLIP_STD = [0.26862954, 0.26130258, 0.27577711]
IMAGENET_MEAN = [0.485, 0.456, 0.406]
IMAGENET_STD = [0.229, 0.224, 0.225]
HALF = [0.5, 0.5, 0.5]

#: The old style of CLIP's configs, which names a feature extractor.
_CLIP: dict[str, Any] = {
    "crop_size": 224,
    "do_center_crop": True,
    "do_normalize": True,
    "do_resize": True,
    "feature_extractor_type": "CLIPFeatureExtractor",
    "image_mean": CLIP_MEAN,
    "image_std": CLIP_STD,
    "resample": 3,
    "size": 224,
}
#: The new style.
_NEW: dict[str, Any] = {
    "crop_size": {"height": 224, "width": 224},
    "do_center_crop": True,
    "do_convert_rgb": True,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": CLIP_MEAN,
    "image_processor_type": "CLIPImageProcessor",
    "image_std": CLIP_STD,
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"shortest_edge": 224},
}
_SIGLIP: dict[str, Any] = {
    "do_convert_rgb": None,
    "do_normalize": True,
    "do_rescale": True,
    "do_resize": True,
    "image_mean": HALF,
    "image_processor_type": "SiglipImageProcessor",
    "image_std": HALF,
    "processor_class": "SiglipProcessor",
    "resample": 3,
    "rescale_factor": 0.00392156862745098,
    "size": {"height": 224, "width": 224},
}
_VIT: dict[str, Any] = {
    "do_normalize": True,
    "do_resize": True,
    "feature_extractor_type": "ViTFeatureExtractor",
    "image_mean": HALF,
    "image_std": HALF,
    "resample": 2,
    "size": 224,
}
_IMAGENET = {"image_mean": IMAGENET_MEAN, "image_std": IMAGENET_STD}

HUGGING_FACE: dict[str, dict[str, Any]] = {
    "CLIP ViT-B/32": _CLIP,
    "CLIP ViT-L/14@336px": _CLIP | {"size": 336, "crop_size": 336},
    "CLIP, new style": _NEW,
    "CLIP, fast, no field": {"image_processor_type": "CLIPImageProcessorFast"},
    "SigLIP base 224": _SIGLIP,
    "SigLIP so400m 384": _SIGLIP | {"size": {"height": 384, "width": 384}},
    "SigLIP 2 base 256": _SIGLIP
    | {"resample": 2, "size": {"height": 256, "width": 256}, "processor_class": "SiglipProcessor"},
    "ViT base 224": _VIT,
    "ViT, RGB": _VIT | {"do_convert_rgb": True, "size": {"height": 224, "width": 224}},
    "DeiT base": _VIT
    | _IMAGENET
    | {
        "crop_size": 224,
        "do_center_crop": True,
        "feature_extractor_type": "DeiTFeatureExtractor",
        "resample": 3,
        "size": 256,
    },
    "BLIP captioning base": _SIGLIP
    | {
        "do_convert_rgb": True,
        "image_mean": CLIP_MEAN,
        "image_processor_type": "BlipImageProcessor",
        "image_std": CLIP_STD,
        "processor_class": "BlipProcessor",
        "size": {"height": 384, "width": 384},
    },
    "ConvNeXt tiny 224": _VIT
    | _IMAGENET
    | {"crop_pct": 0.875, "feature_extractor_type": "ConvNextFeatureExtractor", "resample": 3},
    "ConvNeXt base 384": _VIT
    | _IMAGENET
    | {
        "crop_pct": None,
        "feature_extractor_type": "ConvNextFeatureExtractor",
        "resample": 3,
        "size": 384,
    },
    "ConvNeXt, crop_pct 0.9, RGB": {
        "crop_pct": 0.9,
        "do_convert_rgb": True,
        "image_processor_type": "ConvNextImageProcessor",
        "size": {"shortest_edge": 288},
    },
    "ConvNeXt, cropped after 384": {
        "crop_size": 320,
        "do_center_crop": True,
        "do_convert_rgb": True,
        "image_processor_type": "ConvNextImageProcessor",
    },
    "DINOv2 base": _NEW
    | _IMAGENET
    | {"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 256}},
    "Chinese-CLIP ViT-B/16": _CLIP
    | {
        "do_center_crop": False,
        "feature_extractor_type": "ChineseCLIPFeatureExtractor",
        "size": {"height": 224, "width": 224},
    },
    "AltCLIP": _CLIP | {"do_convert_rgb": True, "processor_class": "AltCLIPProcessor"},
    "CLIPSeg rd64": _VIT | _IMAGENET | {"size": 352},
    "CLIPSeg, pair": _VIT | {"size": {"height": 352, "width": 300}, "do_convert_rgb": True},
    "X-CLIP base, a frame": _VIT
    | _IMAGENET
    | {
        "crop_size": 224,
        "do_center_crop": True,
        "do_rescale": True,
        "feature_extractor_type": "VideoMAEFeatureExtractor",
    },
    "OWL-ViT base": _CLIP
    | {
        "crop_size": 768,
        "do_center_crop": False,
        "feature_extractor_type": "OwlViTFeatureExtractor",
        "rescale": True,
        "size": [768, 768],
    },
    "nearest": _NEW | {"resample": 0},
    "Lanczos": _NEW | {"resample": 1},
    "torch's nearest, by name": _NEW | {"resample": "nearest"},
    "bilinear, by name": _NEW | {"resample": "bilinear"},
    "box": _NEW | {"resample": 4},
    "Hamming": _NEW | {"resample": 5},
    "do_rescale off": _NEW | {"do_rescale": False},
    "do_normalize off": _NEW | {"do_normalize": False},
    "both off, uint8": _NEW | {"do_rescale": False, "do_normalize": False},
    "rescale_factor 1/127.5": _NEW | {"rescale_factor": 1 / 127.5},
    "rescale_factor 1/127.5, do_normalize off": _NEW
    | {"rescale_factor": 1 / 127.5, "do_normalize": False},
    "one mean and deviation": _NEW | {"image_mean": 0.5, "image_std": 0.25},
    "do_resize off, padded": _NEW | {"do_resize": False},
    "crop above size, padded": _NEW | {"size": 190, "crop_size": {"height": 224, "width": 301}},
    "crop beside a stretched image": _NEW
    | {"size": {"height": 100, "width": 333}, "crop_size": {"height": 225, "width": 224}},
    "do_convert_rgb off": _NEW | {"do_convert_rgb": False},
}

OPEN_CLIP: dict[str, dict[str, Any]] = {
    "ViT-B-32": {},
    "ViT-L-14-336": {"size": 336},
    "ViT-B-16-SigLIP": {
        "size": 224,
        "mean": HALF,
        "std": HALF,
        "interpolation": "bicubic",
        "resize_mode": "squash",
    },
    "bilinear": {"interpolation": "bilinear", "size": 256},
    "squash, a pair": {"resize_mode": "squash", "size": (200, 320), "interpolation": "bilinear"},
    "shortest, a pair": {"size": (200, 320), "interpolation": "bilinear"},
    "longest": {"resize_mode": "longest", "size": 224},
    "longest, filled, a pair": {"resize_mode": "longest", "size": (224, 160), "fill_color": 127},
}

_TIMM: dict[str, Any] = {
    "input_size": (3, 224, 224),
    "interpolation": "bicubic",
    "mean": (0.485, 0.456, 0.406),
    "std": (0.229, 0.224, 0.225),
    "crop_pct": 0.875,
    "crop_mode": "center",
}
TIMM: dict[str, dict[str, Any]] = {
    "resnet50": _TIMM | {"crop_pct": 0.95, "interpolation": "bicubic"},
    "vit_base_patch16_224": _TIMM
    | {"crop_pct": 0.9, "mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)},
    "eva02, squash": _TIMM | {"crop_pct": 1.0, "crop_mode": "squash", "input_size": (3, 448, 448)},
    "squash, cropped": _TIMM | {"crop_mode": "squash", "interpolation": "bilinear"},
    "border": _TIMM | {"crop_mode": "border", "crop_pct": 1.0},
    "border, cropped": _TIMM | {"crop_mode": "border", "crop_pct": 0.8},
    "a pair": _TIMM | {"input_size": (3, 256, 192)},
    "a pair, border": _TIMM | {"input_size": (3, 256, 192), "crop_mode": "border"},
    "crop_pct above 1, padded": _TIMM | {"crop_pct": 1.15},
    "nearest": _TIMM | {"interpolation": "nearest"},
    "box": _TIMM | {"interpolation": "box"},
    "Hamming": _TIMM | {"interpolation": "hamming"},
    "Lanczos": _TIMM | {"interpolation": "lanczos"},
    "no field": {"url": ""},
}


def class_configs(backend: str, *, small: bool = False) -> dict[str, dict[str, Any]]:
    """A config for each class of transformers that is read: its defaults, but for fields that no option
    expresses; `small` ones are quick."""
    configs = {}
    for stem in table.classes():
        row = table.row(stem, backend)
        if row.kind is None:
            continue
        config: dict[str, Any] = {"image_processor_type": f"{stem}ImageProcessor"}
        for name, values in row.neutral.items():
            if row.defaults[name] not in values:
                config[name] = values[0]
        if small:
            config |= _small(row)
        elif "shortest_edge" in (size := row.defaults.get("size") or {}) and "longest_edge" in size:
            config["size"] = {"height": 480, "width": 640}  # by default it depends on the image
        if "pretrained_cfg" in row.defaults:
            config["pretrained_cfg"] = {"input_size": [3, 40, 56]} if small else {"crop_pct": 0.9}
        configs[stem] = config
    return configs


def _small(row: table.Row) -> dict[str, Any]:
    """Sizes of the forms that a class has by default."""
    config: dict[str, Any]
    if row.kind == "janus":
        return {"size": {"height": 56, "width": 56}}
    if row.defaults.get("size") == {"longest_edge": 448}:
        return {"size": {"longest_edge": 52}, "crop_size": 60, "pad_size": 60}
    if row.kind in ("aria", "deepseek-ocr"):
        return {"tile_size": 56} if "tile_size" in row.defaults else {}
    if row.kind == "sam":
        return {"size": {"longest_edge": 52}, "pad_size": 60}
    if "pad_size" in row.defaults and "pad_size" not in row.neutral:
        pad = {"do_pad": True, "pad_size": {"height": 60, "width": 64}}
        for size in (
            {"max_height": 40, "max_width": 56}, {"shortest_edge": 40, "longest_edge": 56}
        ):  # fmt: skip
            if set(size) == set(row.defaults["size"]) and sorted(size) in row.sizes:
                return {"size": size} | pad
    if ["height", "width"] in row.sizes:
        return {"size": {"height": 40, "width": 56}}
    config = {"size": {"shortest_edge": 52}}
    if "do_center_crop" in row.defaults:
        by_edge = "shortest_edge" in (row.defaults["crop_size"] or {})
        config |= {"do_center_crop": True, "crop_size": {"shortest_edge": 52} if by_edge else 52}
    return config


def golden_images() -> dict[str, Image.Image]:
    """Images by arithmetic alone: no decoder, no random numbers."""
    sizes = {
        "RGB": ((301, 200), (150, 340), (700, 20), (224, 224)),
        "RGBA": ((230, 231),),
        "L": ((97, 101),),
    }
    return {
        f"{mode} {width} x {height}": Image.fromarray(pixels(width, height, len(mode)))
        for mode, several in sizes.items()
        for width, height in several
    }


def pixels(width: int, height: int, channels: int) -> np.ndarray:
    """Ramps with edges, and noise by a multiplication."""
    y, x, c = np.ogrid[:height, :width, :channels]
    ramp = 3 * x + 2 * y + 85 * c
    noise = (((x * 40_503 + y * 30_011 + c * 20_129) * 2_654_435_761) >> 16) & 127
    values = ((ramp + noise * ((x // 16 + y // 16) % 2)) & 255).astype(np.uint8)
    return values[..., 0] if channels == 1 else values


def digest(pixels: np.ndarray) -> str:
    """Of all bits, the type and the shape."""
    head = f"{pixels.dtype} {pixels.shape}".encode()
    return hashlib.sha256(head + np.ascontiguousarray(pixels).tobytes()).hexdigest()[:32]


def write(folder: Path, name: str, content: object) -> Path:
    """A file of that text, or of that object as JSON."""
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path
