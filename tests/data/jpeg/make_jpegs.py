"""Makes the files of this folder with jpegtran (Debian: libjpeg-turbo-progs): python make_jpegs.py

Each is a lossless rearrangement of a JPEG that Pillow wrote from a formula.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))

from PIL import Image  # noqa: E402

from support.pictures import picture  # noqa: E402
from support.writers import saved  # noqa: E402

ONE_BY_ONE = "0;\n1;\n2;\n"
DC_ONLY = "0,1,2: 0-0, 0, 0;\n"
DC_COARSE = "0,1,2: 0-0, 0, 3;\n"
LUMA_FIRST = "0,1,2: 0-0, 0, 0;\n0: 1-63, 0, 0;\n"
SOME_BITS = "0,1,2: 0-0, 0, 1;\n0: 1-5, 0, 2;\n2: 1-63, 0, 1;\n1: 1-63, 0, 1;\n0: 6-63, 0, 2;\n"
GREY_DC = "0: 0-0, 0, 0;\n"
GREY_LOW = "0: 0-0, 0, 0;\n0: 1-9, 0, 0;\n"
FOUR_BY_ONE = "0;\n1;\n2;\n3;\n"

#: name: (mode, size, sampling, jpegtran's arguments, scan script)
FILES = {
    "arithmetic": ("RGB", (97, 150), "4:2:0", ["-arithmetic"], None),
    "arithmetic-grey": ("L", (150, 61), "4:4:4", ["-arithmetic"], None),
    "arithmetic-progressive": ("RGB", (150, 61), "4:2:2", ["-arithmetic", "-progressive"], None),
    "arithmetic-restarts": ("RGB", (150, 61), "4:2:0", ["-arithmetic", "-restart", "3B"], None),
    "one-by-one-420": ("RGB", (203, 61), "4:2:0", [], ONE_BY_ONE),
    "one-by-one-422": ("RGB", (61, 203), "4:2:2", [], ONE_BY_ONE),
    "one-by-one-444": ("RGB", (203, 61), "4:4:4", ["-restart", "1"], ONE_BY_ONE),
    "one-by-one-cmyk": ("CMYK", (150, 61), "4:4:4", [], FOUR_BY_ONE),
    "pair-and-one": ("RGB", (150, 61), "4:2:0", [], "0,1;\n2;\n"),
    "dc-only-420": ("RGB", (203, 90), "4:2:0", [], DC_ONLY),
    "dc-only-444": ("RGB", (90, 203), "4:4:4", [], DC_ONLY),
    "dc-coarse": ("RGB", (150, 61), "4:2:0", [], DC_COARSE),
    "luma-first": ("RGB", (150, 61), "4:2:0", [], LUMA_FIRST),
    "some-bits": ("RGB", (61, 150), "4:2:0", [], SOME_BITS),
    "grey-dc-only": ("L", (150, 61), "4:4:4", [], GREY_DC),
    "grey-low": ("L", (150, 61), "4:4:4", [], GREY_LOW),
    "wide-dc-only": ("RGB", (900, 70), "4:2:0", [], DC_ONLY),
    "sequential-restarts": ("RGB", (117, 83), "4:2:0", ["-restart", "3B"], None),
    "sequential-optimised-grey": ("L", (83, 117), "4:4:4", ["-optimize"], None),
    "sequential-cmyk": ("CMYK", (117, 83), "4:4:4", [], None),
    "sequential-422": ("RGB", (117, 83), "4:2:2", ["-optimize"], None),
    "tall-some-bits": ("RGB", (70, 900), "4:2:0", [], SOME_BITS),
}


def main() -> None:
    # Few bits a block, and more blocks than are read at once.
    Image.new("L", (800, 1208), 97).save(HERE / "sequential-flat.jpg", quality=75)
    for name, (mode, size, sampling, arguments, script) in FILES.items():
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "source.jpg"
            source.write_bytes(
                saved(
                    picture(mode, *size, seed=len(name)), "JPEG", subsampling=sampling, quality=70
                )
            )
            if script:
                scans = Path(folder) / "scans.txt"
                scans.write_text(script)
                arguments = [*arguments, "-scans", str(scans)]
            done = subprocess.run(
                ["jpegtran", *arguments, str(source)], check=True, capture_output=True
            )
            (HERE / f"{name}.jpg").write_bytes(done.stdout)


if __name__ == "__main__":
    main()
