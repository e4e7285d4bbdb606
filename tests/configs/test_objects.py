"""Objects of other libraries: image processors, models and transforms, alive where the library is installed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import pytest
from PIL import Image

import clipprep
from clipprep import Preprocess
from support.compare import assert_equal_bits
from support.named_configs import HUGGING_FACE, OPEN_CLIP, TIMM
from support.pictures import photo
from support.reference import LIVE

IMAGES = [Image.fromarray(photo(300, 201, 3)), Image.fromarray(photo(90, 333, 3))]
OTHERS = [*IMAGES, IMAGES[0].convert("L"), IMAGES[0].convert("RGBA"), IMAGES[1].quantize(64)]


class Mode(Enum):
    BICUBIC = "bicubic"
    BILINEAR = "bilinear"
    NEAREST_EXACT = "nearest-exact"


def fake(path: str, bases: tuple[type, ...] = (), **attributes: Any) -> Any:
    """An object of a class with this module and name."""
    module, _, name = path.rpartition(".")
    cls = type(name, bases, {"__module__": module})
    made = cls()
    for attribute, value in attributes.items():
        setattr(made, attribute, value)
    return made


def step(name: str, **attributes: Any) -> Any:
    return fake(f"torchvision.transforms.transforms.{name}", **attributes)


def compose(*steps: Any) -> Any:
    return step("Compose", transforms=list(steps))


def to_rgb(image: Any) -> Any:
    return image.convert("RGB")


def documented(image: Any) -> Any:
    """Convert it."""
    return image.convert("RGB")


RESIZE = step("Resize", size=224, interpolation=Mode.BICUBIC, max_size=None, antialias=True)
CROP = step("CenterCrop", size=(224, 224))
TENSOR = step("ToTensor")
NORMALIZE = step("Normalize", mean=clipprep.MEAN, std=list(clipprep.STD))


def test_openais_transform() -> None:
    for convert in (to_rgb, documented, lambda im: im.convert("RGB"), step("Lambda", lambd=to_rgb)):
        for transform in (
            compose(RESIZE, CROP, convert, TENSOR, NORMALIZE),
            compose(RESIZE, convert, CROP, TENSOR, NORMALIZE),
        ):
            assert Preprocess.from_torchvision(transform) == Preprocess(224)
            assert Preprocess.from_open_clip(transform) == Preprocess(transform) == Preprocess(224)
    pre = Preprocess.from_torchvision(compose(to_rgb, RESIZE, CROP, TENSOR, NORMALIZE))
    assert pre == Preprocess(224, profile="timm")


def test_what_the_steps_say() -> None:
    read = Preprocess.from_torchvision
    for half in (0.5, [0.5], (0.5,), np.array([0.5])):
        pre = read(compose(RESIZE, CROP, TENSOR, step("Normalize", mean=half, std=half)))
        assert pre.mean == pre.std == (0.5, 0.5, 0.5)
    squash = step("Resize", size=[200, 300], interpolation=2)
    pre = read(compose(squash, to_rgb, TENSOR))
    assert (pre.size, pre.resize_mode, pre.interpolation) == ((200, 300), "squash", "bilinear")
    assert not pre.normalize
    pre = read(compose(step("CenterCrop", size=64), to_rgb, step("PILToTensor")), exif=True)
    assert (pre.size, pre.resize_mode, pre.dtype, pre.exif) == (64, "none", "uint8", True)
    floats = step("ConvertImageDtype", dtype="torch.float32")
    pre = read(compose(RESIZE, CROP, to_rgb, step("PILToTensor"), floats, NORMALIZE))
    assert pre == Preprocess(224)
    exact = step("Resize", size=(48,), interpolation=Mode.NEAREST_EXACT)
    assert read(compose(exact, CROP, to_rgb, TENSOR)).interpolation == "nearest"
    # Without a conversion it takes images in RGB alone.
    pre = read(compose(RESIZE, CROP, TENSOR, NORMALIZE))
    assert not pre.convert_rgb
    with pytest.raises(clipprep.UnsupportedError):
        pre(IMAGES[0].convert("L"))
    assert read(compose(RESIZE, CROP, TENSOR, NORMALIZE), convert_rgb=True).convert_rgb


def other(image: Any) -> Any:
    return image.convert("RGBA")


def more(image: Any) -> Any:
    print(image)
    return image.convert("RGB")


@pytest.mark.parametrize(
    ("steps", "named"),
    [
        ([step("RandomHorizontalFlip"), TENSOR], "RandomHorizontalFlip"),
        ([RESIZE, CROP, other, TENSOR], "other"),
        ([RESIZE, CROP, more, TENSOR], "more"),
        ([RESIZE, CROP, step("Lambda", lambd=other), TENSOR], "Lambda"),
        ([fake("my.module.Resize", size=3), TENSOR], "Resize"),
        ([fake("torchvision.transforms.v2._misc.ToDtype"), TENSOR], "ToDtype"),
        ([RESIZE, CROP], "tensor"),
        ([RESIZE, TENSOR], "one size"),
        ([TENSOR], "one size"),
        ([], "tensor"),
        ([TENSOR, RESIZE, CROP], "Resize"),
        ([CROP, RESIZE, TENSOR], "Resize"),
        ([RESIZE, RESIZE, CROP, TENSOR], "Resize"),
        ([RESIZE, CROP, CROP, TENSOR], "CenterCrop"),
        ([RESIZE, to_rgb, step("CenterCrop", size=225), TENSOR], "CenterCrop"),
        ([RESIZE, CROP, TENSOR, NORMALIZE, NORMALIZE], "Normalize"),
        ([RESIZE, CROP, NORMALIZE, TENSOR], "Normalize"),
        ([RESIZE, CROP, step("PILToTensor"), NORMALIZE], "Normalize"),
        ([RESIZE, CROP, TENSOR, to_rgb], "function"),
        (
            [step("Resize", size=224, interpolation=Mode.BICUBIC, max_size=300), CROP, TENSOR],
            "max_size",
        ),
        ([step("Resize", size=224, interpolation="cubic"), CROP, TENSOR], "interpolation"),
        ([step("Resize", size="224", interpolation=3), CROP, TENSOR], "size"),
        ([step("Resize"), CROP, TENSOR], "Resize"),
        ([RESIZE, CROP, TENSOR, step("Normalize", mean=[1, 2], std=[1])], "mean"),
    ],
)
def test_steps_that_are_refused(steps: list[Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Preprocess.from_torchvision(compose(*steps))


def test_objects_that_are_none() -> None:
    for value in (object(), None, [], {}, to_rgb, NORMALIZE):
        with pytest.raises(TypeError):
            Preprocess.from_torchvision(value)
        with pytest.raises(TypeError):
            Preprocess(value)


class Raising:
    """Answers no question about itself."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def test_an_object_that_raises_is_none() -> None:
    for read in (Preprocess, Preprocess.from_hf, Preprocess.from_timm, Preprocess.from_torchvision):
        with pytest.raises(TypeError, match="Raising"):
            read(Raising())


