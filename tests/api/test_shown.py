"""Objects that show themselves: results as text and in a notebook, errors in a pickle, packages that are missing."""

from __future__ import annotations

import base64
import copy
import io
import pickle
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image

import clipprep
from clipprep import Preprocess
from support.pictures import photo

PRE = Preprocess(32)
BAD = b"<script>alert(1)</script>\n\0"


def results(sources: list[Any]) -> list[Any]:
    """A result of each kind."""
    return [PRE.try_batch(sources), next(iter(PRE.stream(sources)))]


def test_a_result_is_two_lines() -> None:
    for result in results([photo(40, 30, 3), BAD, *[b""] * 9]):
        first, second = repr(result).split("\n")
        assert "11 rows" in first
        assert "1 ok" in first
        assert "float32 (11, 3, 32, 32)" in first
        assert "UnsupportedError" in second
        assert "7 more" in second
        assert len(second) < 500
        assert str(result) == repr(result)
    for result in results([photo(40, 30, 3)]):
        assert repr(result).endswith("\nerrors: none")
    assert repr(PRE.try_batch([])).startswith("BatchResult: 0 rows, 0 ok")


def test_a_result_is_still_a_tuple() -> None:
    result, batch = results([photo(40, 30, 3), BAD])
    pixels, ok, errors = result
    assert (pixels is result.pixels, ok is result.ok, errors is result.errors) == (True,) * 3
    start, *_ = batch
    assert start == 0
    for made in (result, batch):
        for again in (pickle.loads(pickle.dumps(made)), copy.copy(made)):
            assert type(again) is type(made)
            assert repr(again) == repr(made)
            assert again._repr_html_() == made._repr_html_()
        assert made._replace(errors={}).errors == {}
        assert "<img" not in made._replace(errors={})._repr_html_()  # made by nobody that is known


def test_a_notebook_sees_what_the_model_sees() -> None:
    sources = [photo(40, 30, 3), BAD, photo(64, 64, 3)]
    for result in results(sources):
        html = result._repr_html_()
        images = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
        assert len(images) == 2
        expected = PRE.to_pil(PRE.batch([sources[0], sources[2]]))
        for encoded, image in zip(images, expected, strict=True):
            found = Image.open(io.BytesIO(base64.b64decode(encoded)))
            assert np.array_equal(np.asarray(found), np.asarray(image))
    many = PRE.try_batch([photo(40, 30, 3)] * 500)
    assert many._repr_html_().count("<img") < 100
    large = Preprocess(500).try_batch([photo(40, 30, 3)])
    encoded = re.findall(r"base64,([^\"]+)", large._repr_html_())[0]
    assert max(Image.open(io.BytesIO(base64.b64decode(encoded))).size) <= 128


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "uint8"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_every_kind_of_tensor_is_shown(dtype: Any, layout: Any) -> None:
    result = Preprocess(32, dtype=dtype, layout=layout).try_batch([photo(40, 30, 3)])
    assert result._repr_html_().count("<img") == 1


def test_what_goes_into_html_is_escaped(tmp_path: Any) -> None:
    hostile = tmp_path / "<img src=x onerror=alert(1)>'\".jpg"
    hostile.write_bytes(b"no image")
    for result in results([str(hostile), BAD, "<b>&amp;", f"data:image/png;base64,{'<i>'}"]):
        html = result._repr_html_()
        inside = re.sub(r"</?(pre|div)(?: style=\"[^\"<>]*\")?>", "", html)
        assert "<" not in inside
        assert "onerror" in inside
        assert '"' not in inside


def test_a_pickled_batch_error_keeps_its_cause() -> None:
    for source in (b"no image", "/no/such/file.jpg"):
        with pytest.raises(clipprep.BatchError) as caught:
            PRE.batch([photo(40, 30, 3), source])
        error = caught.value
        error.add_note("from a worker")
        for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
            assert type(again) is type(error)
            assert type(again.__cause__) is type(error.__cause__)
            assert str(again.__cause__) == str(error.__cause__)
            assert (str(again), again.index, again.source) == (str(error), 1, source)
            assert again.__notes__ == ["from a worker"]
    bare = clipprep.BatchError("no cause", 3, None)
    assert pickle.loads(pickle.dumps(bare)).__cause__ is None


@pytest.mark.parametrize(
    ("code", "package", "extra"),
    [
        ("import clipprep.torch", "torch", "torch"),
        ("import clipprep.ray", "ray", "ray"),
        ("import clipprep.arrow", "pyarrow", "cli"),
        (
            "import clipprep.openai; clipprep.openai.transform(8)(np.zeros((9, 9), np.uint8))",
            "torch",
            "torch",
        ),
        ("clipprep.Preprocess.from_hf('owner/no-such-model')", "huggingface_hub", "hub"),
    ],
)
def test_a_missing_package_names_the_extra(code: str, package: str, extra: str) -> None:
    program = f"import sys; sys.modules[{package!r}] = None; import numpy as np, clipprep\n{code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"clipprep[{extra}]" in done.stderr.splitlines()[-1]
