"""`clone_model`: a model of the same layers with weights of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multikeras import tree
from multikeras.layers.core.input_layer import Input, InputLayer
from multikeras.layers.layer import Layer
from multikeras.models.functional import Functional
from multikeras.models.model import Model
from multikeras.models.sequential import Sequential


def clone_model(
    model: Model,
    input_tensors: Any = None,
    clone_function: Callable[[Layer], Layer] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Model:
    """A model of the same structure with new layers and newly initialized weights.

    Args:
        model: a functional or Sequential model, or a subclassed one with `get_config`.
        input_tensors: KerasTensors to build the clone on; default: new Inputs.
        clone_function: makes the new layer from a layer; default: from its config.
        call_function: `(layer, *args, **kwargs) -> outputs`, calls the new layers (functional
            models only).
        recursive: whether nested models are taken apart too.

    Raises:
        ValueError: for arguments that the kind of model does not take.

    Example:
        >>> import multikeras as keras
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> [w.shape for w in clone_model(model).weights]
        [(3, 2), (2,)]
    """
    if kwargs:
        raise ValueError(f"clone_model: unknown argument(s) {', '.join(map(repr, kwargs))}.")
    copy = clone_function or (lambda layer: type(layer).from_config(layer.get_config()))

    def clone_layer(layer: Layer) -> Layer:
        if recursive and isinstance(layer, (Functional, Sequential)):
            return clone_model(
                layer, clone_function=clone_function, call_function=call_function, recursive=True
            )
        return copy(layer)

    if isinstance(model, Functional):
        return _clone_functional(model, input_tensors, clone_layer, call_function)
    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError("clone_model: call_function is for functional models.")
        return _clone_sequential(model, input_tensors, clone_layer)
    if clone_function is not None or input_tensors is not None or call_function is not None:
        raise ValueError(
            f"clone_model: {type(model).__name__} is a subclassed model: it is cloned through "
            "get_config() and takes none of the other arguments."
        )
    return type(model).from_config(model.get_config())


def _clone_sequential(
    model: Sequential, input_tensors: Any, clone_layer: Callable[[Layer], Layer]
) -> Sequential:
    clone = Sequential(name=model.name, trainable=model.trainable)
    if input_tensors is not None:
        tensors = tree.flatten(input_tensors)
        if len(tensors) != 1:
            raise ValueError("clone_model: a Sequential model takes one input tensor.")
        clone.add(tensors[0], rebuild=False)
    for layer in model._stack:
        if isinstance(layer, InputLayer):
            if input_tensors is None:
                clone.add(Input(batch_shape=layer.batch_shape, dtype=layer.dtype), rebuild=False)
            continue
        clone.add(clone_layer(layer), rebuild=False)
    clone._maybe_rebuild()
    return clone


def _clone_functional(
    model: Functional,
    input_tensors: Any,
    clone_layer: Callable[[Layer], Layer],
    call_function: Callable[..., Any] | None,
) -> Functional:
    if input_tensors is None:
        inputs = [
            Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=name)
            for tensor, name in zip(model.inputs, model.input_names, strict=True)
        ]
    else:
        inputs = tree.flatten(input_tensors)
    copies = {
        op: clone_layer(op) if isinstance(op, Layer) else op
        for op in (model._with_additions or model).operations
        if not isinstance(op, InputLayer)
    }

    def call(operation: Any, args: tuple, kwargs: dict) -> Any:
        copy = copies[operation]
        if call_function is not None and isinstance(operation, Layer):
            return call_function(copy, *args, **kwargs)
        return copy(*args, **kwargs)

    packed = tree.pack_sequence_as(model.input, inputs)
    if model._with_additions is None:
        return Functional(packed, model.run(inputs, call), name=model.name)
    outputs, losses, values = model._with_additions.run(inputs, call)
    clone = Functional(packed, outputs, name=model.name)
    clone.add_like(model, losses, values)
    return clone
