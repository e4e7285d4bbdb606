"""Each attack costs its own row and no more: a right result or a documented error, in bounded time and memory."""

from __future__ import annotations

import sys

import pytest

from support.attacks import ALL, Attack
from support.attacks.attack import LIMITS


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured as Linux tells it")
@pytest.mark.parametrize("attack", ALL, ids=lambda attack: attack.name)
def test_it_ends_within_the_limits(attack: Attack) -> None:
    outcomes = attack.run()
    assert list(outcomes) == list(LIMITS)
    faults = [
        f"{limits}: {fault}"
        for limits, outcome in outcomes.items()
        for fault in attack.faults(outcome, limits)
    ]
    assert not faults, "\n".join(faults)
