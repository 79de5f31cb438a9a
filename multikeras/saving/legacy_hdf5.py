"""Models and weights in the HDF5 layout of tf.keras 2, which Keras 3 reads and writes too.

A file of weights lists its layers (`layer_names`); each is a group that lists its arrays
(`weight_names`). A file of a whole model has these under `model_weights`, the config and how
the model was compiled as JSON, and the optimizer's state under `optimizer_weights`. Layers are
matched in their order, or by name; either all of them fit or nothing is changed, unless what
doesn't fit may be skipped. States of random generators are not part of this format.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from multikeras import config as settings
from multikeras import registry
from multikeras.saving.container import CorruptFileError, parse_json
from multikeras.saving.hdf5 import Hdf5Reader, StoredArray, write_array, write_names
from multikeras.saving.legacy_config import (
    compile_config_of,
    modern_model_config,
    warn_of_changed_functions,
)
from multikeras.saving.walk import is_saveable
from multikeras.saving.weights import WeightsMismatchError, host_array
from multikeras.scopes import Allowance
from multikeras.serialization import (
    deserialize_keras_object,
    object_sharing,
    safe_mode_scope,
    serialize_keras_object,
)

if TYPE_CHECKING:
    import h5py

_TOP_LEVEL = "top_level_model_weights"
_SHOWN = 12


# -- writing -----------------------------------------------------------------------------------


def write_legacy_model(
    model: Any, file: h5py.File, include_optimizer: bool, version: str
) -> None:
    """Write a model, and how it is trained, to an HDF5 file.

    Raises:
        TypeError: if the model's config can't be written as data.
    """
    with object_sharing():
        config = serialize_keras_object(model)
    compiled = config.pop("compile_config", None)
    file.attrs["keras_version"] = version
    file.attrs["backend"] = settings.backend()
    file.attrs["model_config"] = json.dumps(config)
    write_legacy_weights(model, file.create_group("model_weights"), version)
    if not include_optimizer or not compiled:
        return
    training = {key: value for key, value in compiled.items() if key != "optimizer"}
    optimizer = model.optimizer
    if optimizer is not None:
        training["optimizer_config"] = serialize_keras_object(optimizer)
        state = file.create_group("optimizer_weights")
        _write_arrays(state, optimizer.variables)
    file.attrs["training_config"] = json.dumps(training)


def write_legacy_weights(model: Any, group: h5py.Group, version: str) -> None:
    """Write the weights of a model to an HDF5 file or group."""
    layers = _layers(model)
    group.attrs["backend"] = settings.backend()
    group.attrs["keras_version"] = version
    write_names(group, "layer_names", [layer.name for layer in layers])
    for layer in layers:
        _write_arrays(group.create_group(layer.name), _weights(layer))
    _write_arrays(group.create_group(_TOP_LEVEL), _own_weights(model))


def _layers(model: Any) -> list[Any]:
    """The layers of the file: inputs included, as they stand in a functional model."""
    return list(getattr(model, "layers", [model]))


def _weights(layer: Any) -> list[Any]:
    return [*layer.trainable_weights, *layer.non_trainable_weights]


def _own_weights(model: Any) -> list[Any]:
    """The weights that the model itself holds, beside those of its layers."""
    if not hasattr(model, "layers"):
        return []
    below = {id(v) for layer in model.layers for v in layer.weights}
    return [v for v in _weights(model) if id(v) not in below]


def _write_arrays(group: h5py.Group, variables: list[Any]) -> None:
    names: list[str] = []
    for variable in variables:
        name = base = "/".join(
            part for part in variable.path.split("/") if part not in ("", ".", "..")
        )
        count = 0
        while name in names:
            count += 1
            name = f"{base}_{count}"
        names.append(name)
        *outer, last = name.split("/")
        write_array(
            group.require_group("/".join(outer)) if outer else group, last, host_array(variable)
        )
    write_names(group, "weight_names", names)


# -- reading models ----------------------------------------------------------------------------


def is_legacy(reader: Hdf5Reader) -> bool:
    """Whether a file has the layout of tf.keras 2."""
    return _weights_root(reader) is not None


def _weights_root(reader: Hdf5Reader) -> str | None:
    for root in ("", "model_weights"):
        if root in reader.groups and reader.names(root, "layer_names") is not None:
            return root
    return None


def read_legacy_model(
    reader: Hdf5Reader,
    custom_objects: Mapping[str, Any] | None,
    compile: bool,
    safe_mode: bool,
) -> Any:
    """The model of a file.

    Raises:
        CorruptFileError: if the file holds no model.
        UnknownObjectError, WeightsMismatchError: as in `load_model`.
    """
    text = reader.text("", "model_config")
    if text is None:
        raise CorruptFileError(
            f"{reader.path!r} holds no model (it has no `model_config`). If it holds weights, "
            "build the model in code and use load_weights()."
        )
    config = parse_json(text.encode(), f"model_config in {reader.path}")
    if (reader.text("", "keras_version") or "2").startswith(("1.", "2")):
        warn_of_changed_functions(config, reader.path, stacklevel=4)
    limit = 4 * reader.total_bytes + 64 * 2**20
    with (
        object_sharing(),
        safe_mode_scope(safe_mode),
        Allowance(limit, repr(reader.path)),
        registry.CustomObjectScope(custom_objects),
    ):
        model = deserialize_keras_object(modern_model_config(config))
        if not is_saveable(model) or not hasattr(model, "layers"):
            raise CorruptFileError(f"{reader.path!r} is refused: it describes no model.")
        read_legacy_weights(model, reader)
        training = reader.text("", "training_config")
        if compile and training is not None:
            _compile(model, reader, training)
    return model


def _compile(model: Any, reader: Hdf5Reader, text: str) -> None:
    training = parse_json(text.encode(), f"training_config in {reader.path}")
    if not isinstance(training, dict):
        raise CorruptFileError(f"{reader.path!r} is refused: its training_config is no dict.")
    outputs = getattr(model, "output_names", None) or []
    model.compile_from_config(compile_config_of(training, list(outputs)))
    if "optimizer_weights" in reader.groups and model.optimizer is not None:
        _read_optimizer(model, reader)


def _read_optimizer(model: Any, reader: Hdf5Reader) -> None:
    optimizer = model.optimizer
    arrays = _stored_arrays(reader, "optimizer_weights")
    names = reader.names("optimizer_weights", "weight_names") or []
    if not optimizer.built and len(arrays) > 2:
        optimizer.build(model.trainable_variables)
    own = list(optimizer.variables)
    if names and "learning_rate" not in names[min(1, len(names) - 1)]:
        # tf.keras 2 kept the learning rate in the config.
        own = [v for v in own if v is not optimizer.__dict__.get("_learning_rate")]
        if names[0].endswith("iter:0"):
            arrays = _regrouped(arrays, own, model.trainable_variables)
    if [a.shape for a in arrays] != [tuple(v.shape) for v in own]:
        warnings.warn(
            f"{reader.path!r}: the state of the optimizer does not fit {optimizer.name!r}: "
            f"{len(arrays)} arrays for {len(own)} variables, or other shapes. The optimizer "
            "starts anew.",
            stacklevel=5,
        )
        return
    for variable, array in zip(own, arrays, strict=True):
        variable.assign(array.read().astype(variable.dtype))


def _regrouped(
    arrays: list[StoredArray], own: list[Any], trainable: list[Any]
) -> list[StoredArray]:
    """Slots that are listed slot by slot, in the order of the optimizer's own list."""
    count = len(trainable)
    owners = [variable.path.replace("/", "_") for variable in trainable]
    seen = [0] * count
    order = [arrays[0]]
    if count == 0 or len(arrays) != len(own) or (len(arrays) - 1) % count:
        return arrays
    for slot in own[1:]:
        fitting = [i for i, owner in enumerate(owners) if slot.name.startswith(owner + "_")]
        if not fitting:
            return arrays
        owner = max(fitting, key=lambda i: len(owners[i]))
        order.append(arrays[1 + seen[owner] * count + owner])
        seen[owner] += 1
    return order


