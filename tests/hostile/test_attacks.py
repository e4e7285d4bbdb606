"""Each attack costs its own row and no more: a right result or a documented error, in bounded time and memory."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from support.attacks import ALL, Attack
from support.attacks.attack import LIMITS
from support.programs import Outcome

Outcomes = dict[str, Outcome]


class Running:
    """The attacks of this run, two at a time: each is a process, and processor time is what it is measured by."""

    def __init__(self, attacks: list[Attack]) -> None:
        self._next = dict(itertools.pairwise(attacks))
        self._pool = ThreadPoolExecutor(2)
        self._begun: dict[Attack, Future[Outcomes]] = {}

    def outcomes(self, attack: Attack) -> Outcomes:
        """Those of an attack, while the one after it runs."""
        for each in (attack, self._next.get(attack)):
            if each is not None and each not in self._begun:
                self._begun[each] = self._pool.submit(each.run)
        return self._begun[attack].result()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


@pytest.fixture(scope="module")
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    chosen = [item for item in request.session.items if item.path == request.path]
    running = Running([item.callspec.params["attack"] for item in chosen])  # type: ignore[attr-defined]
    yield running
    running.close()


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")
@pytest.mark.parametrize("attack", ALL, ids=lambda attack: attack.name)
def test_it_ends_within_the_limits(attack: Attack, running: Running) -> None:
    outcomes = running.outcomes(attack)
    assert list(outcomes) == list(LIMITS)
    faults = [
        f"{limits}: {fault}"
        for limits, outcome in outcomes.items()
        for fault in attack.faults(outcome, limits)
    ]
    assert not faults, "\n".join(faults)
