"""The progress of a run, in a file beside its output, so that the same command goes on after a stop."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clipprep.cli import place

#: So many errors are kept in words; all of them are in the output.
SHOWN = 20


class Journal:
    """Its first line says which run it is of, and each line after it that one more batch is written.

    The batch is written first. What a killed process leaves behind is thus a batch too many at the
    most, which is written again.
    """

    def __init__(self, path: Path, run: Mapping[str, Any]) -> None:
        self._path = path
        self.run = dict(run)
        self._header: dict[str, Any] = {}
        self.done = 0
        """The number of rows that are written."""
        self.failed = 0
        """The number of them that are bad."""
        self.errors: dict[int, str] = {}
        """The errors of the first bad ones."""
        self.states: list[Any] = []
        """The output's state after each batch."""
        self.finishing = False
        """Whether all rows are written, and their files are being put in place."""

    def load(self) -> bool:
        """Whether there is a run to go on with; raises FileExistsError for one that was another."""
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
            entries = [json.loads(line) for line in lines if line.endswith("\n")]
        except FileNotFoundError:
            return False
        except ValueError:
            entries = []
        header = entries[0] if entries else None
        if not isinstance(header, dict) or "run" not in header:
            raise FileExistsError(
                f"{self._path}: expected the progress of a run, found another file;"
                " --overwrite replaces it"
            )
        if header["run"] != self.run:
            raise FileExistsError(
                f"{self._path}: expected a run with the same sources and options, found"
                f" {header['run'].get('rows')} rows by {header['run'].get('preprocess')};"
                " --restart begins anew"
            )
        if header["boot"] != _boot():  # what was not written to the disk may be lost
            synced = [number for number, entry in enumerate(entries) if "done" not in entry]
            entries = entries[: synced[-1] + 1]  # the header is one of them
        self._header = header
        for entry in entries[1:]:
            self._take(entry)
        self._header["boot"] = _boot()
        self._rewrite(entries)  # without a line that was cut short
        return True

    @property
    def replaces(self) -> Any:
        """The files in the output's place when the run began."""
        return self._header["replaces"]

    def start(self, replaces: Any) -> None:
        """Begins anew."""
        self._header = {"run": self.run, "replaces": replaces, "boot": _boot()}
        self._rewrite([self._header])

    def add(self, rows: int, errors: Mapping[int, str], state: Any) -> None:
        """`rows` more are written; `errors` is by row of the whole run."""
        room = max(0, SHOWN - len(self.errors))
        entry = {
            "done": self.done + rows,
            "failed": self.failed + len(errors),
            "errors": dict(list(errors.items())[:room]),
            "state": state,
        }
        self._append(entry)

    def sync(self) -> None:
        """Note that the rows written until now are on the disk."""
        self._append({"synced": True})

    def finish(self) -> None:
        """All rows are written."""
        if not self.finishing:
            self._append({"finishing": True})

    def remove(self) -> None:
        """The run is over."""
        self._path.unlink(missing_ok=True)

    def _take(self, entry: dict[str, Any]) -> None:
        if entry.get("finishing"):
            self.finishing = True
        elif "done" in entry:
            self._take_batch(entry)

    def _take_batch(self, entry: dict[str, Any]) -> None:
        self.done, self.failed = entry["done"], entry["failed"]
        self.errors |= {int(row): error for row, error in entry["errors"].items()}
        self.states.append(entry["state"])

    def _append(self, entry: dict[str, Any]) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as opened:
                opened.write(json.dumps(entry) + "\n")
                opened.flush()
                if "done" not in entry:
                    os.fsync(opened.fileno())
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(self._path)) from None
        self._take(entry)

    def _rewrite(self, entries: list[dict[str, Any]]) -> None:
        part = place.beside(self._path, ".tmp")
        try:
            with part.open("w", encoding="utf-8") as opened:
                opened.writelines(json.dumps(entry) + "\n" for entry in entries)
                opened.flush()
                os.fsync(opened.fileno())
            os.replace(part, self._path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise OSError(error.errno, error.strerror, str(self._path)) from None


def _boot() -> str:
    """Differs after the system was started anew, where it says so."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""
