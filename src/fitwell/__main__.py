"""`python -m fitwell`: the command line."""

import sys

from fitwell.cli import main

if __name__ == "__main__":
    sys.exit(main())
