"""Whole models and their weights to files and back.

A `.keras` file is Keras 3's: a zip of `metadata.json`, `config.json` and `model.weights.h5`,
which opens in both. Our own additions stand beside what Keras reads, never instead. A file is
written whole or not at all, and opening one runs no code from it. Refused: other extensions
than `.keras` and `.weights.h5`, and whatever `container`, `hdf5`, `serialization` and `weights`
refuse.
"""

from __future__ import annotations

import datetime
import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from multikeras import config as settings
from multikeras import registry
from multikeras.saving.atomic import Window, atomic_file
from multikeras.saving.container import CorruptFileError, ZipReader, ZipWriter, open_zip, parse_json
from multikeras.saving.hdf5 import Hdf5Reader, create_hdf5, open_hdf5
from multikeras.saving.walk import is_saveable
from multikeras.saving.weights import read_weights, write_weights
from multikeras.scopes import Allowance
from multikeras.serialization import (
    deserialize_keras_object,
    object_sharing,
    safe_mode_scope,
    serialize_keras_object,
)

# The format that is written: files of this version of Keras were compared with ours.
KERAS_VERSION = "3.15.1"
FORMAT_VERSION = 1
METADATA, CONFIG, WEIGHTS = "metadata.json", "config.json", "model.weights.h5"


def save_model(
    model: Any,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    zipped: bool | None = None,
    **kwargs: Any,
) -> None:
    """Write a model with its weights and the state of its training to a `.keras` file.

    The file opens on every backend, and in Keras 3. Until it is complete, an older file of
    that name stays as it was.

    Args:
        model: The model, built.
        filepath: A path that ends in `.keras`.
        overwrite: Whether an existing file may be replaced. Defaults to `True`.
        zipped: Only `None` and `True`: a `.keras` file is a zip.
        **kwargs: `include_optimizer=False` leaves out how the model was compiled and the
            optimizer's state.

    Raises:
        ValueError: for another extension, or a model that is not built.
        FileExistsError: if the file exists and `overwrite` is false.
        TypeError: if something in the model's config can't be written as data.

    Example:
        >>> import multikeras as keras, tempfile, os
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "model.keras")
        ...     keras.saving.save_model(model, path)
        ...     same = keras.saving.load_model(path)
        >>> bool((same.get_weights()[0] == model.get_weights()[0]).all())
        True
    """
    include_optimizer = _known_options("save_model", kwargs)
    _check_extension("save_model", filepath, ".keras")
    if zipped is False:
        raise ValueError("save_model: zipped=False is not supported; a .keras file is a zip.")
    _check_built("save_model", model)
    config = _config_of(model, include_optimizer)
    metadata = {
        "keras_version": KERAS_VERSION,
        "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
        "multikeras": {"format": FORMAT_VERSION, "backend": settings.backend()},
    }
    with atomic_file(filepath, overwrite) as file, ZipWriter(file) as archive:
        archive.add(METADATA, json.dumps(metadata))
        archive.add(CONFIG, json.dumps(config))
        with archive.open(WEIGHTS) as window, create_hdf5(window) as h5:
            write_weights(model, h5, with_optimizer=include_optimizer)


def _config_of(model: Any, include_optimizer: bool) -> dict[str, Any]:
    with object_sharing():
        config = serialize_keras_object(model)
    if not include_optimizer:
        config.pop("compile_config", None)
    return config


def _known_options(who: str, kwargs: dict[str, Any]) -> bool:
    include_optimizer = bool(kwargs.pop("include_optimizer", True))
    save_format = kwargs.pop("save_format", None)
    if save_format not in (None, "keras"):
        raise ValueError(f"{who}: save_format must be 'keras' (or left out); got {save_format!r}.")
    if kwargs:
        raise TypeError(f"{who} got unknown arguments {sorted(kwargs)}.")
    return include_optimizer


def _check_extension(who: str, filepath: Any, *extensions: str) -> None:
    try:
        name = os.fspath(filepath)
    except TypeError:
        raise TypeError(f"{who}: `filepath` must be a path; got {filepath!r}.") from None
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    if not name.endswith(extensions):
        wanted = " or ".join(map(repr, extensions))
        raise ValueError(f"{who}: `filepath` must end in {wanted}; got {name!r}.")


def _check_built(who: str, model: Any) -> None:
    if not is_saveable(model):
        raise TypeError(f"{who} expects a model; got {model!r} of type {type(model).__name__}.")
    if not getattr(model, "built", True):
        raise ValueError(
            f"{who}: {type(model).__name__} {getattr(model, 'name', '')!r} has not been built, "
            "so it has no weights to save. Call it on data, or build(input_shape), first."
        )


