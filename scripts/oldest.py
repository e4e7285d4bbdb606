#!/usr/bin/env python3
"""Print pip's constraints for the oldest versions that pyproject.toml allows of what clipprep needs.

pip install -c <(scripts/oldest.py) clipprep
"""

import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))
for requirement in project["project"]["dependencies"]:
    name, least = requirement.split(">=")
    print(f"{name}=={least}")
