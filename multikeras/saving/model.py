"""Whole models and their weights to files and back.

A `.keras` file is Keras 3's: a zip of `metadata.json`, `config.json` and `model.weights.h5`,
which opens in both. Our own additions stand beside what Keras reads, never instead. A file is
written whole or not at all, and opening one runs no code from it. The other formats stand in
modules of their own: `.h5` of tf.keras 2 (`legacy_hdf5`) and SavedModels (`saved_model`).
Refused: unknown extensions, and whatever `formats`, `container`, `hdf5`, `serialization` and
`weights` refuse.
"""

from __future__ import annotations

import datetime
import json
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from multikeras import config as settings
from multikeras import registry
from multikeras.saving import formats, orbax
from multikeras.saving.atomic import Window, atomic_file
from multikeras.saving.container import CorruptFileError, ZipReader, ZipWriter, open_zip, parse_json
from multikeras.saving.hdf5 import Arrays, Hdf5Reader, create_hdf5, open_hdf5
from multikeras.saving.legacy_config import modern_model_config, warn_of_changed_functions
from multikeras.saving.legacy_hdf5 import (
    is_legacy,
    read_legacy_model,
    read_legacy_weights,
    write_legacy_model,
    write_legacy_weights,
)
from multikeras.saving.legacy_keras import Keras2Arrays, is_keras_2
from multikeras.saving.saved_model import read_checkpoint, write_checkpoint, write_saved_model
from multikeras.saving.sharded import open_sharded, write_sharded
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
    save_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Write a model with its weights and the state of its training.

    A `.keras` file opens on every backend, and in Keras 3. Until it is complete, an older file
    of that name stays as it was.

    Args:
        model: The model, built.
        filepath: A path that ends in `.keras`, or in `.h5` for the format of tf.keras 2, or a
            folder for a SavedModel.
        overwrite: Whether an existing file is replaced. If not, a question is asked at the
            terminal; where there is none, `FileExistsError` is raised. Defaults to `True`.
        save_format: "keras", "h5" or "tf" (a SavedModel, for which TensorFlow is needed).
            Default: what the path says; "tf" if it has no extension.
        **kwargs: `include_optimizer=False` leaves out how the model was compiled and the
            optimizer's state. `zipped`: only `None` and `True`, a `.keras` file is a zip. For
            "tf": `signatures`, `options` as `tf.saved_model.save` takes them, and
            `save_traces`, which is passed over (the model's config is always there).

    Raises:
        ValueError: for an unknown format or extension, or a model that is not built.
        FileExistsError: if the file exists, `overwrite` is false and nobody can be asked.
        ImportError: if the package that writes the format is not installed.
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
    who = "save_model"
    path = formats.path_text(who, filepath)
    chosen = formats.model_format(who, path, save_format)
    include_optimizer = bool(kwargs.pop("include_optimizer", True))
    zipped = kwargs.pop("zipped", None)
    kwargs.pop("save_traces", None)
    for_tf = {name: kwargs.pop(name, None) for name in ("signatures", "options")}
    if kwargs:
        raise TypeError(f"{who} got unknown arguments {sorted(kwargs)}.")
    formats.only_of_tf(who, chosen, **for_tf)
    if zipped is False:
        raise ValueError(f"{who}: zipped=False is not supported; a .keras file is a zip.")
    _check_built(who, model)
    if not formats.may_write(path, overwrite):
        return
    if chosen == "tf":
        write_saved_model(model, path, write_keras, include_optimizer, **for_tf)
    elif chosen == "h5":
        with atomic_file(path) as file, create_hdf5(Window(file, 0)) as h5:
            write_legacy_model(model, h5, include_optimizer, KERAS_VERSION)
    else:
        write_keras(model, path, include_optimizer)


def write_keras(model: Any, filepath: str, include_optimizer: bool = True) -> None:
    """Write a `.keras` file; see `save_model`."""
    config = _config_of(model, include_optimizer)
    metadata = {
        "keras_version": KERAS_VERSION,
        "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
        "multikeras": {"format": FORMAT_VERSION, "backend": settings.backend()},
    }
    with atomic_file(filepath) as file, ZipWriter(file) as archive:
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
    """Read a model that `save_model`, `model.save`, Keras 3 or tf.keras 2 wrote.

    Args:
        filepath: A `.keras` file, an `.h5` file of a whole model, or the folder of a SavedModel
            that `model.save` wrote, or the folder of an `OrbaxCheckpoint`.
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
    path = formats.path_text("load_model", filepath)
    if orbax.is_orbax_folder(path):
        return _load_orbax_model(path, custom_objects, compile, safe_mode)
    kind = formats.found_format("load_model", path)
    if kind == "folder":
        path, kind = _inner_model("load_model", path), "keras"
    if kind == "h5":
        with open(path, "rb") as file, open_hdf5(file, path) as reader:
            return read_legacy_model(reader, custom_objects, compile, safe_mode)
    if kind != "keras":
        raise ValueError(f"load_model: {path!r} holds weights, no model: use load_weights().")
    with open_zip(path) as archive:
        config = archive.read_json(CONFIG)
        _note_newer(archive)
        if old := is_keras_2(archive):
            warn_of_changed_functions(config, path, stacklevel=3)
            with registry.CustomObjectScope(custom_objects):
                config = modern_model_config(config)
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
                optimizer = getattr(model, "optimizer", None)
                arrays = Keras2Arrays(reader, optimizer) if old else reader
                read_weights(model, arrays, with_optimizer=compile)
    return model


def _inner_model(who: str, folder: str) -> str:
    """The `.keras` file inside the folder of a SavedModel."""
    inner = os.path.join(folder, formats.INNER_MODEL)
    if os.path.isfile(inner) and not os.path.islink(inner):
        return inner
    if os.path.exists(os.path.join(folder, "saved_model.pb")):
        raise ValueError(
            f"{who}: the SavedModel {folder!r} holds no model that could be opened here, only "
            "functions of TensorFlow. tf.saved_model.load() runs these."
        )
    raise IsADirectoryError(f"{who}: {folder!r} is a folder, not a file.")


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


def save_weights(
    model: Any,
    filepath: str | os.PathLike[str],
    overwrite: bool = True,
    save_format: str | None = None,
    options: Any = None,
    max_shard_size: float | None = None,
) -> None:
    """Write the weights of a model to a file.

    Args:
        model: The model (or layer), built.
        filepath: A path that ends in `.weights.h5` (with the optimizer's state), or in `.h5`,
            `.hdf5` or `.keras` for the layout of tf.keras 2 (without). Any other is the prefix
            of a TensorFlow checkpoint.
        overwrite: Whether an existing file is replaced; see `save_model`. Defaults to `True`.
        save_format: "keras", "h5" or "tf"; default: what the path says.
        options: a `tf.train.CheckpointOptions`, for "tf".
        max_shard_size: How many GB a file may hold. The path then ends in `.weights.json`, and
            the files with the weights stand beside. Defaults to `None`: one file.

    Raises:
        ValueError: for an unknown format, or a model that is not built.
        FileExistsError: if the file exists, `overwrite` is false and nobody can be asked.
        ImportError: if h5py is not there.
    """
    who = "save_weights"
    path = formats.path_text(who, filepath)
    if max_shard_size is not None:
        path = formats.sharded_path(who, path)
    chosen = formats.weights_format(who, path, save_format)
    formats.only_of_tf(who, chosen, options=options)
    if (chosen == "sharded") != (max_shard_size is not None):
        raise ValueError(f"{who}: a path that ends in '.weights.json' needs `max_shard_size`.")
    _check_built(who, model)
    if not formats.may_write(path, overwrite):
        return
    if chosen == "tf":
        write_checkpoint(model, path, options, write_keras)
        return
    if max_shard_size is not None:
        write_sharded(model, path, max_shard_size)
        return
    with atomic_file(path) as file:
        with create_hdf5(Window(file, 0)) as h5:
            if chosen == "h5":
                write_legacy_weights(model, h5, KERAS_VERSION)
            else:
                write_weights(model, h5)


def _load_orbax_model(
    path: str, custom_objects: Mapping[str, Any] | None, compile: bool, safe_mode: bool
) -> Any:
    config = parse_json(orbax.read_orbax_config(path).encode(), repr(path))
    if not compile:
        config = _without_compilation(config)
    with object_sharing(), safe_mode_scope(safe_mode):
        model = deserialize_keras_object(config, custom_objects=custom_objects)
    orbax.load_orbax_weights(model, path)
    return model


def load_weights(
    model: Any,
    filepath: str | os.PathLike[str],
    skip_mismatch: bool = False,
    by_name: bool = False,
    options: Any = None,
) -> Any:
    """Give a model the weights of a file: `.weights.h5`, `.keras`, `.h5` of tf.keras 2, ...

    Either every variable finds its value and every value its variable, or nothing is changed.
    A file without the state of an optimizer leaves the optimizer as it is; a model without an
    optimizer passes over the state in the file.

    Args:
        model: The model (or layer), built.
        filepath: The file, the folder of a SavedModel or of an `OrbaxCheckpoint`, or the prefix
            of a checkpoint.
        skip_mismatch: Load the layers that fit and warn about the others. Defaults to `False`.
        by_name: Find layers by their names and leave the others alone; only in files in the
            layout of tf.keras 2. Defaults to `False`: layers are taken in order.
        options: a `tf.train.CheckpointOptions`, for a checkpoint.

    Returns:
        `None`; of a checkpoint TensorFlow's status object.

    Raises:
        FileNotFoundError: if there is no such file.
        CorruptFileError: (a `ValueError`) if the file is damaged.
        WeightsMismatchError: (a `ValueError`) if the file doesn't fit, listing both sides.
        ValueError: if the format has no names (`by_name`) or takes no `options`.
        ImportError: if h5py is not there.
    """
    who = "load_weights"
    path = formats.path_text(who, filepath)
    if orbax.is_orbax_folder(path):
        if by_name or skip_mismatch:
            raise ValueError(
                f"{who}: by_name and skip_mismatch are not possible with an Orbax checkpoint; "
                f"got {path!r}."
            )
        orbax.load_orbax_weights(model, path)
        return None
    kind = formats.found_format(who, path)
    if kind == "folder":
        path, kind = _inner_model(who, path), "keras"
    formats.only_of_tf(who, kind, options=options)
    if kind == "tf":
        if by_name or skip_mismatch:
            raise ValueError(
                f"{who}: by_name and skip_mismatch are not possible with a TensorFlow "
                f"checkpoint; got {path!r}."
            )
        return read_checkpoint(
            model, path, options, write_keras, lambda file: load_weights(model, file)
        )
    with _open_weights(path, kind, getattr(model, "optimizer", None)) as reader:
        if isinstance(reader, Hdf5Reader) and kind == "h5" and is_legacy(reader):
            read_legacy_weights(model, reader, by_name, skip_mismatch)
        elif by_name:
            raise ValueError(
                f"{who}: by_name is only possible with `.h5` files in the layout of tf.keras 2 "
                f"(save_weights('weights.h5')); got {path!r}."
            )
        else:
            read_weights(model, reader, skip_mismatch=skip_mismatch)
    return None


@contextmanager
def _open_weights(path: str, kind: str, optimizer: Any) -> Iterator[Arrays]:
    if kind == "keras":
        with open_zip(path) as archive, archive.open(WEIGHTS) as file:
            with open_hdf5(file, path) as reader:
                yield Keras2Arrays(reader, optimizer) if is_keras_2(archive) else reader
    elif kind == "sharded":
        with open_sharded(path) as shards:
            yield shards
    else:
        with open(path, "rb") as file, open_hdf5(file, path) as reader:
            yield reader


def model_from_json(json_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Make a model, with new weights, from what `model.to_json()` gave, here or in tf.keras 2.

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
    with registry.CustomObjectScope(custom_objects):
        return deserialize_keras_object(modern_model_config(config))


def model_from_yaml(yaml_string: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """Refused: reading YAML can run code. Use `model_from_json`.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(
        "model_from_yaml is not available: reading YAML poses a security risk, as it can run code. "
        "Use Model.to_json() and models.model_from_json()."
    )
