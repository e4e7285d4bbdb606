#!/usr/bin/env python3
"""Write what follows from the repository's address, which is `repository` in Cargo.toml and nowhere else.

    scripts/repository.py https://host/owner/clipprep   set the address, and write what follows
    scripts/repository.py [--check]                     write it, or say whether something would change

These are the README's links, which a package page needs whole, its badge of CI, the package's links in pyproject.toml,
and the address in CITATION.cff. Without an address the README's links are relative and the others left out.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

import written

ROOT = Path(__file__).parent.parent
CARGO, PYPROJECT = ROOT / "Cargo.toml", ROOT / "pyproject.toml"
README, CITATION = ROOT / "README.md", ROOT / "CITATION.cff"
#: A link of Markdown or of HTML to a file of this repository, relative or whole.
LINK = re.compile(
    r"""(\]\(|src="|href=")(?:https://[^\s)"]+/(?:blob|raw)/main/)?((?!https?:|\#)[^\s)"]+)"""
)
PICTURES = (".svg", ".png")


def links(readme: str, address: str | None) -> str:
    """The README with its links relative, or below the address."""

    def whole(match: re.Match[str]) -> str:
        before, target = match.groups()
        kind = "raw" if target.endswith(PICTURES) else "blob"
        return f"{before}{address}/{kind}/main/{target}" if address else f"{before}{target}"

    return LINK.sub(whole, readme)


def badge(address: str | None) -> str:
    if not address:
        return ""
    workflow = f"{address}/actions/workflows/ci.yml"
    return f"[![CI]({workflow}/badge.svg)]({workflow})\n"


def urls(address: str | None) -> str:
    if not address:
        return ""
    found = {
        "Homepage": address,
        "Documentation": f"{address}/blob/main/docs/index.md",
        "Changelog": f"{address}/blob/main/CHANGELOG.md",
        "Issues": f"{address}/issues",
    }
    return "[project.urls]\n" + "".join(f'{name} = "{url}"\n' for name, url in found.items()) + "\n"


def part(text: str, begin: str, end: str, content: str) -> str:
    """The text with `content` between two lines."""
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"expected lines {begin.strip()!r} and {end.strip()!r}, found none")
    return before + begin + content + end + after


def follows(address: str | None) -> dict[Path, str]:
    """Each file that has the address in it, as it should be."""
    readme = part(README.read_text("utf-8"), "<!-- [badge] -->\n", "<!-- [/badge] -->\n", "")
    readme = links(readme, address)
    citation = re.sub(r"(?m)^repository-code:.*\n", "", CITATION.read_text("utf-8"))
    return {
        README: part(readme, "<!-- [badge] -->\n", "<!-- [/badge] -->\n", badge(address)),
        PYPROJECT: part(PYPROJECT.read_text("utf-8"), "# [urls]\n", "# [/urls]\n", urls(address)),
        CITATION: citation + (f"repository-code: {address}\n" if address else ""),
    }


def main() -> int:
    parser = written.parser(__doc__)
    parser.add_argument("address", nargs="?", help="the repository's address, from now on")
    args = parser.parse_args()
    cargo = CARGO.read_text("utf-8")
    if args.address:
        if not re.fullmatch(r"https://[\w.-]+(/[\w.-]+)+", args.address):
            parser.error(
                f"expected an address such as https://host/owner/clipprep, found {args.address!r}"
            )
        cargo = re.sub(r"(?m)^repository = .*\n", "", cargo)
        cargo = re.sub(
            r"(?m)^(license = .*\n)", rf'\1repository = "{args.address}"\n', cargo, count=1
        )
        CARGO.write_text(cargo, "utf-8")
    found = follows(tomllib.loads(cargo)["package"].get("repository"))
    return written.write(found, check=args.check)


if __name__ == "__main__":
    sys.exit(main())
