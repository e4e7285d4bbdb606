"""Each attack costs its own row and no more: a right result or a documented error, in bounded time and memory."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from support.attacks import ALL, Attack
from support.attacks.attack import LIMITS
from support.programs import Outcome


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[dict[str, Outcome]]]]:
    """The attacks that this run tests, two at a time: each is a process, and processor time is what it is measured by."""
    chosen = [item for item in request.session.items if item.path == request.path]
    pool = ThreadPoolExecutor(2)
    attacks = [item.callspec.params["attack"] for item in chosen]  # type: ignore[attr-defined]
    yield {attack.name: pool.submit(attack.run) for attack in attacks}
    pool.shutdown(cancel_futures=True)


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")
@pytest.mark.parametrize("attack", ALL, ids=lambda attack: attack.name)
def test_it_ends_within_the_limits(
    attack: Attack, running: dict[str, Future[dict[str, Outcome]]]
) -> None:
    outcomes = running[attack.name].result()
    assert list(outcomes) == list(LIMITS)
    faults = [
        f"{limits}: {fault}"
        for limits, outcome in outcomes.items()
        for fault in attack.faults(outcome, limits)
    ]
    assert not faults, "\n".join(faults)
