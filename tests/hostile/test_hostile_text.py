"""Text of others on its way into a message, tested by property: whatever hostile objects say, a message is one line of
at most 500 characters, without control characters, lone surrogates and addresses, and it is one of docs/errors.md."""

from __future__ import annotations

import ast
import io
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import clipprep

ADDRESS = 0x7F12345678AB
#: Texts of hostile objects.
TEXTS = {
    "long": "x" * 5000,
    "very long": "<y> " * 300_000,
    "an address": f"<thing object at {ADDRESS:#x}>",
    "an address at the start": f"at {ADDRESS:#x}",
    "an address of an id": f"id={ADDRESS:#x}",
    "an address in capitals": f"<thing object at {ADDRESS:X}>",
    "an address in decimals": f"thing {ADDRESS}",
    "an address where it is cut": "z" * 193 + f" {ADDRESS:#x}",
    "an address where it is looked at last": "z" * 790 + f" {ADDRESS:#x}",
    "lines": "a\nb\r\nc\x0bd\u2028e\u2029f\x85g",
    "control characters": "\x1b[31m\x07\x00\x7f\x9b",
    "directions": "a\u202ebcd\u2066e",
    "lone surrogates": "\ud800 \udcff \udfff",
    "many control characters": "\x1b" * 190,
    "many surrogates": "\udc80" * 190,
    "nothing": "",
    "combining characters": "e" + "\u0301" * 5000,
}
LIMITS = clipprep.Limits(max_bytes=1 << 20)


def check(error: BaseException, *, plain: bool) -> None:
    """With `plain`, a text of the caller's own may be in it, whatever it is."""
    said = str(error)
    assert isinstance(error, (clipprep.ClipPrepError, OSError, TypeError, ValueError)), repr(error)
    assert len(said) <= 500, f"{len(said)} characters: {said[:300]!r}"
    for address in (f"{ADDRESS:x}", f"{ADDRESS:X}", str(ADDRESS), f"{ADDRESS:x}"[:7]):
        assert plain or address not in said
    assert plain or not re.search(r"\b0x[0-9a-fA-F]{8,}\b", said), said
    odd = {
        letter for letter in said if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    }
    assert not odd, ascii(said)


def named(text: str, bases: tuple[type, ...] = (), body: dict[str, Any] | None = None) -> Any:
    """A class of that name."""
    name = text.replace("\0", "0").encode("utf-8", "replace").decode()
    return type(name, bases, body or {})


def raising(text: str, kind: type[BaseException] = ValueError) -> Callable[..., Any]:
    def call(*arguments: object, **options: object) -> Any:
        raise kind(text)

    return call


def said_by(text: str) -> dict[str, Any]:
    """Objects that say `text` in every way there is."""
    class_of_it = named(text, (), {"__repr__": lambda self: text, "__str__": lambda self: text})

    class File(io.BytesIO):
        name = text

    class Fails:
        def __init__(self, kind: type[BaseException]) -> None:
            self.read = raising(text, kind)

    class NumberedError(OSError):
        def __init__(self, said: str) -> None:
            super().__init__(5, said, said)

    class Raises:
        __fspath__ = raising(text, RuntimeError)

    class PathOf:
        def __fspath__(self) -> Any:
            return class_of_it()

    class Attribute:
        read = property(raising(text, RuntimeError))

    class Loads(Image.Image):
        def __init__(self, kind: type[BaseException]) -> None:
            super().__init__()
            self._size, self._kind = (4, 4), kind

        def load(self) -> Any:
            raise self._kind(text)

    class Sized(Image.Image):
        size = property(raising(text, OverflowError))  # type: ignore[assignment]

    class Array(np.ndarray):  # type: ignore[type-arg]
        tobytes = raising(text, RuntimeError)
        shape = property(raising(text))  # type: ignore[assignment]
        __array_interface__ = property(raising(text))  # type: ignore[assignment]
        __repr__ = raising(text)
        __len__ = raising(text)

    def image(**info: Any) -> Image.Image:
        made = Image.new("RGB", (3, 3))
        made.info.update(info)
        return made

    without_info = Image.new("RGB", (3, 3))
    without_info.info = None  # type: ignore[assignment]
    fields = np.zeros((2, 2), [(text.encode("ascii", "ignore").decode() or "f", "u1")])
    lent = named(text, (), {"__array_interface__": property(raising(text, RuntimeError))})
    return {
        "text": text,
        "bytes": text.encode("utf-8", "surrogatepass"),
        "an object": class_of_it(),
        "a file": File(b"no image"),
        "a file that raises": Fails(ValueError),
        "a file that raises errors of its own": Fails(named(text, (Exception,))),
        "a file that raises the system's errors": Fails(OSError),
        "a file that raises numbered errors": Fails(NumberedError),
        "a file that raises errors of names": Fails(named(text, (FileNotFoundError,))),
        "a path that raises": Raises(),
        "a path of another type": PathOf(),
        "an attribute that raises": Attribute(),
        "an image that raises": Loads(RuntimeError),
        "an image that raises the system's errors": Loads(OSError),
        "an image whose size raises": Sized(),
        "an image's transparency": image(transparency=text),
        "an image's EXIF": image(exif=text, xmp=5),
        "an image without notes": without_info,
        "an array": np.zeros(5, np.uint8).view(Array),
        "pixels": np.zeros((2, 2, 9), np.uint8).view(Array),
        "an array of fields": fields,
        "a view of fields": memoryview(fields),
        "what lends no memory": lent(),
        "a type": class_of_it.__class__ if text else class_of_it,
        "a list": [text, class_of_it()],
        "a dict": {text: class_of_it()},
        "a number": 10**4000,
        "nothing": None,
    }


