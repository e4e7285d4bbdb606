"""A row that is missing or no image costs a row, in a batch, a stream and a table: it depends on the data, not on the caller."""

from __future__ import annotations

import asyncio
import io
import os

import numpy as np
import pytest
from PIL import Image

import clipprep
from support.pictures import picture
from support.writers import saved

DATA = saved(picture("RGB", 90, 60), "JPEG")


def closed() -> io.BytesIO:
    file = io.BytesIO(DATA)
    file.close()
    return file


ODD = {
    "None": lambda: None,
    "NaN": lambda: float("nan"),
    "a number": lambda: 3,
    "a float array": lambda: np.zeros((5, 5, 3), np.float32),
    "an array of bools": lambda: np.zeros((5, 5), bool),
    "an array of 5 channels": lambda: np.zeros((5, 5, 5), np.uint8),
    "an array of 4 axes": lambda: np.zeros((1, 5, 5, 3), np.uint8),
    "an array of no rows": lambda: np.zeros((0, 5, 3), np.uint8),
    "an array of objects": lambda: np.array([None, 1], object),
    "no bytes": lambda: b"",
    "no name": lambda: "",
    "a name with NUL": lambda: "a\0b",
    "a closed file": closed,
    "an image of no pixels": lambda: Image.new("RGB", (0, 0)),
    "a list": lambda: [DATA],
    "a set": lambda: {DATA},
    "a dict without bytes or path": lambda: {"image": DATA},
    "a dict of None": lambda: {"bytes": None, "path": None},
    "a dict of NaN": lambda: {"bytes": float("nan"), "path": float("nan")},
}


@pytest.mark.parametrize("name", ODD)
def test_try_batch(small, name: str) -> None:
    result = small.try_batch([DATA, ODD[name](), DATA])
    assert list(result.ok) == [True, False, True]
    assert list(result.errors) == [1]
    assert not result.pixels[1].any()
    assert result.pixels[2].any()


@pytest.mark.parametrize("name", ODD)
def test_stream(small, name: str) -> None:
    sources = [*[DATA] * 3, ODD[name](), *[DATA] * 6]
    batches = list(small.stream(sources, batch_size=2))
    assert [bool(ok) for batch in batches for ok in batch.ok] == [True] * 3 + [False] + [True] * 6


@pytest.mark.parametrize("name", ODD)
def test_abatch_and_batch_raise_for_the_row(small, name: str) -> None:
    for call in (
        lambda: small.batch([DATA, ODD[name]()]),
        lambda: asyncio.run(small.abatch([DATA, ODD[name]()])),
    ):
        with pytest.raises(clipprep.BatchError) as caught:
            call()
        assert caught.value.index == 1


def test_a_mistake_of_the_caller_is_one(small) -> None:
    """Mistakes that do not depend on the rows raise, whatever the call."""
    for call in (small.batch, small.try_batch, lambda sources: list(small.stream(sources))):
        for wrong in (None, 3, DATA, "cat.jpg"):
            with pytest.raises(TypeError):
                call(wrong)
    with pytest.raises((TypeError, ValueError), match="out"):
        small.try_batch([DATA], out=np.zeros((1, 3, 31, 32), np.float32))


