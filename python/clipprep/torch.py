"""Make tensors of torch: a transform for datasets, and a collate function that decodes a whole batch.

Both pickle into the workers of a `DataLoader`. Importing this module imports torch; nothing else of
clipprep does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from clipprep import Preprocess
from clipprep._extras import needs
from clipprep._messages import shown, type_error, value_error
from clipprep._tensor import as_tensor

with needs("torch", "torch", by="clipprep.torch"):
    import torch
    from torch.utils.data import default_collate, get_worker_info

if TYPE_CHECKING:  # names of annotations alone
    from typing import Unpack

    from ._typing import Options

__all__ = ["Collate", "Transform", "as_tensor"]


class Transform:
    """Turn one source into one tensor: what a dataset takes as `transform`."""

    def __init__(self, preprocess: Preprocess | str | int, **options: Unpack[Options]) -> None:
        """Prepare a transform.

        Args:
            preprocess: A `Preprocess`, or what makes one: a model's name or a size, with its options.
            options: Options of `Preprocess`.

        Raises:
            TypeError: Options beside a `Preprocess`, or what it raises itself.
            ValueError: A name or a value is unknown.
        """
        self.preprocess = _preprocess(preprocess, options)

    def __call__(self, source: Any) -> torch.Tensor:
        """Turn one source into one tensor.

        Args:
            source: As for a call of `Preprocess`.

        Returns:
            A tensor (3, height, width), or (height, width, 3) with `layout="NHWC"`, of the type `dtype`.

        Raises:
            ImageError: The image, as for a call of `Preprocess`.
            OSError: The file cannot be read.
        """
        return as_tensor(self.preprocess(source))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.preprocess!r})"


class Collate:
    """Turn many sources into one tensor: the `collate_fn` of a `DataLoader` whose dataset gives files as
    they are, such as paths or encoded bytes.
    """

    def __init__(
        self,
        preprocess: Preprocess | str | int,
        *,
        errors: Literal["raise", "mask"] = "raise",
        key: str = "image",
        pin_memory: bool = False,
        num_threads: int | None = None,
        **options: Unpack[Options],
    ) -> None:
        """Prepare a collate function.

        Args:
            preprocess: As for `Transform`.
            errors: What a source that cannot be read does: "raise" raises `BatchError`; "mask" gives it a row
                of zeros, and puts a boolean tensor (N,) after the pixels that says which rows are good.
            key: The name of the source in items that are dicts.
            pin_memory: Whether to decode into pinned memory, so that no thread has to copy the batch there.
                torch needs an accelerator for it, and it is for `num_workers=0`.
            num_threads: The number of threads at most; by default all cores in the main process, and one in a
                worker, as torch itself does.
            options: Options of `Preprocess`.

        Raises:
            TypeError: Options beside a `Preprocess`, or what it raises itself.
            ValueError: A name or a value is unknown.
        """
        if errors not in ("raise", "mask"):
            raise value_error(f'expected errors= one of "raise", "mask", found {shown(errors)}')
        self.preprocess = _preprocess(preprocess, options)
        self.errors = errors
        self.key = key
        self.pin_memory = pin_memory
        self.num_threads = num_threads

    def __call__(self, items: Sequence[Any]) -> Any:
        """Turn the items of a batch into tensors.

        Args:
            items: Sources, or tuples or lists that begin with one, or dicts with one under `key`. What else is in them,
                such as labels, is collated as torch does it.

        Returns:
            A tensor (N, 3, height, width); with a mask, or with more in each item, a list that begins with it; of
            dicts a dict, with the mask under "ok".

        Raises:
            BatchError: A source fails, with `errors="raise"`.
            KeyError: A dict has no `key`.
            ValueError: A dict has an "ok" of its own, where the mask would be.
        """
        if items and isinstance(items[0], Mapping) and not items[0].keys() <= {"bytes", "path"}:
            return self._dicts(items)
        tuples = bool(items) and isinstance(items[0], (tuple, list))
        sources = [item[0] for item in items] if tuples else list(items)
        rest = default_collate([tuple(item[1:]) for item in items]) if tuples else []
        pixels, ok = self._pixels(sources)
        found = [pixels, *([] if ok is None else [ok]), *rest]
        return found if tuples or ok is not None else pixels

    def _dicts(self, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        if self.key not in items[0]:
            found = shown(list(items[0]))
            raise KeyError(f"expected key= the name of the source in an item, found {found}")
        if self.errors == "mask" and "ok" in items[0]:
            raise value_error(
                'expected items without "ok", where errors="mask" puts the mask, found it'
            )
        rest = [{name: item[name] for name in item if name != self.key} for item in items]
        pixels, ok = self._pixels([item[self.key] for item in items])
        made = {self.key: pixels} if ok is None else {self.key: pixels, "ok": ok}
        return {**made, **(default_collate(rest) if rest[0] else {})}

    def _pixels(self, sources: list[Any]) -> tuple[torch.Tensor, torch.Tensor | None]:
        threads = self.num_threads
        if threads is None and get_worker_info() is not None:
            threads = 1
        pinned = self._pinned(len(sources)) if self.pin_memory else None
        out = None if pinned is None else _as_array(pinned)
        if self.errors == "raise":
            pixels, ok = self.preprocess.batch(sources, out=out, num_threads=threads), None
        else:
            result = self.preprocess.try_batch(sources, out=out, num_threads=threads)
            pixels, ok = result.pixels, torch.from_numpy(result.ok)
        return as_tensor(pixels) if pinned is None else pinned, ok

    def _pinned(self, rows: int) -> torch.Tensor:
        empty = as_tensor(self.preprocess.batch([]))
        return torch.empty((rows, *empty.shape[1:]), dtype=empty.dtype, pin_memory=True)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.preprocess!r}, errors={self.errors!r})"


def _as_array(tensor: torch.Tensor) -> NDArray[Any]:
    bits = tensor.dtype == torch.bfloat16
    array: NDArray[Any] = (tensor.view(torch.int16) if bits else tensor).numpy()
    return array.view(np.uint16) if bits else array


def _preprocess(preprocess: Preprocess | str | int, options: Options) -> Preprocess:
    if not isinstance(preprocess, Preprocess):
        return Preprocess(preprocess, **options)
    if options:
        raise type_error(
            f"expected options beside a model's name or a size, found {shown(preprocess)}"
        )
    return preprocess