def is_plain(given: object) -> bool:
    """Whether it is text of the caller's own, or a file with a name, which may be a checksum."""
    name = getattr(given, "name", None) if isinstance(given, io.BytesIO) else None
    return isinstance(given, (str, list, dict)) or (isinstance(name, str) and "0x" not in name)


PRE = clipprep.Preprocess(8, limits=LIMITS, exif=True)
WHITE = clipprep.Preprocess(8, limits=LIMITS, profile="hf-pil")
PIXELS = np.zeros((9, 9, 3), np.uint8)


def streamed(source: Any) -> None:
    for batch in PRE.stream([source], batch_size=2):
        for error in batch.errors.values():
            raise error


def tried(source: Any) -> None:
    for error in PRE.try_batch([PIXELS, source]).errors.values():
        raise error


#: Each way in by which an object may come.
WAYS: dict[str, Callable[[Any], Any]] = {
    "a call": PRE,
    "a call over white": WHITE,
    "a call to pad": clipprep.Preprocess(8, limits=LIMITS, truncated="pad"),
    "batch": lambda given: PRE.batch([given]),
    "the iterable of batch": PRE.batch,
    "try_batch": tried,
    "stream": streamed,
    "explain": PRE.explain,
    "out=": lambda given: PRE(PIXELS, out=given),
    "out= of batch": lambda given: PRE.batch([PIXELS], out=given),
    "num_threads=": lambda given: PRE.batch([PIXELS], num_threads=given),
    "num_threads= of a call": lambda given: PRE(PIXELS, num_threads=given),
    "batch_size=": lambda given: list(PRE.stream([], batch_size=given)),
    "the model": clipprep.Preprocess,
    "a side": lambda given: clipprep.Preprocess((8, given)),
    "an option's name": lambda given: clipprep.Preprocess(
        8, **{given if isinstance(given, str) else "other": 1}
    ),
    "formats= of one": lambda given: clipprep.Preprocess(8, formats=[given]),
    "mean= of three": lambda given: clipprep.Preprocess(8, mean=[given] * 3),
    **{
        f"{name}=": lambda given, name=name: clipprep.Preprocess(8, **{name: given})
        for name in (row["name"] for row in clipprep._core.describe_options())
    },
    **{
        f"Limits({name}=)": lambda given, name=name: clipprep.Limits(**{name: given})
        for name in clipprep.Limits.__dataclass_fields__
    },
    "from_hf": clipprep.Preprocess.from_hf,
    "a field of from_hf": lambda given: clipprep.Preprocess.from_hf({given: given}),
    "a size of from_hf": lambda given: clipprep.Preprocess.from_hf(
        {"image_processor_type": "CLIPImageProcessor", "size": given}
    ),
    "backend=": lambda given: clipprep.Preprocess.from_hf({}, backend=given),
    "from_open_clip": clipprep.Preprocess.from_open_clip,
    "a field of from_open_clip": lambda given: clipprep.Preprocess.from_open_clip({"size": given}),
    "from_timm": clipprep.Preprocess.from_timm,
    "a field of from_timm": lambda given: clipprep.Preprocess.from_timm({"input_size": given}),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.filterwarnings("ignore")
def test_every_message_is_short_and_clean(way: str, text: str) -> None:
    raised = 0
    for name, given in said_by(TEXTS[text]).items():
        try:
            WAYS[way](given)
        except Exception as error:
            raised += 1
            try:
                check(error, plain=is_plain(given))
            except AssertionError as fault:
                raise AssertionError(f"{name}: {fault}") from error
    assert raised > 5


def test_names_stay_as_they_are(tmp_path: Path) -> None:
    """They are the caller's, and he has to find the file: a checksum or an address is a name like others."""
    for name in (
        "7f12345678ab.jpg",
        "0x7f12345678ab.jpg",
        "d41d8cd98f00b204e9800998ecf8427e",
        "ein Bild é🎈.jpg",
    ):
        path = tmp_path / name
        path.write_bytes(b"no image")
        with pytest.raises(clipprep.UnsupportedError) as caught:
            PRE(path)
        assert str(caught.value).startswith(f"{path}: ")
        with pytest.raises(FileNotFoundError) as missing:
            PRE(f"{path}.gone")
        assert missing.value.filename == f"{path}.gone"


def test_errors_of_the_system_keep_their_class_and_code() -> None:
    for error in (
        FileNotFoundError(2, "gone", "x"), PermissionError("locked"), TimeoutError(), ConnectionResetError("reset"),
        BlockingIOError(11, "again", 3), OSError(5, "broken disk"), OSError("nothing more"),
    ):  # fmt: skip

        class Fails:
            def read(self, size: int = -1, error: OSError = error) -> bytes:
                raise error

        with pytest.raises(type(error), match="Fails") as caught:
            PRE(Fails())
        assert type(caught.value) is type(error)
        assert caught.value.errno == error.errno
        assert caught.value.__cause__ is error


#: Exceptions whose messages users see; `RefusedError` becomes one of ours.
MADE = {"ValueError", "TypeError", "OSError", "FileNotFoundError", "RuntimeError", "BatchError"}


def test_no_message_is_made_beside_the_door() -> None:
    """Text that is put together is raised by the functions of `_messages` alone, which keep it short and clean."""
    package = Path(clipprep.__file__).parent
    rooms = ("cli", "verify")
    found = []
    for path in package.rglob("*.py"):
        if path.relative_to(package).parts[0] in rooms or path.name == "_messages.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node
            if not call or call.func.id not in MADE:
                continue
            if any(isinstance(argument, ast.JoinedStr) for argument in call.args[:1]):
                found.append(f"{path.name}:{node.lineno}")
    assert not found
