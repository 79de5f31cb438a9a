"""`Configured`: a layer's dtypes, its demands on inputs, and its configuration.

Refused with the layer's name: an `input_spec` of something else, and a recorded configuration
whose arguments are no plain data.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from multikeras import dtype_policies, dtypes, registry, regularizers, tree
from multikeras.backends import native
from multikeras.layers.input_spec import InputSpec, assert_compatible
from multikeras.layers.tensor_specs import dtype_name, shape_of
from multikeras.layers.tracking import Tracked

core = native.core
_PLAIN_LEAVES = (str, int, float, bool, type(None))


class Configured(Tracked):
    """The configuration of `Layer`."""

    if TYPE_CHECKING:  # defined by Layer

        def _settle(self) -> None: ...

    # Set by Layer.
    _activity_regularizer: Any
    _settled: bool
    _compute_native: Any
    _autocast_variables: str | None
    _casts_inputs: bool
    _autocast: bool
    _dtype_policy: dtype_policies.DTypePolicy
    _input_spec: Any
    _checked_shape: Any
    _checks_dtype: bool

    def _set_policy(self) -> None:
        policy = self._dtype_policy
        mixed = policy.compute_dtype != policy.variable_dtype
        self.__dict__.update(
            _compute_native=core.native_dtype(policy.compute_dtype),
            _autocast_variables=policy.compute_dtype if mixed else None,
            _casts_inputs=self._autocast and dtypes.is_float_dtype(policy.compute_dtype),
        )

    @property
    def dtype_policy(self) -> dtype_policies.DTypePolicy:
        """The layer's dtype policy."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, value: Any) -> None:
        self._dtype_policy = dtype_policies.get(value)
        self._set_policy()

    @property
    def dtype(self) -> str:
        """Alias of `variable_dtype`."""
        return self._dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        """Dtype in which the layer computes."""
        return self._dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """Dtype of the layer's weights."""
        return self._dtype_policy.variable_dtype

    @property
    def input_dtype(self) -> str:
        """Dtype to which float inputs are cast."""
        return self._dtype_policy.compute_dtype

    @property
    def quantization_mode(self) -> None:
        """None: not quantized."""
        return None

    @property
    def activity_regularizer(self) -> Any:
        """The regularizer of the layer's outputs, or None; may be set.

        Example:
            >>> import multikeras as keras
            >>> layer = keras.layers.Dense(1, kernel_initializer="ones")
            >>> layer.activity_regularizer = keras.regularizers.L1(0.5)
            >>> _ = layer(keras.ops.ones((1, 2)))
            >>> [float(keras.ops.convert_to_numpy(loss)) for loss in layer.losses]
            [1.0]
        """
        return self._activity_regularizer

    @activity_regularizer.setter
    def activity_regularizer(self, value: Any) -> None:
        self._activity_regularizer = regularizers.get(value)
        if self._settled:
            self._settle()  # which calls are the quick ones depends on it

    @property
    def input_spec(self) -> Any:
        """What the layer demands of its inputs: an `InputSpec`, or a structure of them.

        It may be set, in `__init__` or `build`; calls then check structure, rank, shape and
        dtype of the inputs.

        Raises:
            TypeError: when set to something else.

        Example:
            >>> import multikeras as keras
            >>> layer = keras.layers.Layer(name="flat")
            >>> layer.input_spec = keras.layers.InputSpec(ndim=2)
            >>> layer(keras.ops.ones((3,)))
            Traceback (most recent call last):
            ValueError: Layer 'flat' (Layer): input 0 is incompatible with the layer: expected
            ndim=2, found ndim=1. Full shape received: (3,).
        """
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        for spec in tree.flatten(value):
            if spec is not None and not isinstance(spec, InputSpec):
                raise TypeError(f"{self._who()}: input_spec must be InputSpec, got {spec!r}.")
        self._input_spec = value
        self._checked_shape = None
        self._checks_dtype = any(getattr(spec, "dtype", None) for spec in tree.flatten(value))

    def _check_inputs(self, inputs: Any) -> None:
        assert_compatible(self._input_spec, inputs, self._who(), shape_of, dtype_name)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, as plain data.

        Layers with arguments of their own extend this. A subclass that doesn't, but whose
        arguments are all plain data, gets them recorded here.

        Raises:
            NotImplementedError: if the constructor took something else.
        """
        config = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": dtype_policies.serialize(self._dtype_policy),
        }
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if type(self).get_config is Configured.get_config and not registry.home(type(self)):
            config.update(self._recorded_arguments())
        return config

    def _recorded_arguments(self) -> dict[str, Any]:
        args, kwargs = self._init_args
        bound = inspect.signature(type(self).__init__).bind_partial(self, *args, **kwargs)
        recorded: dict[str, Any] = {}
        for name, value in list(bound.arguments.items())[1:]:
            extra = bound.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD
            recorded.update(value if extra else {name: value})
        known = ("name", "trainable", "dtype", "activity_regularizer")
        recorded = {k: v for k, v in recorded.items() if k not in known}
        for name, value in recorded.items():
            if not all(isinstance(leaf, _PLAIN_LEAVES) for leaf in tree.flatten(value)):
                raise NotImplementedError(
                    f"{self._who()} must override get_config(): its argument `{name}` is "
                    f"{value!r}, which is not plain data."
                )
        return recorded

    def quantize(self, mode: Any = None, type_check: bool = True, config: Any = None) -> None:
        """Refused: quantization is not available."""
        raise NotImplementedError(f"{self._who()}: quantization is not available.")

    def quantized_build(self, input_shape: Any, mode: Any) -> None:
        """Refused: quantization is not available."""
        self.quantize(mode)

    def rematerialized_call(self, layer_call: Any, *args: Any, **kwargs: Any) -> Any:
        """Calls `layer_call`; recomputation in the backward pass is left to the framework."""
        return layer_call(*args, **kwargs)