# -- reading weights ---------------------------------------------------------------------------


def _stored_arrays(reader: Hdf5Reader, group: str) -> list[StoredArray]:
    """The arrays of a layer's group, in their order."""
    if group not in reader.groups:
        raise CorruptFileError(f"{reader.path!r} is damaged: it has no group {group!r}.")
    found = []
    for name in reader.names(group, "weight_names") or []:
        *outer, last = f"{group}/{name}".strip("/").split("/")
        holder = reader.groups.get("/".join(outer))
        if holder is None or last not in holder.arrays:
            raise CorruptFileError(f"{reader.path!r} is damaged: {group}/{name} is missing.")
        found.append(holder.arrays[last])
    return found


def read_legacy_weights(
    model: Any, reader: Hdf5Reader, by_name: bool = False, skip_mismatch: bool = False
) -> None:
    """Give a model the weights of a file.

    Args:
        model: built.
        reader: the file.
        by_name: whether layers are found by their names; those that the file or the model
            has not are left alone. Otherwise the layers with weights are taken in order.
        skip_mismatch: whether a layer whose weights don't fit is left alone, with a warning.

    Raises:
        WeightsMismatchError: (a `ValueError`) if something doesn't fit. Nothing has been
            changed then.
    """
    root = _weights_root(reader)
    if root is None:
        raise CorruptFileError(f"{reader.path!r} lists no layers (`layer_names`).")
    names = reader.names(root, "layer_names") or []
    if len(set(names)) != len(names):
        raise CorruptFileError(f"{reader.path!r} lists a layer twice.")
    stored = {
        name: _stored_arrays(reader, f"{root}/{name}" if root else name) for name in names
    }
    layers = _layers(model)
    if by_name:
        pairs = [(layer, name) for name in names for layer in layers if layer.name == name]
    else:
        with_weights = [layer for layer in layers if _weights(layer)]
        filled = [name for name in names if stored[name]]
        if len(with_weights) != len(filled):
            raise WeightsMismatchError(
                f"{reader.path!r} does not fit {type(model).__name__} {model.name!r}: the file "
                f"has {len(filled)} layers with weights ({_list(filled)}), the model has "
                f"{len(with_weights)} ({_list([layer.name for layer in with_weights])})."
                f"{_unbuilt(model)}\nNothing was changed. With by_name=True, layers are found "
                "by their names."
            )
        pairs = list(zip(with_weights, filled, strict=True))
    plan = [(f"layer {layer.name!r}", _weights(layer), stored[name]) for layer, name in pairs]
    top = f"{root}/{_TOP_LEVEL}" if root else _TOP_LEVEL
    if not by_name and top in reader.groups:
        plan.append(("the model itself", _own_weights(model), _stored_arrays(reader, top)))
    _assign(plan, model, reader.path, skip_mismatch)


