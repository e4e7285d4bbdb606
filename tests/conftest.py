"""Settings of all tests: hypothesis profiles, and fixtures that many files use."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

import clipprep
from clipprep._pillow import formats
from support.helped import end_helpers
from support.left import changed, state

# A shell has its background jobs ignore Ctrl-C, and so would each process that a test starts and interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The helpers' assertions explain themselves as the tests' own do.
pytest.register_assert_rewrite("support.compare", "support.expect")

_common = {
    "deadline": None,  # a noisy machine is not a bug
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
    "print_blob": True,
}
settings.register_profile(
    "quick", max_examples=150, derandomize=bool(os.environ.get("CI")), **_common
)
settings.register_profile("thorough", max_examples=5000, **_common)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


# Files that are left to an older Pillow are compared with it all the same; tests/files/test_format_table.py has the rule.
# In other processes the rule holds, so those of these tests would refuse such files.
OTHER_PROCESSES = [
    "helper",
    "concurrency/test_soak.py",
    "hostile/test_bombs.py",
    "hostile/test_fuzz.py",
]
collect_ignore = [] if formats.has_sound_readers() else OTHER_PROCESSES
formats.SOUND = 0


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Each file of tests begins with the same process, whichever ran before it: without helpers, and all as it was."""
    before = state()
    yield
    end_helpers()
    left = changed(before)
    assert not left, "this file leaves:\n" + "\n".join(left)


@pytest.fixture(scope="session")
def pre() -> clipprep.Preprocess:
    """ViT-B/32 with Pillow's installed pass order: the one that a live reference can check."""
    return clipprep.Preprocess("ViT-B/32", pillow="installed")


@pytest.fixture(scope="session")
def small() -> clipprep.Preprocess:
    """A 32 pixel target, for tests that make many images."""
    return clipprep.Preprocess(32, pillow="installed")
