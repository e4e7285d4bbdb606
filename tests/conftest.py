"""Settings of the suite: hypothesis profiles, and fixtures that every file uses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

import clipprep

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


@pytest.fixture(scope="session")
def pre() -> clipprep.Preprocess:
    """ViT-B/32 with Pillow's installed pass order: the one that a live reference can check."""
    return clipprep.Preprocess("ViT-B/32", pillow="installed")


@pytest.fixture(scope="session")
def small() -> clipprep.Preprocess:
    """A 32 pixel target, for tests that make many images."""
    return clipprep.Preprocess(32, pillow="installed")


#: Tests that fail until a known fault is mended; the file says how it is kept.
KNOWN_FAILURES = Path(__file__).with_name("known_failures.txt")


def known_failures() -> dict[str, str]:
    """The ids of those tests, and the fault that each waits for."""
    found, fault = {}, ""
    for line in KNOWN_FAILURES.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            fault = line[3:]
        elif line and not line.startswith("#"):
            found[line] = fault
    return found


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Expects the known failures; one that passes fails the run, and so does an id that is no test."""
    known = known_failures()
    for item in items:
        if fault := known.pop(item.nodeid, None):
            item.add_marker(pytest.mark.xfail(reason=fault, strict=True))
    if config.option.keyword or any("::" in argument for argument in config.args):
        return  # some tests of a file are left out
    files = {item.nodeid.partition("::")[0] for item in items}
    if gone := [name for name in known if name.partition("::")[0] in files]:
        raise pytest.UsageError(f"{KNOWN_FAILURES}: no such tests: {gone}")
