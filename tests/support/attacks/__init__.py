"""Attacks on whoever reads images of strangers: files, objects and paths that cost far more than they should.

Each module has a table `ATTACKS`; `ALL` is their sum. `tests/hostile/test_attacks.py` runs each of them under the default
limits and under `Limits(max_memory=256 MiB)`, and `scripts/attacks.py` writes their costs into docs/reliability.md.
"""

from __future__ import annotations

from support.attacks import claims, containers, exif, memory, paths, scans, slow, sources, tiff
from support.attacks.attack import Attack

MODULES = (containers, claims, scans, slow, exif, memory, tiff, sources, paths)
ALL: tuple[Attack, ...] = tuple(attack for module in MODULES for attack in module.ATTACKS)
assert len({attack.name for attack in ALL}) == len(ALL), "two attacks of one name"
