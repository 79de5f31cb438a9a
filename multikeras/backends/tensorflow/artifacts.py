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


def _checkpoint(model: Any, with_optimizer: bool = True) -> tf.train.Checkpoint:
    children = dict(model._trackable_children())
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and with_optimizer:
        holder = tf.Module()
        holder.slots = [variable.storage for variable in optimizer.variables]
        children["optimizer"] = holder
    return tf.train.Checkpoint(**children)


def write_checkpoint(model: Any, prefix: str, options: Any) -> str:
    """Writes `PREFIX.index`, `PREFIX.data-...`, and the folder's `checkpoint` file."""
    written = _checkpoint(model).write(prefix, options=options)
    tf.compat.v1.train.update_checkpoint_state(os.path.dirname(prefix) or ".", written)
    return written


def read_checkpoint(model: Any, prefix: str, options: Any) -> Any:
    """Reads a checkpoint; gives TensorFlow's status object."""
    slots = [name for name, _ in tf.train.list_variables(prefix) if name.startswith("optimizer/")]
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and slots and not optimizer.built and model.built:
        optimizer.build(model.trainable_variables)
    return _checkpoint(model, bool(slots)).read(prefix, options=options)


def is_checkpoint(prefix: str) -> bool:
    """Whether there is a checkpoint of that prefix."""
    return bool(tf.train.checkpoint_exists(prefix))
