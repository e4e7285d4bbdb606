#!/usr/bin/env python3
"""Write THIRD-PARTY-NOTICES: whose code the wheel contains, and on what terms.

    scripts/third_party_notices.py            # writes the file
    scripts/third_party_notices.py --check    # fails when it is out of date

The crates and their versions come from Cargo.lock, the texts from the crates' own files. What only
the build runs (procedural macros, build scripts, tests) is in no wheel and is left out.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import written

ROOT = Path(__file__).resolve().parent.parent
NOTICES = ROOT / "THIRD-PARTY-NOTICES"

# The C libraries inside crates, whose texts are where no rule finds them.
TEXTS = {
    "mozjpeg-sys": ["LICENSE", "vendor/simd/nasm/jsimdext.inc"],
    "libwebp-sys": ["vendor/COPYING", "vendor/PATENTS"],
}
HEAD = """\
Third-party notices of clipprep

The wheels of clipprep contain code of the projects below, and the Rust standard library
(MIT OR Apache-2.0, copyright of the Rust project's contributors, https://www.rust-lang.org).
This software is based in part on the work of the Independent JPEG Group.
Where a project offers a choice of licences, the MIT licence is the one that is used.
scripts/third_party_notices.py wrote this file.
"""


def shipped() -> list[dict[str, Any]]:
    """The packages that are linked into the extension on any platform."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--features", "python"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    found, waiting = set(), [root]
    while waiting:
        package = waiting.pop()
        if package in found or is_macro(packages[package]):
            continue
        found.add(package)
        waiting += [
            link["pkg"]
            for link in nodes[package]["deps"]
            if any(kind["kind"] is None for kind in link["dep_kinds"])
        ]
    found.remove(root)
    return sorted((packages[package] for package in found), key=lambda p: (p["name"], p["version"]))


def is_macro(package: dict[str, Any]) -> bool:
    return any("proc-macro" in target["kind"] for target in package["targets"])


def texts(package: dict[str, Any]) -> Iterator[str]:
    """The texts of its licences."""
    folder = Path(package["manifest_path"]).parent
    names = TEXTS.get(package["name"])
    if names is None:
        files = sorted(path for path in folder.iterdir() if path.name.upper().startswith("LICENSE"))
        preferred = [path for path in files if "MIT" in path.name.upper()] or files
        names = [path.name for path in preferred]
    if not names:
        raise SystemExit(f"{package['name']} {package['version']}: no licence text in {folder}")
    for name in names:
        text = (folder / name).read_text(encoding="utf-8").replace("\r\n", "\n")
        yield comment_at_top(text) if name.endswith(".inc") else text.strip("\n")


def comment_at_top(assembly: str) -> str:
    lines = []
    for line in assembly.splitlines():
        if not line.startswith(";"):
            break
        lines.append(line.lstrip("; "))
    return "\n".join(lines).strip("\n")


def notices() -> str:
    """The whole file: each text once, under the projects that it belongs to."""
    projects = defaultdict(list)
    for package in shipped():
        text = "\n\n".join(texts(package))
        terms = f"{package['name']} {package['version']} ({package['license']})"
        where = f" {package['repository']}" if package["repository"] else ""
        projects[text].append(terms + where)
    parts = [HEAD]
    for text, names in sorted(projects.items(), key=lambda item: item[1]):
        lines = [line.rstrip() for line in text.splitlines()]
        parts.append("\n".join(["=" * 80, *names, "", *lines]) + "\n")
    return "\n".join(parts)


def main() -> int:
    check = written.parser(__doc__).parse_args().check
    return written.write({NOTICES: notices()}, check=check)


if __name__ == "__main__":
    sys.exit(main())
