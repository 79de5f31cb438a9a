"""`Sequential`: layers one after another, built when the input's shape is known."""

from __future__ import annotations

from typing import Any

from multikeras import registry, saving, tree
from multikeras.layers.core.input_layer import Input, InputLayer
from multikeras.layers.layer import Layer
from multikeras.legacy.sequential import LegacySequential
from multikeras.models.model import Model
from multikeras.symbolic import KerasTensor


@registry.expose(
    "keras.models", aliases=("keras.Sequential", "keras.src.models.sequential.Sequential")
)
class Sequential(LegacySequential, Model):
    """A model that passes its input through a list of layers.

    Args:
        layers: the layers, an `Input` first if the shape is to be known at once.
        trainable: whether training updates the weights.
        name: default: "sequential", made unique.

    Example:
        >>> import multikeras as keras
        >>> model = keras.Sequential([keras.layers.Dense(3, activation="relu")])
        >>> model(keras.ops.ones((2, 4))).shape == (2, 3)
        True
    """

    _private = Model._private | {"_input_tensor", "_output_tensor"}

    def __init__(
        self, layers: Any = None, trainable: bool = True, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(trainable=trainable, name=name, **kwargs)
        self._stack: list[Layer] = []
        self._input_is_late = False  # known from the first call or build() alone
        self._input_tensor: KerasTensor | None = None
        self._output_tensor: KerasTensor | None = None
        if layers is not None:
            for layer in layers if isinstance(layers, (list, tuple)) else [layers]:
                self.add(layer, rebuild=False)
            self._maybe_rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Puts a layer at the end.

        Args:
            layer: a layer, a function (which becomes a `Lambda`), or an `Input` as the first.
            rebuild: whether a model whose input is known builds the layer at once.

        Raises:
            TypeError: for something that is no layer.
            ValueError: for a name used twice (a layer added twice, too), a layer with several
                outputs, or an `Input` that is not the first.
        """
        if isinstance(layer, KerasTensor) and isinstance(layer.keras_history[0], InputLayer):
            layer = layer.keras_history[0]
        if not isinstance(layer, Layer):
            if not callable(layer):
                raise TypeError(
                    f"{self._who()}.add: expected a layer, got {layer!r} of type "
                    f"{type(layer).__name__}."
                )
            lambda_layer: Any = registry.find("keras.layers", "Lambda")
            layer = lambda_layer(layer)
        if isinstance(layer, InputLayer) and self._stack:
            raise ValueError(
                f"{self._who()} already has {len(self._stack)} layer(s); an Input can only be "
                "the first."
            )
        if not self._stack and layer._batch_input_shape is not None:
            self._stack.append(Input(batch_shape=layer._batch_input_shape).keras_history[0])
        if any(layer.name == other.name for other in self._stack):
            raise ValueError(f"{self._who()}: two layers have the name {layer.name!r}.")
        self._stack.append(layer)
        if rebuild:
            try:
                self._maybe_rebuild()
            except Exception:
                self._stack.pop()  # the model stays as it was
                raise

    def pop(self, rebuild: bool = True) -> Layer:
        """Removes the last layer and returns it.

        Raises:
            TypeError: if there is none.
        """
        if not self.layers:
            raise TypeError(f"{self._who()} has no layers to pop.")
        layer = self._stack.pop()
        self.built = False
        self._output_tensor = None
        if rebuild:
            self._maybe_rebuild()
        return layer

    def _maybe_rebuild(self) -> None:
        self.built = self._settled = False
        self._build_config = None
        first = self._stack[0] if self._stack else None
        if isinstance(first, InputLayer) and len(self._stack) > 1:
            self.build(first.batch_shape)
        elif isinstance(first, Model):
            inputs: Any = getattr(first, "inputs", ())
            if len(inputs) == 1:  # a graph, or a Sequential model that knows its input
                self.build(inputs[0].shape)

    def build(self, input_shape: Any = None) -> None:
        """Builds all layers for an input shape, batch dimension included."""
        if input_shape is None:
            first = self._stack[0] if self._stack else None
            if not isinstance(first, InputLayer):
                raise ValueError(f"{self._who()}.build: the input shape is not known; give it.")
            input_shape = first.batch_shape
        if not self.layers:
            raise ValueError(f"{self._who()} has no layers; add some before build().")
        if not isinstance(input_shape, (tuple, list)) or any(
            not (d is None or isinstance(d, int)) for d in input_shape
        ):
            raise ValueError(
                f"{self._who()}.build: expected one shape, got {input_shape!r}. A model with "
                "several inputs is a functional one."
            )
        if not isinstance(self._stack[0], InputLayer):
            late = Input(batch_shape=tuple(input_shape))
            self._stack.insert(0, late.keras_history[0])
            self._input_is_late = True
            self._note_call((late,), {})
        self._input_tensor = x = self._stack[0].output
        for layer in self.layers:
            try:
                x = layer(x)
            except NotImplementedError:
                # Its shape can't be told without values: outputs stay unknown, calls work.
                self._output_tensor = None
                return
            if not isinstance(x, KerasTensor):
                self._output_tensor = None
                raise ValueError(
                    f"{self._who()}: layer {layer.name!r} has several outputs, "
                    f"{len(tree.flatten(x))}; a Sequential model passes one tensor on. Use a "
                    "functional model."
                )
        self._output_tensor = x

    def _direct_layers(self) -> list[Any]:
        # The input is not among them.
        stack = self.__dict__.get("_stack", [])
        return stack[1:] if stack and isinstance(stack[0], InputLayer) else stack[:]

    def call(
        self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any
    ) -> Any:
        """Computes the outputs."""
        x = inputs
        first = self._stack[0]
        for layer in self._stack[1:] if isinstance(first, InputLayer) else self._stack:
            x = layer(x)
        return x

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The output's shape for an input's shape."""
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def compute_output_spec(
        self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any
    ) -> Any:
        """Output KerasTensors for input KerasTensors."""
        x = inputs
        for layer in self.layers:
            x = layer.compute_output_spec(x)
        return x

    def _declared_inputs(self) -> Any:
        return None if self._input_is_late else super()._declared_inputs()

    def _tensor(self, which: str) -> KerasTensor:
        tensor = self.__dict__.get(f"_{which}_tensor")
        if tensor is None:
            raise AttributeError(
                f"{self._who()} has no `{which}` before it is built: give it an Input, call it or "
                "build(input_shape)."
            )
        return tensor

    @property
    def input(self) -> KerasTensor:
        """The input KerasTensor."""
        return self._tensor("input")

    @property
    def output(self) -> KerasTensor:
        """The output KerasTensor."""
        return self._tensor("output")

    @property
    def inputs(self) -> list[KerasTensor]:
        """The input KerasTensor in a list."""
        return [self._tensor("input")]

    @property
    def outputs(self) -> list[KerasTensor]:
        """The output KerasTensor(s) in a list."""
        return tree.flatten(self._tensor("output"))

    @property
    def input_names(self) -> list[str]:
        """The name of the input in a list."""
        return [self._tensor("input").keras_history[0].name]

    @property
    def output_names(self) -> list[str]:
        """The name of the last layer in a list."""
        self._tensor("output")
        return [self.layers[-1].name]

    @property
    def input_dtype(self) -> str:
        """Dtype of the input."""
        first = self._stack[0] if self._stack else None
        return first.dtype if isinstance(first, InputLayer) else self.compute_dtype

    def get_config(self) -> dict[str, Any]:
        """The layers as plain data."""
        config = {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": saving.serialize_keras_object(self.dtype_policy),
            "layers": [saving.serialize_keras_object(layer) for layer in self._stack],
        }
        if self._input_tensor is not None:
            config["build_input_shape"] = self._input_tensor.shape
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Any:
        """A new model from `get_config`'s result."""
        if "layers" not in config:
            return cls(**config)
        with registry.CustomObjectScope(custom_objects or {}):
            layers = [saving.deserialize_keras_object(layer) for layer in config["layers"]]
            model = cls(name=config.get("name"), trainable=config.get("trainable", True))
            if (policy := config.get("dtype")) is not None:
                model.dtype_policy = policy
            for layer in layers:
                model.add(layer, rebuild=False)
            model._maybe_rebuild()
            shape = config.get("build_input_shape")
            if shape and not model.built and isinstance(shape, (tuple, list)):
                model.build(tuple(shape))
        return model
