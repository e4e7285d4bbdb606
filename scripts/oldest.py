#!/usr/bin/env python3
"""Print pip's constraints for the oldest versions that pyproject.toml allows of what clipprep and its command line need.

pip install -c <(scripts/oldest.py) clipprep
"""

import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))[
    "project"
]
for requirement in [*project["dependencies"], *project["optional-dependencies"]["cli"]]:
    name, least = requirement.split(">=")
    print(f"{name}=={least}")