def test_datasets_dicts_are_images(small, tmp_path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(DATA)
    rows = [
        {"bytes": DATA, "path": None},
        {"bytes": DATA, "path": "elsewhere.jpg"},
        {"bytes": None, "path": str(path)},
        {"bytes": float("nan"), "path": str(path)},
        {"path": os.fsencode(path)},
    ]
    expected = small(DATA)
    for row in rows:
        assert np.array_equal(small(row), expected)
    assert np.array_equal(small.batch(rows), np.stack([expected] * len(rows)))


def test_arrays_of_names_and_of_bytes_are_batches(small, tmp_path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(DATA)
    expected = np.stack([small(DATA)] * 2)
    for sources in (
        np.array([str(path)] * 2),
        np.array([str(path)] * 2, object),
        np.array([DATA] * 2, object),
        np.array([path] * 2, object),
        np.array([DATA] * 2),
        *(
            [np.array([str(path)] * 2, np.dtypes.StringDType())]
            if hasattr(np.dtypes, "StringDType")
            else []
        ),
    ):
        assert np.array_equal(small.batch(sources), expected)


def test_a_buffer_of_several_axes_is_an_array(small) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    assert np.array_equal(small(memoryview(pixels)), small(pixels))
    assert np.array_equal(
        small(memoryview(bytearray(pixels.tobytes())).cast("B", (40, 50, 3))), small(pixels)
    )
    batch = np.stack([pixels] * 2)
    assert np.array_equal(small.batch(memoryview(batch)), small.batch(batch))
    with pytest.raises(ValueError, match="a batch of shape"):
        small.batch(memoryview(pixels))


def test_scalars_and_arrays_of_pyarrow_are_sources(small, tmp_path) -> None:
    pa = pytest.importorskip("pyarrow")
    path = tmp_path / "cat.jpg"
    path.write_bytes(DATA)
    row = {"bytes": DATA, "path": None}
    expected = small(DATA)
    for value, kind in (
        (DATA, pa.binary()),
        (DATA, pa.large_binary()),
        (DATA, pa.binary(len(DATA))),
        (str(path), pa.string()),
        (str(path), pa.large_string()),
        (row, pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
    ):
        assert np.array_equal(small(pa.scalar(value, kind)), expected)
        result = small.try_batch(pa.array([value, None], kind))
        assert list(result.ok) == [True, False]
        assert "missing" in str(result.errors[1])


def test_frames_and_series(small, tmp_path) -> None:
    path = tmp_path / "cat.jpg"
    path.write_bytes(DATA)
    expected = small(DATA)
    for name in ("pandas", "polars"):
        library = pytest.importorskip(name)
        for values in ([str(path), None], [DATA, None], [{"bytes": DATA, "path": None}, None]):
            frame = library.DataFrame({"image": values})
            for sources in (frame, frame["image"]):
                result = small.try_batch(sources)
                assert list(result.ok) == [True, False]
                assert np.array_equal(result.pixels[0], expected)
        with pytest.raises(TypeError, match=r"columns \['image', 'id'\]: pass one"):
            small.batch(library.DataFrame({"image": [str(path)], "id": [1]}))
    pandas = pytest.importorskip("pandas")
    for missing in (float("nan"), None, pandas.NA, pandas.NaT):
        assert "missing" in str(small.try_batch([missing]).errors[0])


def test_files_of_fsspec_and_of_other_paths(small, tmp_path) -> None:
    fsspec = pytest.importorskip("fsspec")
    path = tmp_path / "cat.jpg"
    path.write_bytes(DATA)
    expected = small(DATA)
    memory = fsspec.filesystem("memory")
    memory.pipe("/cat.jpg", DATA)
    unopened = fsspec.open(str(path))
    for source in (unopened, unopened, fsspec.open("memory://cat.jpg"), memory.open("/cat.jpg")):
        assert np.array_equal(small(source), expected)
    with fsspec.open(str(path)) as file:
        assert np.array_equal(small(file), expected)
    many = [fsspec.open(str(path)) for _ in range(3)]
    small.batch(many)
    assert not any(file.fobjects for file in many), "no file is left open"
    errors = small.try_batch(
        [fsspec.open(str(path) + "x"), fsspec.open(str(path), "r"), DATA]
    ).errors
    assert [type(error) for error in errors.values()] == [FileNotFoundError, clipprep.SourceError]


def test_arrays_of_other_libraries(small) -> None:
    class Interface:
        def __init__(self, array: np.ndarray) -> None:
            self.__array_interface__ = array.__array_interface__
            self.array = array

    class DLPack:
        def __init__(self, array: np.ndarray) -> None:
            self.array = array

        def __dlpack__(self, **options: object) -> object:
            return self.array.__dlpack__(**options)

        def __dlpack_device__(self) -> object:
            return self.array.__dlpack_device__()

    class Elsewhere:
        dtype, device = "uint8", "cuda:0"

        def __dlpack__(self, **options: object) -> object:
            raise BufferError("on a GPU")

        def __dlpack_device__(self) -> tuple[int, int]:
            return 2, 0

    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    for kind in (Interface, DLPack):
        assert np.array_equal(small(kind(pixels)), small(pixels))
        assert np.array_equal(small.batch([kind(pixels)])[0], small(pixels))
        assert "float32" in str(small.try_batch([kind(pixels.astype(np.float32))]).errors[0])

    class OnGpu:
        device = "cuda:0"
        __cuda_array_interface__ = {"shape": (4, 5, 3), "typestr": "|u1"}  # noqa: RUF012

    for source in (Elsewhere(), OnGpu()):
        error = small.try_batch([source]).errors[0]
        assert isinstance(error, clipprep.SourceError)
        assert "cuda:0" in str(error)


@pytest.mark.parametrize("profile", ["openai", "hf-torchvision"])
def test_input_layout(profile: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    expected = clipprep.Preprocess(32, profile=profile)(pixels)
    last = clipprep.Preprocess(32, profile=profile, input_layout="HWC")
    first = clipprep.Preprocess(32, profile=profile, input_layout="CHW")
    assert np.array_equal(last(pixels), expected)
    assert np.array_equal(first(planes), expected)
    assert np.array_equal(first.batch(np.stack([planes] * 2))[1], expected)
    assert np.array_equal(first(pixels[..., 0]), last(pixels[..., 0]))
    with pytest.raises(ValueError, match='pass input_layout="CHW"'):
        last(planes)
    with pytest.raises(ValueError, match='pass input_layout="HWC"'):
        first(pixels)
