"""Helpers work wherever their program runs, and where they cannot, the rows say why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import clipprep
from clipprep._helper import bounds
from support.helped import SETUP, program
from support.waiting import NEVER

PACKAGE = Path(clipprep.__file__).parent
#: Where the packages are without the help of `site`.
PATHS = [path for path in sys.path if "site-packages" in path] + [str(PACKAGE.parent)]
#: Has the caller's program print what became of a few rows.
GO = """
result = pre.try_batch([TGA] * 4, num_threads=2)
print(result.ok.sum(), *{f"{type(error).__name__}: {error}" for error in result.errors.values()})
"""

linux = pytest.mark.skipif(sys.platform != "linux", reason="made by means of Linux")
posix = pytest.mark.skipif(sys.platform == "win32", reason="made by means of POSIX")

WORKS = {
    "an environment that misleads Python": (
        "os.environ.update(PYTHONHOME='/nowhere', PYTHONPATH='/nowhere', PYTHONSTARTUP='/nowhere')"
    ),
    "what is no text in the path": "sys.path += [b'bytes', None, 3]",
    "many threads that need one": """
threads = [threading.Thread(target=lambda: [pre(TGA) for _ in range(3)]) for _ in range(20)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
assert len(POOL.helpers()) <= clipprep.build_info()["threads"]
""",
    "other packages first in its path by now": """
folder = tempfile.mkdtemp()
for name in ("PIL", "numpy", "clipprep"):
    os.mkdir(f"{folder}/{name}")
    open(f"{folder}/{name}/__init__.py", "w").write("raise SystemExit('the wrong package')")
sys.path.insert(0, folder)
""",
    "a limit of Pillow's that is a number of NumPy's": (
        "import PIL.Image, numpy; PIL.Image.MAX_IMAGE_PIXELS = numpy.int64(10**6)"
    ),
    "a limit of Pillow's that is a decimal number": (
        "import PIL.Image, decimal; PIL.Image.MAX_IMAGE_PIXELS = decimal.Decimal(10**6)"
    ),
    "no files in memory": "if hasattr(os, 'memfd_create'): del os.memfd_create",
}
WORKS_ON_POSIX = {
    "a working directory that was removed": (
        "os.chdir(folder := tempfile.mkdtemp()); os.rmdir(folder); sys.path.insert(0, '')"
    ),
    "SIGPIPE that ends programs": """
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
assert pre.try_batch([plug.file("shut")] * 3, num_threads=1).ok.all()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
assert pre.try_batch([plug.file("shut")] * 3, num_threads=1).ok.all()
assert not signal.sigpending()
""",
    "signals blocked": "signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())",
    "SIGCHLD ignored": "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
    "a handler that waits for all children": """
def reap(*_):
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
signal.signal(signal.SIGCHLD, reap)
""",
    "a helper that was stopped for a while": """
pre(TGA)
(helper,) = POOL.helpers()
os.kill(helper.pid, signal.SIGSTOP)
threading.Timer(0.5, os.kill, (helper.pid, signal.SIGCONT)).start()
""",
}


@pytest.mark.parametrize(
    "name",
    [*WORKS, *(pytest.param(name, marks=posix) for name in WORKS_ON_POSIX)],
)
def test_a_helper_works_with(name: str) -> None:
    done = program((WORKS | WORKS_ON_POSIX)[name] + "\n" + GO)
    assert (done.stdout, done.returncode) == ("4\n", 0), done.stderr


@posix
@pytest.mark.parametrize("closed", [(0,), (1,), (0, 1), (0, 1, 2)])
def test_without_standard_streams(closed: tuple[int, ...], tmp_path: Path) -> None:
    """What a program prints to streams that it has closed goes into no pipe of a helper's."""
    found = tmp_path / "found"
    program(f"""
for number in {closed}:
    os.close(number)
result = pre.try_batch([TGA] * 2, num_threads=1)
for number in {closed}:
    try:
        os.write(number, b"printed")
    except OSError:
        pass
result = pre.try_batch([TGA] * 2, num_threads=1)
open({str(found)!r}, "w").write(f"{{result.ok.tolist()}} {{result.errors}}")
""")
    assert found.read_text() == "[True, True] {}"


@pytest.mark.parametrize("flags", [("-I",), ("-S",), ("-E",), ("-O",)], ids=" ".join)
def test_in_an_interpreter_with(flags: tuple[str, ...]) -> None:
    done = program(GO, flags=flags, before=f"import sys; sys.path += {PATHS!r}\n")
    assert (done.stdout, done.returncode) == ("4\n", 0), done.stderr


def test_in_a_program_from_standard_input() -> None:
    done = subprocess.run(
        [sys.executable, "-"], input=SETUP + GO, capture_output=True, text=True, timeout=NEVER
    )
    assert (done.stdout, done.returncode) == ("4\n", 0), done.stderr


def test_where_another_finder_has_found_the_package(tmp_path: Path) -> None:
    """As that of some editable installations does, which no list of paths has."""
    for place in PACKAGE.parent.iterdir():
        if place != PACKAGE:
            (tmp_path / place.name).symlink_to(place)
    done = program(
        GO,
        before=f"""
import importlib.util, sys
class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "clipprep":
            place = {str(PACKAGE)!r}
            return importlib.util.spec_from_file_location(
                name, place + "/__init__.py", submodule_search_locations=[place])
sys.path = [{str(tmp_path)!r} if path == {str(PACKAGE.parent)!r} else path for path in sys.path]
sys.meta_path.insert(0, Finder)
""",
    )
    assert (done.stdout, done.returncode) == ("4\n", 0), done.stderr


REFUSED = {
    "files of a limited size": (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))",
        "expected room in memory that is shared with a helper, found",
    ),
    "pixels of a limited size": (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000));"
        "TGA = saved(picture('L', 200, 200).point(lambda _: 0), 'TGA', compression='tga_rle')",
        "expected room in memory that is shared with a helper, found",
    ),
    "no temporary files": (
        "del os.memfd_create; tempfile.tempdir = '/proc'",
        "found one that does not start: [Errno 2] No such file or directory: ",
    ),
    "an interpreter that was removed": (
        "sys.executable = '/nowhere/python'",
        "found one that does not start: [Errno 2] No such file or directory: '/nowhere/python'",
    ),
    "an interpreter that ends at once": (
        "sys.executable = tempfile.mkdtemp() + '/python'; os.symlink('/bin/true', sys.executable)",
        "found one that ended with status 0",
    ),
    "another Pillow installed since": (
        "import PIL; PIL.__version__ = '1.0'",
        "found one that does not start: ImportError: expected {'Pillow': '1.0',",
    ),
    "an interpreter that says what it is told": (
        "sys.executable = tempfile.mkdtemp() + '/python'; open(sys.executable, 'w').write('#!/bin/sh\\nexec cat');"
        "os.chmod(sys.executable, 0o700)",
        ", which is no Python",
    ),
}


