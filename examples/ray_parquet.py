"""A folder of images to Parquet, on all workers of a Ray cluster.

    pip install clipprep "ray[data]"
    python examples/ray_parquet.py photos tensors/

On one machine this starts a local cluster. With RAY_ADDRESS set it joins one, and the folder may be any
that Ray reads, such as an s3:// address. Bad images are kept, with their error.
"""

from __future__ import annotations

import sys

import ray

import clipprep.ray


def main(folder: str, out: str) -> None:
    ds = ray.data.read_binary_files(folder, include_paths=True)
    ds = clipprep.ray.preprocess(ds, column="bytes", model="ViT-B/32")
    ds.write_parquet(out)

    written = ray.data.read_parquet(out)
    print(written.schema())
    for row in (
        written.filter(lambda row: not row["ok"]).select_columns(["path", "error"]).iter_rows()
    ):
        print(f"{row['path']}: {row['error']}")
    print(f"{written.count()} rows in {out}")


if __name__ == "__main__":
    ray.init(log_to_driver=False)
    main(*sys.argv[1:])
