"""The soak test's files: every format, good, damaged and huge, each with the row that Pillow gives."""

from __future__ import annotations

import io
import pickle
import random
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS), str(TESTS.parent / "fuzz")]

from mutations import mutated  # noqa: E402
from support.expect import opened  # noqa: E402
from support.pictures import picture  # noqa: E402
from support.reference import from_array, reference  # noqa: E402
from support.writers import saved  # noqa: E402

#: The side of the tensors.
SIZE = 32
#: A file that takes much memory, which is no case, and no image by its name.
HUGE = "huge"


@dataclass(frozen=True)
class Case:
    """A file and its expected outcome: the bytes of its row, or an error."""

    name: str
    data: bytes
    row: bytes | None
    array: np.ndarray | None = None
    """The same pixels in memory."""


def _row(data: bytes) -> bytes | None:
    try:
        return reference(opened(data), SIZE).tobytes()
    except Exception:  # Pillow raises whatever comes to its plugins
        return None


def _is_small(data: bytes) -> bool:
    """Whether it is read in a moment: a damaged header may ask for gigabytes."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.width * image.height < 1_000_000
    except Exception:
        return True


def _good(rng: random.Random) -> list[Case]:
    kinds = [
        ("JPEG", "RGB", {}),
        ("JPEG", "RGB", {"progressive": True}),
        ("JPEG", "L", {"quality": 95}),
        ("JPEG", "CMYK", {}),
        ("PNG", "RGB", {}),
        ("PNG", "RGBA", {}),
        ("PNG", "P", {}),
        ("PNG", "LA", {}),
        ("GIF", "P", {}),
        ("WEBP", "RGB", {}),
        ("WEBP", "RGBA", {"lossless": True}),
        ("BMP", "RGB", {}),
        ("PPM", "RGB", {}),
        ("TIFF", "RGB", {}),
        ("TGA", "RGB", {}),
        ("AVIF", "RGB", {}),
        ("AVIF", "RGBA", {"speed": 10}),
        ("JPEG2000", "RGB", {}),
        ("JPEG2000", "LA", {}),
        ("TIFF", "L", {"compression": "jpeg"}),
        ("TIFF", "CMYK", {}),
    ]
    cases = []
    for number, (format_name, mode, options) in enumerate(kinds * 3):
        image = picture(mode, rng.randint(20, 220), rng.randint(20, 220), number)
        data = saved(image, format_name, **options)
        array = np.asarray(image) if mode in ("RGB", "L", "RGBA") else None
        if array is not None:
            array = np.asarray(opened(data))
            assert reference(from_array(array), SIZE).tobytes() == _row(data)
        cases.append(Case(f"good-{number}-{mode}.{format_name.lower()}", data, _row(data), array))
    return cases


def _huge() -> list[Case]:
    header = bytearray(saved(picture("RGB", 30, 30), "PNG"))
    header[16:24] = (60_000).to_bytes(4, "big") * 2
    large = saved(picture("RGB", 750, 600).resize((3000, 2400)), "JPEG")
    return [
        Case("huge-by-its-header.png", bytes(header), None),
        Case("large.jpg", large, _row(large)),
    ]


def make(damaged: int, seed: int) -> list[Case]:
    """The cases, the same ones for the same seed."""
    rng = random.Random(seed)
    cases = _good(rng)
    files = [case.data for case in cases]
    for number in range(damaged):
        while True:
            data = rng.choice(files)
            if number % 2:
                data = data[: rng.randrange(len(data))]
            else:
                data = mutated(rng, data, rng.choice(files))[1]
            if _is_small(data):
                break
        cases.append(Case(f"damaged-{number}", data, _row(data)))
    return cases + _huge()


def write(cases: list[Case], folder: Path) -> None:
    """The files, and the cases themselves for other processes."""
    for case in cases:
        (folder / case.name).write_bytes(case.data)
    huge = picture("RGB", 750, 600).resize((9000, 7200))
    (folder / HUGE).write_bytes(saved(huge, "JPEG", progressive=True))
    (folder / "cases").write_bytes(pickle.dumps(cases))


def read(folder: Path) -> list[Case]:
    """Reads the cases that `write` wrote."""
    loaded: list[Case] = pickle.load(io.BytesIO((folder / "cases").read_bytes()))
    return loaded
