"""Which format a path and `save_format` mean, what lies under a path, and who may replace it.

Refused: unknown formats, a path that contradicts its format, and arguments of another format.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

FORMATS = ("keras", "h5", "tf")
_HDF5 = (".h5", ".hdf5")
KERAS_WEIGHTS = ".weights.h5"
SHARDED_WEIGHTS = ".weights.json"
# What stands inside of a SavedModel that we write: the whole model, for every backend.
INNER_MODEL = os.path.join("assets.extra", "model.keras")
_SIGNATURES = {b"PK\x03\x04": "keras", b"PK\x05\x06": "keras", b"\x89HDF": "h5"}


def path_text(who: str, filepath: Any) -> str:
    """A path as text.

    Raises:
        TypeError: if it is no path.
    """
    try:
        name = os.fspath(filepath)
    except TypeError:
        raise TypeError(f"{who}: `filepath` must be a path; got {filepath!r}.") from None
    return os.fsdecode(name)


def _given(who: str, save_format: Any) -> str | None:
    if save_format is None:
        return None
    known = {"keras": "keras", "h5": "h5", "hdf5": "h5", "tf": "tf", "tensorflow": "tf"}
    name = str(save_format).lower()
    if name not in known:
        raise ValueError(
            f"{who}: save_format must be 'keras', 'h5' or 'tf' (or left out); got {save_format!r}."
        )
    return known[name]


def model_format(who: str, path: str, save_format: Any) -> str:
    """In which format a whole model is written: "keras", "h5" or "tf".

    Raises:
        ValueError: for an unknown format or extension.
    """
    given = _given(who, save_format)
    if given == "keras" and not path.endswith(".keras"):
        raise ValueError(f"{who}: `filepath` must end in '.keras'; got {path!r}.")
    if given is not None:
        return given
    if path.endswith(".keras"):
        return "keras"
    if path.endswith(_HDF5):
        return "h5"
    if not Path(path).suffix:
        return "tf"
    raise ValueError(
        f"{who}: `filepath` must end in '.keras' (or '.h5', the older format); got {path!r}."
    )


def weights_format(who: str, path: str, save_format: Any) -> str:
    """In which format weights are written: "keras", "sharded", "h5" or "tf".

    Raises:
        ValueError: for an unknown format.
    """
    given = _given(who, save_format)
    if given == "keras" and not path.endswith(KERAS_WEIGHTS):
        raise ValueError(f"{who}: `filepath` must end in '{KERAS_WEIGHTS}'; got {path!r}.")
    if given is not None:
        return given
    if path.endswith(KERAS_WEIGHTS):
        return "keras"
    if path.endswith(SHARDED_WEIGHTS):
        return "sharded"
    return "h5" if path.endswith((*_HDF5, ".keras")) else "tf"


def sharded_path(who: str, path: str) -> str:
    """The path of the list of shards, for a path of weights.

    Raises:
        ValueError: for another path.
    """
    if path.endswith(SHARDED_WEIGHTS):
        return path
    if not path.endswith(KERAS_WEIGHTS):
        raise ValueError(
            f"{who}: with max_shard_size, `filepath` must end in '{SHARDED_WEIGHTS}'; got {path!r}."
        )
    new = path.removesuffix(KERAS_WEIGHTS) + SHARDED_WEIGHTS
    warnings.warn(
        f"{who}: weights in several files are listed in a '{SHARDED_WEIGHTS}' file: {new!r} is "
        f"written instead of {path!r}.",
        stacklevel=4,
    )
    return new


def found_format(who: str, path: str) -> str:
    """What lies under a path, by its first bytes: "keras", "h5", "sharded", "tf", "folder".

    Raises:
        FileNotFoundError: if there is nothing.
        ValueError: if there is nothing and models have other extensions.
    """
    if os.path.isdir(path):
        return "folder"
    if os.path.exists(path):
        if path.endswith(SHARDED_WEIGHTS):
            return "sharded"
        with open(path, "rb") as file:
            found = _SIGNATURES.get(file.read(4))
        # A damaged file is what its name says; its reader tells what is wrong.
        return found or ("keras" if path.endswith(".keras") else "h5")
    if os.path.exists(f"{path}.index"):
        return "tf"
    if who == "load_model" and Path(path).suffix not in ("", ".keras", *_HDF5):
        raise ValueError(f"{who}: `filepath` must end in '.keras' or '.h5'; got {path!r}.")
    raise FileNotFoundError(f"There is no file {path!r}.")


def may_write(path: str, overwrite: bool) -> bool:
    """Whether a path may be written: asks at the terminal if something is there.

    Args:
        path: where something is to be written.
        overwrite: whether an older file is replaced without a question.

    Returns:
        False if somebody at the terminal said no.

    Raises:
        FileExistsError: if nobody can be asked.
    """
    if overwrite or not (os.path.exists(path) or os.path.exists(f"{path}.index")):
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        raise FileExistsError(
            f"The file {path!r} exists already. Pass overwrite=True to replace it."
        )
    answer = ""
    while answer not in ("y", "n"):
        try:
            answer = input(f"{path!r} exists already. Replace it? [y/n] ").strip().lower()
        except EOFError:
            answer = "n"
    if answer == "n":
        print(f"{path!r} was left as it is; nothing was saved.")
    return answer == "y"


def only_of_tf(who: str, chosen: str, **arguments: Any) -> None:
    """Raises ValueError for arguments that only the format "tf" has."""
    given = [name for name, value in arguments.items() if value is not None]
    if given and chosen != "tf":
        raise ValueError(f"{who}: {', '.join(given)} can only be given with save_format='tf'.")