def processor(path: str, config: dict[str, Any], **attributes: Any) -> Any:
    base = type("BaseImageProcessor", (), {"__module__": "transformers.image_processing_utils"})
    return fake(path, (base,), to_dict=lambda: config, **attributes)


def test_image_processors() -> None:
    clip = HUGGING_FACE["CLIP, new style"]
    path = "transformers.models.clip.image_processing_clip.CLIPImageProcessor"
    live = processor(path, clip, backend="torchvision")
    mixin = type("ProcessorMixin", (), {"__module__": "transformers.processing_utils"})
    whole = fake(
        "transformers.models.clip.processing_clip.CLIPProcessor", (mixin,), image_processor=live
    )
    pipeline_base = type("Pipeline", (), {"__module__": "transformers.pipelines.base"})
    pipeline = fake(
        "transformers.pipelines.zero_shot_image_classification.ZeroShotImageClassificationPipeline",
        (pipeline_base,),
        image_processor=live,
        processor=None,
    )
    embedder = fake(
        "sentence_transformers.SentenceTransformer.SentenceTransformer", processor=whole
    )
    for value in (live, whole, pipeline, embedder):
        assert Preprocess.from_hf(value) == Preprocess(value) == Preprocess.from_hf(clip)
        assert Preprocess.from_hf(value, backend="pil") == Preprocess.from_hf(clip, backend="pil")
    pil = processor(path + "Pil", clip, backend="pil")
    assert Preprocess.from_hf(pil, exif=True) == Preprocess.from_hf(clip, backend="pil", exif=True)
    # Those of version 4 say nothing of a backend.
    for name, backend in (("", "pil"), ("Fast", "torchvision")):
        expected = Preprocess.from_hf(clip, backend=backend, over_white=False)
        assert Preprocess.from_hf(processor(path + name, clip)) == expected
    for path in ("my.module.CLIPImageProcessor", "transformers_modules.x.CLIPImageProcessor"):
        with pytest.raises(ValueError, match="of transformers itself"):
            Preprocess.from_hf(processor(path, clip))
    with pytest.raises(ValueError, match="NoneType"):
        Preprocess.from_hf(fake("transformers.x.Processor", (mixin,), image_processor=None))
    of_text = fake("sentence_transformers.SentenceTransformer.SentenceTransformer", processor=3)
    with pytest.raises(ValueError, match="found 'int'"):
        Preprocess.from_hf(of_text)


