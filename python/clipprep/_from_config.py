"""The ways in from other libraries: a class that `clipprep.Preprocess` derives from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from . import _core

if TYPE_CHECKING:  # names of annotations alone
    from os import PathLike
    from typing import Self, Unpack

    from ._typing import ConfigOptions


class FromConfig(_core.Preprocess):
    """Makes a `Preprocess` of what other libraries say of a model."""

    __slots__ = ()

    @classmethod
    def from_hf(
        cls,
        config: str | PathLike[str] | Mapping[str, Any] | object,
        *,
        backend: Literal["torchvision", "pil"] | None = None,
        **options: Unpack[ConfigOptions],
    ) -> Self:
        """Do what an image processor of Hugging Face's transformers does, by its config.

        The processors of CLIP, SigLIP, SigLIP 2 of fixed size, ViT, DeiT, BLIP, ConvNeXt, DINOv2,
        Chinese-CLIP, AltCLIP, CLIPSeg, X-CLIP (each frame is an image) and OWL-ViT are known.

        Args:
            config: A folder, the path of a `preprocessor_config.json`, its content as a dict, or a name of the
                Hub: it is looked for in the local cache, else downloaded where `clipprep[hub]` is installed.
                A folder may be sentence-transformers', a diffusers pipeline's, or one of the Hub's cache. A live
                image processor of transformers 4 or 5 works too, and what holds one: a processor such as
                `CLIPProcessor`, a pipeline, a `SentenceTransformer`.
            backend: Whose bits: "torchvision", which transformers 5 prefers, or "pil". None stands for the
                backend of a live image processor, else for "torchvision".
            options: Options of `Preprocess` that a config does not decide, such as `dtype` or `limits`; and
                `convert_rgb`, for images of other modes where the config does not convert them.

        Raises:
            ValueError: A name or a field is unknown, or a field cannot be honoured.
            TypeError: An option is one that the config decides.
            OSError: A file cannot be read; `errors.HubError` where the Hub gives no answer.

        Example:
            >>> pre = Preprocess.from_hf({"image_processor_type": "CLIPImageProcessor"}, backend="pil")
            >>> pre
            Preprocess(224, profile='hf-pil')
        """
        from .configs import hf

        size, decided = hf.read(config, backend, options)
        return cls(size, **decided)

    @classmethod
    def from_open_clip(
        cls,
        config: str | PathLike[str] | Mapping[str, Any] | object,
        *,
        pretrained: str | None = None,
        **options: Unpack[ConfigOptions],
    ) -> Self:
        """Do what open_clip's transform for evaluation does, by its config.

        Args:
            config: A `preprocess_cfg` as a dict, a `PreprocessCfg`, an `open_clip_config.json`, a folder
                with one (or immich's), one of `available_models("open_clip")`, a name of the Hub, a model of open_clip, or its
                transform.
            pretrained: The tag of the weights, beside a name of open_clip.
            options: As for `from_hf`.

        Raises:
            ValueError: A name or a field is unknown, or a field cannot be honoured.
            TypeError: An option is one that the config decides.
            OSError: A file cannot be read; `errors.HubError` where the Hub gives no answer.

        Example:
            >>> Preprocess.from_open_clip({"size": 256, "resize_mode": "squash"})
            Preprocess(256, resize_mode='squash')
            >>> Preprocess.from_open_clip("ViT-B-16-SigLIP-256", pretrained="webli").size
            256
        """
        from .configs import open_clip

        size, decided = open_clip.read(config, options, pretrained)
        return cls(size, **decided)

    @classmethod
    def from_timm(
        cls,
        config: str | PathLike[str] | Mapping[str, Any] | object,
        **options: Unpack[ConfigOptions],
    ) -> Self:
        """Do what timm's transform for evaluation does to an image in RGB, by a data config.

        Args:
            config: The dict that `timm.data.resolve_data_config` returns, a `pretrained_cfg`, a `config.json`,
                a folder with one, one of `available_models("timm")`, a name of the Hub, a model of timm, a
                `PretrainedCfg`, or its transform.
            options: As for `from_hf`.

        Raises:
            ValueError: A name or a field is unknown, or a field cannot be honoured.
            TypeError: An option is one that the config decides.
            OSError: A file cannot be read; `errors.HubError` where the Hub gives no answer.

        Example:
            >>> Preprocess.from_timm({"input_size": [3, 256, 256], "crop_pct": 1.0}).size
            256
            >>> Preprocess.from_timm("resnet50.a1_in1k").resize_size
            235
        """
        from .configs import timm

        size, decided = timm.read(config, options)
        return cls(size, **decided)

    @classmethod
    def from_torchvision(cls, transform: object, **options: Unpack[ConfigOptions]) -> Self:
        """Do what a transform of torchvision does to PIL images, by its steps.

        A transform is a `torchvision.transforms.Compose` of the steps `Resize`, `CenterCrop`, a conversion to RGB,
        `ToTensor` (or `PILToTensor`, `ConvertImageDtype`) and `Normalize`, and of those that open_clip and timm have
        of their own. It may be of version 2, with `ToImage` and `ToDtype`, and resize images or tensors of bytes:
        each has its own bits. It may have a `Compose`, or torch's `Sequential`, inside, and so may the transform
        that `weights.transforms()` gives for a model of classification. Without a conversion to RGB it takes images
        in RGB alone, as long as `convert_rgb=True` is not given.

        Args:
            transform: The transform, or weights such as `ResNet50_Weights.DEFAULT`.
            options: As for `from_hf`.

        Raises:
            ValueError: A step, which the message names, is none of these, or has an argument whose bits no profile
                has.
            TypeError: This is no transform of torchvision, or an option is one that the transform decides.

        Example:
            >>> from torchvision.transforms import v2
            >>> import torch
            >>> transform = v2.Compose(
            ...     [v2.RGB(), v2.ToImage(), v2.Resize(256), v2.CenterCrop(224), v2.ToDtype(torch.float32, scale=True)]
            ... )
            >>> Preprocess.from_torchvision(transform)
            Preprocess(224, profile='torchvision', interpolation='bilinear', resize_size=256, normalize=False)
        """
        from .configs import torchvision

        size, decided = torchvision.read(transform, options)
        return cls(size, **decided)
