"""Write what the tables of options decide: signatures, docstrings, the stub, docs/options.md.

The options are declared in src/python/options/table.rs, the bounds of `Limits` in src/limits.rs. This reads them from
the built core and writes each part between its marking lines; with --check it only says whether a file would change.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import written

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "python" / "clipprep"
Row = dict[str, Any]

INTRODUCTION = """\
# Options

<!-- Written by scripts/options.py from the tables in src/python/options/table.rs and src/limits.rs. -->

`clipprep.Preprocess(model, ...)` takes these options by keyword, and the object has each as an attribute. `model` is a name: one of `clipprep.available_models()` or another one
of the Hub; or it is the side of the output in pixels, or its (height, width). With a name of open_clip, `pretrained` is the tag of its weights.
A name sets the options that are not given. On the command line, each option is a flag of `run`, `view`, `explain` and `bench`.
Options marked with * also work with `from_hf`, `from_open_clip` and `from_timm`; there the config sets the others.
"""


def main() -> int:
    """Write the parts, or check them."""
    check = written.parser(__doc__).parse_args().check
    core = load_core()
    options, limits = core.describe_options(), core.describe_limits()
    stub = PACKAGE / "_core.pyi"
    documented = functions(part(stub, "options", attributes(options)), core)
    files = {stub: formatted(stub, documented), ROOT / "docs" / "options.md": page(options, limits)}
    for name, marked, content in (
        ("limits.py", "limits", bounds(limits)),
        ("_preprocess.py", "options", constructor(options)),
        ("_typing.py", "options", keywords(options)),
    ):
        path = PACKAGE / name
        files[path] = formatted(path, part(path, marked, content))
    return written.write(files, check=check)


def load_core() -> Any:
    """The compiled core without the package, which may not be importable before this has run."""
    package = importlib.util.find_spec("clipprep")
    assert package is not None
    assert package.submodule_search_locations is not None
    (path,) = Path(package.submodule_search_locations[0]).glob("_core*.so")
    spec = importlib.util.spec_from_file_location("_core", path)
    assert spec is not None
    assert spec.loader is not None
    core = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(core)
    return core


def part(path: Path, name: str, content: str) -> str:
    """The text of a file with `content` between its marking lines."""
    mark, close = ("# ", "") if path.suffix in (".py", ".pyi") else ("<!-- ", " -->")
    begin, end = f"{mark}[{name}]", f"{mark}[/{name}]"
    before, found, rest = path.read_text().partition(begin)
    indent = before[before.rfind("\n") + 1 :]
    _, found_end, after = rest.partition(f"{indent}{end}")
    if not found or not found_end:
        raise SystemExit(f"expected lines with {begin!r} and {end!r} in {path}, found none")
    line = f"{begin} scripts/options.py writes this from the core's table{close}\n"
    end = f"{indent}{end}"
    return f"{before}{line}{textwrap.indent(content, indent)}{end}{after}"


def formatted(path: Path, text: str) -> str:
    """A Python file as the linter wants it."""
    ruff = str(Path(sys.executable).with_name("ruff"))
    command = [ruff, "format", "--quiet", "--stdin-filename", str(path), "-"]
    return subprocess.run(command, input=text, capture_output=True, check=True, text=True).stdout


def constructor(options: list[Row]) -> str:
    """`__init__` of `Preprocess`: `__new__` of the core does the work."""
    parameters = "".join(
        f"    {o['name']}: {o['annotation']} = {o['default']!r},\n" for o in options
    )
    arguments = "".join(entry(o["name"], o["doc"], o["choices"], width=100 - 12) for o in options)
    return f'''\
def __init__(
    self,
    model: str | int | Sequence[int] | object,
    *,
    pretrained: str | None = None,
{parameters}) -> None:
    """Prepare a model's preprocessing.

    Args:
        model: One of `available_models()`, another name of the Hub, the side of the output in pixels, or its
            (height, width). A name decides the options that are not given, and so does an object: an image
            processor of transformers, a model of open_clip or timm, a `Compose` of torchvision.
        pretrained: The tag of the weights, beside a name of open_clip.
{textwrap.indent(arguments, " " * 8)}
    Raises:
        TypeError: An option is unknown, or its value is of the wrong type.
        ValueError: A model, a name or a value is unknown, or options do not go together.
        OSError: The config of a model of the Hub is neither in the cache nor can be downloaded.

    Example:
        >>> Preprocess("ViT-L/14@336px").size
        336
        >>> Preprocess("ViT-L-14", pretrained="laion2b_s32b_b82k").mean
        (0.5, 0.5, 0.5)
        >>> Preprocess(224, interpolation="bilinear", dtype="float16")
        Preprocess(224, interpolation='bilinear', dtype='float16')
    """
'''


def entry(name: str, doc: str, choices: dict[str, str], width: int) -> str:
    """An option in the list of a docstring, its choices as a list below it."""
    lines = wrapped(f"{name}: {doc}", width)
    if choices:
        lines.append("")  # Markdown has it before a list
    for choice, meaning in choices.items():
        lines += wrapped(f'- "{choice}": {meaning}', width, indent=2)
    return "\n    ".join(lines) + "\n"


def wrapped(text: str, width: int, indent: int = 0) -> list[str]:
    """Lines of a docstring."""
    return textwrap.wrap(
        " ".join(text.split()),
        width,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def attributes(options: list[Row]) -> str:
    """The attributes in the stub."""
    return "".join(
        f'@property\ndef {o["name"]}(self) -> {o["shown"]}:\n    """{summary(o)}."""\n'
        for o in options
    )


def functions(stub: str, core: Any) -> str:
    """The stub with the core's docstrings in its functions."""
    lines = stub.splitlines()
    for node in reversed(ast.parse(stub).body):
        if isinstance(node, ast.FunctionDef):
            doc = " ".join(getattr(core, node.name).__doc__.split())
            node.body = [ast.Expr(ast.Constant(doc))]
            lines[node.lineno - 1 : node.end_lineno] = [ast.unparse(node)]
    return "\n".join(lines) + "\n"