@dataclass
class PretrainedCfg:
    input_size: Any = (3, 256, 256)
    crop_pct: float = 1.0
    url: str | None = None


PretrainedCfg.__module__ = "timm.models._pretrained"


def test_models() -> None:
    module = type("Module", (), {"__module__": "torch.nn.modules.module"})
    expected = Preprocess.from_timm({"input_size": [3, 256, 256], "crop_pct": 1.0})
    of_timm = fake(
        "timm.models.resnet.ResNet",
        (module,),
        pretrained_cfg={"input_size": (3, 256, 256), "crop_pct": 1.0},
    )
    dataclass_inside = fake("timm.models.resnet.ResNet", (module,), pretrained_cfg=PretrainedCfg())
    for value in (PretrainedCfg(), of_timm, dataclass_inside):
        assert Preprocess.from_timm(value) == Preprocess(value) == expected
    cfg = {"size": (256, 256), "resize_mode": "squash"}
    visual = fake("open_clip.transformer.VisionTransformer", (module,), preprocess_cfg=cfg)
    model = fake("open_clip.model.CLIP", (module,), visual=visual)
    for value in (model, visual):
        assert (
            Preprocess.from_open_clip(value)
            == Preprocess(value)
            == Preprocess(256, resize_mode="squash")
        )
    with pytest.raises(TypeError):
        Preprocess(fake("torch.nn.modules.Linear", (module,)))


def compare(pre: Preprocess, transform: Any, images: list[Image.Image]) -> None:
    """A tensor of the transform and ours, for each image."""
    for image in images:
        assert_equal_bits(pre(image), np.asarray(transform(image)), str(transform))


