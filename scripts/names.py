"""Write the tables of models' names, python/clipprep/configs/names/*.json, from open_clip and timm as they are installed.

A name stands for the config that the library has for its weights. Few configs serve many names, so a table has each
config once, and for each model its weights' tags by the config's number; the empty tag is the name alone. Models whose
preprocessing no option of `Preprocess` expresses are left out. With --check nothing is written.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import open_clip
import timm
from timm.models import _registry

from clipprep.configs import open_clip as open_clip_configs
from clipprep.configs import timm as timm_configs

FOLDER = Path(__file__).parent.parent / "python" / "clipprep" / "configs" / "names"
Config = dict[str, Any]


def main() -> int:
    """Write the tables, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    old = {name: new for name, new in timm.models.get_deprecated_models().items() if new}
    tables = {
        "open_clip": {"version": open_clip.__version__, **table(of_open_clip())},
        "timm": {"version": timm.__version__, **table(of_timm()), "renamed": old},
    }
    # Weights of timm's that open_clip loads by the same name of the Hub, with another transform.
    hub = {cfg.get("hf_hub", "").strip("/") for _, _, cfg in pretrained_of_open_clip()}
    known = {name for name, _, _ in of_timm()}
    shared = {f"timm/{name}.{tag}" for name, tag, _ in of_timm() if tag and name in known} & hub
    tables["open_clip"]["also_of_timm"] = sorted(shared)
    stale = []
    for name, content in tables.items():
        path = FOLDER / f"{name}.json"
        text = json.dumps(content, separators=(",", ":")) + "\n"
        if not path.exists() or path.read_text("utf-8") != text:
            stale.append(path.name)
            if not check:
                path.write_text(text, "utf-8")
    print(f"{', '.join(stale) or 'nothing'} {'would change' if check else 'written'}")
    return int(check and bool(stale))


def table(rows: Iterable[tuple[str, str, Config]]) -> dict[str, Any]:
    """The distinct configs, and the tags of each model by the number of their config."""
    configs: dict[str, int] = {}
    models: dict[str, dict[str, list[str]]] = {}
    for name, tag, config in rows:
        number = configs.setdefault(json.dumps(config), len(configs))
        models.setdefault(name, {}).setdefault(str(number), []).append(tag)
    joined = {
        name: {number: " ".join(tags) for number, tags in by_config.items()}
        for name, by_config in models.items()
    }
    return {"configs": [json.loads(config) for config in configs], "models": joined}


def pretrained_of_open_clip() -> Iterable[tuple[str, str, Config]]:
    """Each pair of a model and a tag."""
    for name, tag in open_clip.list_pretrained():
        yield name, tag, open_clip.get_pretrained_cfg(name, tag)


def of_open_clip() -> Iterable[tuple[str, str, Config]]:
    """Each pair of a model and a tag with its `preprocess_cfg`, and the models that have no weights."""
    sizes = {
        name: open_clip.get_model_config(name)["vision_cfg"].get("image_size", 224)
        for name in open_clip.list_models()
    }
    for name, tag, found in pretrained_of_open_clip():
        chosen = {field: found[field] for field in open_clip_configs.DEFAULTS if field in found}
        yield name, tag, changed(chosen | {"size": sizes[name]}, open_clip_configs.DEFAULTS)
    for name in sorted(sizes.keys() - {name for name, _ in open_clip.list_pretrained()}):
        yield name, "", changed({"size": sizes[name]}, open_clip_configs.DEFAULTS)


def of_timm() -> Iterable[tuple[str, str, Config]]:
    """Each model and tag of timm that `Preprocess` expresses, with its data config."""
    for full, cfg in _registry._model_pretrained_cfgs.items():
        name, _, tag = full.partition(".")
        config = changed(timm.data.resolve_data_config({}, cfg.to_dict()), timm_configs.DEFAULTS)
        try:
            timm_configs.arguments_of(config)
        except ValueError:
            continue
        yield name, tag, config


def changed(config: Config, defaults: Config) -> Config:
    """The fields of a config that are not at their defaults."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in config.items()
        if value != defaults[name] and value != list_of(defaults[name])
    }


def list_of(value: object) -> object:
    """A tuple as JSON has it."""
    return list(value) if isinstance(value, tuple) else value


if __name__ == "__main__":
    sys.exit(main())
