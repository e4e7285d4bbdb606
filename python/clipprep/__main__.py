"""``python -m clipprep``: the command line."""

import sys

from clipprep.cli import main

if __name__ == "__main__":
    sys.exit(main())
