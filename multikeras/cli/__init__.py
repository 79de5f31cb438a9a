"""The command line: `multikeras backends` and `multikeras quickstart`.

Reads the arguments and refuses bad ones with one line and exit status 2; the work is done in the
modules beside. Trains and opens models in child processes only, each on a backend of its own.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from multikeras.cli import backends, quickstart

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        argv: The arguments after the program's name; None means those of the process.

    Returns:
        The exit status: 0 for success, 1 if the command found something wrong, 130 if it was
        interrupted.

    Raises:
        SystemExit: with status 2 for arguments that are not understood, 0 for `--help`.

    Example:
        >>> from multikeras.cli import main
        >>> status = main(["backends"])  # doctest: +SKIP
    """
    args = _parser().parse_args(argv)
    try:
        return args.run(args)
    except KeyboardInterrupt:
        print("\nmultikeras: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="multikeras",
        description="One deep-learning API over NumPy, JAX, PyTorch and TensorFlow.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    listing = commands.add_parser(
        "backends",
        help="list the backends: installed or not, and which one is selected and why",
        description="Lists the backends without importing any framework. Exit status 1 if the "
        "selected one cannot be used.",
    )
    listing.set_defaults(run=lambda args: backends.show())

    start = commands.add_parser(
        "quickstart",
        help="train a small network on handwritten digits and open it on every backend",
        description="Trains a small convolutional network on the bundled handwritten digits on "
        "the NumPy backend, saves it, and opens the file on every installed backend.",
    )
    start.add_argument(
        "--epochs",
        type=_at_least(1),
        default=quickstart.EPOCHS,
        metavar="N",
        help="passes over the training images (default: %(default)s)",
    )
    start.add_argument(
        "--out",
        type=Path,
        default=Path("quickstart"),
        metavar="DIR",
        help="folder for the model and the training curve (default: %(default)s)",
    )
    start.add_argument(
        "--seed",
        type=_at_least(0),
        default=0,
        metavar="N",
        help="seed of the weights, the dropout and the shuffles (default: %(default)s)",
    )
    start.set_defaults(run=lambda args: quickstart.run(args.out, args.epochs, args.seed))
    return parser


def _at_least(minimum: int) -> Callable[[str], int]:
    """A type for argparse: an integer of `minimum` or more."""

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = minimum - 1
        if value < minimum:
            raise argparse.ArgumentTypeError(
                f"expected an integer of {minimum} or more, got {text!r}"
            )
        return value

    return parse
