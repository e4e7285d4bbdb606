"""The parent's side of one helper: started, asked, ended."""

from __future__ import annotations

import io
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import numpy
import PIL

from .. import _core
from .plugins import Plugins
from .protocol import ALL_LOST, MAGIC, Hello, Reply, Status, message, no_room, versions
from .start import NO_PACKAGE

_START = Path(__file__).with_name("start.py")
#: Threads of libraries would only wait for each other. Memory of up to 16 MB is used again for the next file, and that
#: of larger images is given back at once: fresh pages take longer than most decoders do.
_ENVIRONMENT = {
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 24),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 25),
}
#: Bytes of the shared file that are kept for the next one.
_KEPT = 1 << 24
#: Seconds within which a helper whose pipes are closed has to have ended, and one that was killed.
_CLOSED, _KILLED = 1.0, 5.0


class DeadError(Exception):
    """A helper has ended, or says what none of ours would."""


class Helper:
    """A process that decodes one file at a time. One thread uses it at a time."""

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        self.lost = dict(plugins.lost)
        """Plug-ins that it does not have, with the reason."""
        self.bounds = 0
        self.idle_since = 0.0
        self.started = threading.Event()
        """Set when it was started, or could not be."""
        self._process: subprocess.Popen[bytes] | None = None
        self._file: Any = None
        self._failure = ""
        self._buffer = b""
        self._sequence = 0

    def start(self) -> None:
        """Start the process. It ends with the thread that does this, where the system has such an arrangement."""
        try:
            self._file = _moved(_shared_file())
            setup = {
                "parent": os.getpid(),
                "path": _path(),
                "packages": _packages(),
                "versions": versions(),
                "plugins": self.plugins.rows,
                "file": self._file.name if os.name == "nt" else self._file.fileno(),
            }
            self._process = subprocess.Popen(
                # Neither the environment nor the working directory decides what is imported.
                [sys.executable, *_flags(), str(_START)],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=() if os.name == "nt" else (self._file.fileno(),),
                # Ctrl-C in a terminal is the parent's.
                start_new_session=True,
                creationflags=_FLAGS,
                env={**os.environ, **_ENVIRONMENT},
            )
            self._process.stdin = _moved(self._process.stdin)
            self._process.stdout = _moved(self._process.stdout)
            # Where the process has ended, that is said when its greeting is missing.
            with suppress(OSError):
                _send(self._process.stdin, message(setup))
        except Exception as error:
            # Not the exception, whose traceback refers to this object and so would keep its files open.
            self._failure = _core.said(error)
            self.close()
        self.started.set()

    @property
    def is_new(self) -> bool:
        """Whether it has answered nothing yet."""
        return self._sequence <= 1

    def ask(self, request: dict[str, Any], data: Any) -> None:
        """Hand over a file. Raises `DeadError`, and `RefusedError` where there is no room for it."""
        if self._failure:
            raise DeadError(f"one that does not start: {self._failure}")
        self._sequence += 1
        try:
            self._file.seek(0)
            _write(self._file, data)
        except OSError as error:
            raise no_room(error) from None
        try:
            _send(self._input(), message({**request, "sequence": self._sequence}))
        except OSError as error:
            raise DeadError(self.end()) from error

    def reply(self, seconds: float) -> Reply | None:
        """Its answer, if there is one by then. Raises `DeadError`."""
        end = time.monotonic() + seconds
        if not self.bounds and not self._greeted(seconds):
            return None
        header = self._read(Reply.layout().size, max(end - time.monotonic(), 0))
        if header is None:
            return None
        try:
            reply: Reply = Reply.unpack(header)
            reply.status = Status(reply.status)
        except ValueError as error:
            raise DeadError("one that answers what none of ours does") from error
        if reply.sequence != self._sequence:
            raise DeadError("one that answers another question")
        return reply

    def pixels(self, size: int) -> bytes:
        """A copy of the pixels in the shared file: the helper cannot change what is looked at, and a file that it cuts
        off ends a read and no process."""
        self._file.seek(0)
        pixels = io.BufferedReader(io.FileIO(self._file.fileno(), closefd=False)).read(size)
        if len(pixels) != size:
            raise DeadError("one that sends other pixels than it says")
        return pixels

    def forget(self) -> None:
        """Give back the memory of the shared file, where it is much."""
        if os.fstat(self._file.fileno()).st_size > _KEPT:
            self._file.truncate(_KEPT)

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process is not None
        return self._process.pid

    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    def end(self) -> str:
        """End the process, if it has not ended of itself, and say how it ended."""
        process = self._process
        if process is None:
            return "one that did not start"
        try:
            # A process whose pipe is closed is about to end.
            process.wait(_CLOSED)
        except subprocess.TimeoutExpired:
            self._kill(process)
            # On a busy machine, or where the system waits for a disk, even that takes its time.
            with suppress(subprocess.TimeoutExpired):
                process.wait(_KILLED)
            self.close()
            return "one that closed its pipe and went on"
        self.close()
        code = process.returncode
        if code == NO_PACKAGE:
            return f"that {_core.shown(sys.executable)} cannot import clipprep"
        if code == 0:
            return "one that ended with status 0, or whose status another took (of SIGCHLD)"
        if code >= 0:
            return f"one that ended with status {code}"
        try:
            return f"one that was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"one that was ended by signal {-code}"

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._kill(self._process)
            self.end()

    @staticmethod
    def _kill(process: subprocess.Popen[bytes]) -> None:
        """End the process, and what it has started, such as the interpreter of an EPS file."""
        if os.name == "nt":
            process.kill()
        elif process.poll() is None:
            # It began a group of its own.
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Close our ends: a helper that is not busy ends by it."""
        files = [self._file]
        if self._process is not None:
            files += [self._process.stdin, self._process.stdout]
        for file in files:
            if file is not None:
                file.close()

    def abandon(self) -> None:
        """Close our ends in a forked child, whose parent the process is of."""
        if self._process is not None:
            self.close()
            self._process.returncode = 0

    def _input(self) -> Any:
        assert self._process is not None
        return self._process.stdin

    def _greeted(self, seconds: float) -> bool:
        """Whether it is ready."""
        greeting = self._read(Hello.layout().size, seconds)
        if not MAGIC.startswith((greeting or self._buffer)[: len(MAGIC)]):
            raise DeadError(f"{_core.shown(sys.executable)}, which is no Python")
        if greeting is None:
            return False
        hello: Hello = Hello.unpack(greeting)
        if hello.lost == ALL_LOST:
            raise DeadError(f"one that does not start: {hello.why}")
        self.bounds = hello.bounds | 1 << 31
        for bit, (name, *_) in enumerate(self.plugins.rows):
            if hello.lost >> min(bit, 63) & 1:
                self.lost[name] = f"a helper cannot import it: {hello.why}"
        return True

    def _read(self, size: int, seconds: float) -> bytes | None:
        """A message of that size, if it is there by then."""
        assert self._process is not None
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        while len(self._buffer) < size:
            if not _is_readable(output, seconds):
                # A program that it has started may keep the pipe open after its end.
                if not self.is_alive() and not _is_readable(output, 0):
                    raise DeadError(self.end())
                return None
            piece = os.read(output, size - len(self._buffer))
            if not piece:
                raise DeadError(self.end())
            self._buffer += piece
        found, self._buffer = self._buffer, b""
        return found


def _shared_file() -> Any:
    """A file in memory where the system has such, that vanishes with those who have it open."""
    if hasattr(os, "memfd_create"):
        try:
            return io.FileIO(os.memfd_create("clipprep"), "r+b")
        except OSError:  # an old kernel, or a filter
            pass
    return tempfile.TemporaryFile("r+b" if os.name != "nt" else "w+b", buffering=0)


def _flags() -> list[str]:
    """Of the interpreter. A helper may be killed and may run out of room: it writes no compiled modules."""
    prefix = sys.pycache_prefix
    return ["-I", "-S", "-B", *([] if prefix is None else ["-X", f"pycache_prefix={prefix}"])]


def _path() -> list[str]:
    """Where a helper finds modules: where this process does."""
    path = []
    for entry in sys.path:
        if isinstance(entry, str):  # Python ignores all else
            with suppress(OSError):  # the working directory may have been removed
                path.append(os.path.abspath(entry))
    return path


def _packages() -> list[tuple[str, str]]:
    """What a helper imports first, and where this process has it from. Its path may lead to others by now: another
    Pillow gives other pixels."""
    needed = {"numpy": numpy, "PIL": PIL, "clipprep": _core}
    return [(name, str(Path(str(module.__file__)).parents[1])) for name, module in needed.items()]


def _write(file: Any, data: Any) -> None:
    view = memoryview(data).cast("B")
    while view:
        view = view[file.write(view) :]


def _send(pipe: Any, data: bytes) -> None:
    """Write to a pipe whose reader may have ended. A program that has the system end it by SIGPIPE, as filters do, goes
    on all the same."""
    with _no_sigpipe():
        _write(pipe, data)


if sys.platform == "win32":
    import _winapi
    import msvcrt

    #: No window, and Ctrl-C in a console is the parent's.
    _FLAGS = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP

    _no_sigpipe = nullcontext

    def _moved(file: Any) -> Any:
        return file

    def _is_readable(number: int, seconds: float) -> bool:
        """Whether reading would not wait, by then."""
        end = time.monotonic() + seconds
        while True:
            try:
                if _winapi.PeekNamedPipe(msvcrt.get_osfhandle(number), 0)[0]:
                    return True
            except OSError:  # its other end is closed
                return True
            if time.monotonic() >= end:
                return False
            time.sleep(0.001)

else:
    import fcntl

    _FLAGS = 0

    def _moved(file: Any) -> Any:
        """The same file by a number that no standard stream has: a program that has closed those may print to
        them."""
        if file.fileno() > 2:
            return file
        with file:
            return io.FileIO(fcntl.fcntl(file.fileno(), fcntl.F_DUPFD_CLOEXEC, 3), file.mode)

    @contextmanager
    def _no_sigpipe() -> Iterator[None]:
        """Take the signal in place of the program. It comes in the thread that writes, and is held up there."""
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
        pending = signal.sigpending()
        try:
            yield
        finally:
            if signal.SIGPIPE in signal.sigpending() - pending:
                signal.sigwait({signal.SIGPIPE})
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _is_readable(number: int, seconds: float) -> bool:
        """Whether reading would not wait, by then."""
        poll = select.poll()
        poll.register(number, select.POLLIN)
        return bool(poll.poll(seconds * 1000))
