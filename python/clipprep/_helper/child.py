"""A helper's side: files in, pixels out."""

from __future__ import annotations

import gc
import io
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from PIL import Image, ImageFile

from .. import _core, _pillow
from .._pillow.refusals import RefusedError
from ..limits import Limits
from . import bounds, plugins
from .protocol import ALL_LOST, Hello, Reply, Status, no_room, read_message, versions

#: Bytes of an image that are copied at a time.
_PIECE = 1 << 20


def serve(setup: dict[str, Any], source: io.BufferedIOBase, target: io.RawIOBase) -> None:
    """Answer one request after the other, until there are no more."""
    hello = Hello(bounds=bounds.confine(setup["parent"]))
    try:
        with suppress(ImportError, AttributeError):
            from PIL import AvifImagePlugin

            # There are as many helpers as the parent wants threads.
            AvifImagePlugin.DEFAULT_MAX_THREADS = 1
        file = plugins_and_file(setup, hello)
    except Exception as error:
        hello.lost, hello.why = ALL_LOST, f"{type(error).__name__}: {error}"
        target.write(hello.pack())
        return
    target.write(hello.pack())
    ready = bounds.held()
    gc.freeze()
    while (request := read_message(source.read)) is not None:
        reply = _answer(request, file)
        # Readers that refer to themselves keep their images; there is little else to look through.
        gc.collect()
        reply.is_last = bounds.has_grown(ready)
        target.write(reply.pack())
        if reply.is_last:
            return


def plugins_and_file(setup: dict[str, Any], hello: Hello) -> io.FileIO:
    """Load the plug-ins of the parent, and open the file that it shares. Raises `ImportError` where the parent has
    other packages."""
    if (ours := versions()) != setup["versions"]:
        raise ImportError(
            f"expected {setup['versions']}, which its program has in memory, found {ours}, which was"
            " installed since: start the program again"
        )
    hello.lost, hello.why = plugins.load(setup["plugins"])
    name = setup["file"]
    # Windows deletes such a file when nobody has it open any more.
    flags = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_TEMPORARY", 0)
    return io.FileIO(name if isinstance(name, int) else os.open(name, flags), "r+b")


def _answer(request: dict[str, Any], file: io.FileIO) -> Reply:
    reply = Reply(sequence=request["sequence"])
    limits = Limits(**request["limits"])
    guard = _core.guard(limits)
    # These are other processes' settings by now.
    Image.MAX_IMAGE_PIXELS = request["max_image_pixels"]
    ImageFile.LOAD_TRUNCATED_IMAGES = request["pad"]
    size = request["size"]
    memory = None if limits.max_memory is None else limits.max_memory + size
    try:
        with bounds.of_a_file(memory, limits.max_seconds):
            _decode(request, file, guard, reply)
    except RefusedError as error:
        reply.status, reply.kind, reply.said = Status.RAISED, error.kind, error.said
        _say(reply, error.__cause__)
    except Exception as error:
        reply.status = Status.RAISED
        _say(reply, error)
    if refused := guard.refused():
        reply.status, (reply.kind, reply.said), reply.cause = Status.GUARDED, refused, ""
    return reply


def _decode(request: dict[str, Any], file: io.FileIO, guard: _core.Guard, reply: Reply) -> None:
    file.seek(0)
    # A buffered reader asks again where the system gives less than was asked for.
    data = io.BufferedReader(io.FileIO(file.fileno(), closefd=False)).read(request["size"])
    if len(data) != request["size"]:
        raise RefusedError("helper", f"expected {request['size']} shared bytes, found {len(data)}")
    found, name, refused = _pillow.decode(
        # As files on the disk and files in memory differ in what seeking before their beginning does.
        data if request["is_bytes"] else memoryview(data),
        request["formats"],
        request["pad"],
        request["rgb"],
        request["exif"],
        guard,
    )
    if found is None:
        reply.status, (reply.kind, reply.said, cause) = Status.REFUSED, refused
        _say(reply, cause)
        return
    mode, width, height, memory, is_stored, palette, orientation, held = found
    file.seek(0)
    for piece in _pieces(memory, mode, width, height, is_stored):
        try:
            _write(file, piece)
        except OSError as error:
            raise no_room(error) from None
    reply.status, reply.mode, reply.width, reply.height = Status.PIXELS, mode, width, height
    reply.is_stored, reply.orientation, reply.format = is_stored, orientation, name or ""
    reply.palette, reply.palette_size = palette or b"", len(palette or b"")
    reply.size, reply.held = file.tell(), held


def _pieces(
    memory: Any, mode: str, width: int, height: int, is_stored: bool
) -> Iterator[bytes | memoryview]:
    """Pixels as `pixels` hands them out, in pieces, so that not all of them are copied at once; none of a mode that is
    not read."""
    if _core.pixel_bytes(mode, is_stored) is None:
        return
    if isinstance(memory, bytes):
        yield memoryview(memory)
    elif not hasattr(memory, "crop"):
        yield from _exported(memory, mode, width, height)
    else:
        row = width * (_core.pixel_bytes(mode, is_stored) or 0)
        top = 0
        while top < height:
            rows = min(max(_PIECE // row, 1), height - top)
            capsule, rows = _pillow.strip(memory, 0, width, top, rows, row)
            yield from _exported(capsule, mode, width, rows)
            top += rows


def _exported(capsule: Any, mode: str, width: int, rows: int) -> Iterator[bytes]:
    pixels = _core.Exported(capsule, mode, width, rows)
    for start in range(0, len(pixels), _PIECE):
        yield pixels.piece(start, _PIECE)


def _write(file: io.FileIO, piece: bytes | memoryview) -> None:
    view = memoryview(piece)
    while view:
        view = view[file.write(view) :]


def _say(reply: Reply, error: BaseException | None) -> None:
    """Note an exception, if there is one. Its text may come from code that fails again."""
    if error is None:
        return
    reply.cause = type(error).__name__
    try:
        reply.text = str(error)
        if isinstance(error, OSError) and isinstance(error.errno, int):
            reply.code, reply.text = error.errno, str(error.strerror)
    except Exception:
        reply.text = ""
