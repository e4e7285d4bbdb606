"""Turn a column of images of a Ray data set into a column of tensors, on all workers. Needs `clipprep[ray]`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from clipprep import Preprocess, arrow
from clipprep._extras import needs
from clipprep._messages import shown, type_error

with needs("ray", "ray", by="clipprep.ray"):
    import ray.data

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
    prefix: str = "",
    paths: bool = False,
    **options: Unpack[Options],
) -> ray.data.Dataset:
    """Add the columns `pixels`, `ok` and `error` of `clipprep.arrow.preprocess` to a data set.

    A bad image is a row that is not ok, never a failed task.

    Args:
        ds: A data set with a column of images.
        column: Its name. Encoded images, as `ray.data.read_binary_files` gives them, are dropped from the
            result; paths, which every worker has to reach, stay.
        model: A `Preprocess`, or what makes one: a model's name or a size, with its options.
        batch_size: The number of images of a task.
        num_cpus: The number of threads of a task, which Ray counts as CPUs.
        prefix: What the names of the three columns begin with. A task fails where one is taken.
        paths: Whether the `path` of a struct is opened where there are no `bytes`.
        options: Options of `Preprocess`.

    Returns:
        A data set, not yet computed.

    Raises:
        TypeError: Options beside a `Preprocess`, or what it raises itself.
        ValueError: A name or a value is unknown.
    """
    if not isinstance(model, Preprocess):
        model = Preprocess(model, **options)
    elif options:
        raise type_error(f"expected options beside a model's name or a size, found {shown(model)}")
    return ds.map_batches(
        partial(
            arrow.preprocess,
            column=column,
            model=model,
            prefix=prefix,
            paths=paths,
            num_threads=num_cpus,
        ),
        batch_format="pyarrow",
        batch_size=batch_size,
        zero_copy_batch=True,
        num_cpus=num_cpus,
    )
