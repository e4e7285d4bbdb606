"""A hook of mkdocs: pages that a program has not written yet are left out of the navigation."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def on_config(config: Any) -> Any:
    config.nav = existing(config.nav, Path(config.docs_dir))
    return config


def existing(nav: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """The entries whose file exists, and the sections that have one."""
    kept = []
    for entry in nav:
        ((title, target),) = entry.items()
        if isinstance(target, list):
            target = existing(target, folder)
        elif not (folder / target).exists():
            continue
        if target:
            kept.append({title: target})
    return kept
