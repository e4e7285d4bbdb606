"""clipprep.torch: the same bits as the arrays, in workers too."""

from __future__ import annotations

import gc
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clipprep
from clipprep import cli
from clipprep._helper.pool import POOL
from support.paths import DOCS, ROOT
from support.pictures import picture
from support.waiting import is_there, wait_for
from support.writers import saved

torch = pytest.importorskip("torch", reason="torch is not installed: make test-torch installs it")
data = torch.utils.data
ct = pytest.importorskip("clipprep.torch")

PHOTOS = sorted(path for path in (ROOT / "photos").iterdir() if path.suffix != ".md")
PRE = clipprep.Preprocess(32)
EXPECTED = PRE.batch(PHOTOS)


class Photos(data.Dataset):  # type: ignore[misc, name-defined]
    """Items as a user's own dataset gives them."""

    def __init__(self, kind: str, transform: object = None) -> None:
        self.kind = kind
        self.transform = transform

    def __len__(self) -> int:
        return len(PHOTOS)

    def __getitem__(self, index: int) -> object:
        source = PHOTOS[index].read_bytes()
        if self.transform is not None:
            source = self.transform(source)  # type: ignore[operator]
        return (source, index, f"photo {index}") if self.kind == "tuple" else source


def test_a_transform_gives_the_same_bits() -> None:
    tensor = ct.Transform(PRE)(PHOTOS[0])
    assert tensor.dtype == torch.float32
    assert tensor.shape == (3, 32, 32)
    assert np.array_equal(tensor.numpy(), EXPECTED[0])
    assert ct.Transform(32, profile="hf-pil").preprocess == clipprep.Preprocess(
        32, profile="hf-pil"
    )
    with pytest.raises(TypeError, match="beside a model's name or a size"):
        ct.Transform(PRE, profile="hf-pil")


@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
def test_a_transform_works_in_workers(start: str) -> None:
    loader = data.DataLoader(
        Photos("plain", ct.Transform(PRE)),
        batch_size=4,
        num_workers=2,
        multiprocessing_context=start,
    )
    assert np.array_equal(torch.cat(list(loader)).numpy(), EXPECTED)


class Helped(data.Dataset):  # type: ignore[misc, name-defined]
    """Files that helpers decode, and the processes of those."""

    def __init__(self) -> None:
        self.pre = clipprep.Preprocess(32, fallback="process")

    def __len__(self) -> int:
        return 8

    def __getitem__(self, index: int) -> tuple[object, int]:
        tensor = ct.Transform(self.pre)(saved(picture("RGB", 60, 40, index), "TGA"))
        (helper,) = POOL.helpers()
        return tensor, helper.pid


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up in /proc")
@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
def test_helpers_decode_in_workers_and_end_with_them(start: str) -> None:
    files = Helped()
    loader = data.DataLoader(
        files,
        batch_size=2,
        num_workers=2,
        multiprocessing_context=start,
        persistent_workers=True,
    )
    expected = torch.stack([files[index][0] for index in range(len(files))])
    mine = {helper.pid for helper in POOL.helpers()}
    used = set()
    for _ in range(2):
        tensors, helpers = zip(*loader, strict=True)
        assert torch.equal(torch.cat(tensors), expected)
        used.update(torch.cat(helpers).tolist())
    assert len(used) == 2, "one for each worker, for both epochs"
    assert not used & mine
    del loader
    gc.collect()
    wait_for(lambda: not any(map(is_there, used)), "the end of the workers' helpers")


@pytest.mark.parametrize("workers", [0, 2])
def test_collate_decodes_bytes_beside_labels(workers: int) -> None:
    loader = data.DataLoader(
        Photos("tuple"), batch_size=4, num_workers=workers, collate_fn=ct.Collate(PRE)
    )
    batches = list(loader)
    assert np.array_equal(torch.cat([batch[0] for batch in batches]).numpy(), EXPECTED)
    assert torch.cat([batch[1] for batch in batches]).tolist() == list(range(len(PHOTOS)))
    assert [name for batch in batches for name in batch[2]][-1] == f"photo {len(PHOTOS) - 1}"


