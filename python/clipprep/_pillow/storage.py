"""How many bytes Pillow stores a pixel in."""

from __future__ import annotations

#: Bytes in which Pillow stores a pixel; those of other modes are four.
_STORED = {"L": 1, "P": 1} | dict.fromkeys(("1", "I;16", "I;16L", "I;16B", "I;16N"), 2)


def stored_bytes(mode: str) -> int:
    """Bytes in which Pillow stores a pixel."""
    return _STORED.get(mode, 4)
