"""Hints about sources that are no image files, which people are known to pass: what each is, and what to do."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Container

from ._messages import filename, message

_PATH = re.compile(
    rb"[^\0\n]{1,4000}\.(avif|bmp|gif|heic|jpe?g|jxl|pnm|png|ppm|qoi|tiff?|webp)", re.I
)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{1,30})://?", re.I)
_HUB_NAME = re.compile(r"[\w-]+/(?!.*\.[a-z]{3,4}$)[\w.-]+", re.I)
_BASE64 = re.compile(r"[A-Za-z0-9+/_=\s-]+")
#: How JPEG, PNG, GIF, WebP and TIFF files begin in base64.
_BASE64_IMAGES = ("/9j/", "iVBORw0KGgo", "R0lGOD", "UklGR", "SUkqA", "TU0AK")
#: The longest name of a file, and the longest path, that systems have.
_LONGEST_NAME, _LONGEST_PATH = 255, 4096

_DECODE_BASE64 = "base64 text: decode it first, with base64.b64decode"
_DATA_URI = "a data: URI: pass base64.b64decode of what follows its comma"

_FOLDER = "pass the paths of its files to batch"

_HEIC = "a HEIC photo: install pillow-heif and call pillow_heif.register_heif_opener()"
_JPEG_XL = "a JPEG XL file: install pillow-jxl-plugin and import pillow_jxl"
_ARCHIVE = "an archive: pass its members, or what decompressing it gives"
_RAW = "a camera's raw file: develop it first, with rawpy"
_SERVER = "as a server's error is"

#: How a file begins, what it is, and what to do with it.
_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"\xff\x0a", _JPEG_XL),
    (b"\0\0\0\x0cJXL \r\n\x87\n", _JPEG_XL),
    (b"%PDF", "a PDF document: render its pages first"),
    (b"\x1f\x8b", "a gzip file: pass gzip.open(path), or what gzip.decompress gives"),
    (b"PK\x03\x04", "a zip archive: pass its members, which zipfile.ZipFile opens"),
    (b"BZh", _ARCHIVE),
    (b"\xfd7zXZ\0", _ARCHIVE),
    (b"(\xb5/\xfd", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"Rar!", _ARCHIVE),
    (b"\x1aE\xdf\xa3", "a video (Matroska or WebM): take a frame of it first"),
    (b"FUJIFILMCCD-RAW", _RAW),
    (b"IIRO", _RAW),
    (b"IIU\0", _RAW),
    (b"\x93NUMPY", "a file of np.save: pass what np.load gives"),
    (b"PAR1", "a Parquet file: clipprep.arrow takes its column of images"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file: run git lfs pull"),
)
#: How a text begins, in lower case.
_TEXTS: tuple[tuple[bytes, str], ...] = (
    (b"<svg", "an SVG drawing: render it to PNG first, with cairosvg or resvg"),
    (b"<!doctype html", "an HTML page: a server's error or login in place of an image"),
    (b"<html", "an HTML page: a server's error or login in place of an image"),
    (b"<?xml", f"an XML text, {_SERVER}"),
    (b"<error", f"an XML text, {_SERVER}"),
    (b"data:", _DATA_URI),
    (b"http://", "a URL: download it and pass the bytes"),
    (b"https://", "a URL: download it and pass the bytes"),
)


def of_bytes(data: memoryview, readers: Container[str]) -> str | None:
    """The kind of bytes that no reader takes, if it is known. `readers` are the formats that Pillow has readers of:
    what they refuse is damaged."""
    if not len(data):
        return "an empty file or buffer: its download or its writing may have failed"
    head = bytes(data[:4096])
    hint = _of_beginning(head)
    if (hint == _HEIC and "HEIF" in readers) or (hint == _JPEG_XL and "JXL" in readers):
        return None
    if hint is not None:
        return hint
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<?xml", b"<!--")) and b"<svg" in text:
        text = b"<svg"
    for beginning, hint in _TEXTS:
        if text.startswith(beginning):
            return hint
    if re.match(rb'[\[{\s]*{\s*"', text):
        return f"a JSON text, {_SERVER}"
    if not any(head):
        return f"{len(data)} bytes that begin with zeros: they may have been lost in storage"
    if len(data) <= len(head) and _PATH.fullmatch(head):
        return "the bytes of a path: pass os.fsdecode(path)"
    if len(head) >= 64 and _BASE64.fullmatch(head.decode("latin-1")):
        return _DECODE_BASE64
    return None


def _of_beginning(head: bytes) -> str | None:
    """The kind of a file by its first bytes, of which none is a text's."""
    for beginning, hint in _BEGINNINGS:
        if head.startswith(beginning):
            return hint
    if head[257:262] == b"ustar":
        return "a tar archive: pass its members, which tarfile.open gives"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "a video (AVI): take a frame of it first"
    if head[4:8] != b"ftyp":
        return None
    brands = {head[8:12], *re.findall(rb"(?s)....", head[16 : int.from_bytes(head[:4], "big")])}
    if brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}:
        return _HEIC
    if brands & {b"avif", b"avis", b"mif1", b"msf1"}:
        return None
    return _RAW if b"crx " in brands else "a video (MPEG-4): take a frame of it first"


def of_name(name: str) -> str | None:
    """The kind of a str that is no file's path, if it is known."""
    if not name:
        return "the name is empty"
    if name.startswith("data:"):
        return _DATA_URI
    if found := _SCHEME.match(name):
        scheme = found[1].lower()
        if scheme == "file":
            return "a file: URL: pass its path"
        if scheme in ("http", "https"):
            return "a URL, which is not fetched: download it and pass the bytes"
        return f"a URL, which is not fetched: fsspec.open({scheme + '://...'!r}) is a source"
    if name.startswith("~"):
        return "~ is not expanded: pass os.path.expanduser(path)"
    if "*" in name:
        return "a pattern is not expanded: pass glob.glob(pattern) to batch"
    if len(name) >= 64 and _BASE64.fullmatch(name):
        longest = max(map(len, name.split("/")))
        is_image = name.startswith(_BASE64_IMAGES)
        if is_image or longest > _LONGEST_NAME or len(name) > _LONGEST_PATH:
            return _DECODE_BASE64
    owner, _, model = name.partition("/")
    if _HUB_NAME.fullmatch(name) and "-" in model and not os.path.exists(owner):
        return "if it is a model of the Hub, pass its name to Preprocess.from_hf"
    return None


def not_opened(code: int | None, said: str, name: str, is_folder: bool) -> OSError:
    """The error for a path, as Python has it, with what the path is where it is none. `code` is the system's."""
    if is_folder:
        return OSError(errno.EISDIR, f"{os.strerror(errno.EISDIR)}: {_FOLDER}", filename(name))
    hint = of_name(name)
    if hint:
        said = f"{said}: {hint}"
    if code is None:
        return OSError(message(f"{filename(name)!r}: {said}"))
    if os.name == "nt":  # where it is no errno: Python makes one of it
        return OSError(0, said, filename(name), code)
    return OSError(code, said, filename(name))
