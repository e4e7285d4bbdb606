"""Paths that are no files: opening or reading them would wait for ever, or never come to an end."""

from __future__ import annotations

from support.attacks.attack import Attack

PLACES = """
import socket, tempfile
folder = tempfile.mkdtemp()
def fifo():
    path = os.path.join(folder, "fifo.jpg")
    os.path.exists(path) or os.mkfifo(path)
    return path
def link():
    path = os.path.join(folder, "link.jpg")
    os.path.lexists(path) or os.symlink(fifo(), path)
    return path
def bound():
    path = os.path.join(folder, "socket.jpg")
    if not os.path.exists(path):
        socket.socket(socket.AF_UNIX).bind(path)
    return path
def terminal():
    return os.ttyname(os.openpty()[1])
def pipe():
    return f"/dev/fd/{os.pipe()[0]}"
"""
SOURCES = {
    "a FIFO": "fifo()",
    "a link to a FIFO": "link()",
    "a socket": "bound()",
    "a directory": "folder",
    "a terminal": "terminal()",
    "/dev/zero": "'/dev/zero'",
    "/dev/random": "'/dev/random'",
    "/proc/self/mem": "'/proc/self/mem'",
}
CALLS = {
    "": "pre({})",
    " in batch": "pre.batch([{}] * 3, num_threads=2)",
    " in try_batch": "pre.try_batch([{}] * 3, num_threads=2)",
    " in stream": "[batch.errors for batch in pre.stream([{}] * 3)]",
    " to explain": "pre.explain({})",
}
WRONG = ("OSError", "ImageError", "BatchError")
ATTACKS = (
    *(
        Attack(
            f"{name}{how}", setup=PLACES, call=call.format(source), errors=WRONG, limits="max_bytes=50_000_000",
            result=how in (" in try_batch", " in stream"),
        )
        for name, source in SOURCES.items()
        for how, call in CALLS.items()
        if how == "" or name in ("a FIFO", "/dev/zero")
    ),
    Attack("a pipe by its number", setup=PLACES, call="pre(pipe())", errors=WRONG, result=False),
)  # fmt: skip