def test_collate_of_sources_alone_is_one_tensor() -> None:
    tensor = ct.Collate(PRE)([path.read_bytes() for path in PHOTOS])
    assert np.array_equal(tensor.numpy(), EXPECTED)
    assert ct.Collate(PRE)([]).shape == (0, 3, 32, 32)


def test_a_bad_item_raises_or_is_masked() -> None:
    items = [(PHOTOS[0], 7), (b"not an image", 8), (PHOTOS[1], 9)]
    with pytest.raises(clipprep.BatchError) as raised:
        ct.Collate(PRE)(items)
    assert raised.value.index == 1

    pixels, ok, labels = ct.Collate(PRE, errors="mask")(items)
    assert ok.tolist() == [True, False, True]
    assert labels.tolist() == [7, 8, 9]
    assert np.array_equal(pixels[ok].numpy(), EXPECTED[:2])
    assert not pixels[1].any()
    with pytest.raises(ValueError, match='expected errors= one of "raise", "mask"'):
        ct.Collate(PRE, errors="skip")


def test_workers_decode_in_one_thread_and_the_main_process_in_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    class Recorder:
        def batch(self, sources: list[object], *, out: object, num_threads: int | None) -> object:
            asked.append(num_threads)
            return PRE.batch(sources)

    collate = ct.Collate(PRE)
    monkeypatch.setattr(collate, "preprocess", Recorder())
    collate([PHOTOS[0]])
    monkeypatch.setattr(ct, "get_worker_info", object)
    collate([PHOTOS[0]])
    collate.num_threads = 3
    collate([PHOTOS[0]])
    assert asked == [None, 1, 3]


