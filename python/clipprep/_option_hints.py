"""Hints about options that `Preprocess` does not have: its own name for what was meant, or where that is given."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

#: Names that other libraries have for an option.
_NAMES_ELSEWHERE = {
    "data_format": "layout",
    "do_convert_rgb": "convert_rgb",
    "do_normalize": "normalize",
    "filter": "interpolation",
    "image_mean": "mean",
    "image_std": "std",
    "input_data_format": "input_layout",
    "resample": "interpolation",
    "torch_dtype": "dtype",
}
#: Where what is no option of an instance is given.
_GIVEN_ELSEWHERE = {
    "batch_size": "an argument of stream()",
    "device": "an array of NumPy is the result: move it with torch.from_numpy(x).to(device)",
    "num_threads": "an argument of each call, such as batch(sources, num_threads=2)",
    "num_workers": "num_threads= is an argument of each call",
    "out": "an argument of each call, such as batch(sources, out=array)",
    "return_tensors": "clipprep.torch and clipprep.transformers give tensors of torch",
}


def of_option(name: str, known: Sequence[str]) -> str | None:
    """What an unknown option may mean; `known` are the names of all options."""
    if hint := _GIVEN_ELSEWHERE.get(name):
        return hint
    nearest = [_NAMES_ELSEWHERE[name]] if name in _NAMES_ELSEWHERE else []
    nearest += get_close_matches(name[:50], known, n=1, cutoff=0.75)
    return f"do you mean {nearest[0]}=?" if nearest else None
