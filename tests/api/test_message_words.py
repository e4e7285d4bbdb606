"""Words of other code in a message: without addresses, on one line, not too long. test_hostile_text.py has the whole way."""

from __future__ import annotations

import io

import pytest

import clipprep
from clipprep._messages import kind, message, said, shown

#: The longest message, and the longest text of other code in it.
LONGEST, LONGEST_QUOTED = 500, 200


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("<_io.BytesIO object at 0x7f12345678ab>", "<_io.BytesIO object>"),
        ("at 0x7f0012345678 it failed", "at ... it failed"),
        ("id=0x7f1234567890", "id=..."),
        ("<x object at 7F12345678AB>", "<x object>"),
        ("x_0X7F1234567890_y", "x_..._y"),
        ("at0x7f1234567890", "at..."),
        ("object 140245891234560", "object ..."),
        ("6 bytes: 0x123456", "6 bytes: ..."),
        ("178956970 pixels, 0x1234, facade, 2147483648 bytes", None),
        ("defaced9, 2026-11-25T23:59, d41d8cd98f00b204e9800998ecf8427e", None),
        ("a\n  b\tc", "a b c"),
        ("x" * LONGEST_QUOTED, None),
        ("x" * (LONGEST_QUOTED + 1), "x" * (LONGEST_QUOTED - 3) + "..."),
    ],
)
def test_what_other_code_says(text: str, clean: str | None) -> None:
    class Says:
        def __repr__(self) -> str:
            return text

    assert said(ValueError(text)) == (text if clean is None else clean)
    assert shown(Says()) == said(ValueError(text))


def test_an_error_without_a_text_is_named_by_its_type() -> None:
    assert said(ValueError()) == "ValueError"
    assert said(ValueError(" ")) == "ValueError"


def test_types_by_their_names() -> None:
    assert kind(7) == "int"
    assert kind(type("Y" * 100, (), {})()) == "Y" * 40 + "..." + "Y" * 37
    assert kind(type("at 0x7f12345678ab", (), {})()) == "at ..."


def test_the_name_that_a_file_says_it_has_keeps_its_checksum() -> None:
    class File(io.BytesIO):
        name = "7f12345678ab at 0x7f12345678ab"

    with pytest.raises(clipprep.UnsupportedError) as caught:
        clipprep.Preprocess(8)(File(b"no image"))
    assert str(caught.value).startswith("7f12345678ab: ")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("a\nb\x1b[31m\u202ec\x85\x7fé🎈", r"a\nb\x1b[31m\u202ec\x85\x7fé🎈"),
        ("é" * LONGEST, None),
        ("é" * (LONGEST + 1), "é" * 250 + "..." + "é" * 247),
    ],
)
def test_messages_are_one_line_of_printable_characters(text: str, clean: str | None) -> None:
    assert message(text) == (text if clean is None else clean)


def test_long_messages_keep_their_end() -> None:
    assert len(message("\n" * 3000)) == LONGEST
    assert message("x" * 3000 + "last").endswith("xlast")
