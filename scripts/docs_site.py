"""A hook of mkdocs: what the site takes from other files than docs/.

The version and the repository's address are those of Cargo.toml; without an address the site has no links to it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parent.parent


def on_config(config: Any) -> Any:
    package = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))["package"]
    config.copyright = f"clipprep {package['version']}, {package['license']}"
    config.repo_url = package.get("repository")
    return config


def on_files(files: Any, config: Any) -> Any:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "changelog.md", content=changes))
    return files
