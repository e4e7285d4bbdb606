"""Which names of files are those of images, and which are those of archives."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import PurePosixPath

#: Suffixes that a folder or an archive is searched for; a file named on the command line may have any suffix.
IMAGE_SUFFIXES = frozenset(
    {".apng", ".avif", ".bmp", ".dib", ".gif", ".ico", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg"}
    | {".mpo", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".qoi", ".tga", ".tif", ".tiff", ".webp"}
)  # fmt: skip
_TAR_SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_ZIP_SUFFIXES = (".zip",)
#: Formats that a package teaches Pillow: suffixes, the module, what registers it, what to install.
_PLUGINS = (
    ((".heic", ".heif", ".hif"), "pillow_heif", "register_heif_opener", "pillow-heif"),
    ((".jxl",), "pillow_jxl", None, "pillow-jxl-plugin"),
)


@cache
def register_plugins() -> frozenset[str]:
    """Has Pillow read what the plug-ins that are installed bring; gives their suffixes."""
    found: set[str] = set()
    for suffixes, module, register, _ in _PLUGINS:
        if find_spec(module) is not None:
            plugin = import_module(module)
            if register is not None:
                getattr(plugin, register)()
            found.update(suffixes)
    return frozenset(found)


def is_hidden(name: str) -> bool:
    """Whether a part of a path begins with a dot."""
    return any(part.startswith(".") and part not in (".", "..") for part in name.split("/"))


def is_tar(name: str) -> bool:
    """Whether a name is that of a tar, compressed or not."""
    return name.lower().endswith(_TAR_SUFFIXES)


def is_zip(name: str) -> bool:
    """Whether a name is that of a zip archive."""
    return name.lower().endswith(_ZIP_SUFFIXES)


def why_no_image(name: str) -> str | None:
    """Why a file of that name, found in a folder or an archive, is left out; None for an image."""
    if is_hidden(name):
        return "hidden"
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in IMAGE_SUFFIXES or suffix in register_plugins():
        return None
    for suffixes, _, _, package in _PLUGINS:
        if suffix in suffixes:
            return f"{suffix} without its plug-in (pip install {package})"
    return f"{suffix} files" if suffix else "files without a suffix"
