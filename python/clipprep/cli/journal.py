"""What of a run is done, in a file beside its output, so that the same command goes on after a stop."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from clipprep import Preprocess
from clipprep.cli.sources import Source


class Journal:
    """Its first line says which run it is of, and each line after it that one more batch is written.

    The batch is written first. What a killed process leaves behind is thus a batch too many at the
    most, which is written again.
    """

    def __init__(self, path: Path, preprocess: Preprocess, sources: Sequence[Source]) -> None:
        self._path = path
        names = "\n".join(map(str, sources)).encode("utf-8", "surrogateescape")
        self._run = {
            "preprocess": repr(preprocess),
            "rows": len(sources),
            "sources": hashlib.sha256(names).hexdigest(),
        }
        self.done = 0
        """How many rows are written."""
        self.errors: dict[int, str] = {}
        """What befell the bad ones among them."""

    def resume(self) -> bool:
        """Whether there is a run to go on with; raises FileExistsError for one that was another."""
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            return False
        entries = [json.loads(line) for line in lines if line.endswith("\n")]
        if not entries:
            return False
        if entries[0] != self._run:
            raise FileExistsError(
                f"expected {self._path} to be of a run with the same sources and options, found"
                f" {entries[0]['rows']} rows by {entries[0]['preprocess']}; --restart begins anew"
            )
        for entry in entries[1:]:
            self.done = entry["done"]
            self.errors |= {int(row): error for row, error in entry["errors"].items()}
        self._rewrite(entries)  # without a line that was cut short
        return True

    def start(self) -> None:
        """Begins anew."""
        self._rewrite([self._run])

    def add(self, rows: int, errors: dict[int, str]) -> None:
        """`rows` more are written; `errors` is by row of the whole run."""
        self.done += rows
        self.errors |= errors
        with self._path.open("a", encoding="utf-8") as opened:
            opened.write(_line({"done": self.done, "errors": errors}))

    def remove(self) -> None:
        """The run is over."""
        self._path.unlink()

    def _rewrite(self, entries: Iterable[dict[str, Any]]) -> None:
        self._path.write_text("".join(map(_line, entries)), encoding="utf-8")


def _line(entry: dict[str, Any]) -> str:
    return json.dumps(entry) + "\n"
