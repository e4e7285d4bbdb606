"""A page for a browser, in one file, that sorts the images and shows what the crop loses."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from hashlib import sha256
from html import escape
from io import BytesIO
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from clipprep import Preprocess
from clipprep.sheets.picture import LEGEND
from clipprep.sheets.seen import MAX_IMAGES, SIDE, Seen, Shown, common_folder, reasons, see

#: How a page says whose it is, near its beginning.
GENERATOR = '<meta name="generator" content="clipprep">'

_STYLE = f"""
:root {{ color-scheme: light dark; --pale: #666; --box: #ff0040; --line: #8884; }}
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem; }}
h1 {{ font-size: 1.1rem; margin: 0; overflow-wrap: anywhere; }}
p, small {{ color: var(--pale); margin: .3rem 0; overflow-wrap: anywhere; }}
main {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, {2 * SIDE + 12}px), 1fr)); gap: 1.2rem; margin-top: 1rem; }}
article {{ border-top: 1px solid var(--line); padding-top: .6rem; min-width: 0; }}
h2 {{ font-size: 1rem; margin: .4rem 0 0; overflow-wrap: anywhere; unicode-bidi: isolate; }}
.pair {{ display: flex; flex-wrap: wrap; gap: 12px; }}
.source {{ position: relative; width: {SIDE}px; height: {SIDE}px; overflow: hidden; }}
.source > * {{ position: absolute; }}
.source .pale {{ opacity: .35; }}
.box {{ overflow: hidden; }}
.box::after {{ content: ""; position: absolute; inset: 0; border: 2px solid var(--box); }}
.box img {{ position: absolute; }}
.view {{ width: {SIDE}px; height: {SIDE}px; object-fit: contain; object-position: left top; }}
.why {{ box-sizing: border-box; width: 100%; min-height: {SIDE}px; padding: 12px; border: 1px solid var(--box); color: var(--box); overflow-wrap: anywhere; }}
nav button {{ font: inherit; margin-right: .4rem; }} nav button[aria-pressed=true] {{ font-weight: bold; }}
"""

_SCRIPT = """
const main = document.querySelector("main"), buttons = document.querySelectorAll("nav button");
const keys = {
  order: (a, b) => a.dataset.order - b.dataset.order,
  errors: (a, b) => b.dataset.bad - a.dataset.bad || a.dataset.order - b.dataset.order,
  lost: (a, b) => b.dataset.lost - a.dataset.lost || a.dataset.order - b.dataset.order,
  name: (a, b) => a.querySelector("h2").textContent.localeCompare(b.querySelector("h2").textContent),
};
for (const button of buttons) button.onclick = () => {
  for (const other of buttons) other.setAttribute("aria-pressed", other === button);
  main.append(...[...main.children].sort(keys[button.dataset.by]));
};
"""

_SORTS = {"errors": "errors first", "lost": "most cropped", "order": "as listed", "name": "by name"}


def page(
    preprocess: Preprocess,
    shown: Sequence[Shown],
    tensors: NDArray[Any],
    errors: Mapping[int, object],
    model: str = "",
) -> str:
    """The page's HTML, of the first `MAX_IMAGES` images; arguments as of `draw`. Bad images come first.

    All that comes from files is escaped, and the page may load nothing and run no script but its own.
    """
    shown = shown[:MAX_IMAGES]
    why = reasons(shown, {row: error for row, error in errors.items() if row < len(shown)})
    folder = common_folder(shown)
    cells: dict[int, str] = {}
    for row, one in enumerate(shown):
        seen = see(preprocess, one, tensors[row], why.get(row))
        if isinstance(seen, str):
            why[row] = seen
        name = one.name[len(folder) :]
        cells[row] = _bad(row, name, seen) if isinstance(seen, str) else _good(row, name, seen)
    ordered = sorted(cells, key=lambda row: (row not in why, row))
    script = base64.b64encode(sha256(_SCRIPT.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{script}'"
    )
    title = escape(_text(model or repr(preprocess)))
    counted = f"{len(shown)} images, {len(why)} bad" + (f", in {folder}" if folder else "")
    buttons = "".join(
        f'<button data-by="{by}" aria-pressed="{str(by == "errors").lower()}">{text}</button>'
        for by, text in _SORTS.items()
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">{GENERATOR}
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width"><title>{title}</title>
<style>{_STYLE}</style></head>
<body><h1>{title}</h1><p>{escape(_text(counted))}</p><p>{LEGEND}</p>
<nav aria-label="order">{buttons}</nav>
<main>{"".join(cells[row] for row in ordered)}</main>
<script>{_SCRIPT}</script></body></html>
"""


def _good(row: int, name: str, seen: Seen) -> str:
    (x, y), (left, top, right, bottom) = seen.at, seen.box
    source, view = _data(seen.source), _data(seen.view)
    return f"""<article data-order="{row}" data-bad="0" data-lost="{seen.lost:.4f}"><div class="pair">
<div class="source"><img class="pale" alt="" src="{source}" style="left:{x}px;top:{y}px">
<div class="box" style="left:{left}px;top:{top}px;width:{right - left}px;height:{bottom - top}px"><img alt="the source" src="{source}" style="left:{x - left}px;top:{y - top}px"></div></div>
<img class="view" alt="what the model sees" src="{view}"></div>
<h2>{escape(_text(name))}</h2><small>{escape(_text(seen.facts))}</small></article>
"""


def _bad(row: int, name: str, reason: str) -> str:
    return f"""<article data-order="{row}" data-bad="1" data-lost="-1"><div class="why">{escape(_text(reason))}</div>
<h2>{escape(_text(name))}</h2></article>
"""


def _text(text: str) -> str:
    """A text for HTML, with escapes for half characters and control characters."""
    text = text.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _data(image: Image.Image) -> str:
    encoded = BytesIO()
    image.convert("RGB").save(encoded, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(encoded.getvalue()).decode()
