"""One file on its way through a helper."""

from __future__ import annotations

import operator
import time
from collections.abc import Iterable
from typing import Any

from PIL import Image, UnidentifiedImageError

from .. import _core
from .._pillow.formats import default_formats
from .._pillow.inline import Answer
from .._pillow.memory import Rgb
from .._pillow.opening import accepts
from .._pillow.refusals import RefusedError, refusal
from . import plugins
from .pool import POOL
from .process import DeadError, Helper
from .protocol import Reply, Status

#: A helper that waits, and so takes no processor time, is ended after so many times `max_seconds`, and some more: far
#: more where it has to start first, on a machine that may be busy.
_PATIENCE, _SPARE, _START = 10, 5.0, 60.0


class Job:
    """A file that a helper decodes. It is polled until there is an answer."""

    def __init__(
        self, data: Any, request: dict[str, Any], guard: _core.Guard, threads: int
    ) -> None:
        self._data = data
        self._request = request
        self._guard = guard
        self._threads = threads
        self._plugins = _plugins()
        self._max_seconds: int | None = request["limits"]["max_seconds"]
        self._helper: Helper | None = None
        self._is_asked = False
        self._until = float("inf")
        self._allowed = set(request["formats"] or default_formats())
        request["formats"] = sorted(self._allowed - self._plugins.lost.keys())

    def poll(self, seconds: float) -> Answer | None:
        """The answer, if there is one within so many seconds.

        Raises:
            RefusedError: The helper did not answer, or with an error of ours.
            Exception: What Pillow raised, as far as its kind matters.
        """
        try:
            return self._poll(time.monotonic() + seconds)
        except DeadError as error:
            self.cancel()
            raise self._failed(str(error)) from None
        except BaseException:
            self.cancel()
            raise

    def cancel(self) -> None:
        """Give up: the helper is ended."""
        helper, self._helper = self._helper, None
        if helper is not None:
            POOL.drop(helper)

    def _poll(self, end: float) -> Answer | None:
        if self._helper is None:
            self._helper = POOL.take(self._plugins, self._threads, end - time.monotonic())
            if self._helper is None:
                return None
        helper = self._helper
        if not self._is_asked:
            if not helper.started.wait(max(end - time.monotonic(), 0)):
                return None
            try:
                helper.ask(self._request, self._data)
            except DeadError:
                if helper.is_new:
                    raise
                # It ended while it had nothing to do, which is no fault of this file's.
                self.cancel()
                return None
            self._is_asked = True
            if self._max_seconds is not None:
                self._until = time.monotonic() + _PATIENCE * self._max_seconds + _SPARE
                self._until += _START if helper.is_new else 0
        reply = helper.reply(max(end - time.monotonic(), 0))
        if reply is None:
            if time.monotonic() > self._until:
                raise RefusedError(
                    "limit", f"expected an answer of a helper {self._in_time()}, found none"
                )
            return None
        pixels = self._pixels(reply, helper) if reply.status == Status.PIXELS else b""
        helper.forget()
        self._helper = None
        if reply.is_last:
            POOL.drop(helper)
        else:
            POOL.give_back(helper)
        return self._answer(reply, pixels, helper)

    def _pixels(self, reply: Reply, helper: Helper) -> bytes:
        """The pixels, where what the helper says of them is possible, and within the limits."""
        each = _core.pixel_bytes(reply.mode, bool(reply.is_stored))
        if each is None:  # the core refuses such a mode
            return b""
        size = each * reply.width * reply.height
        if not size or size != reply.size or reply.palette_size > len(reply.palette):
            raise DeadError("one that sends what is no image")
        self._guard.pixels(reply.width, reply.height)
        self._guard.memory(size)
        return helper.pixels(size)

    def _answer(self, reply: Reply, pixels: bytes, helper: Helper) -> Answer:
        cause = _cause(reply)
        if reply.status == Status.PIXELS:
            try:
                # What the caller makes of Pillow's warning, such as an error, is not known to the helper.
                Image._decompression_bomb_check((reply.width, reply.height))
            except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
                return None, None, refusal(error, None)
            palette = reply.palette[: reply.palette_size] or None
            held = max(reply.held, reply.size)
            size = reply.width, reply.height
            found = (
                reply.mode,
                *size,
                pixels,
                bool(reply.is_stored),
                palette,
                reply.orientation,
                held,
            )
            return found, reply.format or None, ("", "", None)
        if reply.status == Status.GUARDED:
            raise RefusedError(reply.kind, reply.said)
        if helper.lost:
            self._check_lost(helper)
        if reply.status == Status.REFUSED:
            return None, None, (reply.kind, reply.said, cause)
        if reply.kind:
            raise RefusedError(reply.kind, reply.said) from cause
        raise cause or RuntimeError("no reason")

    def _check_lost(self, helper: Helper) -> None:
        """Refuse a file that a plug-in might have read which the helper does not have."""
        prefix = bytes(memoryview(self._data)[:16])
        for name, reason in helper.lost.items():
            _, accept = Image.OPEN.get(name, (None, None))
            if name in self._allowed and accepts(accept, prefix):
                text = f"expected a plug-in for {name} that works in a helper, found that {reason}"
                raise RefusedError("unsupported", text)

    def _failed(self, found: str) -> RefusedError:
        if "SIGXCPU" in found and self._max_seconds is not None:
            return RefusedError(
                "limit", f"expected a file {self._in_time()}, found one that takes more"
            )
        return RefusedError("helper", f"expected a helper that decodes it, found {found}")

    def _in_time(self) -> str:
        return f"within {self._max_seconds} seconds of processor time (max_seconds)"


def _cause(reply: Reply) -> Exception | None:
    """The exception of the helper: of its class where that matters to whoever sorts it."""
    if not reply.cause:
        return None
    text = reply.text or reply.cause
    if reply.cause in _SORTED:
        return _SORTED[reply.cause](text)
    if reply.code or reply.cause == "OSError":
        return OSError(reply.code, text) if reply.code else OSError(text)
    return RuntimeError(text)


_SORTED: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        *(MemoryError, RecursionError, SyntaxError, ValueError, TypeError, EOFError),
        *(NotImplementedError, IndexError),
        *(Image.DecompressionBombError, Image.DecompressionBombWarning, UnidentifiedImageError),
    )
}


def request(
    data: Any,
    formats: Iterable[str] | None,
    pad: bool,
    rgb: Rgb,
    exif: bool,
    limits: dict[str, int | None],
) -> dict[str, Any]:
    """What a helper is asked for."""
    return {
        "size": memoryview(data).nbytes,
        "is_bytes": isinstance(data, bytes),
        "formats": None if formats is None else list(formats),
        "pad": pad,
        "rgb": rgb,
        "exif": exif,
        "limits": limits,
        "max_image_pixels": _number(Image.MAX_IMAGE_PIXELS),
    }


def _number(value: Any) -> Any:
    """A number, of whatever class, as JSON has it."""
    if value is None or isinstance(value, (int, float, str)):
        return value
    try:
        return operator.index(value)
    except TypeError:
        return float(value)


_latest: list[plugins.Plugins] = []


def _plugins() -> plugins.Plugins:
    """Those that are registered now; the same object as long as they are the same."""
    found = plugins.registry()
    for known in _latest:
        if known.registry == found:
            return known
    _latest[:] = [named := plugins.named(found)]
    return named
