"""The fuzzer's own run with a fixed seed: short on a desk, 12,000 inputs where CI is set."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest

import mutate
from clipprep.verify import DIFFER, EQUAL, FAILURES, THEIRS, Item, default_jobs, reference
from mutations import WAYS, mutated, systematic
from seeds import SEEDS
from support.arm import IS_ARM

COUNT = int(os.environ.get("CLIPPREP_FUZZ") or (12_000 if os.environ.get("CI") else 1_500))


@pytest.mark.parametrize(("truncated", "count"), [("error", COUNT), ("pad", COUNT // 4)])
def test_damaged_files_are_read_as_pillow_reads_them(
    tmp_path: Path, truncated: str, count: int
) -> None:
    """No crash, no panic, no hang, no other bits, no refusal of our own, and hardly a file that Pillow refuses."""
    found, outcomes = [], Counter[str]()
    items = mutate.inputs(list(SEEDS), 1, count)
    for item, verdict, _ in mutate.run(items, default_jobs(), truncated):
        outcomes[verdict.outcome] += 1
        if verdict.outcome == DIFFER and IS_ARM and item.name.startswith("jpeg"):
            continue  # support/arm.py says why
        if verdict.outcome in FAILURES:
            mutate.save(tmp_path, item, verdict)
            found.append(str(verdict))
    assert not found, "\n".join([f"{len(found)} findings, inputs in {tmp_path}", *found[:20]])
    assert outcomes[EQUAL] > count / 4
    assert outcomes[THEIRS] <= count / 1000


@pytest.mark.parametrize("kind", SEEDS)
def test_each_seed_is_sound(kind: str) -> None:
    verdict, _ = mutate.judge(Item(SEEDS[kind](), kind))
    assert verdict.outcome == EQUAL, verdict
    assert len(SEEDS[kind]()) <= 4096


def test_a_wrong_value_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "pixels", _one_level_off)
    verdict, _ = mutate.judge(Item(SEEDS["qoi-rgb"](), "qoi-rgb"))
    assert (verdict.outcome, verdict.levels) == (DIFFER, 1)


def _one_level_off(image, n, sound=reference.pixels):
    return sound(image, n) ^ 1


def test_the_same_seed_makes_the_same_inputs() -> None:
    first, again, other = (
        [(item.name, item.source) for item in mutate.inputs(["gif", "png-rgb"], seed, 300)]
        for seed in (1, 1, 2)
    )
    assert first == again
    assert len(first) == 300
    assert first != other


def test_systematic_damage_is_complete() -> None:
    data = SEEDS["png-grey-1"]()
    changed = dict(systematic(data))
    assert {data[:end] for end in range(len(data))} <= set(changed.values())
    plain = {
        name: new for name, new in changed.items() if name.startswith("bit") and "-ch" not in name
    }
    assert len(set(plain.values())) == 8 * len(data)
    for new in plain.values():
        differing = [a ^ b for a, b in zip(data, new, strict=True) if a != b]
        assert len(differing) == 1
        assert differing[0].bit_count() == 1


@pytest.mark.parametrize("way", sorted(set(WAYS), key=WAYS.index), ids=lambda way: way.__name__)
def test_each_way_damages(way) -> None:
    rng = random.Random(0)
    data, other = SEEDS["png-palette-1"](), SEEDS["png-grey-1"]()
    assert any(way(rng, data, other) != data for _ in range(20))
    assert isinstance(way(rng, b"", b""), bytes)


def test_damage_of_anything_never_raises() -> None:
    rng = random.Random(0)
    for number in range(2000):
        data = rng.randbytes(rng.choice((0, 1, 3, 9, 40)))
        start = rng.choice((b"", b"\x89PNG\r\n\x1a\n", b"RIFF", b"\xff\xd8"))
        name, new = mutated(rng, start + data, data)
        assert isinstance(new, bytes), (number, name)
