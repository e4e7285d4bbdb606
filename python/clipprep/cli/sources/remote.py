"""Images at remote addresses: files, folders, patterns and archives."""

from __future__ import annotations

from collections.abc import Iterator
from glob import has_magic

from clipprep.cli.failures import FailedError
from clipprep.cli.sources import addresses, archives, kinds
from clipprep.cli.sources.items import Item, Remote
from clipprep.cli.sources.leftout import LeftOut


def find(word: str, left_out: LeftOut, *, max_bytes: int | None) -> Iterator[Item]:
    """The images that an address stands for: a file, the files below a folder, or those of a pattern.

    Raises FileNotFoundError for one that stands for nothing, FailedError without fsspec.
    """
    system, path = addresses.system(word)
    try:
        if has_magic(path) and not word.startswith("http"):
            found, is_named = sorted(system.glob(path)), False
        elif not word.startswith("http") and system.isdir(path):
            found, is_named = sorted(system.find(path)), False
        else:
            if not system.exists(path):
                raise FileNotFoundError(f"no such file: {word}")
            found, is_named = [path], True
    except FileNotFoundError:
        raise
    except Exception as error:
        raise FailedError(f"{word}: {type(error).__name__}: {error}") from error
    if not found:
        raise FileNotFoundError(f"no file at {word}")
    for one in found:
        name = system.unstrip_protocol(one) if not is_named else word
        if archives.is_archive(name):
            yield from archives.members(name, left_out, max_bytes=max_bytes)
        elif not is_named and (reason := kinds.why_no_image(name.rpartition("/")[2])) is not None:
            left_out.add(reason, name)
        else:
            yield Remote(name)