def load_model(
    filepath: str | os.PathLike[str],
    custom_objects: Mapping[str, Any] | None = None,
    compile: bool = True,
    safe_mode: bool = True,
) -> Any:
    """Read a model that `save_model`, `model.save` or Keras 3 wrote.

    Args:
        filepath: The `.keras` file.
        custom_objects: `{name: class or function}` for what the model uses beyond the library
            and beyond what `register_keras_serializable` has declared.
        compile: Whether to compile the model as it was, with the optimizer's state and the
            order in which `fit` shuffles, so that training goes on as if it had never stopped.
            Defaults to `True`.
        safe_mode: Whether objects must distrust the file (see `in_safe_mode`). Defaults to
            `True`. Bytecode in a file is refused either way.

    Returns:
        The model. If the file's random state was written by another version of the random
        algorithm, a warning says so and the model starts with random state of its own.

    Raises:
        FileNotFoundError: if there is no such file.
        CorruptFileError: (a `ValueError`) if the file is damaged or is no such file.
        UnknownObjectError: (a `ValueError`) if it names a class or function nobody declared.
        WeightsMismatchError: (a `ValueError`) if its weights don't fit its config.

    Example:
        >>> import multikeras as keras
        >>> keras.saving.load_model("no_such_file.keras")
        Traceback (most recent call last):
        ...
        FileNotFoundError: There is no file 'no_such_file.keras'.
    """
    path = _existing("load_model", filepath, ".keras")
    with open_zip(path) as archive:
        config = archive.read_json(CONFIG)
        _note_newer(archive)
        if not compile:
            config = _without_compilation(config)
        with archive.open(WEIGHTS) as file, open_hdf5(file, path) as reader:
            # An optimizer may add a few slots for each weight that the file has no values for.
            limit = 4 * reader.total_bytes + 64 * 2**20
            with object_sharing(), safe_mode_scope(safe_mode), Allowance(limit, repr(path)):
                model = deserialize_keras_object(config, custom_objects=custom_objects)
            if not is_saveable(model):
                raise CorruptFileError(f"{path!r} is refused: its {CONFIG} describes no model.")
            with registry.CustomObjectScope(custom_objects):
                read_weights(model, reader, with_optimizer=compile)
    return model


def _note_newer(archive: ZipReader) -> None:
    if METADATA not in archive:
        return
    metadata = archive.read_json(METADATA)
    own = metadata.get("multikeras") if isinstance(metadata, dict) else None
    written = own.get("format") if isinstance(own, dict) else None
    if isinstance(written, int) and written > FORMAT_VERSION:
        warnings.warn(
            f"{archive.path!r} was written by a newer version (file format {written}; this one "
            f"knows {FORMAT_VERSION}). What is new in it is passed over.",
            stacklevel=3,
        )


def _without_compilation(config: Any) -> Any:
    """The config with nothing about compiling, in nested models neither."""
    if isinstance(config, dict):
        drop = "compile_config" if "class_name" in config else None
        return {k: _without_compilation(v) for k, v in config.items() if k != drop}
    if isinstance(config, list):
        return [_without_compilation(item) for item in config]
    return config


def _existing(who: str, filepath: Any, *extensions: str) -> str:
    _check_extension(who, filepath, *extensions)
    path = str(Path(os.fsdecode(os.fspath(filepath))))
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no file {path!r}.")
    if os.path.isdir(path):
        raise IsADirectoryError(f"{who}: {path!r} is a folder, not a file.")
    return path


def save_weights(
    model: Any,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    max_shard_size: float | None = None,
    **kwargs: Any,
) -> None:
    """Write the weights of a model, and the state of its optimizer, to a `.weights.h5` file.

    Args:
        model: The model (or layer), built.
        filepath: A path that ends in `.weights.h5`.
        overwrite: Whether an existing file may be replaced. Defaults to `True`.
        max_shard_size: Not supported yet; leave it `None`.

    Raises:
        ValueError: for another extension, or a model that is not built.
        FileExistsError: if the file exists and `overwrite` is false.
    """
    if kwargs:
        raise TypeError(f"save_weights got unknown arguments {sorted(kwargs)}.")
    if max_shard_size is not None:
        raise ValueError("save_weights: max_shard_size is not supported; leave it None.")
    _check_extension("save_weights", filepath, ".weights.h5")
    _check_built("save_weights", model)
    with atomic_file(filepath, overwrite) as file:
        with create_hdf5(Window(file, 0)) as h5:
            write_weights(model, h5)


def load_weights(
    model: Any, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **kwargs: Any
) -> None:
    """Give a model the weights of a `.weights.h5` or `.keras` file.

    Either every variable finds its value and every value its variable, or nothing is changed.
    A file without the state of an optimizer leaves the optimizer as it is; a model without an
    optimizer passes over the state in the file.

    Args:
        model: The model (or layer), built.
        filepath: The file.
        skip_mismatch: Load the layers that fit and warn about the others. Defaults to `False`.

    Raises:
        FileNotFoundError: if there is no such file.
        CorruptFileError: (a `ValueError`) if the file is damaged.
        WeightsMismatchError: (a `ValueError`) if the file doesn't fit, listing both sides.
    """
    if kwargs:
        raise TypeError(f"load_weights got unknown arguments {sorted(kwargs)}.")
    path = _existing("load_weights", filepath, ".weights.h5", ".keras")
    with _open_weights(path) as reader:
        read_weights(model, reader, skip_mismatch=skip_mismatch)


@contextmanager
def _open_weights(path: str) -> Iterator[Hdf5Reader]:
    if path.endswith(".keras"):
        with open_zip(path) as archive, archive.open(WEIGHTS) as file:
            with open_hdf5(file, path) as reader:
                yield reader
    else:
        with open(path, "rb") as file, open_hdf5(file, path) as reader:
            yield reader


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Make a model, with new weights, from what `model.to_json()` gave.

    Args:
        json_string: The text.
        custom_objects: As in `load_model`.

    Raises:
        CorruptFileError: (a `ValueError`) if it is no JSON.
        UnknownObjectError: (a `ValueError`) if it names a class or function nobody declared.

    Example:
        >>> import multikeras as keras
        >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        >>> keras.models.model_from_json(model.to_json()).count_params()
        3
    """
    if not isinstance(json_string, str):
        raise TypeError(f"model_from_json expects a string; got {json_string!r}.")
    config = parse_json(json_string.encode(), "the string given to model_from_json")
    return deserialize_keras_object(config, custom_objects=custom_objects)


def model_from_yaml(yaml_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Refused: reading YAML can run code. Use `model_from_json`.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(
        "model_from_yaml is not available: reading YAML poses a security risk, as it can run code. "
        "Use Model.to_json() and models.model_from_json()."
    )