def test_live_transforms_of_torchvision() -> None:
    transforms = pytest.importorskip(
        "torchvision.transforms", reason="torchvision is not installed"
    )
    v2 = pytest.importorskip("torchvision.transforms.v2")
    torch = pytest.importorskip("torch")
    modes = transforms.InterpolationMode
    for T in (transforms, v2):
        for steps, images in (
            ([T.Resize(64, modes.BICUBIC), T.CenterCrop(64), to_rgb, T.PILToTensor()], OTHERS),
            (
                [T.Resize(64, modes.BICUBIC), T.CenterCrop(64), T.Lambda(to_rgb), T.PILToTensor()],
                OTHERS,
            ),
            ([to_rgb, T.Resize([64]), T.CenterCrop((48, 60)), T.PILToTensor()], OTHERS),
            ([to_rgb, T.Resize((64, 80)), T.PILToTensor()], OTHERS),
            ([T.Resize(40, modes.LANCZOS), T.CenterCrop(64), to_rgb, T.PILToTensor()], OTHERS),
            ([T.CenterCrop(111), to_rgb, T.PILToTensor()], OTHERS),
            ([T.CenterCrop(500), T.PILToTensor()], IMAGES),
        ):
            transform = T.Compose(steps)
            compare(Preprocess.from_torchvision(transform, pillow=LIVE), transform, images)
    floats = transforms.Compose(
        [
            transforms.Resize(64, modes.BOX),
            transforms.CenterCrop(64),
            to_rgb,
            transforms.PILToTensor(),
            transforms.ConvertImageDtype(torch.float32),
            transforms.Normalize(clipprep.MEAN, clipprep.STD),
        ]
    )
    compare(Preprocess.from_torchvision(floats, pillow=LIVE), floats, OTHERS)
    rgb = v2.Compose([v2.Resize(64), v2.CenterCrop(64), v2.RGB(), v2.PILToTensor()])
    compare(Preprocess.from_torchvision(rgb, pillow=LIVE), rgb, OTHERS)


def test_live_transforms_of_open_clip() -> None:
    open_clip = pytest.importorskip("open_clip", reason="open_clip is not installed")
    random = {
        mode: {"resize_mode": mode, "interpolation": "random"} for mode in ("shortest", "squash")
    }
    for name, cfg in (OPEN_CLIP | random).items():
        whole = open_clip.transform.PreprocessCfg(**cfg)
        transform = open_clip.transform.image_transform_v2(whole, is_train=False)
        for read in (Preprocess.from_open_clip, Preprocess.from_torchvision):
            compare(read(transform, pillow=LIVE), transform, OTHERS)
        assert Preprocess.from_open_clip(whole) == Preprocess.from_open_clip(cfg), name
    model, _, transform = open_clip.create_model_and_transforms(
        "ViT-B-32", pretrained=None, device="meta"
    )
    assert (
        Preprocess.from_open_clip(model)
        == Preprocess(model)
        == Preprocess.from_open_clip(transform)
    )
    train = open_clip.transform.image_transform_v2(
        open_clip.transform.PreprocessCfg(), is_train=True
    )
    with pytest.raises(ValueError, match="RandomResizedCrop"):
        Preprocess.from_open_clip(train)


def test_live_transforms_of_timm() -> None:
    timm = pytest.importorskip("timm", reason="timm is not installed")
    for cfg in TIMM.values():
        data = timm.data.resolve_data_config({}, cfg)
        transform = timm.data.create_transform(**data)
        pre = Preprocess.from_timm(transform, pillow=LIVE)
        assert pre.convert_rgb
        compare(pre, transform, IMAGES)
        expected = Preprocess.from_timm(data, pillow=LIVE)
        assert (pre.size, pre.resize_size, pre.fill_color) == (
            expected.size,
            expected.resize_size,
            expected.fill_color,
        )
    model = timm.create_model("resnet18", pretrained=False)
    assert Preprocess.from_timm(model) == Preprocess(model) == Preprocess.from_timm("resnet18")
    assert Preprocess(timm.get_pretrained_cfg("resnet50.tv_in1k")) == Preprocess("resnet50.tv_in1k")


def test_live_image_processors() -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    for name in ("CLIP", "Siglip", "ViT", "ConvNext", "Bit", "Blip"):
        live = getattr(transformers, f"{name}ImageProcessor")()
        pre = Preprocess.from_hf(live, pillow=LIVE, convert_rgb=True)
        compare(
            pre,
            lambda image, live=live: live(image, return_tensors="np")["pixel_values"][0],
            IMAGES,
        )
        assert Preprocess(live) == Preprocess.from_hf(live)
