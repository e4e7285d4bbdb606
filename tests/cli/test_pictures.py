"""The contact sheet and the page: any name, any image, and that nothing of others is replaced or run."""

from __future__ import annotations

import html.parser
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

import clipprep
from clipprep import cli, contact_sheet
from clipprep.contact_sheet import Shown
from clipprep.sheets import fonts, picture, seen
from support import chromium
from support.paths import PHOTOS
from support.pictures import picture as drawn
from support.writers import saved

HOSTILE = [
    '<img src=x onerror="parent.attacked=1">.jpg',
    "<svg onload=parent.attacked=1><script>parent.attacked=1<!-- .jpg",
    "\"'&amp;{}%s\\.jpg",
    "\u202egpj.exe\n\x1b[2J.jpg",
    os.fsdecode(b"caf\xe9.jpg"),
    "日本 🐈 Ж عربي.jpg",
]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(HOSTILE):
        data = b"<script>parent.attacked=1</script>" if number % 2 else saved(drawn("RGB", 90, 40 + number), "JPEG")  # fmt: skip
        with open(os.fsencode(folder / name), "wb") as file:
            file.write(data)
    shutil.copy(PHOTOS / "hubble.png", folder / "hubble.png")
    return folder


def view(*arguments: object, status: int = 0) -> None:
    try:
        found = cli.main(["view", *map(str, arguments), "--model", "32"])
    except SystemExit as end:
        found = int(str(end.code))
    assert found == status


