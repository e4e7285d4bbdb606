"""Ray Data: a column of images becomes a column of tensors, on all workers. Needs ray and pyarrow."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import ray.data

from clipprep import Preprocess, arrow

if TYPE_CHECKING:  # names of annotations alone
    from typing import Unpack

    from ._typing import Options

__all__ = ["preprocess"]


def preprocess(
    ds: ray.data.Dataset,
    column: str = "bytes",
    model: Preprocess | str | int = "ViT-B/32",
    *,
    batch_size: int = 64,
    num_cpus: int = 1,
    **options: Unpack[Options],
) -> ray.data.Dataset:
    """The data set with the columns `pixels`, `ok` and `error` of `clipprep.arrow.preprocess`.

    `column` holds encoded images, as `ray.data.read_binary_files` gives them, and is dropped; or it
    holds paths, which every worker has to reach, and stays. A bad image is a row that is not ok,
    never a failed task. Each task preprocesses `batch_size` images in `num_cpus` threads.

    `model` and `options` are those of `Preprocess`, or `model` is a `Preprocess`.
    """
    if not isinstance(model, Preprocess):
        model = Preprocess(model, **options)
    elif options:
        raise TypeError(f"expected options beside a model's name or a size, found {model!r}")
    return ds.map_batches(
        partial(arrow.preprocess, column=column, model=model, num_threads=num_cpus),
        batch_format="pyarrow",
        batch_size=batch_size,
        zero_copy_batch=True,
        num_cpus=num_cpus,
    )
