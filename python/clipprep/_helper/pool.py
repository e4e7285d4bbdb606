"""The helpers of this process: started when they are first needed, ended when nobody needs them."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import deque
from functools import cache

from .. import _core
from .plugins import Plugins
from .process import DeadError, Helper

#: Seconds after which a helper that has nothing to do is ended.
IDLE = 10.0


@cache
def _usual() -> int:
    """The threads of a batch by default."""
    return _core.build_info()["threads"]


class Pool:
    """Helpers, and a thread that starts and ends them.

    Helpers end with the thread that started them, where the system has such an arrangement: so it is one of ours, which
    lasts as long as any helper does, and no thread of the caller's, which may end at any time.
    """

    def __init__(self) -> None:
        lock = threading.Lock()
        self._changed, self._work = threading.Condition(lock), threading.Condition(lock)
        self._idle: list[Helper] = []
        self._all: set[Helper] = set()
        self._starting: deque[Helper] = deque()
        self._keeper: threading.Thread | None = None
        self._is_closed = False

    def take(self, plugins: Plugins, threads: int, seconds: float) -> Helper | None:
        """A helper that has these plug-ins, if one is free by then. There are as many as `threads`, or as a batch has
        by default. Raises `DeadError` where none can be started."""
        end = time.monotonic() + seconds
        most = max(threads, _usual())
        old = []
        try:
            with self._changed:
                while True:
                    if self._is_closed:
                        raise DeadError("an interpreter that is about to end")
                    while self._idle:
                        helper = self._idle.pop()
                        if helper.plugins is plugins and helper.is_alive():
                            return helper
                        self._all.discard(helper)
                        old.append(helper)
                    if len(self._all) < most:
                        return self._started(plugins)
                    left = end - time.monotonic()
                    if left <= 0 or not self._changed.wait(left):
                        return None
        finally:
            for helper in old:
                helper.kill()

    def helpers(self) -> list[Helper]:
        """All helpers."""
        with self._changed:
            return list(self._all)

    def idle(self) -> list[Helper]:
        """Those that have nothing to do, the one that is asked next last."""
        with self._changed:
            return list(self._idle)

    def _started(self, plugins: Plugins) -> Helper:
        helper = Helper(plugins)
        if self._keeper is None:
            keeper = threading.Thread(target=self._keep, name="clipprep-helpers", daemon=True)
            try:
                keeper.start()
            except RuntimeError as error:
                raise DeadError(f"no thread to start one: {error}") from error
            self._keeper = keeper
        self._all.add(helper)
        self._starting.append(helper)
        self._work.notify()
        return helper

    def give_back(self, helper: Helper) -> None:
        """Take back a helper that has answered."""
        with self._changed:
            if not self._is_closed:
                helper.idle_since = time.monotonic()
                self._idle.append(helper)
                self._changed.notify()
                self._work.notify()
                return
        helper.kill()

    def drop(self, helper: Helper) -> None:
        """End a helper, whatever it does."""
        helper.started.wait()
        helper.kill()
        with self._changed:
            self._all.discard(helper)
            self._changed.notify()
            self._work.notify()

    def _keep(self) -> None:
        """Start helpers, and end those that have been idle, until there are none."""
        while True:
            with self._work:
                if not self._all:
                    self._keeper = None
                    return
                now = time.monotonic()
                old = [helper for helper in self._idle if now - helper.idle_since >= IDLE]
                if old:
                    self._idle = [helper for helper in self._idle if helper not in old]
                    self._all.difference_update(old)
                elif not self._starting:
                    since = min((helper.idle_since for helper in self._idle), default=None)
                    self._work.wait(None if since is None else since + IDLE - now)
                    continue
                new = list(self._starting)
                self._starting.clear()
            for helper in new:
                helper.start()
            for helper in old:
                helper.close()
                helper.end()

    def close(self) -> None:
        """End all helpers, since the interpreter ends."""
        with self._changed:
            self._is_closed = True
            helpers, self._all, self._idle = self._all, set(), []
            self._changed.notify_all()
        for helper in helpers:
            helper.kill()

    def abandon(self) -> None:
        """Let go of the helpers of the process that this one was forked from."""
        for helper in self._all:
            helper.abandon()
        self.__init__()  # type: ignore[misc]


POOL = Pool()
atexit.register(POOL.close)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=POOL.abandon)