def test_pinned_memory_is_decoded_into(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pinning itself needs an accelerator: here its memory stands in, and the batch must be written into it."""
    real, made = torch.empty, []

    def empty(*args: object, pin_memory: bool = False, **options: object) -> object:
        assert pin_memory or not made
        made.append(real(*args, **options))
        return made[-1]

    if torch.cuda.is_available():
        assert ct.Collate(PRE, pin_memory=True)(PHOTOS).is_pinned()
    monkeypatch.setattr(torch, "empty", empty)
    tensor = ct.Collate(PRE, pin_memory=True)(PHOTOS)
    assert tensor is made[0]
    assert np.array_equal(tensor.numpy(), EXPECTED)


def test_uint16_is_viewed_as_bfloat16() -> None:
    bits = (EXPECTED.view(np.uint32) >> 16).astype(np.uint16)  # bfloat16, rounded towards zero
    tensor = ct.as_tensor(bits)
    assert tensor.dtype == torch.bfloat16
    assert tensor.data_ptr() == bits.ctypes.data
    assert np.array_equal(
        tensor.float().numpy().view(np.uint32), EXPECTED.view(np.uint32) & 0xFFFF0000
    )


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "uint8"])
def test_every_dtype_has_its_tensor(dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = clipprep.Preprocess(32, dtype=dtype).batch(PHOTOS)
    tensor = ct.Collate(32, dtype=dtype)(PHOTOS)
    assert tensor.dtype == getattr(torch, dtype)
    assert np.array_equal(ct._as_array(tensor), expected)

    real = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *a, pin_memory, **options: real(*a, **options))
    pinned = ct.Collate(32, dtype=dtype, pin_memory=True)(PHOTOS)
    assert pinned.dtype == tensor.dtype
    assert np.array_equal(ct._as_array(pinned), expected)


def test_safetensors_of_bfloat16(tmp_path: Path) -> None:
    load_file = pytest.importorskip("safetensors.torch").load_file
    out = tmp_path / "t.safetensors"
    photos = map(str, PHOTOS)
    assert (
        cli.main(["run", *photos, "--model", "32", "--dtype", "bfloat16", "--out", str(out)]) == 0
    )
    found = load_file(out)
    assert torch.equal(found["pixels"], ct.Collate(32, dtype="bfloat16")(PHOTOS))
    assert found["ok"].all()


def test_both_pickle() -> None:
    for made in (ct.Transform(PRE), ct.Collate(PRE, errors="mask")):
        copy = pickle.loads(pickle.dumps(made))
        assert copy.preprocess == PRE
        assert repr(copy) == repr(made)


def test_the_example_runs() -> None:
    """As the recipe says."""
    recipe = (DOCS / "recipes" / "torch.md").read_text(encoding="utf-8")
    [line] = re.findall(r"`python (examples/torch_.*?)`", recipe)
    command = [sys.executable, *line.split()]
    ran = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert f"{len(PHOTOS)} images" in ran.stdout


@pytest.mark.parametrize("errors", ["raise", "mask"])
def test_collate_takes_dicts(errors: str) -> None:
    items = [{"image": path, "label": i, "name": path.name} for i, path in enumerate(PHOTOS)]
    found = ct.Collate(PRE, errors=errors)(items)
    assert list(found) == ["image", *(["ok"] if errors == "mask" else []), "label", "name"]
    assert np.array_equal(found["image"].numpy(), EXPECTED)
    assert found["label"].tolist() == list(range(len(PHOTOS)))
    assert found["name"] == [path.name for path in PHOTOS]
    assert list(ct.Collate(PRE, key="photo")([{"photo": PHOTOS[0]}])) == ["photo"]


def test_collate_takes_the_dicts_of_datasets_as_sources() -> None:
    items = [{"bytes": path.read_bytes(), "path": None} for path in PHOTOS]
    assert np.array_equal(ct.Collate(PRE)(items).numpy(), EXPECTED)


def test_dicts_that_do_not_fit() -> None:
    with pytest.raises(KeyError, match=r"in an item, found .*jpg"):
        ct.Collate(PRE)([{"jpg": PHOTOS[0]}])
    with pytest.raises(ValueError, match='without "ok"'):
        ct.Collate(PRE, errors="mask")([{"image": PHOTOS[0], "ok": 1}])
    found = ct.Collate(PRE, errors="mask")([{"image": None, "label": 1}])
    assert found["ok"].tolist() == [False]


PIXELS = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)


@pytest.mark.parametrize("profile", ["openai", "timm", "hf-torchvision"])
def test_tensors_are_channels_first(profile: str) -> None:
    pre = clipprep.Preprocess(32, profile=profile)
    expected = pre(PIXELS)
    tensor = torch.from_numpy(PIXELS).permute(2, 0, 1)
    for source in (tensor, tensor.contiguous(), tensor.flip(2).flip(2)):
        assert np.array_equal(pre(source), expected)
    grey = torch.from_numpy(PIXELS[..., 0].copy())
    assert np.array_equal(pre(grey), pre(PIXELS[..., 0]))
    assert np.array_equal(pre.batch(torch.stack([tensor] * 3))[2], expected)
    last = clipprep.Preprocess(32, profile=profile, input_layout="HWC")
    assert np.array_equal(last(torch.from_numpy(PIXELS)), expected)
    # An array of another library is read as NumPy's are.
    if profile == "openai":
        with pytest.raises(ValueError, match='input_layout="HWC"'):
            pre(torch.from_numpy(PIXELS))


def test_tensors_that_are_no_image_cost_a_row() -> None:
    odd = [
        torch.zeros(3, 9, 9),
        torch.zeros(3, 9, 9, dtype=torch.bfloat16),
        torch.zeros(5, 9, 9, dtype=torch.uint8),
        torch.zeros(3, 0, 9, dtype=torch.uint8),
        torch.zeros(3, 9, 9, dtype=torch.uint8, device="meta"),
        torch.zeros(3, 9, 9, requires_grad=True),
    ]
    result = PRE.try_batch([*odd, PHOTOS[0]])
    assert list(result.ok) == [False] * len(odd) + [True]
    assert all(isinstance(error, clipprep.SourceError) for error in result.errors.values())
    for shape in ((9, 9), (3, 9, 9), (2, 1, 3, 9, 9)):
        with pytest.raises(ValueError, match="a batch of shape"):
            PRE.try_batch(torch.zeros(shape, dtype=torch.uint8))
