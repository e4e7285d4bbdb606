"""Every kind of source gives the same bits; other objects are refused with a helpful message."""

from __future__ import annotations

import io
import mmap
import os
from pathlib import Path

import numpy as np
import pytest

import clipprep
from support.compare import assert_equal_bits
from support.pictures import photo, picture
from support.reference import from_array, reference
from support.writers import saved


class Named(os.PathLike):
    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> str:
        return str(self.path)


@pytest.fixture(scope="module")
def data() -> bytes:
    return saved(picture("RGB", 157, 90), "JPEG")


@pytest.fixture(scope="module")
def path(data, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("sources") / "image with spaces, ünïcödé.jpg"
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def expected(data) -> np.ndarray:
    from support.expect import opened

    return reference(opened(data), 32)


def encoded(data: bytes, path: Path) -> dict[str, object]:
    padded = np.frombuffer(b"xx" + data + b"yyy", np.uint8)
    return {
        "str": str(path),
        "Path": path,
        "PathLike": Named(path),
        "bytes": data,
        "bytearray": bytearray(data),
        "memoryview": memoryview(data),
        "a slice of a memoryview": memoryview(b"xx" + data + b"yyy")[2:-3],
        "1-D array": np.frombuffer(data, np.uint8),
        "a slice of a 1-D array": padded[2:-3],
        "a writeable 1-D array": np.frombuffer(data, np.uint8).copy(),
        "BytesIO": io.BytesIO(data),
    }


KINDS = tuple(encoded(b"", Path("x")))


@pytest.mark.parametrize("kind", KINDS)
def test_encoded_sources(small, data, path, expected, kind: str) -> None:
    assert_equal_bits(small(encoded(data, path)[kind]), expected, f"source {kind}")
    assert_equal_bits(
        small.batch([encoded(data, path)[kind]] * 1)[0], expected, f"source {kind} in a batch"
    )
    explained = small.explain(encoded(data, path)[kind])
    assert (explained.format, explained.size, explained.decoder) == ("JPEG", (157, 90), "clipprep")


def test_all_kinds_in_one_batch(small, data, path, expected) -> None:
    sources = [*encoded(data, path).values()]
    actual = small.batch(sources)
    assert_equal_bits(actual, np.stack([expected] * len(sources)), "all kinds of source")


def test_open_files(small, data, path, expected) -> None:
    with path.open("rb") as file:
        assert_equal_bits(small(file), expected, "buffered file")
    with path.open("rb", buffering=0) as file:
        assert_equal_bits(small(file), expected, "raw file")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert_equal_bits(small(mapped), expected, "mapped file")


def test_a_file_object_is_left_at_its_end(small, data) -> None:
    file = io.BytesIO(data)
    file.seek(6)
    small(file)
    assert not file.closed
    assert file.tell() == len(data)


def test_a_file_object_with_nothing_but_read(small, data, expected) -> None:
    class Reader:
        def __init__(self) -> None:
            self.rest = data

        def read(self, size: int = -1) -> bytes:
            size = len(self.rest) if size is None or size < 0 else min(size, 1000)
            part, self.rest = self.rest[:size], self.rest[size:]
            return part

    assert_equal_bits(small(Reader()), expected, "an object with read()")


def test_a_text_file_object_is_refused(small, path) -> None:
    with pytest.raises(TypeError, match="bytes"):
        small(io.StringIO("text"))


def test_an_error_of_the_file_object_is_kept(small) -> None:
    class Broken:
        def read(self, size: int = -1) -> bytes:
            raise ConnectionResetError("gone")

    with pytest.raises(OSError, match="gone"):
        small(Broken())


def test_a_source_is_not_changed_or_closed(small, data, path) -> None:
    array, buffer = np.frombuffer(data, np.uint8).copy(), bytearray(data)
    file = io.BytesIO(data)
    small.batch([array, buffer, file])
    assert array.tobytes() == data == bytes(buffer)
    assert not file.closed
    buffer.append(0)  # no buffer is still held


@pytest.mark.parametrize(
    "shape", [(50, 70), (50, 70, 1), (50, 70, 2), (50, 70, 3), (50, 70, 4)], ids=str
)
def test_arrays_and_images(small, shape: tuple[int, ...]) -> None:
    array = photo(50, 70, 4)[..., : shape[-1] if len(shape) == 3 else 1].reshape(shape)
    image = from_array(array)
    assert_equal_bits(small(array), reference(image, 32), f"array {shape}")
    assert_equal_bits(small(image), reference(image, 32), f"PIL image of array {shape}")
    explained = small.explain(array)
    assert (explained.mode, explained.size, explained.decoder) == (image.mode, (70, 50), "none")


def test_a_batch_of_one_array(small) -> None:
    """(N, H, W, C) is a batch by itself, in any layout."""
    for channels in (1, 2, 3, 4):
        frames = np.stack([photo(50, 70, channels, seed) for seed in range(3)])
        expected = np.stack([reference(from_array(frame), 32) for frame in frames])
        assert_equal_bits(small.batch(frames), expected, f"(N, H, W, {channels}) array")
        assert_equal_bits(
            small.batch(frames[::-1]), expected[::-1].copy(), f"(N, H, W, {channels}) reversed"
        )
        assert_equal_bits(
            small.batch(np.asfortranarray(frames)), expected, f"(N, H, W, {channels}) Fortran"
        )
    assert small.batch(np.zeros((0, 50, 70, 3), np.uint8)).shape == (0, 3, 32, 32)


def test_iterables_that_make_a_batch(small, data, expected) -> None:
    for kind in (list, tuple, iter):
        assert_equal_bits(
            small.batch(kind([data, data])), np.stack([expected] * 2), f"batch from {kind.__name__}"
        )
    actual = small.batch(source for source in (data, data, data))
    assert_equal_bits(actual, np.stack([expected] * 3), "batch from a generator")
    assert small.batch([]).shape == (0, 3, 32, 32)
    assert small.batch([]).dtype == np.float32


def numbers(shape: tuple[int, ...]) -> str:
    """A shape as any message may write it, in whatever brackets."""
    return ", ".join(map(str, shape))


# Refused sources ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [None, 7, 1.5, object(), [], ["a.jpg"], {}, {"a.jpg"}, [[0, 1], [2, 3]], int, ("a.jpg",)],
    ids=type,
)
def test_what_is_no_source_is_a_type_error(small, wrong: object) -> None:
    for call in (
        small,
        small.explain,
        lambda source: small.batch([np.zeros((9, 9, 3), np.uint8), source]),
    ):
        with pytest.raises(TypeError, match=type(wrong).__name__):
            call(wrong)


