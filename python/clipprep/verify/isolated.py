"""Work in other processes, so that a crash or a hang costs one call and no more."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Generic, TypeVar

A = TypeVar("A")
R = TypeVar("R")

# A fork would copy the locks of threads that it does not copy.
_processes = multiprocessing.get_context("spawn")


class CrashError(Exception):
    """A call did not come back; the message says how it ended."""


class Isolated(Generic[A, R]):
    """`function` in a process of its own, started anew after a crash or `timeout` seconds of silence."""

    def __init__(self, function: Callable[[A], R], timeout: float) -> None:
        self._function = function
        self._timeout = timeout
        self._pipe: Connection | None = None

    def __call__(self, argument: A) -> R:
        """The function's result; raises `CrashError` where it never returns."""
        try:
            pipe = self._pipe or self._start()
            pipe.send(argument)
            if pipe.poll(self._timeout):
                result: R = pipe.recv()
                return result
            how = f"no answer within {self._timeout:g} seconds"
        except (EOFError, OSError):
            self._process.join()
            how = _ended(self._process.exitcode)
        self.close()
        raise CrashError(how)

    def close(self) -> None:
        """End the process; the next call starts another."""
        if self._pipe is not None:
            self._process.kill()
            self._process.join()
            self._pipe.close()
            self._pipe = None

    def _start(self) -> Connection:
        self._pipe, theirs = _processes.Pipe()
        self._process = _processes.Process(
            target=_serve, args=(theirs, self._function), daemon=True
        )
        self._process.start()
        theirs.close()
        self._pipe.recv()  # it is ready: what it imports first is no part of a call
        return self._pipe


def _serve(pipe: Connection, function: Callable[[A], object]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent sees it, and ends this process
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what decoders print about bad files
    pipe.send(None)
    while True:
        try:
            argument = pipe.recv()
        except EOFError:
            return
        pipe.send(function(argument))


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        return f"the process died of {signal.Signals(-code).name}"
    return f"the process ended with status {code}"


def isolated_map(
    function: Callable[[A], R], arguments: Iterable[A], *, jobs: int, timeout: float
) -> Iterator[tuple[A, R | CrashError]]:
    """Each argument with its result, in order, from `jobs` processes; few are held at a time."""
    mine = threading.local()
    started: list[Isolated[A, R]] = []

    def call(argument: A) -> R | CrashError:
        if not hasattr(mine, "isolated"):
            mine.isolated = Isolated(function, timeout)
            started.append(mine.isolated)
        try:
            result: R = mine.isolated(argument)
            return result
        except CrashError as error:
            return error

    pending: deque[tuple[A, Future[R | CrashError]]] = deque()
    threads = ThreadPoolExecutor(jobs)
    try:
        for argument in arguments:
            pending.append((argument, threads.submit(call, argument)))
            if len(pending) >= 16 * jobs:
                first, future = pending.popleft()
                yield first, future.result()
        while pending:
            first, future = pending.popleft()
            yield first, future.result()
    finally:
        threads.shutdown(cancel_futures=True)
        for isolated in started:
            isolated.close()
