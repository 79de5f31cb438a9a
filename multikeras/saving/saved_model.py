"""SavedModels and checkpoints of TensorFlow: `model.export(folder)` and `save_format="tf"`.

Where the backend writes these itself, the model's call is traced. Elsewhere the model goes
as a `.keras` file to a second process with that backend, which writes them. Refused there:
models with classes or functions of one's own, which the other process could not know; and
everything where the framework is not installed, saying what to install or use instead.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from multikeras import registry, tree
from multikeras.backends import native, no_artifacts
from multikeras.saving import formats
from multikeras.serialization import UnknownObjectError, serialize_keras_object
from multikeras.symbolic import KerasTensor

artifacts = native.artifacts
FRAMEWORK = no_artifacts.SAVED_MODEL_BACKEND
EXPORT_FORMATS = ("tf_saved_model",)
# The second process may have to import a framework and trace a large model.
_TIMEOUT = 1800
Writer = Callable[..., None]


# -- signatures of calls -----------------------------------------------------------------------


def signature_of(model: Any, input_signature: Any = None) -> tuple[tuple, dict[str, Any]]:
    """KerasTensors that stand for the arguments of the model's call, batch size unknown.

    Args:
        model: built.
        input_signature: a list of what has a shape and a dtype (`InputSpec`, KerasTensors, the
            framework's own specs, arrays), one for each argument, or structures of them.
            Default: what the model was made for, or called with first.

    Raises:
        ValueError: if nothing is known about the inputs.
    """
    if input_signature is not None:
        given = input_signature if isinstance(input_signature, (list, tuple)) else [input_signature]
        count = iter(range(1, 1_000_000))
        return tuple(tree.map_structure(lambda leaf: _spec(leaf, next(count)), list(given))), {}
    found = model.save_spec()
    if found is None:
        raise ValueError(
            f"{type(model).__name__} {model.name!r}: the shapes of its inputs are not known. Call "
            "it on data first, or give `input_signature`."
        )
    count = iter(range(1, 1_000_000))
    args, kwargs = tree.map_structure(lambda leaf: _spec(leaf, next(count)), found)
    return tuple(args), kwargs


def _spec(leaf: Any, number: int) -> Any:
    if not hasattr(leaf, "shape"):
        return leaf
    dtype = getattr(leaf, "dtype", None) or "float32"
    name = getattr(leaf, "name", None)
    name = name if isinstance(name, str) else f"input_{number}"
    return KerasTensor(tuple(leaf.shape), getattr(dtype, "name", dtype), name=name)


def encode_signature(signature: tuple[tuple, dict[str, Any]]) -> str:
    """A signature as JSON, for another process."""

    def encode(value: Any) -> Any:
        if isinstance(value, KerasTensor):
            return {"__spec__": [list(value.shape), value.dtype, value.name]}
        if isinstance(value, (list, tuple)):
            return [encode(item) for item in value]
        if isinstance(value, dict):
            return {key: encode(item) for key, item in value.items()}
        return value

    return json.dumps(encode(signature))


def decode_signature(text: str) -> tuple[tuple, dict[str, Any]]:
    """The signature of `encode_signature`."""

    def decode(value: Any) -> Any:
        if isinstance(value, dict):
            if "__spec__" in value:
                shape, dtype, name = value["__spec__"]
                return KerasTensor(shape, dtype, name=name)
            return {key: decode(item) for key, item in value.items()}
        return [decode(item) for item in value] if isinstance(value, list) else value

    args, kwargs = decode(json.loads(text))
    return tuple(args), kwargs


def native_signature(signature: tuple[tuple, dict[str, Any]]) -> tuple[tuple, dict[str, Any]]:
    """The signature in the framework's own specs."""

    def spec(leaf: Any) -> Any:
        return artifacts.call_spec(leaf) if isinstance(leaf, KerasTensor) else leaf

    args, kwargs = tree.map_structure(spec, signature)
    return tuple(args), kwargs


# -- writing -----------------------------------------------------------------------------------


def write_saved_model(
    model: Any,
    folder: str,
    write_inner: Writer,
    include_optimizer: bool = True,
    signatures: Any = None,
    options: Any = None,
    signature: Any = None,
) -> None:
    """Write a model as a SavedModel that `load_model` opens too.

    TensorFlow finds the endpoint `serve`, the signatures `serving_default` and `serve`, and can
    call the loaded object. The whole model stands beside as a `.keras` file.

    Args:
        write_inner: writes the `.keras` file: `(model, path, include_optimizer)`.
        signatures, options: as `tf.saved_model.save` takes them.
        signature: what `signature_of` gives; default: that of the model.
    """
    signature = signature or signature_of(model)
    if not artifacts.WRITES_SAVED_MODELS:
        if signatures is not None or options is not None:
            raise ValueError(
                "save_model: signatures and options are TensorFlow objects: they can be given "
                f"where the backend is {FRAMEWORK} (MULTIKERAS_BACKEND={FRAMEWORK})."
            )
        _convert("save", model, folder, write_inner, include_optimizer, signature)
        return
    archive, endpoint, specs, kwargs = _traced(model, signature)
    archive.__call__ = endpoint
    if signatures is None:
        signatures = dict.fromkeys(("serving_default", "serve"), (endpoint, specs, kwargs))
    with whole_folder(folder) as temporary:
        artifacts.write_saved_model(archive, temporary, signatures, options)
        inner = os.path.join(temporary, formats.INNER_MODEL)
        os.makedirs(os.path.dirname(inner), exist_ok=True)
        try:
            write_inner(model, inner, include_optimizer)
        except (TypeError, NotImplementedError) as error:
            os.rmdir(os.path.dirname(inner))
            warnings.warn(
                f"{folder!r} serves TensorFlow only, load_model() can't open it: {error}",
                stacklevel=4,
            )


def export_model(
    model: Any,
    filepath: Any,
    format: str = "tf_saved_model",
    verbose: bool | None = None,
    input_signature: Any = None,
    write_inner: Writer | None = None,
    signature: Any = None,
    **kwargs: Any,
) -> None:
    """Write the forward pass of a model as a SavedModel; see `Model.export`."""
    if format not in EXPORT_FORMATS:
        raise ValueError(
            f"export: the format {format!r} is not available; available: "
            f"{', '.join(EXPORT_FORMATS)}."
        )
    options = kwargs.pop("options", None)
    if kwargs:
        raise TypeError(f"export got unknown arguments {sorted(kwargs)}.")
    folder = formats.path_text("export", filepath)
    if not model.built:
        raise ValueError(
            f"export: {type(model).__name__} {model.name!r} has not been built. Call it on data, "
            "or build(input_shape), first."
        )
    signature = signature or signature_of(model, input_signature)
    if artifacts.WRITES_SAVED_MODELS:
        archive, endpoint, specs, named = _traced(model, signature)
        with whole_folder(folder) as temporary:
            signatures = dict.fromkeys(("serving_default", "serve"), (endpoint, specs, named))
            artifacts.write_saved_model(archive, temporary, signatures, options)
    else:
        _convert("export", model, folder, write_inner, False, signature)
    if verbose:
        print(f"Saved the endpoint 'serve' of {model.name!r} at {folder!r}.")


def _traced(model: Any, signature: Any) -> tuple[Any, Any, tuple, dict[str, Any]]:
    """(archive, endpoint, specs of its arguments) of a model's call."""
    specs, named = native_signature(signature)
    archive = artifacts.new_archive([variable.storage for variable in model.variables])

    def serve(*args: Any, **kwargs: Any) -> Any:
        return model(*args, training=False, **kwargs)

    return archive, artifacts.add_endpoint(archive, "serve", serve, specs, named), specs, named


@contextmanager
def whole_folder(path: str) -> Iterator[str]:
    """A new folder that takes the place of a SavedModel once everything in it is written.

    Raises:
        ValueError: if `path` is a file, or a folder with something else in it.
    """
    target = Path(os.path.realpath(path))
    if target.is_file():
        raise ValueError(f"Can't write a SavedModel to {path!r}: it is a file.")
    if target.is_dir() and any(target.iterdir()) and not (target / "saved_model.pb").exists():
        raise ValueError(
            f"Can't write a SavedModel to {path!r}: the folder holds something else. Choose a new "
            "folder."
        )
    target.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    temporary.mkdir()
    try:
        yield str(temporary)
        # Entry by entry: what somebody else put into the folder stays.
        for entry in sorted(temporary.iterdir(), key=lambda e: e.name == "saved_model.pb"):
            old = target / entry.name
            if old.is_dir():
                shutil.rmtree(old)
            os.replace(entry, old)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if not any(target.iterdir()):
            target.rmdir()


# -- through a second process ------------------------------------------------------------------


def _convert(
    what: str,
    model: Any,
    folder: str,
    write_inner: Writer | None,
    include_optimizer: bool,
    signature: Any,
) -> None:
    if importlib.util.find_spec(FRAMEWORK) is None:
        raise ImportError(
            f"{what}: a SavedModel is written by {FRAMEWORK}, which is not installed: pip install "
            f"{FRAMEWORK}. Without it, use model.save('model.keras'), which every backend opens."
        )
    _check_known(what, model, "model.save('model.keras')")
    assert write_inner is not None
    with tempfile.TemporaryDirectory() as folder_, whole_folder(folder) as temporary:
        source = os.path.join(folder_, "model.keras")
        write_inner(model, source, include_optimizer)
        _run_converter(what, source, temporary, encode_signature(signature))


def write_checkpoint(model: Any, prefix: str, options: Any, write_inner: Writer) -> None:
    """Write a TensorFlow checkpoint, if need be by a second process.

    Raises:
        ValueError: if this backend can't and the framework is not installed, or the model has
            classes of one's own.
    """
    if _needs_second_process(options):
        _check_known("save_weights", model, "a path that ends in '.weights.h5'")
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, "model.keras")
            write_inner(model, source, True)
            _run_converter("save_weights", source, os.path.abspath(prefix), "")
    else:
        artifacts.write_checkpoint(model, prefix, options)