def test_what_gives_an_array_or_several_sources_is_told_what_to_do(small, data) -> None:
    lazy = type("Lazy", (), {"__array__": lambda self, *args, **options: np.zeros((9, 9, 3))})
    with pytest.raises(TypeError, match=r"found a Lazy, .*: pass numpy\.asarray of it"):
        small(lazy())
    column = type("Column", (lazy,), {"to_list": lambda self: [data]})
    for several in ([data], (data,), {data}, column()):
        with pytest.raises(TypeError, match=r": give several images to batch\(\)"):
            small(several)


@pytest.mark.parametrize(
    "dtype", [np.float32, np.float64, np.int8, np.uint16, np.int64, np.bool_, np.complex64, object]
)
def test_arrays_of_other_dtypes(small, dtype: type) -> None:
    for call in (small, small.explain):
        with pytest.raises((TypeError, ValueError), match="uint8") as caught:
            call(np.zeros((9, 9, 3), dtype))
        assert str(np.dtype(dtype)) in str(caught.value)
    with pytest.raises((TypeError, ValueError), match="uint8"):
        small.batch(np.zeros((2, 9, 9, 3), dtype))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_first_is_explained(small, channels: int) -> None:
    for call in (small, small.explain):
        with pytest.raises(ValueError, match="channels last") as caught:
            call(np.zeros((channels, 90, 61), np.uint8))
        assert f"{channels}, 90, 61" in str(caught.value)


