"""`python -m multikeras`: the same command line as `multikeras`.

Python imports the package before this file, so the selected backend must be installed; the
`multikeras` script works without it.
"""

import sys

from multikeras.cli import main

if __name__ == "__main__":
    sys.exit(main())