class Elements(html.parser.HTMLParser):
    """Names, attributes and text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_page_has_no_elements_of_files(photos: Path, tmp_path: Path) -> None:
    view(photos, "--html", tmp_path / "page.html", status=1)
    page = Elements((tmp_path / "page.html").read_text("utf-8"))
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert all(
        (a["src"] or "").startswith("data:image/jpeg;base64,")
        for tag, a in page.tags
        if tag == "img"
    )
    articles = [attributes for tag, attributes in page.tags if tag == "article"]
    assert [article["data-bad"] for article in articles] == ["1"] * 3 + ["0"] * 4
    for shown in (HOSTILE[0], HOSTILE[2], HOSTILE[5], r"\u202egpj.exe\n\x1b[2J.jpg"):
        assert shown in page.texts
    assert any("caf" in text and "\\" in text for text in page.texts)


BROWSE = """<!doctype html><meta charset="utf-8"><body><script>
const WIDTH = %d;
const frame = document.createElement("iframe");
frame.style = `width: ${WIDTH}px; height: 900px; border: 0`;
frame.src = "page.html";
const names = inside => [...inside.querySelectorAll("h2")].map(node => node.textContent);
frame.onload = async () => {
  const inside = frame.contentDocument, found = {};
  for (const button of inside.querySelectorAll("button")) {
    button.click();
    found[button.dataset.by] = names(inside);
  }
  found.images = [...inside.images].every(image => image.complete && image.naturalWidth > 0);
  found.wide = inside.documentElement.scrollWidth;
  found.attacked = window.attacked === 1;
  found.title = inside.title;
  await fetch("/result", {method: "POST", body: JSON.stringify(found)});
};
document.body.append(frame);
</script>"""


@pytest.mark.skipif(chromium.program() is None, reason="Chromium is not installed")
@pytest.mark.parametrize("width", [360, 1200])
def test_the_page_in_a_browser(photos: Path, tmp_path: Path, width: int) -> None:
    site = tmp_path / "site"
    view(photos, "--html", site / "page.html", status=1)
    found: dict[str, Any] = chromium.result(site, BROWSE % width, tmp_path / "profile")
    assert not found["attacked"]
    assert found["images"]
    assert found["wide"] <= width
    assert found["title"] == "32: Preprocess(32, fallback='process')"
    bad = {HOSTILE[1], r"\u202egpj.exe\n\x1b[2J.jpg", HOSTILE[5]}
    assert set(found["errors"][:3]) == bad
    assert {HOSTILE[0], HOSTILE[2]} <= set(found["errors"][3:])
    for by in ("errors", "lost", "order"):
        assert sorted(found[by]) == sorted(found["name"])


@pytest.mark.skipif(chromium.program() is None, reason="Chromium is not installed")
def test_what_the_crop_loses_comes_first_when_asked(tmp_path: Path) -> None:
    for name, size in (("a", (64, 64)), ("b", (64, 256)), ("c", (128, 64))):
        drawn("RGB", *size).save(tmp_path / f"{name}.png")
    (tmp_path / "d.png").write_bytes(b"bad")
    site = tmp_path / "site"
    view(tmp_path, "--html", site / "page.html", status=1)
    found = chromium.result(site, BROWSE % 1200, tmp_path / "profile")
    assert [name[0] for name in found["lost"]] == ["b", "c", "a", "d"]
    assert [name[0] for name in found["order"]] == ["a", "b", "c", "d"]
    assert [name[0] for name in found["errors"]] == ["d", "a", "b", "c"]
    text = (site / "page.html").read_text()
    lost = [attributes["data-lost"] for tag, attributes in Elements(text).tags if tag == "article"]
    assert lost == ["-1", "0.0000", "0.7500", "0.5000"]


def test_a_sheet_shows_any_name(photos: Path, tmp_path: Path) -> None:
    view(photos, "--out", tmp_path / "sheet.png", status=1)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size[0] > 1000


def sheet(shown: list[Shown], errors: dict[int, object]) -> Image.Image:
    pre = clipprep.Preprocess(32)
    tensors = pre.try_batch([one.source for one in shown]).pixels
    return contact_sheet.draw(pre, shown, tensors, errors)


def test_a_reason_stands_in_the_place_of_a_bad_image() -> None:
    one = Shown("folder/bad.jpg", b"bad")
    empty = sheet([one], {0: ""})
    told = sheet([one], {0: "folder/bad.jpg: expected an image, found " + "many words " * 200})
    place = (0, picture.HEADER, told.width, picture.HEADER + seen.SIDE)
    difference = np.asarray(told.crop(place)) != np.asarray(empty.crop(place))
    assert difference.any(axis=(1, 2)).sum() > 100
    assert seen.reasons([one], {0: "folder/bad.jpg: why"}) == {0: "why"}


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        (["a/b/1.jpg", "a/b/2.jpg"], "a/b/"),
        (["a/b/1.jpg", "a/bc/2.jpg"], "a/"),
        (["1.jpg", "a/2.jpg"], ""),
        (["/x/1.jpg"], "/x/"),
        ([], ""),
    ],
)
def test_names_begin_after_the_common_folder(names: list[str], folder: str) -> None:
    assert seen.common_folder([Shown(name, b"") for name in names]) == folder


def test_a_name_that_is_not_utf8_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(os.fsencode(tmp_path) + b"/caf\xe9.jpg", "wb") as file:
        file.write(b"bad")
    view(tmp_path, "--html", tmp_path / "page.html", status=1)
    assert capsys.readouterr().err.count("caf") == 1
    assert (tmp_path / "page.html").read_text("utf-8").count("caf") == 1


def test_what_no_font_has_is_escaped() -> None:
    pieces = "".join(piece for _, piece in fonts._runs("a\U000f1234\n\udce9", 14))
    assert pieces == r"a\U000f1234\n\xe9"
    canvas = ImageDraw.Draw(Image.new("RGB", (400, 40), "white"))
    for text in HOSTILE:
        fonts.draw(canvas, (0, 0), text, 14, "black", 300)
        assert fonts._length(fonts._shortened(text * 20, 14, 300), 14) <= 300


def test_long_reasons_are_broken_between_words() -> None:
    words = [f"word{number}" for number in range(300)]
    found = fonts.lines(" ".join(words), 14, 400, 9)
    assert len(found) == 9
    assert " ".join(found).split() == words
    assert all(fonts._length(line, 14) <= 400 for line in found[:-1])
    assert len(fonts.lines("x" * 5000, 14, 400, 9)) == 9


def test_a_script_that_a_font_here_has_is_written() -> None:
    if not any("DejaVu" in path for path in fonts._files()):
        pytest.skip("DejaVu is not installed")
    for character in "Жωא":
        [(_, piece)] = fonts._runs(character, 14)
        assert piece == character


OPTIONS: list[dict[str, Any]] = [
    {},
    {"dtype": "uint8", "layout": "NHWC"},
    {"dtype": "bfloat16"},
    {"normalize": False, "rescale_factor": None, "profile": "hf-pil"},
    {"normalize": False},
    {"mean": [0, 0, 0], "std": [1, 2, 3], "dtype": "float16"},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_the_view_is_made_from_the_tensor(options: dict[str, Any]) -> None:
    image = drawn("RGB", 40, 40)
    pre = clipprep.Preprocess(40, **options)
    shown = Shown("a.png", saved(image, "PNG"))
    found = seen.see(pre, shown, pre(image))
    assert isinstance(found, seen.Seen)
    off = np.abs(np.asarray(found.view).astype(int) - np.asarray(image))
    assert off.max() <= (1 if "dtype" in options and options["dtype"] != "uint8" else 0)


@pytest.mark.parametrize(
    ("size", "options", "lost"),
    [
        ((64, 32), {}, 0.5),
        ((32, 32), {}, 0.0),
        ((64, 32), {"resize_mode": "longest"}, 0.0),
        ((64, 32), {"resize_mode": "squash"}, 0.0),
        ((16, 64), {"resize_mode": "none"}, 0.5),
    ],
)
def test_what_is_lost(size: tuple[int, int], options: dict[str, Any], lost: float) -> None:
    image = drawn("RGB", *size)
    pre = clipprep.Preprocess(32, **options)
    found = seen.see(pre, Shown("a.png", saved(image, "PNG")), pre(image))
    assert isinstance(found, seen.Seen)
    assert found.lost == pytest.approx(lost)
    assert min(found.box) >= 0
    assert max(found.box) <= seen.SIDE


def test_only_our_own_pictures_are_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cat = PHOTOS / "cat.jpg"
    for name in ("a.png", "b.jpg", "c.webp", "d.html"):
        option = "--html" if name.endswith("html") else "--out"
        out = tmp_path / name
        view(cat, option, out)
        view(cat, option, out)
        out.write_bytes(cat.read_bytes() if option == "--out" else b"<html>mine</html>")
        before = out.read_bytes()
        capsys.readouterr()
        view(cat, option, out, status=2)
        assert "--overwrite" in capsys.readouterr().err
        assert out.read_bytes() == before
        view(cat, option, out, "--overwrite")
        assert out.read_bytes() != before
    view(cat, "--out", tmp_path / "e.gif", status=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "a.png",
        "b.jpg",
        "c.webp",
        "d.html",
    ]


def test_run_checks_its_pictures_first(tmp_path: Path) -> None:
    (tmp_path / "mine.png").write_bytes((PHOTOS / "hubble.png").read_bytes())
    command = ["run", str(PHOTOS), "--model", "32", "--out", str(tmp_path / "t.npy")]
    with pytest.raises(SystemExit):
        cli.main([*command, "--contact-sheet", str(tmp_path / "mine.png")])
    assert [path.name for path in tmp_path.iterdir()] == ["mine.png"]
    pictures = ["--contact-sheet", str(tmp_path / "s.png"), "--html", str(tmp_path / "s.html")]
    assert cli.main([*command, *pictures, "--json"]) == 0
    assert (tmp_path / "s.html").exists()
    assert (tmp_path / "s.png").exists()


def test_json_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    view(PHOTOS / "cat.jpg", "--html", tmp_path / "p.html", "--json")
    assert json.loads(capsys.readouterr().out) == {
        "html": str(tmp_path / "p.html"), "found": 1, "shown": 1, "errors": 0,
    }  # fmt: skip
