"""Remote addresses, which fsspec opens where it is installed: `s3://`, `gs://`, `https://`, `hf://`."""

from __future__ import annotations

import re
import shutil
import tempfile
from typing import IO, Any

from clipprep.cli.failures import FailedError

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(::|://)")
#: Schemes that a name in data may have, with --remote: no chains, and no file systems of this machine.
_IN_DATA = re.compile(r"(s3|gs|gcs|https?|hf|az|abfs|memory)://(?!.*::)")


def is_remote(word: str) -> bool:
    """Whether a word is an address."""
    return _ADDRESS.match(word) is not None


def may_stand_in_data(word: str) -> bool:
    """Whether an address may be asked for by a list or a column, where the command allows these to."""
    return _IN_DATA.match(word) is not None


def open_stream(word: str) -> IO[bytes]:
    """A file to read from its beginning to its end."""
    files, path = system(word)
    # Servers of the web need not know how to begin in the middle.
    settings = {"block_size": 0} if _is_web(word) else {}
    opened: IO[bytes] = files.open(path, "rb", **settings)
    return opened


def open_seekable(word: str) -> IO[bytes]:
    """A file to read in any order; one of the web is copied first."""
    if not _is_web(word):
        files, path = system(word)
        opened: IO[bytes] = files.open(path, "rb")
        return opened
    copy = tempfile.TemporaryFile()  # noqa: SIM115, for the caller closes it
    with open_stream(word) as stream:
        shutil.copyfileobj(stream, copy, 1 << 20)
    copy.seek(0)
    return copy


def _is_web(word: str) -> bool:
    return word.startswith(("http://", "https://"))


def system(word: str) -> tuple[Any, str]:
    """The file system of an address, and the path there."""
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise FailedError(f"{word} needs fsspec: pip install 'clipprep[remote]'") from error
    try:
        files, path = url_to_fs(word)
    except (ImportError, ValueError) as error:  # its package is missing; an unknown protocol
        hint = ": pip install 'clipprep[remote]'" if _is_web(word) else ""
        raise FailedError(f"{word}: {error}{hint}") from error
    return files, path
