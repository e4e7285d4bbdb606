"""``clipprep verify``: files through OpenAI's transform on the installed Pillow and through clipprep, bit for bit.

>>> from clipprep import Preprocess, verify
>>> item = verify.Item(open("cat.jpg", "rb").read(), "cat.jpg")  # doctest: +SKIP
>>> verify.check(item, preprocess=Preprocess(224, pillow="installed")).outcome  # doctest: +SKIP
'equal'
"""

from clipprep.verify.compare import (
    BOTH,
    CRASHED,
    DIFFER,
    EQUAL,
    FAILURES,
    MAX_PIXELS,
    OURS,
    OUTCOMES,
    SKIPPED,
    THEIRS,
    Verdict,
    check,
)
from clipprep.verify.files import MAX_BYTES, Item, find
from clipprep.verify.run import TIMEOUT, default_jobs, verify, with_progress
from clipprep.verify.transform import Transform

__all__ = [
    "BOTH",
    "CRASHED",
    "DIFFER",
    "EQUAL",
    "FAILURES",
    "MAX_BYTES",
    "MAX_PIXELS",
    "OURS",
    "OUTCOMES",
    "SKIPPED",
    "THEIRS",
    "TIMEOUT",
    "Item",
    "Transform",
    "Verdict",
    "check",
    "default_jobs",
    "find",
    "verify",
    "with_progress",
]
