"""Transforms of torchvision: version 2, presets of weights, transforms inside each other."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from PIL import Image

import clipprep
from clipprep import Preprocess
from support.compare import assert_equal_bits
from support.pictures import photo
from support.reference import LIVE

V1, V2 = "torchvision.transforms.transforms", "torchvision.transforms.v2"
MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
#: Wide, tall, and as large as a crop, so that margins are odd, even and none.
IMAGES = [
    Image.fromarray(photo(height, width, 3))
    for height, width in ((201, 300), (333, 90), (48, 48), (97, 120), (30, 31))
]


def fake(module: str, name: str, **attributes: Any) -> Any:
    """An object of a class with this module and name."""
    made = type(name, (), {"__module__": module})()
    for attribute, value in attributes.items():
        setattr(made, attribute, value)
    return made


def compose(*steps: Any, module: str = V2) -> Any:
    return fake(module, "Compose", transforms=list(steps))


def resize(size: Any = 256, interpolation: Any = "bilinear", antialias: Any = True) -> Any:
    return fake(f"{V2}._geometry", "Resize", size=size, interpolation=interpolation, max_size=None, antialias=antialias)  # fmt: skip


def to_dtype(dtype: str = "torch.float32", scale: bool = True) -> Any:
    return fake(f"{V2}._misc", "ToDtype", dtype=dtype, scale=scale)


CROP = fake(f"{V2}._geometry", "CenterCrop", size=(224, 224))
IMAGE = fake(f"{V2}._type_conversion", "ToImage")
PURE = fake(f"{V2}._type_conversion", "ToPureTensor")
RGB = fake(f"{V2}._color", "RGB")
NORMALIZE = fake(f"{V2}._misc", "Normalize", mean=MEAN, std=STD)
OLD = {
    "resize": fake(V1, "Resize", size=256, interpolation=2, max_size=None),
    "crop": fake(V1, "CenterCrop", size=(224, 224)),
    "tensor": fake(V1, "ToTensor"),
    "floats": fake(V1, "ConvertImageDtype", dtype="torch.float32"),
}


def preset(**changed: Any) -> Any:
    fields = {"resize_size": [256], "crop_size": [224], "mean": MEAN, "std": STD,
              "interpolation": "bilinear", "antialias": True}  # fmt: skip
    return fake("torchvision.transforms._presets", "ImageClassification", **(fields | changed))


def read(*steps: Any, **options: Any) -> Preprocess:
    return Preprocess.from_torchvision(compose(*steps), **options)


def test_who_resizes_and_who_scales_decide_the_profile() -> None:
    rest = {"resize_size": 256, "interpolation": "bilinear", "mean": MEAN, "std": STD}
    on_tensors = Preprocess(224, profile="torchvision", convert_rgb=False, **rest)
    on_images = Preprocess(224, profile="torchvision-pil", convert_rgb=False, **rest)
    assert read(IMAGE, resize(), CROP, to_dtype(), NORMALIZE) == on_tensors
    assert (
        read(IMAGE, to_dtype("torch.uint8"), resize(), CROP, to_dtype(), NORMALIZE, PURE)
        == on_tensors
    )
    for steps in (
        (resize(), CROP, IMAGE, to_dtype(), NORMALIZE),
        (resize(), IMAGE, CROP, to_dtype(), NORMALIZE),
        (OLD["resize"], OLD["crop"], IMAGE, to_dtype(), NORMALIZE),
    ):
        assert read(*steps) == on_images
    assert read(RGB, resize(), CROP, IMAGE, to_dtype(), NORMALIZE).convert_rgb
    # Floats of version 1 are timm's.
    old = Preprocess(224, profile="timm", convert_rgb=False, **rest)
    assert read(resize(), CROP, OLD["tensor"], NORMALIZE) == old
    assert Preprocess(preset()) == Preprocess.from_torchvision(preset()) == old
    assert read(IMAGE, resize(), CROP, to_dtype(scale=False)).rescale_factor is None
    assert read(IMAGE, resize(), CROP).dtype == "uint8"


def test_filters_of_tensors_have_torchs_names() -> None:
    for given, name in (("nearest", "nearest-floor"), (0, "nearest-floor"), ("nearest-exact", "nearest"),
                        ("bicubic", "bicubic"), (1, "lanczos")):  # fmt: skip
        assert read(IMAGE, resize(64, given), CROP).interpolation == name
    for given in ("nearest", "nearest-exact", 0):
        assert read(resize(64, given, None), CROP, IMAGE).interpolation == "nearest"
    # What is not antialiased has no filter of ours; nearest never is.
    assert read(IMAGE, resize(64, "nearest", False), CROP).interpolation == "nearest-floor"


def test_transforms_inside_transforms() -> None:
    flat = read(RGB, resize(), CROP, IMAGE, to_dtype(), NORMALIZE)
    inner = compose(resize(), compose(CROP, IMAGE), module=V1)
    assert read(RGB, inner, compose(to_dtype(), NORMALIZE)) == flat
    chain = type("Sequential", (list,), {"__module__": "torch.nn.modules.container"})
    steps = chain([resize(), CROP, IMAGE])
    assert read(RGB, steps, to_dtype(), NORMALIZE) == flat
    assert Preprocess(chain([RGB, steps, to_dtype(), NORMALIZE])) == flat
    assert read(RGB, preset()) == Preprocess.from_torchvision(preset(), convert_rgb=True)
    assert read(compose(), RGB, resize(), CROP, IMAGE, to_dtype(), NORMALIZE) == flat


def test_a_transform_that_holds_itself_is_refused() -> None:
    for around in (lambda own: [own], lambda own: [own, RGB], lambda own: [own, own]):
        own = compose()
        own.transforms = around(own)
        with pytest.raises(ValueError, match="of at most 1000 steps"):
            Preprocess(own)


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        ([IMAGE, resize(antialias=False), CROP], "Resize: expected antialias True"),
        ([IMAGE, resize(antialias=None), CROP], "antialias"),
        ([IMAGE, resize(interpolation="box"), CROP], "box"),
        ([IMAGE, OLD["resize"], CROP], "Resize"),
        ([IMAGE, resize(), OLD["crop"]], "CenterCrop"),
        ([IMAGE, resize(), RGB, CROP], "RGB: expected a PIL image as its input, found a uint8 tensor"),
        ([IMAGE, to_dtype(), resize(), CROP], "Resize"),
        ([IMAGE, resize(), to_dtype(), CROP], "CenterCrop"),
        ([IMAGE, resize(), CROP, to_dtype("torch.float16")], "ToDtype: expected dtype torch.float32"),
        ([IMAGE, resize(), CROP, to_dtype("{'others': None}")], "ToDtype"),
        ([IMAGE, resize(), CROP, OLD["floats"]], "ConvertImageDtype"),
        ([resize(), CROP, RGB, IMAGE, to_dtype()], "ToDtype: expected a conversion to RGB before"),
        ([resize(), CROP, to_dtype()], "ToDtype"),
        ([resize(), CROP, PURE], "ToPureTensor: expected a tensor as its input, found a PIL image"),
        ([resize(), resize(), CROP, IMAGE], "Resize"),
        ([preset(), CROP], "CenterCrop"),
        ([IMAGE, preset()], "ImageClassification"),
        ([RGB, fake(V2, "JPEG", quality=3), IMAGE], "JPEG': leave it out"),
        ([type("Mine", (type(compose()),), {})()], "Mine"),
        ([fake("torchvision.transforms._presets", "SemanticSegmentation")], "SemanticSegmentation"),
        ([RGB, fake(V2, "Lambda", lambd=lambda im: im.convert("RGB"), types=(int,)), IMAGE], "Lambda"),
    ],
)  # fmt: skip
def test_steps_that_are_refused_by_name(steps: list[Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        read(*steps)


@pytest.mark.parametrize("where", ["a step", "the whole", "a preset"])
@pytest.mark.parametrize("own", ["__call__", "_forward_hooks", "_forward_pre_hooks"])
def test_steps_with_methods_or_hooks_of_their_own_are_refused(where: str, own: str) -> None:
    made = {
        "a step": resize(),
        "the whole": compose(RGB, resize(), CROP, IMAGE),
        "a preset": preset(),
    }
    step = made[where]
    type(step).__call__ = lambda self, image: image
    steps = compose(RGB, step, CROP, IMAGE) if where == "a step" else step
    assert Preprocess(steps)
    setattr(step, own, {0: print} if "hooks" in own else lambda image: image)
    with pytest.raises(
        ValueError, match=f"to do what its class does, found '.* with another {own}'"
    ):
        Preprocess(steps)


@pytest.mark.parametrize("name", ["ObjectDetection", "VideoClassification", "OpticalFlow"])
def test_presets_that_are_not_read(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        Preprocess(fake("torchvision.transforms._presets", name))


def test_weights_mean_their_transform() -> None:
    enum = type("WeightsEnum", (), {"__module__": "torchvision.models._api"})
    weights = type("Weights", (enum,), {"transforms": staticmethod(preset)})()
    assert Preprocess(weights) == Preprocess(preset()) == Preprocess.from_torchvision(weights)
    weights = type("Weights", (enum,), {"transforms": lambda self: "none"})()
    with pytest.raises(ValueError, match="each step of the transform"):
        Preprocess(weights)


def compare(transform: Any, images: list[Image.Image] = IMAGES) -> None:
    """Tensors of the live transform, and ours of the same images and of their pixels."""
    pre = Preprocess.from_torchvision(transform, pillow=LIVE)
    for image in images:
        expected = np.asarray(transform(image))
        assert_equal_bits(pre(image), expected, f"{image.size} {transform}")
        if image.mode == "RGB":
            assert_equal_bits(
                pre(np.asarray(image)), expected, f"array of {image.size} {transform}"
            )
        if pre.dtype == "float32" and pre.rescale_factor is not None:
            pixels = pre.unnormalize(expected)
            again = Preprocess.from_torchvision(
                transform, pillow=LIVE, dtype="uint8", layout="NHWC"
            )
            assert_equal_bits(pixels, again(image), f"pixels of {image.size} {transform}")


def test_live_version_2() -> None:
    v2 = pytest.importorskip("torchvision.transforms.v2", reason="torchvision is not installed")
    torch = pytest.importorskip("torch")
    modes = v2.InterpolationMode
    floats, normalize = v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)
    filters = (modes.BILINEAR, modes.BICUBIC, modes.LANCZOS, modes.NEAREST, modes.NEAREST_EXACT)
    for mode, size, crop in product(filters, (47, [47], (47, 47), (40, 61)), (40, (47, 31), 90)):
        sized, cropped = v2.Resize(size, mode, antialias=True), v2.CenterCrop(crop)
        compare(v2.Compose([v2.ToImage(), sized, cropped, floats, normalize]))
        compare(v2.Compose([sized, cropped, v2.ToImage(), floats, normalize]))
    others = [
        *IMAGES[:2],
        IMAGES[0].convert("L"),
        IMAGES[0].convert("RGBA"),
        IMAGES[1].quantize(64),
    ]
    sized, cropped, clip = (
        v2.Resize(64),
        v2.CenterCrop(57),
        v2.Normalize(clipprep.MEAN, clipprep.STD),
    )
    for steps in (
        [v2.RGB(), v2.ToImage(), sized, cropped, floats, clip, v2.ToPureTensor()],
        [v2.RGB(), v2.PILToTensor(), sized, cropped, floats, clip],
        [v2.RGB(), v2.ToImage(), v2.ToDtype(torch.uint8, scale=True), sized, cropped],
        [v2.RGB(), v2.ToImage(), sized, cropped, v2.ToDtype(torch.float32), normalize],
        [v2.RGB(), v2.ToImage(), sized, cropped, v2.ConvertImageDtype(), normalize],
        [lambda im: im.convert("RGB"), sized, v2.PILToTensor(), cropped, floats, clip],
        [v2.Lambda(lambda im: im.convert("RGB")), sized, cropped, v2.ToImage(), floats],
        [v2.RGB(), v2.Compose([v2.ToImage(), v2.Compose([sized, cropped])]), floats, clip],
    ):
        compare(v2.Compose(steps), others)


def test_live_presets() -> None:
    models = pytest.importorskip("torchvision.models", reason="torchvision is not installed")
    presets: dict[str, Any] = {}
    for name in models.list_models():
        for weights in models.get_model_weights(name):
            transform = weights.transforms()
            if repr(transform) not in presets and type(transform).__name__ == "ImageClassification":
                pre = Preprocess.from_torchvision(weights, dtype="float16")
                assert pre == Preprocess.from_torchvision(transform, dtype="float16")
                assert Preprocess(weights) == Preprocess(transform)
            presets.setdefault(repr(transform), transform)
    read = 0
    for found in presets.values():
        if type(found).__name__ != "ImageClassification":
            with pytest.raises(ValueError, match=type(found).__name__):
                Preprocess(found)
            continue
        compare(found, IMAGES[:2])
        read += 1
    assert read >= 20
