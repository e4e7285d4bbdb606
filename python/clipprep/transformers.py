"""Stands in for an image processor of transformers."""

from __future__ import annotations

from typing import Any, Literal

from ._preprocess import Preprocess


class Features(dict[str, Any]):
    """A mapping whose entries are attributes too, as transformers' `BatchFeature`."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def to(self, *args: Any, **kwargs: Any) -> Features:
        """Calls `to` of the tensors: a device, a dtype."""
        return Features(
            {
                name: value.to(*args, **kwargs) if hasattr(value, "to") else value
                for name, value in self.items()
            }
        )


class ClipPrepImageProcessor:
    """Called as `processor(images=..., return_tensors="pt")`, gives `pixel_values`.

    The images are PIL images or whatever else `Preprocess` takes; one, or a list of them.
    """

    model_input_names = ("pixel_values",)

    def __init__(self, preprocess: Preprocess) -> None:
        self.preprocessor = preprocess

    @classmethod
    def from_pretrained(
        cls, config: Any, *, backend: Literal["torchvision", "pil"] = "torchvision", **options: Any
    ) -> ClipPrepImageProcessor:
        """Takes what `Preprocess.from_hf` takes: a folder, a `preprocessor_config.json`, a dict."""
        return cls(Preprocess.from_hf(config, backend=backend, **options))

    def __call__(
        self, images: Any, *, return_tensors: str | None = None, num_threads: int | None = None
    ) -> Features:
        """`pixel_values` of shape (N, 3, height, width): a tensor for "pt", an array for "np", a list of
        arrays for None.

        Raises BatchError for an image that fails, ImportError for "pt" without torch.
        """
        if return_tensors not in ("pt", "np", None):
            raise ValueError(
                f'expected return_tensors= one of "pt", "np" and None, found {return_tensors!r}'
            )
        ndim = getattr(images, "ndim", None)
        one = ndim in (1, 2, 3) if ndim is not None else not isinstance(images, (list, tuple))
        pixels: Any = self.preprocessor.batch([images] if one else images, num_threads=num_threads)
        if return_tensors == "pt":
            from .openai import _torch

            pixels = _torch().from_numpy(pixels)
        return Features(pixel_values=list(pixels) if return_tensors is None else pixels)

    preprocess = __call__

    def __repr__(self) -> str:
        return f"ClipPrepImageProcessor({self.preprocessor!r})"