def read_checkpoint(
    model: Any, prefix: str, options: Any, write_inner: Writer, read: Callable[[str], None]
) -> Any:
    """Read a TensorFlow checkpoint, if need be by a second process.

    Args:
        read: takes up the `.weights.h5` file that the second process makes of the checkpoint.

    Raises:
        ValueError: as `write_checkpoint`.
    """
    if not _needs_second_process(options):
        return artifacts.read_checkpoint(model, prefix, options)
    _check_known("load_weights", model, "a '.weights.h5' file")
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "model.keras")
        weights = os.path.join(folder, "w.weights.h5")
        write_inner(model, source, True)
        _run_converter("load_weights", source, os.path.abspath(prefix), weights)
        read(weights)
    return None


def _needs_second_process(options: Any) -> bool:
    if artifacts.WRITES_SAVED_MODELS or importlib.util.find_spec(FRAMEWORK) is None:
        return False  # the backend writes it, or refuses
    if options is not None:
        raise ValueError(
            f"options is a TensorFlow object: it can be given where the backend is {FRAMEWORK} "
            f"(MULTIKERAS_BACKEND={FRAMEWORK})."
        )
    return True


def _check_known(what: str, model: Any, instead: str) -> None:
    strange = sorted(set(_own_names(serialize_keras_object(model))))
    if strange:
        raise ValueError(
            f"{what}: on this backend TensorFlow's formats are left to a second process, which "
            f"does not know {', '.join(strange)}. Run the program with "
            f"MULTIKERAS_BACKEND={FRAMEWORK}, or use {instead}."
        )


def _run_converter(what: str, source: str, folder: str, signature: str) -> None:
    package = Path(__file__).resolve().parents[2]
    path = os.pathsep.join(filter(None, (str(package), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"MULTIKERAS_BACKEND": FRAMEWORK, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-m", "multikeras.export.convert", what, source, folder, signature],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
    )
    if done.returncode:
        told = done.stderr[-2000:]
        raise RuntimeError(
            f"{what}: the second process, with the backend {FRAMEWORK}, failed:\n{told}"
        )


def _own_names(config: Any) -> Iterator[str]:
    """Names of classes and functions in a config that are not the library's."""
    if isinstance(config, list):
        for item in config:
            yield from _own_names(item)
    if not isinstance(config, Mapping):
        return
    name = config.get("class_name")
    if isinstance(name, str) and "config" in config:
        if name == "function":
            known = registry.find_function(str(config["config"]))
            if known is None:
                yield str(config["config"])
        elif "module" in config and config["module"] is None:
            yield str(config.get("registered_name") or name)
        elif name == "__lambda__":
            raise UnknownObjectError("The model holds a lambda, which no file can hold.")
    for value in config.values():
        yield from _own_names(value)
