"""Find the fields of an image processor, and the name of its class, in the files of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import HubError
from .. import check, files, libraries
from . import table


def _read(config: object) -> dict[str, dict[str, Any]]:
    """The files of a model. A config.json alone is enough where it has all that timm wants to know."""
    try:
        return files.read(config, libraries.FILES["transformers"], beside=("config.json",))
    except (FileNotFoundError, HubError) as error:
        # A Hub that gave no answer is not asked again.
        reached = not isinstance(error, HubError)
        try:
            read = files.read(config, ("config.json",), download=reached)
        except (FileNotFoundError, HubError):
            raise error from error.__cause__
        if not isinstance(read["config.json"].get("pretrained_cfg"), Mapping):
            raise
        return read


def find(config: object) -> tuple[dict[str, Any], str]:
    """The fields of an image processor, and the name of the class that reads them."""
    read = _read(config)
    fields = read.get("preprocessor_config.json", {})
    # The config of a whole processor holds that of its image processor, which then comes first.
    for holder in (read.get("processor_config.json", {}), fields):
        if isinstance(holder.get("image_processor"), Mapping):
            fields = dict(holder["image_processor"])
            break
    model = read.get("config.json", {})
    name = fields.get("image_processor_type") or fields.get("feature_extractor_type")
    name = name or model.get("image_processor_type")
    if name is not None:
        return fields, str(name)
    # A model of timm has a config.json alone.
    for holder in (fields, model):
        if isinstance(holder.get("pretrained_cfg"), Mapping):
            return {"pretrained_cfg": holder["pretrained_cfg"]}, "TimmWrapperImageProcessor"
    model_type = model.get("model_type")
    if model_type is None:
        raise check.refuse("image_processor_type", None, "that names the processor")
    found = table.of_model_type(str(model_type))
    if found is None:
        raise check.refuse(
            "image_processor_type",
            None,
            f"that names the processor, since model_type {model_type!r} of config.json names none",
        )
    return fields, found
