"""The program of a helper, run by its path in an isolated interpreter: it finds the package where its parent did."""

from __future__ import annotations

import os
import signal
import sys

#: The status of a helper that does not find the package, or what that needs.
NO_PACKAGE = 70


def start() -> None:
    """Take the pipes for ourselves, import the package, and serve until the parent closes its end."""
    read_end, write_end = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    # Whatever else reads standard input or prints, such as a plug-in that is imported, is kept from the pipes.
    for stream in (0, 1):
        os.dup2(nothing, stream)
    if hasattr(signal, "pthread_sigmask"):
        # A program may be started with signals blocked or ignored.
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGXCPU):
            signal.signal(kind, signal.SIG_DFL)
    with open(read_end, "rb") as source, open(write_end, "wb", buffering=0) as target:
        length = int.from_bytes(source.read(4), "little")
        setup = source.read(length)
        if len(setup) < length or not setup:
            return
        # Our standard library comes first.
        import importlib
        import json

        content = json.loads(setup)
        own = sys.path[:]
        try:
            # Those of the parent, whatever its path and its working directory lead to by now.
            for name, place in content["packages"]:
                sys.path = [*own, place, *content["path"]]
                importlib.import_module(name)
            sys.path = [*own, *(path for path in content["path"] if path not in own)]
            from clipprep._helper import child
        except ImportError:
            os._exit(NO_PACKAGE)
        child.serve(content, source, target)


if __name__ == "__main__":
    status = 1
    try:
        start()
        status = 0
    finally:
        # Nothing is to be tidied up, and a library that hangs at the end is not waited for.
        os._exit(status)
