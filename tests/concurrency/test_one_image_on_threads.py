"""`pre(image, num_threads=n)`: one large image on several threads, with the bits and the errors of one thread."""

from __future__ import annotations

import io
import itertools
import sys
import threading
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import clipprep
from support.compare import assert_equal_bits
from support.pictures import photo
from support.reference import reference
from support.waiting import wait_for
from support.writers import png_chunk

#: More than a megapixel: a smaller image has one thread whatever is asked for.
WIDE, HIGH = (1100, 954), (954, 1100)


def picture(mode: str, size: tuple[int, int]) -> Image.Image:
    """A photo of which some is noise, which takes long codes."""
    pixels = photo(size[1], size[0], 3, seed=len(mode))
    noise = np.random.default_rng(3).integers(0, 256, (size[1] // 3, size[0] // 2, 3), np.uint8)
    pixels[: size[1] // 3, : size[0] // 2] = noise
    image = Image.fromarray(pixels)
    return image.convert(mode) if mode != "I;16" else image.convert("I").convert("I;16")


def written(kind: str, mode: str = "RGB", size: tuple[int, int] = WIDE, **options) -> bytes:
    file = io.BytesIO()
    picture(mode, size).save(file, kind, **{"compress_level": 1} | options)
    return file.getvalue()


def in_chunks(file: bytes, size: int) -> bytes:
    """A PNG with its data in chunks of that many bytes."""
    at, head, data = 8, file[:33], b""
    while at < len(file):
        length = int.from_bytes(file[at : at + 4], "big")
        if file[at + 4 : at + 8] == b"IDAT":
            data += file[at + 8 : at + 8 + length]
        at += length + 12
    chunks = (png_chunk(b"IDAT", data[at : at + size]) for at in range(0, len(data), size))
    return head + b"".join(chunks) + png_chunk(b"IEND", b"")


FILES: dict[str, Callable[[], bytes]] = {
    "JPEG 4:2:0": lambda: written("JPEG"),
    "JPEG 4:2:2": lambda: written("JPEG", size=HIGH, subsampling=1),
    "JPEG grey": lambda: written("JPEG", "L", HIGH),
    "JPEG CMYK": lambda: written("JPEG", "CMYK"),
    "JPEG restarts": lambda: written("JPEG", restart_marker_rows=1),
    "JPEG restarts after each MCU": lambda: written("JPEG", restart_marker_blocks=1),
    "JPEG restarts within rows": lambda: written("JPEG", "L", HIGH, restart_marker_blocks=977),
    "JPEG restarts beyond the end": lambda: written("JPEG", restart_marker_blocks=65535),
    "JPEG progressive": lambda: written("JPEG", size=HIGH, progressive=True),
    "JPEG progressive, grey": lambda: written("JPEG", "L", progressive=True),
    "JPEG progressive, CMYK": lambda: written("JPEG", "CMYK", HIGH, progressive=True),
    "JPEG progressive, restarts": lambda: written(
        "JPEG", progressive=True, restart_marker_rows=2, subsampling=0
    ),
    "JPEG turned": lambda: written(
        "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    ),
    "PNG RGB": lambda: written("PNG"),
    "PNG RGBA": lambda: written("PNG", "RGBA", HIGH),
    "PNG L": lambda: written("PNG", "L"),
    "PNG P": lambda: written("PNG", "P"),
    "PNG I;16": lambda: written("PNG", "I;16"),
    "PNG of small chunks": lambda: in_chunks(written("PNG"), 97),
    "WEBP": lambda: written("WEBP"),
    "TIFF": lambda: written("TIFF", compression="tiff_lzw"),
}
OPTIONS = ({"resize_mode": "squash"}, {"profile": "hf-torchvision"})


@pytest.mark.parametrize(
    ("name", "options"), list(zip(FILES, itertools.cycle(OPTIONS), strict=False))
)
def test_bits_are_those_of_one_thread(name: str, options: dict, tmp_path) -> None:
    data = FILES[name]()
    path = tmp_path / "file"
    path.write_bytes(data)
    for chosen in ({"exif": True}, options):
        pre = clipprep.Preprocess(97, **chosen)
        one = pre(data)
        for threads in (2, 3, 5):
            assert_equal_bits(pre(data, num_threads=threads), one, f"{name} {chosen}, {threads}")
        assert_equal_bits(pre(path, num_threads=64), one, f"{name} {chosen} from its path")


def test_bits_are_the_references(pre) -> None:
    for name in ("JPEG 4:2:0", "PNG L"):
        data = FILES[name]()
        with Image.open(io.BytesIO(data)) as image:
            assert_equal_bits(pre(data, num_threads=2), reference(image, 224), name)


def outcome(call: Callable[[], np.ndarray]) -> tuple[type, bytes | str]:
    try:
        return np.ndarray, call().tobytes()
    except clipprep.ImageError as error:
        return type(error), str(error)


@pytest.mark.parametrize(
    ("name", "truncated"),
    [
        *(("JPEG 4:2:0", "error"), ("JPEG 4:2:0", "pad"), ("JPEG restarts", "error")),
        *(("JPEG progressive", "error"), ("PNG L", "error"), ("PNG P", "pad")),
    ],
)
def test_damaged_files_end_as_with_one_thread(name: str, truncated: str) -> None:
    pre = clipprep.Preprocess(33, truncated=truncated)
    data, rng = FILES[name](), np.random.default_rng(5)
    damaged = [data[: len(data) * part // 7] for part in (2, 4, 6)]
    for _ in range(5):
        bytes_ = bytearray(data)
        for at in rng.integers(len(data) // 10, len(data), 3):
            bytes_[at] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(bytes_))
    ends = set()
    for file in damaged:
        one = outcome(lambda file=file: pre(file))
        for threads in (2, 4):
            assert outcome(lambda file=file, n=threads: pre(file, num_threads=n)) == one
        ends.add(one[0])
    assert len(ends) > 1 or truncated == "pad"


def helpers() -> int:
    """The threads that this process has beside Python's."""
    with open("/proc/self/status", encoding="ascii") as status:
        count = next(line for line in status if line.startswith("Threads:"))
    return int(count.split()[1]) - threading.active_count()


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="Linux tells the number of threads"
)
def test_a_call_leaves_no_thread(pre) -> None:
    data = FILES["JPEG 4:2:0"]()
    pre(data, num_threads=2)
    before = helpers()
    for file in (data, data[: len(data) // 2], FILES["PNG RGB"]()[:-100_000]):
        for _ in range(3):
            outcome(lambda file=file: pre(file, num_threads=2))
    # The system may take a while to end a thread that has done its work.
    wait_for(lambda: helpers() <= before, "the end of the second threads")


def test_what_is_read_ahead_counts_as_memory() -> None:
    """The least `max_memory` that is enough tells whether there is a second thread: for one image alone."""
    data = FILES["PNG L"]()

    def is_enough(bytes_: int, call: Callable[[clipprep.Preprocess], np.ndarray]) -> bool:
        try:
            call(clipprep.Preprocess(33, limits=clipprep.Limits(max_memory=bytes_)))
        except (clipprep.errors.LimitError, clipprep.BatchError):
            return False
        return True

    def least(call: Callable[[clipprep.Preprocess], np.ndarray]) -> int:
        low, high = 1 << 10, 1 << 22
        while high - low > 1 << 14:
            middle = (low + high) // 2
            low, high = (low, middle) if is_enough(middle, call) else (middle, high)
        return high

    one = least(lambda pre: pre(data))
    two = least(lambda pre: pre(data, num_threads=2))
    assert one + (100 << 10) < two < 1 << 22
    assert least(lambda pre: pre.batch([data], num_threads=2)) >= two - (1 << 15)
    for others in (
        lambda pre: pre.batch([data]),
        lambda pre: pre.batch([data] * 2, num_threads=2),
    ):
        assert least(others) < two - (1 << 16)


def test_many_calls_at_once(pre) -> None:
    """Each has a thread of its own beside the one that calls."""
    data = [FILES[name]() for name in ("JPEG 4:2:0", "PNG RGB", "JPEG progressive")]
    expected, wrong = [pre(file) for file in data], []

    def call(file: bytes, one: np.ndarray) -> None:
        for _ in range(2):
            if not np.array_equal(pre(file, num_threads=4), one):
                wrong.append(1)

    threads = [
        threading.Thread(target=call, args=pair) for pair in zip(data, expected, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
