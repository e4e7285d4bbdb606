"""Record what Pillow on 64-bit ARM makes of images of 16 and 32 bits a sample, for tests/pil/test_arm.py.

Run it on such a machine: `python tests/data/make_arm_resize.py` writes `arm_resize.json`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import PIL

sys.path.insert(0, str(Path(__file__).parent.parent))
from support.arm import CASES, FILTERS, image


def main() -> None:
    digests = {}
    for name, (mode, source, filter_name, size) in CASES.items():
        resized = image(mode, source).resize((size, size), FILTERS[filter_name])
        digests[name] = hashlib.sha256(resized.convert("RGB").tobytes()).hexdigest()[:16]
    found = {"pillow": PIL.__version__, "digests": digests}
    Path(__file__).with_name("arm_resize.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
