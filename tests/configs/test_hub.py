"""Configs of the Hugging Face Hub by name: its local cache, and `huggingface_hub` against a local server."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

import clipprep
from clipprep import Preprocess
from support.named_configs import HUGGING_FACE, OPEN_CLIP
from support.waiting import NEVER

CLIP = HUGGING_FACE["CLIP ViT-B/32"]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TIMM = {
    "architecture": "resnet50",
    "pretrained_cfg": {"input_size": [3, 256, 256], "crop_pct": 1.0},
}


def fill(folder: Path, files: dict[str, Any]) -> Path:
    """A folder with JSON files."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), "utf-8")
    return folder


def cache(hub: Path, repo: str, files: dict[str, Any], revision: str = "main") -> Path:
    """A model's folder in a cache of the Hub, as `huggingface_hub` lays it out."""
    folder = hub / f"models--{repo.replace('/', '--')}"
    fill(folder / "snapshots" / COMMIT, files)
    (folder / "refs").mkdir(parents=True, exist_ok=True)
    (folder / "refs" / revision).write_text(COMMIT)
    return folder


@pytest.fixture(
    params=["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HOME"]
)
def hub(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, named by each of the variables that `huggingface_hub` reads."""
    below = {
        "HF_HOME": "hub",
        "XDG_CACHE_HOME": "huggingface/hub",
        "HOME": ".cache/huggingface/hub",
    }
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(request.param, str(tmp_path))
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)  # as if it were not installed
    return tmp_path / below.get(request.param, "")


def test_names_in_the_cache(hub: Path) -> None:
    cache(
        hub,
        "laion/CLIP-a",
        {"preprocessor_config.json": CLIP, "config.json": {"model_type": "clip"}},
    )
    expected = Preprocess.from_hf(CLIP)
    for name in (
        "laion/CLIP-a",
        "hf-hub:laion/CLIP-a",
        f"laion/CLIP-a@{COMMIT}",
        "laion/CLIP-a@main",
    ):
        assert Preprocess.from_hf(name) == expected
    assert Preprocess("laion/CLIP-a") == expected
    assert Preprocess("laion/CLIP-a", dtype="float16").dtype == "float16"
    assert Preprocess.from_hf("laion/CLIP-a", backend="pil").profile == "hf-pil"
    cache(hub, "owner/b", {"preprocessor_config.json": HUGGING_FACE["ViT base 224"]}, revision="v2")
    assert Preprocess.from_hf("owner/b@v2").mean == (0.5, 0.5, 0.5)
    with pytest.raises(FileNotFoundError, match=r"clipprep\[hub\]"):
        Preprocess.from_hf("owner/b")


def test_names_of_open_clip_and_timm_in_the_cache(hub: Path) -> None:
    siglip = OPEN_CLIP["ViT-B-16-SigLIP"]
    cache(hub, "timm/ViT-X", {"open_clip_config.json": {"preprocess_cfg": siglip}})
    expected = Preprocess.from_open_clip(siglip)
    assert Preprocess("hf-hub:timm/ViT-X") == expected
    assert Preprocess.from_open_clip("hf-hub:timm/ViT-X") == expected
    assert Preprocess.from_open_clip("timm/ViT-X") == expected
    cache(hub, "owner/resnet", {"config.json": TIMM})
    assert Preprocess("hf-hub:owner/resnet") == Preprocess.from_timm(TIMM)
    for name in ("owner/resnet", "hf_hub:owner/resnet", "hf-hub:owner/resnet"):
        assert Preprocess.from_timm(name) == Preprocess.from_timm(TIMM)
    assert Preprocess("hf_hub:owner/resnet") == Preprocess.from_timm(TIMM)
    cache(
        hub,
        "owner/both",
        {"config.json": TIMM, "open_clip_config.json": {"preprocess_cfg": siglip}},
    )
    with pytest.raises(ValueError, match=r"from_open_clip.*from_timm"):
        Preprocess("hf-hub:owner/both")
    # A config.json that is not timm's says nothing to it.
    cache(
        hub,
        "owner/clip",
        {
            "config.json": {"model_type": "clip"},
            "open_clip_config.json": {"preprocess_cfg": siglip},
        },
    )
    assert Preprocess("hf-hub:owner/clip") == expected


def test_names_that_are_not_in_the_cache(hub: Path) -> None:
    for read in (Preprocess.from_hf, Preprocess.from_open_clip, Preprocess.from_timm):
        with pytest.raises(FileNotFoundError, match=r"'no/model' in the cache .*clipprep\[hub\]"):
            read("no/model")
    with pytest.raises(ValueError, match=r"clipprep\[hub\]"):
        Preprocess("no/model")
    # One that has other files alone is as good as none.
    cache(hub, "some/weights", {"tokenizer.json": {}})
    with pytest.raises(FileNotFoundError, match="preprocessor_config"):
        Preprocess.from_hf("some/weights")


def test_references_that_lead_elsewhere(hub: Path, tmp_path: Path) -> None:
    """An entry of refs is a file's content, and no path out of the cache."""
    outside = fill(tmp_path / "outside", {"preprocessor_config.json": CLIP})
    folder = cache(hub, "owner/name", {"tokenizer.json": {}})
    for reference in ("../../../outside", str(outside), "..", "", "\0", "a/b"):
        (folder / "refs" / "main").write_text(reference)
        with pytest.raises(FileNotFoundError):
            Preprocess.from_hf("owner/name")
        with pytest.raises(FileNotFoundError, match="snapshot"):
            Preprocess.from_hf(folder)
    for name in ("../x", "a/..", "owner/na..me", "owner/name@../x", "a//b", "/a", "a/"):
        with pytest.raises((FileNotFoundError, ValueError, IsADirectoryError)):
            Preprocess.from_hf(name)


def test_folders_as_people_have_them(tmp_path: Path) -> None:
    expected = Preprocess.from_hf(CLIP)
    whole = {"image_processor": {**CLIP, "image_processor_type": "CLIPImageProcessor"}}
    for i, files in enumerate(
        [
            {"modules.json": {}, "0_CLIPModel/preprocessor_config.json": CLIP},
            {"0_CLIPModel/processor_config.json": whole},
            {"model_index.json": {}, "feature_extractor/preprocessor_config.json": CLIP},
            {"model_index.json": {}, "image_processor/preprocessor_config.json": CLIP},
            # Its own comes first.
            {"preprocessor_config.json": CLIP, "0_CLIPModel/preprocessor_config.json": {}},
        ]
    ):
        folder = fill(tmp_path / str(i), files)
        assert Preprocess.from_hf(folder) == Preprocess.from_hf(str(folder)) == expected
    assert (
        Preprocess.from_hf(cache(tmp_path, "a/b", {"preprocessor_config.json": CLIP})) == expected
    )
    cfg = {"size": [224, 224], "mode": "RGB", "resize_mode": "squash"}
    immich = fill(tmp_path / "immich", {"config.json": {}, "visual/preprocess_cfg.json": cfg})
    for config in (
        immich,
        f"local-dir:{immich}",
        immich / "visual",
        immich / "visual" / "preprocess_cfg.json",
    ):
        assert Preprocess.from_open_clip(config) == Preprocess(224, resize_mode="squash")


class _Hub(BaseHTTPRequestHandler):
    """Files of repositories, as the Hub serves them."""

    repos: ClassVar[dict[str, dict[str, Any]]]
    asked: ClassVar[list[str]]
    address: ClassVar[str]

    #: What is said of every file of a repository that gives none.
    refused: ClassVar[dict[str, tuple[int, str]]]

    def do_HEAD(self) -> None:
        owner, name, _, revision, file = self.path.strip("/").split("?")[0].split("/", 4)
        self.asked.append(file)
        if f"{owner}/{name}" in self.refused:
            status, code = self.refused[f"{owner}/{name}"]
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        files = self.repos.get(f"{owner}/{name}")
        found = files is not None and revision == "main" and file in files
        body = json.dumps(files[file]).encode() if files is not None and found else b""
        self.send_response(200 if found else 404)
        if not found:
            missing = "Entry" if revision == "main" else "Revision"
            self.send_header("X-Error-Code", f"{'Repo' if files is None else missing}NotFound")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", f'"{hash(body):x}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_GET = do_HEAD  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[type[_Hub]]:
    """A Hub on this machine."""

    class Hub(_Hub):
        repos: ClassVar[dict[str, dict[str, Any]]] = {}
        asked: ClassVar[list[str]] = []
        refused: ClassVar[dict[str, tuple[int, str]]] = {}

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as http:
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        Hub.address = f"http://127.0.0.1:{http.server_port}"
        yield Hub
        http.shutdown()
        thread.join()


PROGRAM = """\
import sys
from clipprep import Preprocess
for call in sys.argv[1:]:
    try:
        print(repr(eval(call)))
    except Exception as error:
        print(type(error).__name__, isinstance(error, OSError), error)
"""


def answers(server: Any, home: Path, calls: Iterable[str], **more: str) -> list[str]:
    """What each call gives or raises, in a process that knows the server as the Hub."""
    environment = {
        "PATH": "",
        "HF_HOME": str(home),
        "HF_ENDPOINT": server.address,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_XET": "1",
        "PYTHONPATH": ":".join(path for path in sys.path if path),
        "NO_PROXY": "127.0.0.1",
    }
    command = [sys.executable, "-c", PROGRAM, *calls]
    done = subprocess.run(
        command, env=environment | more, capture_output=True, text=True, timeout=NEVER
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_downloads_the_config_alone(server: Any, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    server.repos["owner/clip"] = {
        "preprocessor_config.json": CLIP,
        "config.json": {"model_type": "clip"},
        "model.safetensors": {},
    }
    server.repos["owner/sentence"] = {
        "modules.json": [],
        "0_CLIPModel/preprocessor_config.json": CLIP,
    }
    server.repos["owner/open"] = {
        "open_clip_config.json": {"preprocess_cfg": OPEN_CLIP["ViT-B-16-SigLIP"]}
    }
    server.repos["owner/none"] = {"README.md": {}}
    calls = (
        "Preprocess.from_hf('owner/clip')",
        "Preprocess('owner/clip')",
        "Preprocess.from_hf('owner/sentence')",
        "Preprocess.from_open_clip('hf-hub:owner/open')",
        "Preprocess.from_hf('owner/none')",
        "Preprocess.from_hf('owner/absent')",
    )

    def run(**more: str) -> list[str]:
        return answers(server, tmp_path, calls, **more)

    clip = repr(Preprocess.from_hf(CLIP))
    siglip = repr(Preprocess.from_open_clip(OPEN_CLIP["ViT-B-16-SigLIP"]))
    lines = run()
    assert lines[:4] == [clip, clip, clip, siglip]
    assert lines[4].startswith("FileNotFoundError True")
    assert " True " in lines[5]
    assert "model.safetensors" not in server.asked
    # From now on they are in the cache.
    server.asked.clear()
    offline = run(HF_HUB_OFFLINE="1")
    assert offline[:4] == lines[:4]
    assert not server.asked
    assert offline[5].startswith("HubError True expected")


def test_what_the_hub_refuses_says_what_to_do(server: Any, tmp_path: Path) -> None:
    pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    server.repos["owner/clip"] = {"preprocessor_config.json": CLIP}
    server.refused |= {
        "owner/gated": (403, "GatedRepo"),
        "owner/broken": (501, ""),
        "laion/CLIP-ViT-B-32-laion2B-s34B-b79K": (501, ""),
    }
    expected = {
        "Preprocess.from_hf('owner/gated')": ("HubError", "hf auth login"),
        "Preprocess.from_hf('owner/broken')": ("HubError", "501"),
        "Preprocess.from_hf('owner/absent')": ("FileNotFoundError", "no such model"),
        "Preprocess.from_hf('owner/clip@v9')": ("FileNotFoundError", "no revision 'v9'"),
        "Preprocess('owner/broken')": ("HubError", "give a folder"),
        "Preprocess('owner/absent')": ("ValueError", "no such model"),
        # Names that need no Hub are near.
        **{
            f"Preprocess({prefix + name!r})": ("HubError", "ViT-B-32:laion2b_s34b_b79k")
            for name in ("laion/CLIP-ViT-B-32-laion2B-s34B-b79K",)
            for prefix in ("", "hf-hub:")
        },
    }
    for line, (error, said) in zip(
        answers(server, tmp_path, expected), expected.values(), strict=True
    ):
        assert line.startswith(f"{error} {error != 'ValueError'} expected"), line
        assert said in line
        assert len(line) < 530


def test_a_hub_that_gives_no_answer_is_asked_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each question takes `huggingface_hub` half a minute of trying again."""
    hub = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    from huggingface_hub.errors import LocalEntryNotFoundError

    asked = []

    def download(*_: object, **__: object) -> str:
        asked.append(1)
        raise LocalEntryNotFoundError("An error happened\nat 0x7f00deadbeef")

    monkeypatch.setattr(hub, "hf_hub_download", download)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    for read in (Preprocess, Preprocess.from_hf, Preprocess.from_open_clip, Preprocess.from_timm):
        asked.clear()
        with pytest.raises(clipprep.errors.HubError, match="no answer") as caught:
            read("owner/model")
        assert isinstance(caught.value, OSError)
        assert isinstance(caught.value, clipprep.ClipPrepError)
        assert isinstance(caught.value.__cause__, LocalEntryNotFoundError)
        assert len(asked) == 1
    # What is in the cache is found all the same.
    cache(tmp_path, "owner/resnet", {"config.json": TIMM})
    assert Preprocess.from_hf("owner/resnet").size == 256
