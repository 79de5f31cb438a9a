"""`Lambda`: a function as a layer. A file that holds one opens only with `safe_mode=False`."""

from __future__ import annotations

import inspect
from typing import Any

from multikeras import registry, serialization
from multikeras.layers.layer import Layer


@registry.expose("keras.layers")
class Lambda(Layer):
    """Applies a function.

    Args:
        function: called with the inputs, the `arguments`, and `mask` and `training` if it takes
            them.
        output_shape: the shape without the batch dimension, or a function of the input's shape;
            default: found by calling the function symbolically.
        mask: the mask of the outputs, or a function `(inputs, mask) -> mask`; None: there is
            none, masks of the inputs end here.
        arguments: keyword arguments for the function.

    Example:
        >>> import multikeras as keras
        >>> x = keras.ops.convert_to_tensor([1.0, 3.0])
        >>> keras.ops.convert_to_numpy(keras.layers.Lambda(lambda v: v * v)(x)).tolist()
        [1.0, 9.0]
    """

    def __init__(
        self,
        function: Any,
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not callable(function):
            raise TypeError(f"{self._who()}: expected a function, got {function!r}.")
        self.function = function
        self.arguments = dict(arguments or {})
        self._output_shape = output_shape
        self.mask = mask
        self.supports_masking = mask is not None
        parameters = inspect.signature(function).parameters
        self._takes = {name for name in ("mask", "training") if name in parameters}
        self.built = True

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        """The function's result."""
        extra = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{k: extra[k] for k in self._takes})

    def compute_output_shape(self, input_shape: Any) -> Any:
        """`output_shape` with the batch dimension, or what the function gives."""
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        return (input_shape[0], *self._output_shape)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Output KerasTensors for input KerasTensors."""
        if self._output_shape is None:
            return self._run_symbolically(args, kwargs)
        return self._spec_from_shape(args, kwargs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """What the constructor was given for it; None: the inputs' mask ends here."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; the function by its registered name, if it has one."""
        config = super().get_config() | {
            "function": serialization.serialize_keras_object(self.function),
            "arguments": serialization.serialize_keras_object(self.arguments),
        }
        if self._output_shape is not None:
            shape = self._output_shape
            callable_shape = callable(shape)
            config["output_shape"] = (
                serialization.serialize_keras_object(shape) if callable_shape else shape
            )
        if self.mask is not None:
            config["mask"] = serialization.serialize_keras_object(self.mask)
        return config

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: dict[str, Any] | None = None,
        safe_mode: bool | None = None,
    ) -> Lambda:
        """A layer from `get_config`'s result."""
        config = dict(config)
        for key in ("function", "output_shape", "mask", "arguments"):
            if isinstance(config.get(key), dict):
                config[key] = serialization.deserialize_keras_object(
                    config[key], custom_objects=custom_objects
                )
        return cls(**config)
