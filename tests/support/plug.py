"""A plug-in of Pillow's that does what its file says: a grey image of 8 x 8, one of a rare mode, or harm."""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import subprocess
import sys
import time

if sys.platform != "win32":
    import fcntl

from PIL import Image, ImageFile

MAGIC = b"PLUG"
HELD = []


class Plug(ImageFile.ImageFile):
    format = "PLUG"

    def _open(self) -> None:
        what = self.fp.read()[len(MAGIC) :].split(b"\0")[0].decode()
        DEEDS[what]()
        size, mode = ((8, 4), "La") if what == "la" else ((8, 8), "L")
        self._size, self._mode = size, mode
        self.tile = [("raw", (0, 0, *size), 12, (mode, 0, 1))]


def _allocate() -> None:
    while True:
        HELD.append(bytearray(1 << 24))


def _loop() -> None:
    while True:
        pass


def _raise() -> None:
    raise ValueError("this plug-in fails")


def _run() -> None:
    subprocess.run(["sleep", "1000"])


def _shut() -> None:
    """Have nothing more to read."""
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            number = int(name)
            is_read = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
            if is_read and stat.S_ISFIFO(os.fstat(number).st_mode):
                os.close(number)


def _split() -> None:
    if os.fork():
        os.abort()
    time.sleep(1000)


def _speak() -> None:
    os.write(1, b"CPH1" * 4096)
    print("CPH1" * 4096, flush=True)
    print("read:", sys.stdin.read())


DEEDS = {
    "nothing": lambda: None,
    "abort": os.abort,
    "allocate": _allocate,
    "exit": lambda: os._exit(0),
    "la": lambda: None,
    "leave": sys.exit,
    "crash": lambda: ctypes.string_at(0),
    "loop": _loop,
    "raise": _raise,
    "run": _run,
    "shut": _shut,
    "sleep": lambda: time.sleep(1000),
    "speak": _speak,
    "split": _split,
}


def file(what: str) -> bytes:
    """A file that makes the plug-in do that."""
    return (MAGIC + what.encode()).ljust(12, b"\0") + bytes(range(64))


def accept(prefix: bytes) -> bool:
    return prefix[:4] == MAGIC


def register() -> None:
    Image.init()
    Image.register_open(Plug.format, Plug, accept)


def unregister() -> None:
    Image.OPEN.pop(Plug.format, None)
    Image.ID.remove(Plug.format)