def keywords(options: list[Row]) -> str:
    """The options as types of `**options`: those that a config leaves to the caller, and all."""

    def fields(of_config: bool) -> str:
        return "".join(
            f'    {o["name"]}: {o["annotation"]}\n    """{summary(o)}."""\n'
            for o in options
            if o["beside_config"] == of_config
        )

    return f'''\
class ConfigOptions(TypedDict, total=False):
    """The options of `Preprocess` that a model's config leaves to the caller."""

{fields(True)}

class Options(ConfigOptions, total=False):
    """All options of `Preprocess`."""

{fields(False)}'''


def summary(row: Row) -> str:
    """The first sentence of what an option does."""
    return " ".join(row["doc"].split()).partition(". ")[0].removesuffix(".")


def number(default: int | None, separator: str) -> str:
    """The default of a bound."""
    return "None" if default is None else f"{default:{separator}}"


def bounds(limits: list[Row]) -> str:
    """Docstring and fields of `Limits`."""
    entries = "".join(entry(row["name"], row["doc"], {}, width=100 - 12) for row in limits)
    fields = "".join(
        f"{row['name']}: {row['annotation']} = {number(row['default'], '_')}\n" for row in limits
    )
    return f'''\
"""Upper bounds on the cost of one image; None lifts a bound.

They are checked before the work, as soon as a file's header tells. An image beyond one raises
`LimitError`.

Attributes:
{textwrap.indent(entries, "    ")}
Raises:
    TypeError: A bound is no whole number.
    ValueError: A bound is negative, or too large for 64 bits.

Example:
    >>> Limits(max_pixels=10_000_000).max_bytes
    1073741824
"""

{fields}'''


def page(options: list[Row], limits: list[Row]) -> str:
    """docs/options.md."""
    lines = [INTRODUCTION, "| option | default | type | command line |", "|---|---|---|---|"]
    for row in options:
        star = " *" if row["beside_config"] else ""
        # No bar is in a table's code: GitHub and the site read an escaped one differently.
        kind = " or ".join(f"`{one}`" for one in row["annotation"].split(" | "))
        link = f"[`{row['name']}`](#{row['name']}){star}"
        lines.append(f"| {link} | `{default(row)}` | {kind} | {flag(row)} |")
    for row in options:
        lines += ["", f"## {row['name']}", "", " ".join(row["doc"].split())]
        if row["choices"]:
            lines.append("")
        lines += [f'- `"{name}"`: {meaning}' for name, meaning in row["choices"].items()]
        if row["name"] == "limits":
            lines += ["", "| bound | default | counts | command line |", "|---|---|---|---|"]
            for bound in limits:
                text = " ".join(bound["doc"].split())
                lines.append(
                    f"| `{bound['name']}` | {number(bound['default'], ',')} | {text} | {flag(bound)} |"
                )
    return "\n".join(lines) + "\n"


def default(row: Row) -> str:
    """The default as code."""
    return json.dumps(row["default"]) if isinstance(row["default"], str) else repr(row["default"])


def flag(row: Row) -> str:
    """The flag of an option, as `clipprep.cli` has it."""
    from clipprep.cli import _options

    return ", ".join(f"`{usage}`" for usage in _options.usages(row))


if __name__ == "__main__":
    sys.exit(main())
