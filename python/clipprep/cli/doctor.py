"""``clipprep doctor``: what this machine and this build can do, and what slows them down."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from PIL import features

import clipprep
from clipprep import _helper
from clipprep.cli import _arguments
from clipprep.cli.names import say, warn

#: Packages that are used where they are installed: what each brings, and how it is installed with clipprep.
OPTIONAL = {
    "tqdm": ("a progress bar", "clipprep[cli]"),
    "pyarrow": ("Parquet and Arrow files", "clipprep[cli]"),
    "argcomplete": ("shell completion", "clipprep[cli]"),
    "fsspec": ("addresses such as s3:// and https://", "clipprep[remote]"),
    "huggingface_hub": ("models of the Hub by name", "clipprep[hub]"),
    "pillow-heif": ("HEIC", "clipprep[plugins]"),
    "pillow-jxl-plugin": ("JPEG XL", "clipprep[plugins]"),
    "torch": ("clipprep.torch and clipprep.openai", "clipprep[torch]"),
    "torchvision": ("what verify and bench compare with it", "torchvision"),
    "transformers": ("clipprep.transformers", "clipprep[transformers]"),
    "ray": ("clipprep.ray", "clipprep[ray]"),
}
DESCRIPTION = """\
Say what this build and this machine can do: instruction sets, SIMD in the JPEG
decoder, versions, and how many threads a batch gets (under a quota fewer than the
cores allowed). The exit status is 1 when something makes it slower or other than
it has to be.
"""


def add(commands: Any) -> None:
    """The command and its arguments."""
    parser = _arguments.command(
        commands, "doctor", call, summary="say what this build can do", description=DESCRIPTION
    )
    _arguments.add_json(parser)


def call(args: argparse.Namespace) -> int:
    """Run the command."""
    found = examine()
    advice = advise(found)
    if args.json:
        _arguments.print_json({**found, "advice": advice, "missing": missing(found)})
        return int(bool(advice))
    for name, value in found.items():
        text = ", ".join(value) if isinstance(value, list) else "-" if value is None else value
        say(f"{name.replace('_', ' '):<18} {text}")
    for line in missing(found):
        say(line)
    for line in advice:
        warn(f"! {line}")
    say(f"{len(advice)} to correct, see above" if advice else "Nothing to correct.")
    return int(bool(advice))


def missing(found: dict[str, Any]) -> list[str]:
    """Packages that are missing: a line for each command that installs some, with their use."""
    wanted: dict[str, list[str]] = {}
    for package, (what, extra) in OPTIONAL.items():
        if found[package] is None:
            wanted.setdefault(extra, []).append(what)
    return [f"pip install '{extra}' for {', '.join(what)}" for extra, what in wanted.items()]


def examine() -> dict[str, Any]:
    """Everything that is worth knowing, by name."""
    info = clipprep.build_info()
    bounds, no_helper = _helper.examine()
    return {
        "clipprep": info["version"],
        "build": f"{info['target']}, {info['profile']}",
        "simd": info["simd"],
        "simd_supported": info["simd_supported"],
        "jpeg_simd": info["jpeg_simd"],
        "threads": info["threads"],
        "cores": os.cpu_count(),
        "cores_allowed": _allowed(),
        "python": f"{platform.python_version()}, GIL {'on' if _gil() else 'off'}",
        "numpy": version("numpy"),
        "pillow": version("pillow"),
        "pillow_jpeg": _pillow_jpeg(),
        "fallback": _helper.usual(),
        "helper_bounds": bounds,
        "no_helper": no_helper or None,
        **{name: _version(name) for name in OPTIONAL},
    }


def advise(found: dict[str, Any]) -> list[str]:
    """Things to mend."""
    advice = []
    if not found["jpeg_simd"]:
        advice.append("JPEG decoding is slow: build with nasm installed, or install a wheel")
    if found["simd"] != found["simd_supported"][-1]:
        forced = os.environ.get("CLIPPREP_SIMD")
        advice.append(
            f"slower kernels are forced: take CLIPPREP_SIMD={forced} out of the environment"
        )
    if found["build"].endswith("debug"):
        advice.append("this is a debug build: build with --release")
    if found["no_helper"]:
        advice.append(
            "files that are left to Pillow are decoded in this process, where a crash ends it, since no helper"
            f" can be started: found {found['no_helper']}"
            if found["fallback"] == "inline"
            else "files that are left to Pillow are refused, since no helper can be started:"
            f" found {found['no_helper']}; use --fallback inline"
        )
    if "libjpeg-turbo" not in found["pillow_jpeg"]:
        advice.append(
            "this Pillow decodes JPEG with another library, and so to other pixels: install Pillow's wheel"
        )
    return advice


def _allowed() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _gil() -> bool:
    enabled = getattr(sys, "_is_gil_enabled", None)
    return True if enabled is None else bool(enabled())


def _pillow_jpeg() -> str:
    turbo = features.version_feature("libjpeg_turbo")
    return f"libjpeg-turbo {turbo}" if turbo else f"libjpeg {features.version_codec('jpg')}"


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
