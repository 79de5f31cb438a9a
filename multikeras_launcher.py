"""The `multikeras` command, kept outside the package on purpose.

Importing any part of `multikeras` loads the selected framework. `multikeras backends` must answer
without that, and most of all when the selected framework is missing or its name is misspelt. So
the package is imported here on the NumPy backend, and the user's choice is put back for the
command to look at. Refuses nothing by itself: the command line is read by `multikeras.cli`.
"""

import os
import sys

_CHOICE = "MULTIKERAS_BACKEND"


def main() -> int:
    """Runs the command line of `multikeras` and returns its exit status."""
    chosen = os.environ.get(_CHOICE)
    os.environ[_CHOICE] = "numpy"
    try:
        from multikeras import cli
    except (ImportError, ValueError) as error:  # such as a config file that is not JSON
        print(f"multikeras: {error}", file=sys.stderr)
        return 2
    finally:
        if chosen is None:
            del os.environ[_CHOICE]
        else:
            os.environ[_CHOICE] = chosen
    return cli.main()


if __name__ == "__main__":
    sys.exit(main())