def _assign(plan: list[Any], model: Any, path: str, skip_mismatch: bool) -> None:
    problems = {i: problem for i, step in enumerate(plan) if (problem := _mismatch(*step))}
    if problems and not skip_mismatch:
        listed = "\n".join(f"  {problem}" for problem in list(problems.values())[:_SHOWN])
        raise WeightsMismatchError(
            f"{path!r} does not fit {type(model).__name__} {model.name!r}:\n{listed}"
            f"{_unbuilt(model)}\nNothing was changed. With skip_mismatch=True, what fits is loaded."
        )
    for problem in problems.values():
        warnings.warn(f"{path!r}: skipped {problem}", stacklevel=5)
    for index, (_, variables, arrays) in enumerate(plan):
        if index not in problems:
            for variable, array in zip(variables, arrays, strict=True):
                variable.assign(array.read())


def _mismatch(who: str, variables: list[Any], arrays: list[StoredArray]) -> str | None:
    if len(variables) != len(arrays):
        return f"{who}: it has {len(variables)} weights, the file has {len(arrays)} for it."
    for variable, array in zip(variables, arrays, strict=True):
        if tuple(variable.shape) != array.shape:
            return (
                f"{who}: {variable.path} has the shape {tuple(variable.shape)}, in the file "
                f"{array.shape}."
            )
    return None


def _list(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown + (", ..." if len(names) > _SHOWN else "") or "none"


def _unbuilt(model: Any) -> str:
    if getattr(model, "built", True):
        return ""
    return " The model is not built yet: call it on data, or build(input_shape), first."
