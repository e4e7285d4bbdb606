"""The limits of a call, as the checks of headers ask for them."""

from __future__ import annotations

from typing import Protocol


class Guard(Protocol):
    """The limits of one call. Each method raises where its bound is exceeded."""

    def pixels(self, width: int, height: int) -> None:
        """Checks the size of an image."""

    def memory(self, size: int) -> None:
        """Checks what decoding takes."""

    def scans(self, count: int, pixels: int) -> None:
        """Checks the number of scans of a JPEG of that many pixels."""

    def file(self, data: bytes) -> None:
        """Checks a file as our own decoders do before they leave it to Pillow."""

    def exif(self, block: bytes) -> None:
        """Checks a block of EXIF."""

    def png(self, data: memoryview) -> tuple[int, int]:
        """Checks a PNG inside another file as our own decoder does, and returns its size."""
