"""How a helper and its parent talk: headers over pipes, and the bytes of files and pixels in a file that both have open.

The parent's messages are JSON after their length. A helper may have been taken over by the file that it read: its own
are headers of a fixed size, of which the parent checks each field before it uses it.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any

import PIL

from .. import _core
from .._pillow.refusals import RefusedError

MAGIC = b"CPH1"
_LENGTH = struct.Struct("<I")
#: What texts are written in, and a byte that none has.
_TEXT, _END = "utf-8", b"\xff"


class Status(IntEnum):
    """The meaning of a reply."""

    PIXELS = 0
    REFUSED = 1
    """`kind` and `said` are those of `refusals.refusal`."""
    RAISED = 2
    """The parent sorts the exception."""
    GUARDED = 3
    """So are they, but it was the guard that refused."""


class Header:
    """A message of fixed size: the fields of a dataclass, of which each says its format in `FORMATS`."""

    FORMATS: dict[str, str]

    @classmethod
    def layout(cls) -> struct.Struct:
        """The magic number and the fields."""
        return struct.Struct("<4s" + "".join(cls.FORMATS.values()))

    def pack(self) -> bytes:
        """The message. Texts that are too long are cut."""
        values = []
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, str):
                room = int(self.FORMATS[field.name].removesuffix("s")) - 1
                value = value.encode(_TEXT, "replace")[:room] + _END
            values.append(value)
        return self.layout().pack(MAGIC, *values)

    @classmethod
    def unpack(cls, message: bytes) -> Any:
        """Raises `ValueError` for a message of something else."""
        magic, *values = cls.layout().unpack(message)
        if magic != MAGIC:
            raise ValueError("expected the message of a helper, found other bytes")
        kinds = [field.type for field in fields(cls)]  # type: ignore[arg-type]
        texts = [
            value.partition(_END)[0].decode(_TEXT, "replace") if kind == "str" else value
            for kind, value in zip(kinds, values, strict=True)
        ]
        return cls(*texts)


@dataclass
class Hello(Header):
    """A helper's first message."""

    FORMATS = {"bounds": "I", "lost": "Q", "why": "1024s"}  # noqa: RUF012

    bounds: int = 0
    """The bounds that hold: bits in the order of `bounds.NAMES`."""
    lost: int = 0
    """The plug-ins that could not be loaded, by bit."""
    why: str = ""
    """The reason of the first of them; or why there is no helper at all, with all bits set."""


#: `Hello.lost` of a helper that cannot work.
ALL_LOST = 2**64 - 1


@dataclass
class Reply(Header):
    """A helper's answer for one file. The pixels are at the beginning of the shared file."""

    FORMATS = {  # noqa: RUF012
        **dict.fromkeys(("sequence", "width", "height"), "I"),
        **dict.fromkeys(("size", "held"), "Q"),
        **dict.fromkeys(("status", "is_last", "is_stored", "orientation"), "B"),
        "mode": "8s",
        "palette_size": "H",
        "palette": "768s",
        "format": "64s",
        "kind": "16s",
        "said": "2048s",
        "cause": "64s",
        "text": "4096s",
        "code": "i",
    }

    sequence: int
    """The number of the request."""
    width: int = 0
    height: int = 0
    size: int = 0
    """Bytes of pixels."""
    held: int = 0
    """As in `memory.Found`."""
    status: int = Status.RAISED
    is_last: int = 0
    """Whether the helper ends after it."""
    is_stored: int = 0
    """Whether the pixels are as Pillow stores them."""
    orientation: int = 1
    mode: str = ""
    palette_size: int = 0
    palette: bytes = b""
    format: str = ""
    kind: str = ""
    said: str = ""
    cause: str = ""
    """The class of an exception; empty where there is none."""
    text: str = ""
    """Its text."""
    code: int = 0
    """Its number, where it is an `OSError` that has one."""


def no_room(error: OSError) -> RefusedError:
    """The error of a file whose bytes or pixels do not go into the shared file, which is no fault of its own."""
    return RefusedError(
        "helper", f"expected room in memory that is shared with a helper, found {_core.said(error)}"
    )


def versions() -> dict[str, str]:
    """The packages that both sides must have alike."""
    return {"Pillow": PIL.__version__, "clipprep": _core.__version__}


def message(content: dict[str, Any]) -> bytes:
    """A message of the parent's."""
    text = json.dumps(content).encode()
    return _LENGTH.pack(len(text)) + text


def read_message(read: Any) -> dict[str, Any] | None:
    """The parent's next message, by a function that reads that many bytes; None at the end."""
    length = read(_LENGTH.size)
    if len(length) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(length)
    text = read(size)
    return json.loads(text) if len(text) == size else None