@pytest.mark.parametrize(
    "shape", [(2, 40, 30), (40, 30, 5), (40, 30, 0), (1, 1, 1, 1, 3), ()], ids=str
)
def test_shapes_that_are_no_image(small, shape: tuple[int, ...]) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        small(np.zeros(shape, np.uint8))
    assert numbers(shape) in str(caught.value)


@pytest.mark.parametrize(
    "shape", [(0, 0), (0, 9), (9, 0), (0, 9, 3), (9, 0, 3), (0, 0, 4)], ids=str
)
def test_arrays_without_pixels(small, shape: tuple[int, ...]) -> None:
    with pytest.raises((ValueError, clipprep.ImageError)) as caught:
        small(np.zeros(shape, np.uint8))
    assert numbers(shape) in str(caught.value)


@pytest.mark.parametrize(
    "shape", [(4, 40, 30), (3, 40, 30), (2, 2, 40, 30, 3), (5,), (2, 40, 30, 5)], ids=str
)
def test_arrays_that_are_no_batch(small, shape: tuple[int, ...]) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        small.batch(np.zeros(shape, np.uint8))
    assert numbers(shape) in str(caught.value) or numbers(shape[1:]) in str(caught.value)


@pytest.mark.parametrize(
    "single",
    [
        "a.jpg",
        Path("a.jpg"),
        b"..",
        bytearray(b".."),
        memoryview(b".."),
        io.BytesIO(b".."),
        None,
        7,
    ],
    ids=type,
)
def test_one_source_is_no_batch(small, single: object) -> None:
    with pytest.raises(TypeError):
        small.batch(single)


def test_one_image_is_no_batch(small) -> None:
    with pytest.raises(TypeError):
        small.batch(picture("RGB", 9, 9))


def test_a_buffer_in_pieces(small, data) -> None:
    with pytest.raises((TypeError, ValueError, BufferError), match="contiguous"):
        small(memoryview(data)[::2])
    with pytest.raises((TypeError, ValueError, BufferError), match="contiguous"):
        small(np.frombuffer(data, np.uint8)[::2])


def test_files_that_cannot_be_read(small, tmp_path) -> None:
    missing = tmp_path / "missing.jpg"
    for call in (small, small.explain):
        for source in (missing, str(missing)):
            with pytest.raises(FileNotFoundError) as caught:
                call(source)
            assert caught.value.filename is not None
            assert "missing.jpg" in str(caught.value)
        with pytest.raises(OSError, match=tmp_path.name):
            call(tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(small, path, tmp_path) -> None:
    locked = tmp_path / "locked.jpg"
    locked.write_bytes(b"x")
    locked.chmod(0)
    with pytest.raises(PermissionError):
        small(locked)


def test_a_path_with_a_null_byte(small) -> None:
    with pytest.raises((ValueError, OSError)):
        small("a\0b.jpg")


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"this is no image, it is text\n" * 40, bytes(1000), b"\xff\xd8\xff", b"GIF89a"],
    ids=repr,
)
def test_files_that_are_no_images_are_named(small, tmp_path, content: bytes) -> None:
    path = tmp_path / "no image.jpg"
    path.write_bytes(content)
    for call in (small, small.explain):
        with pytest.raises(clipprep.ImageError, match=r"no image\.jpg"):
            call(path)
    with pytest.raises(clipprep.ImageError) as caught:
        small(content)
    assert "bytes" in str(caught.value)


def test_a_bytes_path_is_taken_for_an_image(small) -> None:
    """bytes are always encoded bytes: a path in bytes is refused as an image, not opened as a file."""
    with pytest.raises(clipprep.ImageError):
        small(os.fsencode(__file__))
