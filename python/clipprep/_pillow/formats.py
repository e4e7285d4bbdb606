"""The table of Pillow's formats: which are read without being named, what they cost, what is checked first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from PIL import Image

from .._messages import shown, value_error
from . import avif, headers, tiff
from .guard import Guard
from .memory import major_version
from .storage import stored_bytes


@dataclass(frozen=True)
class Format:
    """The rules for one of Pillow's formats."""

    pixel_bytes: int = 8
    """Bytes that decoding a pixel of four bytes costs at most: Pillow's image, and what its decoder holds or a
    copy. A pixel that Pillow stores in fewer bytes costs in proportion."""
    by_name: str = ""
    """Why the format is read only where `formats=` names it; empty for one that is read by default."""
    runs_program: bool = False
    """Whether Pillow runs another program, or hands the file to the operating system."""
    opens: str = ""
    """The formats of files that this one may hold, and how they are read."""
    check: Callable[[memoryview, int, Guard], None] | None = None
    """Checks a header before Pillow reads it; it is given `pixel_bytes` too."""
    checked: str = ""
    """What the check looks at."""
    check_inside: Callable[[memoryview, int, Guard], None] | None = None
    """Checks a file inside another one, which no native decoder has looked at."""


_PROGRAM = "Pillow runs another program, or a handler that the application registered, to read it"
_OTHERS = "Pillow opens the file inside it, of whatever format"
_COSTLY = "decoding it takes memory out of proportion to its pixels"

FORMATS: dict[str, Format] = {
    "AVIF": Format(16, check=avif.check, checked="size of the AV1 data in each cell and track"),
    "BLP": Format(
        by_name=_OTHERS,
        opens="JPEG by Pillow",
        check=headers.jpeg,
        checked="scans and size of the JPEG inside",
    ),
    "BMP": Format(),
    "BUFR": Format(by_name=_PROGRAM, runs_program=True),
    "CUR": Format(opens="BMP by Pillow"),
    "DCX": Format(opens="PCX by Pillow"),
    "DDS": Format(12),
    "DIB": Format(),
    "EPS": Format(by_name=_PROGRAM, runs_program=True),
    "FITS": Format(48, by_name=_COSTLY, check=headers.fits, checked="size of a compressed image"),
    "FLI": Format(check=headers.fli, checked="chunks of the first frame"),
    "FPX": Format(by_name=_OTHERS, opens="JPEG by Pillow"),
    "FTEX": Format(),
    "GBR": Format(),
    "GIF": Format(16),
    "GRIB": Format(by_name=_PROGRAM, runs_program=True),
    "HDF5": Format(by_name=_PROGRAM, runs_program=True),
    "ICNS": Format(
        32,
        by_name=_OTHERS,
        opens="PNG and JPEG 2000 by Pillow",
        check=headers.icns,
        checked="size of each picture inside",
    ),
    "ICO": Format(
        16,
        opens="PNG and BMP by Pillow",
        check=headers.ico,
        checked="size of the picture inside",
    ),
    "IM": Format(),
    "IMT": Format(),
    "IPTC": Format(by_name=_OTHERS, opens="those read by default, with the same checks"),
    "JPEG": Format(16, check_inside=headers.jpeg),
    "JPEG2000": Format(
        32,
        check=headers.jpeg2000,
        checked="tiles, code blocks, precincts and progressions",
    ),
    "MCIDAS": Format(),
    "MIC": Format(by_name=_OTHERS, opens="TIFF by Pillow"),
    "MPEG": Format(),
    "MPO": Format(16, opens="JPEG, as a file of its own"),
    "MSP": Format(),
    "PCD": Format(),
    "PCX": Format(),
    "PIXAR": Format(),
    "PNG": Format(16, check_inside=headers.png),
    "PPM": Format(check=headers.ppm, checked="comments of a plain file"),
    "PSD": Format(),
    "QOI": Format(12),
    "SGI": Format(),
    "SPIDER": Format(),
    "SUN": Format(),
    "TGA": Format(),
    "TIFF": Format(
        check=tiff.check,
        checked="fields, size and number of strips and tiles, bytes and scans in them",
    ),
    "WEBP": Format(20, check=headers.webp, checked="size of the canvas"),
    "WMF": Format(by_name=_PROGRAM, runs_program=True),
    "XBM": Format(),
    "XPM": Format(check=headers.xpm, checked="bytes for each of its colours"),
    "XVTHUMB": Format(),
}

#: The first major version of Pillow in whose readers no hole is known. With an older one, its formats are read by name only.
#: Its release notes list them: decoders of JPEG, TIFF, JPEG 2000 and PCX that leave their buffers, and small files of BMP, GIF,
#: MSP, PNG and XBM that cost time or memory without bound.
SOUND = 13

#: A format that a plug-in registered in this process: registering it is naming it.
PLUGGED_IN = Format(32)

#: Formats for which other programs are run.
PROGRAMS = frozenset(name for name, row in FORMATS.items() if row.runs_program)


def memory(name: str, image: Image.Image) -> int:
    """Bytes that decoding an image of that format takes."""
    return row(name).pixel_bytes * stored_bytes(image.mode) * image.width * image.height // 4


def seconds(image: Image.Image) -> float:
    """Seconds that decoding an image takes, as far as it is done in Python."""
    codecs = {tile[0] for tile in getattr(image, "tile", ())}
    cost = max((_PYTHON_DECODERS.get(codec, 0) for codec in codecs), default=0)
    return cost * image.width * image.height / 1e9


#: Nanoseconds that Pillow's decoders written in Python take for a pixel.
_PYTHON_DECODERS = {
    "bmp_rle": 140,
    "dds_rgb": 1300,
    "ppm": 1700,
    "ppm_plain": 300,
    "qoi": 700,
    "xpm": 230,
    "BLP1": 1500,
    "BLP2": 1500,
}


def row(name: str) -> Format:
    """The rules for a format that Pillow knows."""
    return FORMATS.get(name, PLUGGED_IN)


@cache
def _own_formats() -> tuple[str, ...]:
    Image.preinit()
    common = list(Image.ID)
    Image.init()
    # As `Image.open` does: the common formats first.
    return tuple(dict.fromkeys([*common, *Image.ID]))


def known_formats() -> tuple[str, ...]:
    """Every format that Pillow knows in this process, in the order in which they are tried."""
    # A program may take a plug-in back.
    return tuple(name for name in dict.fromkeys([*_own_formats(), *Image.ID]) if name in Image.OPEN)


def has_sound_readers() -> bool:
    """Whether no hole is known in the readers of the installed Pillow."""
    return major_version() >= SOUND


def default_formats() -> tuple[str, ...]:
    """Those that are read where none is named."""
    is_sound = has_sound_readers()
    return tuple(
        name
        for name in known_formats()
        if row(name) is PLUGGED_IN or (is_sound and not row(name).by_name)
    )


def harmless_formats() -> list[str]:
    """Pillow's own formats that run no program, for the option `formats`."""
    return sorted(FORMATS.keys() & set(known_formats()) - PROGRAMS)


def allowed_formats(formats: list[str]) -> list[str]:
    """The value of the option `formats`, checked and sorted."""
    names = sorted({name.upper() for name in formats})
    known = set(known_formats())
    if not names or not known.issuperset(names):
        found = ", ".join(shown(name) for name in names if name not in known) or "none"
        raise value_error(f"expected formats= some of {', '.join(sorted(known))}, found {found}")
    return names
