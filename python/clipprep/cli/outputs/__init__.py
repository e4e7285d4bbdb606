"""Files that `clipprep run` writes, batch by batch, so that memory stays bounded and a stopped run goes on.

Each file grows under a name with `.part` and is put in its place when it is whole. What a batch adds ends
where the journal says, so that a stopped run goes on from there: what stands after it is cut off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from clipprep import Preprocess, StreamBatch
from clipprep.cli.outputs.arrays import ArrayFile

#: Endings of the files that have columns.
COLUMNS = (".parquet", ".arrow")
ENDINGS = (".npy", ".safetensors", *COLUMNS)


class Output(Protocol):
    """Where rows go."""

    @property
    def parts(self) -> list[Path]:
        """Files that an unfinished run leaves beside the journal."""

    @property
    def places(self) -> list[Path]:
        """Where the finished files stand."""

    def standing(self) -> Mapping[str, Any]:
        """The files that the finished ones would replace, in a way that tells them from others."""

    def made_by(self) -> Mapping[str, Any] | None:
        """The run that finished what stands there, as `run` says it; None for what no run made."""

    def begin(self) -> None:
        """Makes what rows are written to."""

    def resume(self, rows: int, states: Sequence[Any]) -> None:
        """Takes up what is there: so many rows, after which `append` gave these states."""

    def append(self, names: Sequence[str], start: int, batch: StreamBatch) -> Any:
        """Writes rows, which begin at row `start`; gives what `resume` needs to know of them."""

    def sync(self) -> None:
        """Has the system write to the disk what was appended."""

    def finish(self) -> None:
        """Puts the finished files in their place; may be called again after a stop within it."""

    def close(self) -> None:
        """Ends the work, finished or not."""


def check(path: Path, *, folder: bool = False) -> None:
    """Raises ValueError for an ending that is no format's, ImportError where pyarrow is needed and missing."""
    if not folder and path.suffix not in ENDINGS:
        expected = f"a file ending in {', '.join(ENDINGS)}, or a folder ending in /"
        raise ValueError(f"expected {expected}, found {path}")
    if folder or path.suffix in COLUMNS:
        try:
            import clipprep.cli.outputs.columns  # noqa: F401
        except ImportError as error:
            raise ImportError(f"{path} needs pyarrow: pip install 'clipprep[cli]'") from error


def output(
    path: Path, preprocess: Preprocess, run: Mapping[str, Any], *, folder: bool = False
) -> Output:
    """The output that a path's ending asks for; with `folder` a folder of Parquet files.

    `run` says which run it is of: the number of its `rows`, and whatever else tells it from others.
    Raises what `check` raises.
    """
    check(path, folder=folder)
    if not folder and path.suffix not in COLUMNS:
        return ArrayFile(path, preprocess, run)
    from clipprep.cli.outputs.columns import ArrowFile, Folder, ParquetFile

    if folder:
        return Folder(path, preprocess, run)
    return (ParquetFile if path.suffix == ".parquet" else ArrowFile)(path, preprocess, run)