@linux
@pytest.mark.parametrize("name", REFUSED)
def test_rows_are_refused_with(name: str) -> None:
    code, said = REFUSED[name]
    # What is compiled meanwhile would be cut off.
    done = program(code + GO, flags=("-B",))
    assert done.stdout.startswith("0 HelperError: "), done.stdout + done.stderr
    assert said in done.stdout


@linux
def test_too_few_open_files_cost_rows_and_leave_none() -> None:
    done = program("""
import resource
held = len(os.listdir("/proc/self/fd"))
for more in range(12):
    resource.setrlimit(resource.RLIMIT_NOFILE, (held + more, 4096))
    result = pre.try_batch([TGA] * 3, num_threads=2)
    print(result.ok.sum(), {type(error).__name__ for error in result.errors.values()})
    end_helpers()
resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 4096))
assert len(os.listdir("/proc/self/fd")) == held
assert pre(TGA).any()
""")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "0 {'HelperError'}"
    assert all("Error" not in line.replace("HelperError", "") for line in lines), lines


@posix
def test_an_interpreter_that_is_not_there_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python3")
    with pytest.raises(ValueError, match="which is not there; use"):
        clipprep.Preprocess(16, fallback="process")


def test_a_system_without_limits_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Windows, which has neither the module nor what says how much memory is held."""
    monkeypatch.setattr(bounds, "resource", None)
    monkeypatch.setattr(bounds, "held", lambda: None)
    with bounds.of_a_file(1 << 30, 5):
        assert not bounds.has_grown(bounds.held())
    assert not any(holds() for holds in bounds._limits().values())
