"""Encoded bytes that another thread rewrites while they are decoded: any result or a documented error, never a crash."""

from __future__ import annotations

import struct

import pytest

from support.pictures import picture
from support.programs import run
from support.writers import png_chunk, saved

RGB = picture("RGB", 64, 64)
#: Seconds of attempts; a race that is there is met within a fraction of one.
SECONDS = 1

SETUP = """
import array, mmap, tempfile, threading, time
at, other = {at}, {other}
def mapped(data):
    file = tempfile.TemporaryFile()
    file.write(data)
    file.flush()
    return mmap.mmap(file.fileno(), 0)
source = {source}
view = np.frombuffer(source, np.uint8)
part = view[at:at + len(other)]
good, bad = np.frombuffer(data[at:at + len(other)], np.uint8), np.frombuffer(other, np.uint8)
pre = clipprep.Preprocess(32, {options})
stop = False
def flip():
    while not stop:
        for _ in range(2000):
            part[:] = good
            part[:] = bad
def attempts():
    global stop
    thread = threading.Thread(target=flip)
    thread.start()
    odd, count, deadline = [], 0, time.monotonic() + {seconds}
    while time.monotonic() < deadline:
        count += 1
        try:
            pre({argument})
        except clipprep.ImageError:
            pass
        except BaseException as error:
            odd.append(repr(error)[:200])
            break
    stop = True
    thread.join()
    return odd if odd else bool(count)
"""
SOURCES = {
    "a bytearray": "bytearray(data)",
    "an array": "np.frombuffer(data, np.uint8).copy()",
    "a file mapped into memory": "mapped(data)",
    "an array.array": "array.array('B', data)",
}


def with_comments(data: bytes, count: int = 20_000) -> bytes:
    """Segments before the scan's header, so that much time passes between two readings of it."""
    return data[:2] + b"\xff\xe5\0\4ab" * count + data[2:]


def files() -> dict[str, tuple[bytes, int, bytes]]:
    """A file, an offset, and the bytes that are written there again and again."""
    jpeg = with_comments(saved(RGB, "JPEG", quality=90, subsampling=2))
    progressive = with_comments(saved(RGB, "JPEG", progressive=True))
    png = saved(RGB, "PNG")
    text = png_chunk(b"tEXt", b"a\0" + bytes(100)) * 5000
    png = png[:33] + text + png[33:]
    gif, webp, bmp = saved(RGB.quantize(), "GIF"), saved(RGB, "WEBP"), saved(RGB, "BMP")
    frame, scan = jpeg.index(b"\xff\xc0"), jpeg.index(b"\xff\xda\0\x0c")
    first = progressive.index(b"\xff\xc2")
    return {
        "the components of a JPEG's scan": (jpeg, scan + 5, b"\1\0\1\x11\1\x11"),
        "a JPEG's size": (jpeg, frame + 5, struct.pack(">HH", 4000, 9)),
        "a JPEG's sampling": (jpeg, frame + 11, b"\x44"),
        "a JPEG's number of components": (jpeg, frame + 9, b"\1"),
        "a progressive JPEG's size": (progressive, first + 5, struct.pack(">HH", 4000, 9)),
        "a PNG's size": (png, 16, struct.pack(">II", 4000, 9)),
        "a PNG's kind": (png, 24, b"\x10\6"),
        "a GIF's size": (gif, 6, struct.pack("<HH", 4000, 9)),
        "a WebP's size": (webp, webp.index(b"\x9d\x01\x2a") + 3, struct.pack("<HH", 4000, 9)),
        "a BMP's size": (bmp, 18, struct.pack("<ii", 4000, 9)),
        "a BMP's offset": (bmp, 10, struct.pack("<I", 12_000)),
    }


def survives(name: str, source: str, argument: str = "source", options: str = "") -> None:
    data, at, other = files()[name]
    setup = SETUP.format(
        at=at, other=other, source=source, argument=argument, options=options, seconds=SECONDS
    )
    outcome = run(setup, {"attempts": "attempts()"}, data=data, processor_time=30)["attempts"]
    assert (outcome.kind, outcome.text) == ("result", "True"), outcome


@pytest.mark.parametrize("name", files())
def test_the_process_survives(name: str) -> None:
    survives(name, SOURCES["a bytearray"])


@pytest.mark.parametrize("source", [name for name in SOURCES if name != "a bytearray"])
@pytest.mark.parametrize(
    "argument", ["source", "memoryview(source)", "memoryview(source).toreadonly()"]
)
def test_whatever_object_lends_the_bytes(source: str, argument: str) -> None:
    survives("the components of a JPEG's scan", SOURCES[source], argument)


def test_read_by_pillow_as_well() -> None:
    survives("a PNG's size", SOURCES["a bytearray"], options="formats=['TIFF', 'PNG'], exif=True")
