"""Models by name: the tables of open_clip and timm, OpenAI's names, and names that are refused."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clipprep
from clipprep import MEAN, STD, Preprocess, available_models
from clipprep.configs.names import tables

#: The steps of the live libraries' transforms, each with the names that have it, by tests/data/make_names.py.
GOLDENS: dict[str, list[tuple[list[str], dict[str, Any]]]] = json.loads(
    (Path(__file__).parents[1] / "data" / "names.json").read_text("utf-8")
)


def meaning(pre: Preprocess) -> dict[str, Any]:
    """The options that a name decides, as the golden has them."""
    size = pre.size if isinstance(pre.size, tuple) else (pre.size, pre.size)
    resized = pre.resize_size
    return {
        "size": list(size),
        "mean": [float(f"{np.float32(value):.9g}") for value in pre.mean],
        "std": [float(f"{np.float32(value):.9g}") for value in pre.std],
        "interpolation": pre.interpolation,
        "resize_mode": pre.resize_mode,
        "resized": list(resized if isinstance(resized, tuple) else (resized, resized)),
    }


@pytest.mark.parametrize(
    ("pair", "expected"),
    [(name, expected) for names, expected in GOLDENS["open_clip"] for name in names],
)
def test_pairs_of_open_clip(pair: str, expected: dict[str, Any]) -> None:
    name, _, tag = pair.partition(":")
    pre = Preprocess(name, pretrained=tag or None) if tag else Preprocess(f"open_clip:{name}")
    assert pre.profile == "openai"
    assert meaning(pre) == expected
    assert Preprocess.from_open_clip(name, pretrained=tag or None) == pre
    if tag:
        assert Preprocess(pair) == pre
        assert Preprocess(name, pretrained=tag.upper().replace("_", "-")) == pre


def test_names_of_timm() -> None:
    for name, expected in ((n, expected) for names, expected in GOLDENS["timm"] for n in names):
        pre = Preprocess(f"timm/{name}")
        assert pre.profile == "timm"
        assert meaning(pre) == expected, name
        assert Preprocess.from_timm(name) == Preprocess.from_timm(f"hf_hub:timm/{name}") == pre


def test_every_name_that_is_listed_is_taken() -> None:
    names = available_models()
    assert len(names) == len(set(names)) > 3500
    for name in names:
        assert isinstance(Preprocess(name), Preprocess)
    assert set(available_models("open_clip")) | set(available_models("timm")) <= set(names)
    assert available_models("openai") == names[:13]
    with pytest.raises(ValueError, match="library= one of openai, open_clip, timm"):
        available_models("keras")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("ViT-B-32", 224),
        ("ViT-L-14", 224),
        ("ViT-L-14-336", 336),
        ("RN50x64", 448),
        ("openai/clip-vit-base-patch32", 224),
        ("openai/clip-vit-base-patch16", 224),
        ("openai/clip-vit-large-patch14", 224),
        ("openai/clip-vit-large-patch14-336", 336),
    ],
)
def test_names_of_openais_models(name: str, size: int) -> None:
    assert Preprocess(name) == Preprocess(size)


def test_a_name_decides_the_options_that_are_not_given() -> None:
    pre = Preprocess("ViT-B-16-SigLIP", mean=MEAN, dtype="float16")
    assert (pre.mean, pre.std, pre.dtype, pre.resize_mode) == (
        MEAN,
        (0.5,) * 3,
        "float16",
        "squash",
    )
    assert Preprocess("ViT-B/32", pretrained="openai", std=(1, 1, 1)).std == (1, 1, 1)
    assert Preprocess("ViT-B-32").std == STD
    # The config of a model by from_... stays the config's.
    with pytest.raises(TypeError, match="mean"):
        Preprocess.from_open_clip("ViT-B-32", mean=MEAN)  # type: ignore[call-arg]


def test_a_name_without_weights_whose_weights_differ_is_refused() -> None:
    with pytest.raises(ValueError, match=r"pretrained= one of .*dfn5b"):
        Preprocess("ViT-H-14")
    assert Preprocess("ViT-H-14", pretrained="dfn5b").resize_mode == "squash"
    assert Preprocess("ViT-H-14:metaclip_fullcc").resize_mode == "shortest"
    # Those of OpenAI decide where there are some.
    assert Preprocess("ViT-L-14") == Preprocess("ViT-L-14", pretrained="openai")
    assert Preprocess("ViT-L-14", pretrained="laion2b_s32b_b82k").mean == (0.5,) * 3


def test_a_name_of_two_libraries_is_refused_and_says_how_to_name_each() -> None:
    shared = tables.models("open_clip").keys() & tables.models("timm").keys()
    assert "convnext_base" in shared
    for name in shared:
        with pytest.raises(ValueError, match=f"open_clip:{name} .*timm/{name}"):
            Preprocess(name)
        assert Preprocess(f"timm/{name}").profile == "timm"
        assert Preprocess(f"open_clip:{name}").profile == "openai"
    assert Preprocess("convnext_base", pretrained="laion400m_s13b_b51k").profile == "openai"
    table = json.loads(Path(tables.__file__).with_name("open_clip.json").read_text("utf-8"))
    for name in table["also_of_timm"]:
        with pytest.raises(ValueError, match="from_open_clip"):
            Preprocess(f"hf-hub:{name}")
        assert Preprocess(name).profile == "timm"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("ViT-B/33", "ViT-B/32"),
        ("vit-b/32", "ViT-B/32"),
        ("ViT-L-14@336px", "ViT-L/14@336px"),
        ("resnet50.a1in1k", "resnet50.a1_in1k"),
        ("ViT-B-16-SigLip", "ViT-B-16-SigLIP"),
        ("timm/resnet_50", "resnet50"),
        # Separators and sizes as people write them.
        *(
            (name, "'ViT-B/32'")
            for name in ("vit-b-32", "ViT_B_32", "ViT B 32", " ViT-B/32 ", "VIT-B/32")
        ),
        # A tag in another library's form.
        *(
            (f"ViT-B-32{tag}", "'ViT-B-32:openai'")
            for tag in ("::openai", "__openai", " (openai)", "/openai", "@openai", ":openia")
        ),
        ("immich-app/ViT-B-32__openai", "'ViT-B-32:openai'"),
        ("ViT-H-14-laion2B-s32B-b79K", "'ViT-H-14:laion2b_s32b_b79k'"),
        ("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", "'ViT-B-32:laion2b_s34b_b79k'"),
        # OpenAI's names on the Hub, by halves.
        *(
            (name, "'openai/clip-vit-base-patch32'")
            for name in (
                "openai/CLIP-ViT-B-32", "clip-vit-base-patch32", "clip-ViT-B-32", "openai/clip-vit-b-32",
                "openai/clip-vit-base-patch-32",
            )
        ),
        # A family.
        ("SigLIP", "ViT-B-16-SigLIP"),
        ("siglip-base-patch16-224", "vit_base_patch16_siglip_224"),
        ("google/siglip2-base-patch16-224", "ViT-B-16-SigLIP2"),
        ("facebook/dinov2-base", "vit_base_patch14_dinov2"),
        ("dinov3", "vit_base_patch16_dinov3"),
        ("coca", "coca_ViT-B-32"),
        ("xlm-roberta", "xlm-roberta-base-ViT-B-32"),
    ],
)  # fmt: skip
def test_an_unknown_name_gets_the_nearest(
    name: str, nearest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)  # as if it were not installed
    with pytest.raises(ValueError, match=r"such as ") as caught:
        Preprocess(name)
    assert nearest in str(caught.value)
    assert repr(name) in str(caught.value)
    assert len(str(caught.value)) <= 500


@pytest.mark.parametrize(
    "name", ["", "224", "no such model", "a/b/c", "../../etc/passwd", "x" * 10**6]
)
def test_names_like_no_other(name: str) -> None:
    for read in (Preprocess, Preprocess.from_open_clip, Preprocess.from_timm):
        with pytest.raises(
            (ValueError, FileNotFoundError), match=r"expected|No such file"
        ) as caught:
            read(name)
        assert len(str(caught.value)) < 500


def test_an_error_shows_names_of_the_library_that_was_asked() -> None:
    for read, example in (
        (Preprocess, "ViT-B/32"),
        (Preprocess.from_open_clip, "RN50"),
        (Preprocess.from_timm, "beit"),
    ):
        with pytest.raises(ValueError, match=f"such as '{example}"):
            read("qqqqqqqq")
    with pytest.raises(FileNotFoundError, match="which is none"):
        Preprocess.from_hf("ViT-B-32")


def test_pretrained_that_is_refused(tmp_path: Path) -> None:
    for read in (Preprocess, Preprocess.from_open_clip):
        with pytest.raises(TypeError, match="pretrained="):
            read("ViT-B-32", pretrained=3)
        with pytest.raises(ValueError, match=r"'openai'.*'laion2b_s34b_b79k'"):
            read("ViT-B-32", pretrained="qqqqqqqq")
    for model in ("ViT-B-32", "ViT-B/32", "ViT-H-14"):
        with pytest.raises(ValueError, match="pretrained= for"):
            Preprocess(model, pretrained="laion9b")
    with pytest.raises(ValueError, match="open_clip"):
        Preprocess("resnet50", pretrained="a1_in1k")
    with pytest.raises(ValueError, match="clipprep"):
        Preprocess("nothing at all", pretrained="openai")
    for model in (224, (224, 224)):
        with pytest.raises(TypeError, match="pretrained="):
            Preprocess(model, pretrained="openai")
    for config in (tmp_path, {}, "hf-hub:owner/name"):
        with pytest.raises(TypeError, match="pretrained="):
            Preprocess.from_open_clip(config, pretrained="openai")


CONFIGS: dict[str, dict[str, dict[str, Any]]] = {
    "from_hf": {"preprocessor_config.json": {"image_processor_type": "CLIPImageProcessor"}},
    "from_open_clip": {"config.json": {}, "visual/preprocess_cfg.json": {"resize_mode": "squash"}},
    "from_timm": {"config.json": {"pretrained_cfg": {"input_size": [3, 64, 64]}}},
}
ANY = "Preprocess.from_hf, from_open_clip and from_timm read configs"


@pytest.mark.parametrize("method", CONFIGS)
def test_a_config_in_the_place_of_a_name_says_who_reads_it(method: str, tmp_path: Path) -> None:
    for name, content in CONFIGS[method].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(json.dumps(content))
    reads = f"Preprocess.{method} reads its config"
    with pytest.raises(ValueError, match=reads):
        Preprocess(str(tmp_path))
    for config in (tmp_path, tmp_path / name, content):
        with pytest.raises(TypeError, match=reads):
            Preprocess(config)
    other = Preprocess.from_hf if method == "from_open_clip" else Preprocess.from_open_clip
    with pytest.raises(FileNotFoundError, match=reads):
        other(tmp_path)


def test_what_is_no_config_either(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{")
    for where in (tmp_path, tmp_path / "broken.json", tmp_path / "nowhere", {}, {"a": 1}):
        with pytest.raises(TypeError, match=ANY):
            Preprocess(where)
    with pytest.raises(ValueError, match=ANY):
        Preprocess(str(tmp_path))
    (tmp_path / "preprocess_cfg.json").write_text("{")
    with pytest.raises(FileNotFoundError, match=r"processor_config\.json in the folder"):
        Preprocess.from_hf(tmp_path)


def test_names_pickle_as_what_they_mean() -> None:
    for name in ("ViT-B-16-SigLIP-384", "resnet50", "ViT-B/32"):
        pre = Preprocess(name)
        assert pickle.loads(pickle.dumps(pre)) == pre
        assert hash(pre) == hash(Preprocess(name))


def test_against_open_clip() -> None:
    """Each pair and each name of the table, against the library where it is installed."""
    open_clip = pytest.importorskip("open_clip", reason="open_clip is not installed")
    for name, tag in open_clip.list_pretrained():
        cfg = open_clip.get_pretrained_cfg(name, tag)
        size = open_clip.get_model_config(name)["vision_cfg"].get("image_size", 224)
        pre = Preprocess(name, pretrained=tag)
        chosen = (pre.size, list(pre.mean), list(pre.std), pre.interpolation, pre.resize_mode)
        assert chosen == (
            size,
            *(_list(cfg[key]) for key in ("mean", "std", "interpolation", "resize_mode")),
        )


def test_against_timm() -> None:
    timm = pytest.importorskip("timm", reason="timm is not installed")
    known = set(available_models("timm"))
    for name in timm.list_models(include_tags=True):
        if name not in known:
            continue
        cfg = timm.get_pretrained_cfg(name)
        data = timm.data.resolve_data_config({}, cfg.to_dict() if cfg else {})
        assert Preprocess.from_timm(name) == Preprocess.from_timm(data), name


def _list(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def test_the_core_knows_openais_alone() -> None:
    assert set(clipprep._core.available_models()) == set(available_models("openai")[:9])


@pytest.mark.parametrize("file", ["/some/file.pt", "open_clip_model.safetensors", "C:\\w\\e.PTH"])
def test_a_checkpoint_is_no_tag(file: str) -> None:
    with pytest.raises(ValueError, match=r"checkpoint file .* has no config: leave pretrained="):
        Preprocess("ViT-B-32", pretrained=file)
