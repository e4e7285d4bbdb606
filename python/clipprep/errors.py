"""Exceptions, sorted by fault. Row errors are `ImageError` or `OSError`."""

from __future__ import annotations

from typing import Any


class ClipPrepError(Exception):
    """Base of all exceptions of this package."""


class ImageError(ClipPrepError):
    """One source gave no tensor. The message names the source, what was expected and what was found."""

    source: Any = None
    """The source itself, as it was given. It does not survive pickling."""

    def __reduce__(self) -> tuple[type[ImageError], tuple[Any, ...]]:
        return type(self), self.args


class DecodeError(ImageError):
    """The bytes break the rules of their format."""


class TruncatedError(ImageError):
    """The bytes end before the image does."""


class UnsupportedError(ImageError):
    """A format, a mode or a variant that is not read."""


class LimitError(ImageError):
    """The image is larger than the `Limits` allow."""


class SourceError(ImageError, TypeError, ValueError):
    """The object is no source: a missing value, or an array of another type or shape than an image's.

    It depends on the data, and so costs a row of `try_batch`. It is a TypeError and a ValueError too.
    """


class HelperError(ImageError):
    """The helper process that decoded the file for `fallback="process"` crashed, was ended or could not be started.

    Where a file brings its decoder down, it does so again; where the system ended the helper, trying again may help.
    """


class HubError(ClipPrepError, OSError):
    """The Hugging Face Hub gave no answer, or refused one, about the config of a model. It is an OSError too."""


class BatchError(ClipPrepError):
    """A source of a batch failed: the first one by index. `__cause__` is its own error."""

    def __init__(self, message: str, index: int, source: Any) -> None:
        super().__init__(message, index, source)
        self.index = index
        """The position of the source in the batch."""
        self.source = source
        """The source itself, as it was given."""

    def __str__(self) -> str:
        return str(self.args[0])

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the cause, and notes, in a pickle."""
        return type(self), self.args, {**self.__dict__, "__cause__": self.__cause__}


class SourceBatchError(BatchError, TypeError, ValueError):
    """An object of a batch is no source, which is found before any work. It is a TypeError and a ValueError too."""
