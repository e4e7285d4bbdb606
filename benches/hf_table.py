"""Make the table of transformers' image processors that `Preprocess.from_hf` reads.

Each class of the installed transformers is asked: configs are given to it and to each kind of reader, and the
first kind whose tensors are the same bits is the class's. A field that it does not read changes no tensor; one that
no option expresses is written down with the values that change nothing. Classes that no kind fits get the reason.

Run `python benches/hf_table.py` where torch, torchvision and transformers are installed; writes
`python/clipprep/configs/hf/processors.json`.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import itertools
import json
import logging
import warnings
from collections.abc import Mapping
from dataclasses import asdict, replace
from multiprocessing import Pool
from pathlib import Path
from typing import Any

import torch
import transformers
from hf_probe import (
    HONOURED,
    IMAGES,
    MODES,
    SIZES,
    Config,
    bases,
    changing_nothing,
    cropped,
    default,
    fit,
    in_contexts,
    live,
    same,
    values_of,
)
from transformers.models.auto.image_processing_auto import IMAGE_PROCESSOR_MAPPING_NAMES
from transformers.processing_utils import ImagesKwargs

from clipprep.configs.hf.kinds import KINDS
from clipprep.configs.hf.table import Row

TABLE = Path(__file__).parent.parent / "python" / "clipprep" / "configs" / "hf" / "processors.json"

#: Fields of configs as they are published that are arguments of no class: names, versions, and what older
#: versions of transformers wrote.
WRITTEN = (
    "_commit_hash", "_name_or_path", "_processor_class", "_valid_processor_keys", "auto_map",
    "backend", "feature_extractor_type", "image_processor_type", "max_size", "model_input_names",
    "num_channels", "processor_class", "torch_dtype", "transformers_version",
    "trust_remote_code", "use_fast",
)  # fmt: skip

#: Old names of fields that constructors translate.
ALIASES = {"rescale": "do_rescale", "image_size": "size", "pad_and_return_pixel_mask": "do_pad"}

#: Old fields that constructors make others of, where they are true.
IMPLIED = {"use_square_size": {"size": {"height": 224, "width": 224}}}


#: What keeps single classes from being read, where no test of tensors tells.
_THREADS = "whose bits in torch depend on the threads and the processor"
WHYS = {
    "DepthPro": f"it resizes float32 without antialiasing, {_THREADS}",
    "Nougat": "it cuts margins off by their content, and resizes with two filters",
    "Owlv2": f"it blurs float32 before it resizes, {_THREADS}",
    "PPDocLayoutV4": "it resizes float32 without antialiasing, which no profile does",
    "PPFormulaNet": "it cuts margins off by their content, and resizes with two filters",
    "PPOCRV5ServerRec": "the size of its tensor depends on the image",
    "PPOCRV6SmallRec": "the size of its tensor depends on the image",
    "RfDetr": f"it resizes float32 without antialiasing, {_THREADS}",
    "SLANeXt": "it resizes by whole numbers of its own",
    "Step3p7": "it makes several tensors of one image",
    "UVDoc": f"it resizes float32 from corner to corner, {_THREADS}",
}


def classes() -> dict[str, dict[str, str]]:
    """Each class by the name without its suffix: the name of the class of each backend, as the live library
    picks it."""
    found: dict[str, dict[str, str]] = {}
    root = Path(transformers.__file__).parent / "models"
    for path in sorted(root.glob("*/image_processing_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and node.name.removesuffix("Pil").endswith(
                "ImageProcessor"
            ):
                stem = node.name.removesuffix("Pil").removesuffix("ImageProcessor")
                if stem == "Auto":
                    continue
                backend = "pil" if node.name.endswith("Pil") else "torchvision"
                found.setdefault(stem, {})[backend] = f"{path.parent.name}.{path.stem}.{node.name}"
    for names in found.values():
        names.setdefault("pil", names.get("torchvision", ""))
        names.setdefault("torchvision", names["pil"])
    return found


def load(name: str) -> Any:
    """A class by `model.module.name`."""
    model, module, cls = name.split(".")
    return getattr(importlib.import_module(f"transformers.models.{model}.{module}"), cls)


def rows_of(stem: str, names: Mapping[str, str]) -> list[Config]:
    """The rows of a class: one if its backends read alike."""
    made = {backend: row_of(load(name), backend) for backend, name in names.items()}
    one, other = made["torchvision"], made["pil"]
    if {**asdict(one), "profiles": 0} == {**asdict(other), "profiles": 0}:
        rows = [Row(**{**asdict(one), "profiles": {**one.profiles, **other.profiles}})]
    else:
        rows = [one, other]
    log(f"{stem}: {', '.join(row.kind or row.why for row in rows)}")
    return [{name: value for name, value in asdict(row).items() if value} for row in rows]


def annotations_of(cls: Any) -> dict[str, str]:
    """The arguments of a class and their types as text."""
    found: dict[str, str] = {}
    valid = getattr(cls, "valid_kwargs", ImagesKwargs)
    for kwargs in reversed(getattr(valid, "__orig_mro__", valid.__mro__)):
        found |= {
            name: str(annotation)
            for name, annotation in getattr(kwargs, "__annotations__", {}).items()
        }
    found |= {name: str(annotation) for name, annotation in ImagesKwargs.__annotations__.items()}
    found |= {name: str(annotation) for name, annotation in valid.__annotations__.items()}
    code = cls.__init__.__code__
    found |= dict.fromkeys(
        (n for n in code.co_varnames[1 : code.co_argcount] if n not in found), ""
    )
    return found


def row_of(cls: Any, backend: str) -> Row:
    """How the class reads a config."""
    torch.set_num_threads(1)
    annotations = annotations_of(cls)
    outside = ("data_format", "device", "disable_grouping", "input_data_format", "return_tensors")
    for base, honoured in itertools.product(
        bases(cls, annotations), (HONOURED, tuple(name for name in HONOURED if "pad" not in name))
    ):
        outcomes = live(cls, base, IMAGES)
        if isinstance(outcomes, str) or len({array.shape for array in outcomes}) > 1:
            continue
        small = fitting_size(cls, base)
        before = in_contexts(cls, small, honoured, IMAGES[:1])
        converted = in_contexts(cls, small, honoured, MODES)
        defaults = {}
        for name in honoured:
            of, known = (MODES, converted) if name == "do_convert_rgb" else (IMAGES[:1], before)
            initial = default(cls, name)
            values = values_of(name, annotations.get(name, ""), initial)
            values += [None] if name.startswith("do_") else []
            if len(changing_nothing(cls, name, values, of, known)) < len(values):
                defaults[name] = initial
        sizes = forms_of_size(cls, small)
        numbered = isinstance(live(cls, small | {"resample": "bilinear"}, IMAGES[:1]), str)
        always = [
            name
            for name in ("do_resize",)
            if len(changing_nothing(cls, name, [False, None], IMAGES[:1], before)) == 2
        ]
        defaults = {name: value for name, value in defaults.items() if name not in always}
        asked = Row({}, numbered=numbered, always=always, sizes=sizes, defaults=defaults)
        # The kinds with fields of their own come first: they are the rarer ones.
        kinds = sorted(
            (*KINDS, "timm"), key=lambda kind: kind not in KINDS or not KINDS[kind].fields
        )
        rows = (fit_kind(cls, replace(asked, kind=kind), base, honoured, backend) for kind in kinds)
        row = next(filter(None, rows), None)
        if row is None:
            continue
        aliases = {old: new for old, new in ALIASES.items() if is_alias(cls, old, new)}
        defaults, neutral = dict(row.defaults), {}
        own = KINDS[row.kind].fields if row.kind in KINDS else ()
        for name in sorted(set(annotations) - {*honoured, *own, *outside, *aliases}):
            initial = default(cls, name)
            values = [*values_of(name, annotations[name], initial), None]
            same_as = changing_nothing(cls, name, values, IMAGES[:1], before[:5])
            if len(same_as) == len(values):
                continue
            flag = isinstance(values[0], bool)
            defaults[name] = initial
            neutral[name] = [value for value in same_as if flag or value is None]
            neutral[name] += [] if flag or initial in neutral[name] else [initial]
        implied = {
            name: others
            for name, others in IMPLIED.items()
            if same(live(cls, {name: True}, IMAGES[:1]), live(cls, others, IMAGES[:1]))
            and not same(live(cls, {name: True}, IMAGES[:1]), live(cls, {}, IMAGES[:1]))
        }
        return replace(row, defaults=defaults, neutral=neutral, aliases=aliases, implied=implied)
    name = cls.__name__.removesuffix("Pil").removesuffix("ImageProcessor")
    return Row({backend: f"hf-{backend}"}, why=WHYS.get(name) or reason(cls))


def fit_kind(
    cls: Any, row: Row, base: Config, honoured: tuple[str, ...], backend: str
) -> Row | None:
    """The row, if it is right, with the fields that its kind alone honours."""
    own = KINDS[row.kind].fields if row.kind in KINDS else ()
    if not set(own) <= set(annotations_of(cls)):
        return None
    row = replace(row, defaults={**row.defaults, **{name: default(cls, name) for name in own}})
    return fit(cls, row, base, honoured + own, backend)


def is_alias(cls: Any, old: str, new: str) -> bool:
    """Whether the class takes an old name of a field for the new one."""
    value = False if new.startswith("do_") else 40
    for context in ({}, {"do_resize": False, "pad_size": {"height": 300, "width": 300}}):
        by_old, by_new = (live(cls, context | {name: value}, IMAGES[:1]) for name in (old, new))
        if same(by_old, by_new) and not same(by_old, live(cls, context, IMAGES[:1])):
            return True
    return False


def forms_of_size(cls: Any, base: Config) -> list[list[str]]:
    """The forms of `size` that a class takes, with a crop or without."""
    forms = {
        tuple(sorted(size))
        for size, crop in itertools.product(SIZES, (cropped(cls), {}))
        if not isinstance(live(cls, base | crop | {"size": size}, IMAGES[:1]), str)
    }
    written = (tuple(sorted(size)) for size in SIZES)
    return [list(form) for form in dict.fromkeys(written) if form in forms]


def fitting_size(cls: Any, base: Config) -> Config:
    """`base` at a size that is quick, where the class takes it."""
    initial = default(cls, "size")
    for size in ({"height": 40, "width": 40}, {"shortest_edge": 40}):
        if isinstance(initial, dict) and set(size) == set(initial):
            config = base | {"size": size}
            if not isinstance(live(cls, config, IMAGES[:2]), str):
                return config
    return base


def reason(cls: Any) -> str:
    """Why no kind fits a class."""
    found = live(cls, {}, IMAGES[:1])
    if isinstance(found, str):
        if "several" in found:
            return "it makes several tensors of one image"
        return f"with its defaults it takes no image alone ({found.partition(':')[0]})"
    outputs = live(cls, {}, IMAGES)
    shapes = {tuple(array.shape) for array in outputs} if not isinstance(outputs, str) else set()
    if any(len(shape) != 3 or shape[0] != 3 for shape in shapes):
        return "it makes patches, or no three channels, of an image"
    if len(shapes) != 1:
        return "the size of its tensor depends on the image"
    return "its arithmetic is none of the profiles'"


def log(text: str) -> None:
    print(text, flush=True)


def as_text(table: Config) -> str:
    """The table as JSON, with a line for each class and each type of model."""

    def lines(part: Config) -> str:
        items = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in part.items())
        return "{\n" + ",\n".join(items) + "\n }"

    parts = {
        name: lines(part) if isinstance(part, dict) else json.dumps(part)
        for name, part in table.items()
    }
    return "{\n" + ",\n".join(f' "{name}": {part}' for name, part in parts.items()) + "\n}\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only",
        default="",
        help="classes without suffix, with commas; the others stay as they are",
    )
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", type=Path, default=TABLE)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    found = classes()
    chosen = [name for name in found if not arguments.only or name in arguments.only.split(",")]
    with Pool(arguments.jobs) as pool:
        rows = pool.starmap(rows_of, [(name, found[name]) for name in chosen], chunksize=1)
    kept = json.loads(TABLE.read_text())["classes"] if arguments.only else {}
    names = {
        name
        for backends in found.values()
        for n in backends.values()
        for name in annotations_of(load(n))
    }
    table = {
        "transformers": transformers.__version__,
        "fields": sorted(names | set(WRITTEN) | set(ALIASES) | set(IMPLIED)),
        "model_types": {
            model_type: next(iter(backends.values()))
            .removesuffix("Pil")
            .removesuffix("ImageProcessor")
            for model_type, backends in sorted(IMAGE_PROCESSOR_MAPPING_NAMES.items())
        },
        "classes": {name: kept.get(name) for name in found} | dict(zip(chosen, rows, strict=True)),
    }
    arguments.out.write_text(as_text(table))


if __name__ == "__main__":
    main()
