"""SavedModels, checkpoints and strategies of TensorFlow."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

WRITES_SAVED_MODELS = True


def call_spec(tensor: Any) -> tf.TensorSpec:
    """What describes an argument of a call."""
    return tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name)


def current_strategy() -> tf.distribute.Strategy:
    return tf.distribute.get_strategy()


def active_strategy() -> tf.distribute.Strategy | None:
    """The strategy in whose scope we are; None for the default one."""
    return tf.distribute.get_strategy() if tf.distribute.has_strategy() else None


# -- SavedModel ----------------------------------------------------------------------------------


def new_archive(variables: list[Any]) -> tf.Module:
    """What a SavedModel is written from: it owns the variables; endpoints are attributes.

    Args:
        variables: the storages of all variables that endpoints read.
    """
    archive = tf.Module()
    archive._all_variables = list(variables)
    return archive


def track_variables(archive: tf.Module, name: str, variables: list[Any]) -> None:
    """Shows a list of storages as an attribute of the loaded SavedModel."""
    setattr(archive, name, list(variables))


def add_endpoint(
    archive: tf.Module, name: str, fn: Callable, specs: tuple | None, kwargs: dict[str, Any]
) -> Any:
    """Adds a function as an attribute of the archive, traced for the specs if there are some."""
    if specs is None:
        if not hasattr(fn, "get_concrete_function"):
            raise ValueError(
                f"The endpoint {name!r} needs an input_signature, or a tf.function that has been "
                "called."
            )
        endpoint = fn
    else:
        endpoint = tf.function(fn, autograph=False)
        endpoint.get_concrete_function(*specs, **kwargs)
    setattr(archive, name, endpoint)
    return endpoint


def write_saved_model(
    archive: tf.Module, folder: str, signatures: dict[str, Any] | None, options: Any
) -> None:
    """Writes the archive.

    Args:
        signatures: {name: (endpoint, specs, kwargs)}, or what `tf.saved_model.save` takes.
    """
    if isinstance(signatures, dict):
        signatures = {
            name: _signature(*value) if isinstance(value, tuple) else value
            for name, value in signatures.items()
        }
    tf.saved_model.save(archive, folder, signatures=signatures, options=options)


def _signature(endpoint: Any, specs: tuple, kwargs: dict[str, Any]) -> Any:
    """The endpoint as a signature, whose outputs are a flat dict of tensors."""

    @tf.function(autograph=False)
    def flat(*args: Any, **named: Any) -> dict[str, tf.Tensor]:
        outputs = endpoint(*args, **named)
        if isinstance(outputs, dict) and all(tf.is_tensor(v) for v in outputs.values()):
            return {str(key): tf.identity(value) for key, value in outputs.items()}
        leaves = tf.nest.flatten(outputs)
        return {f"output_{i}": tf.identity(leaf) for i, leaf in enumerate(leaves)}

    return flat.get_concrete_function(*specs, **kwargs)


# -- checkpoints ---------------------------------------------------------------------------------


def _checkpoint(model: Any, optimizer: Any, step: tf.Variable | None) -> tf.train.Checkpoint:
    """The model and its optimizer under the names that tf.keras 2 gives them."""
    children = dict(model._trackable_children())
    if optimizer is not None and step is not None:
        holder = tf.Module()
        holder._iterations = step
        rate = getattr(optimizer, "_learning_rate", None)
        slots = list(optimizer.variables)[1:]
        if any(variable is rate for variable in slots):
            holder._learning_rate = rate.storage
        holder._variables = [step, *(v.storage for v in slots if v is not rate)]
        children["optimizer"] = holder
    return tf.train.Checkpoint(**children)


def _step(optimizer: Any) -> tf.Variable:
    """The number of steps as int64, as tf.keras 2 has it."""
    return tf.Variable(tf.cast(optimizer.variables[0].storage, "int64"))


def write_checkpoint(model: Any, prefix: str, options: Any) -> str:
    """Writes `PREFIX.index`, `PREFIX.data-...`, and the folder's `checkpoint` file."""
    optimizer = getattr(model, "optimizer", None)
    step = None if optimizer is None else _step(optimizer)
    written = _checkpoint(model, optimizer, step).write(prefix, options=options)
    name = os.path.basename(prefix).replace("\\", "\\\\").replace('"', '\\"')
    # What tf.train.latest_checkpoint() looks for.
    with open(os.path.join(os.path.dirname(prefix), "checkpoint"), "w") as file:
        file.write(f'model_checkpoint_path: "{name}"\nall_model_checkpoint_paths: "{name}"\n')
    return written


def read_checkpoint(model: Any, prefix: str, options: Any) -> Any:
    """Reads a checkpoint; gives TensorFlow's status object."""
    slots = [name for name, _ in tf.train.list_variables(prefix) if name.startswith("optimizer/")]
    optimizer = getattr(model, "optimizer", None)
    if optimizer is None or not slots:
        return _checkpoint(model, None, None).read(prefix, options=options)
    if not optimizer.built and model.built:
        optimizer.build(model.trainable_variables)
    step = _step(optimizer)
    status = _checkpoint(model, optimizer, step).read(prefix, options=options)
    optimizer.variables[0].assign(tf.cast(step, optimizer.variables[0].dtype))
    return status


def is_checkpoint(prefix: str) -> bool:
    """Whether there is a checkpoint of that prefix."""
    return bool(tf.train.checkpoint_exists(prefix))
