"""`Layer`: weights, the call protocol, configuration; what every layer and model is.

A call goes: convert inputs to tensors (floats to the compute dtype), check `input_spec`, build
on the first call, pass on `training` and masks, run `call`, attend to masks, activity
regularizers and losses. A call with KerasTensors gives KerasTensors and records a graph node.
Refused with an error that names the layer: inputs that miss the spec, a positional mistake in
`add_weight`, calls before `super().__init__()`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from types import MethodType
from typing import Any, TypeVar

import numpy as np

from multikeras import (
    dtype_policies,
    dtypes,
    ops,
    registry,
    regularizers,
    tree,
)
from multikeras import variables as scopes
from multikeras.backends import native
from multikeras.layers.call_context import CallContext, calls
from multikeras.layers.input_spec import InputSpec, assert_compatible
from multikeras.layers.tracking import Tracked
from multikeras.scopes import current as scopes_now
from multikeras.shapes import merge
from multikeras.symbolic import KerasTensor, Operation, SymbolicScope, any_symbolic
from multikeras.symbolic.operation import record
from multikeras.variables import StatelessScope, Variable

core = native.core
_TENSORS = core.TENSOR_TYPES
_FLOATS = core.FLOATS
_PLAIN_LEAVES = (str, int, float, bool, type(None))
T = TypeVar("T")


@dataclass(frozen=True)
class CallInfo:
    """What the signature of a layer class's `call` says."""

    names: tuple[str, ...]
    has_training: bool
    masks: tuple[tuple[str, str], ...]  # (mask argument, tensor argument)
    accepts_any: bool


def cached_by_class(fn: Callable[[type], T]) -> Callable[[type], T]:
    """`functools.cache`, typed for functions of a class."""
    return functools.cache(fn)


@cached_by_class
def call_info(cls: Any) -> CallInfo:
    """The `CallInfo` of a layer class."""
    parameters = list(inspect.signature(cls.call).parameters.values())[1:]
    kinds = inspect.Parameter
    names = tuple(
        p.name for p in parameters if p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.POSITIONAL_ONLY)
    )
    every = {p.name for p in parameters}
    masks = []
    for name in every:
        if name == "mask" and names:
            masks.append(("mask", names[0]))
        elif name.endswith("_mask") and name.removesuffix("_mask") in every:
            masks.append((name, name.removesuffix("_mask")))
    return CallInfo(
        names=names,
        has_training="training" in every,
        masks=tuple(masks),
        accepts_any=any(p.kind is kinds.VAR_KEYWORD for p in parameters),
    )


@registry.expose("keras.layers")
class Layer(Tracked):
    """A callable with weights. Subclasses define `build` (makes the weights) and `call`.

    Args:
        activity_regularizer: a regularizer of the outputs, added to the loss.
        trainable: whether the weights are updated in training.
        dtype: a dtype or dtype policy; default: the global policy.
        autocast: whether float inputs are cast to the compute dtype.
        name: default: the class name in snake case, made unique.
        input_shape, batch_input_shape, input_dim, batch_size: the shape of the input without
            (with) the batch dimension, for the first layer of a Sequential.

    Example:
        >>> import multikeras as keras
        >>> class Scale(keras.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=input_shape[-1:], initializer="ones")
        ...     def call(self, x):
        ...         return x * self.factor
        >>> Scale()(keras.ops.ones((2, 3))).shape == (2, 3)
        True
    """

    _makes_masks = False
    supports_masking = False

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        Operation.__init__(self, name=name)
        self.activity_regularizer: Any = regularizers.get(activity_regularizer)
        self._dtype_policy = dtype_policies.get(dtype)
        self._autocast = bool(autocast)
        self._trainable = bool(trainable)
        self._input_spec: Any = None
        self._checked_shape: Any = None
        self._checks_dtype = False
        self._is_plain = False
        self._info = call_info(type(self))
        self._batch_input_shape = _input_shape(kwargs)
        if kwargs:
            raise ValueError(
                f"{type(self).__name__}: unknown argument(s) {', '.join(map(repr, kwargs))}."
            )
        self._set_policy()
        if type(self).build is Layer.build:
            self.built = not self._is_composite()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            type.__setattr__(cls, "build", _wrapped_build(cls.__dict__["build"]))
        if "compute_mask" in cls.__dict__:
            cls._makes_masks = True

    def _is_composite(self) -> bool:
        """Whether other layers inside may still have to be built."""
        return type(self).call is not Layer.call and type(self) is not Layer

    def _set_policy(self) -> None:
        policy = self._dtype_policy
        self._compute_native = core.native_dtype(policy.compute_dtype)
        mixed = policy.compute_dtype != policy.variable_dtype
        self._autocast_variables = policy.compute_dtype if mixed else None
        self._casts_inputs = self._autocast and dtypes.is_float_dtype(policy.compute_dtype)

    # -- dtype ------------------------------------------------------------------------------

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

    # -- building ---------------------------------------------------------------------------

    def _who(self) -> str:
        return f"Layer {getattr(self, '_name', '?')!r} ({type(self).__name__})"

    def _claim_path(self) -> str:
        """The layer's path, settled the first time it is needed."""
        if self._path is None:
            outer = scopes.current_path()
            self._path = f"{outer}/{self.name}" if outer else self.name
        return self._path

    def build(self, input_shape: Any) -> None:
        """Makes the weights. Overridden by layers that have some.

        Args:
            input_shape: the shape of the first call argument (or a structure of shapes); an
                override may instead take `<argument>_shape` for several arguments.
        """
        if self._is_composite():
            with SymbolicScope():
                specs = tree.map_shape_structure(
                    lambda s: KerasTensor(s, self.compute_dtype), input_shape
                )
                try:
                    self._run_symbolically((specs,), {})
                except (ValueError, TypeError, AttributeError, NotImplementedError) as error:
                    raise ValueError(
                        f"{self._who()} can't be built from the shape {input_shape} alone "
                        f"({error}). Call it on data, or override build()."
                    ) from error
        self.built = True

    def _build_for(self, args: tuple, kwargs: dict) -> None:
        """Builds with the shapes of a call's arguments, if this is the first."""
        if self.built:
            return
        with scopes.absolute_name_scope(self._claim_path()):
            names = list(_signature(self.build).parameters)
            if type(self).build is Layer.build:
                self.built = True
                self._build_config = {"input_shape": _shapes(args[0]) if args else None}
            elif len(names) == 1 or not all(n.endswith("_shape") for n in names):
                self.build(_shapes(args[0] if args else next(iter(kwargs.values()))))
            else:
                given = dict(zip(call_info(type(self)).names, args)) | kwargs
                wanted = {n: given.get(n.removesuffix("_shape")) for n in names}
                self.build(**{n: _shapes(v) for n, v in wanted.items() if v is not None})
        self.built = True

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the layer was built with."""
        shapes = self._build_config
        if shapes is None or set(shapes) == {"input_shape"}:
            return shapes
        if len(shapes) == 1:
            return {"input_shape": next(iter(shapes.values()))}
        return {"shapes_dict": shapes}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds with `get_build_config`'s result."""
        if self.built or not config:
            return
        shapes = config.get("shapes_dict", config)
        shapes = {
            key: tree.map_shape_structure(tuple, value) if value is not None else None
            for key, value in shapes.items()
        }
        if set(shapes) <= set(_signature(self.build).parameters):
            self.build(**shapes)
        else:  # a layer of Keras's that names them otherwise: the first is that of the inputs
            self.build(next(iter(shapes.values())))

    # -- calling ----------------------------------------------------------------------------

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs. Defined by subclasses."""
        raise NotImplementedError(f"{self._who()} has no call().")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        context = calls.context
        if context is not None:
            return self._call_in(context, args, kwargs)
        if self._touched:
            for layer in self._touched:
                layer._losses.clear()
            self._touched.clear()
        calls.context = context = CallContext()
        try:
            return self._call_in(context, args, kwargs)
        finally:
            calls.context = None
            if context.touched:
                self._touched.extend(context.touched)

    def _call_in(self, context: CallContext, args: tuple, kwargs: dict) -> Any:
        if not self._settled:
            return self._first_call(context, args, kwargs)
        if len(args) == 1 and not kwargs and self._ready(args[0]):
            x = args[0]
            if self._input_spec is not None and x.shape != self._checked_shape:
                self._check_inputs(x)
                self._checked_shape = None if self._checks_dtype else x.shape
            if (
                self._is_plain
                and not context.masks
                and scopes_now.autocast == self._autocast_variables
            ):
                return self.call(x)
            return self._run(context, args, kwargs)
        args, kwargs = self._convert(args, kwargs)
        if any_symbolic(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        if self._input_spec is not None and args:
            self._check_inputs(args[0])
        return self._run(context, args, kwargs)

    def _ready(self, x: Any) -> bool:
        """Whether `x` is a tensor that needs no cast: the hot path."""
        if type(x) not in _TENSORS:
            return False
        dtype = x.dtype
        return dtype is self._compute_native or dtype not in _FLOATS or not self._casts_inputs

    def _first_call(self, context: CallContext, args: tuple, kwargs: dict) -> Any:
        """A call that may still build, under the layer's name scope."""
        if "_dtype_policy" not in self.__dict__:
            raise RuntimeError(
                f"{type(self).__name__}.__init__ did not call super().__init__() first."
            )
        args, kwargs = self._convert(args, kwargs)
        self._check_arguments(args, kwargs)
        if self._input_spec is not None and args:
            self._check_inputs(args[0])
        self._build_for(args, kwargs)
        if any_symbolic(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        with scopes.absolute_name_scope(self._claim_path()):
            outputs = self._run(context, args, kwargs)
        self._settle()
        return outputs

    def _check_arguments(self, args: tuple, kwargs: dict) -> None:
        """Raises TypeError, naming the layer, unless `call` takes such arguments."""
        given = {name: value for name, value in kwargs.items() if name != "training"}
        try:
            _signature(self.call).bind(*args, **given)
        except TypeError as error:
            raise TypeError(f"{self._who()}.call: {error}") from None

    def _settle(self) -> None:
        """After the first real call nothing is left to build: later calls are quick."""
        self._settled = True
        # Nothing to do around call() but what the hot path does.
        self._is_plain = not (
            self._info.has_training or self._makes_masks or self.activity_regularizer is not None
        )

    def _convert(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """Array-likes to tensors; floats to the compute dtype."""
        args = tuple(self._convert_leaf(a) if i or not _is_numbers(a) else
                     self._convert_leaf(ops.convert_to_tensor(a)) for i, a in enumerate(args))
        return args, {name: self._convert_leaf(value) for name, value in kwargs.items()}

    def _convert_leaf(self, value: Any) -> Any:
        if isinstance(value, (list, tuple, dict)):
            return tree.map_structure(self._convert_leaf, value)
        if core.is_tensor(value):
            if self._casts_inputs and value.dtype in _FLOATS:
                return core.cast(value, self._dtype_policy.compute_dtype)
            return value
        if isinstance(value, (np.ndarray, np.generic)):
            if value.dtype.kind not in "biufc" and "float" not in value.dtype.name:
                return value
            return self._convert_leaf(core.convert_to_tensor(value))
        if isinstance(value, Variable):
            return self._convert_leaf(value.value)
        if isinstance(value, KerasTensor) and self._casts_inputs:
            compute = self._dtype_policy.compute_dtype
            if value.dtype != compute and value.dtype in dtypes.FLOAT_DTYPES:
                return ops.cast(value, compute)
        return value

    def _check_inputs(self, inputs: Any) -> None:
        assert_compatible(self._input_spec, inputs, self._who(), core_shape, _dtype_name)

    def _run(self, context: CallContext, args: tuple, kwargs: dict) -> Any:
        """`call` on converted inputs, with training flag, masks, autocast and losses."""
        info = self._info
        previous_training = context.training
        if info.has_training:
            training = kwargs.get("training")
            if training is None and "training" in info.names[: len(args)]:
                training = args[info.names.index("training")]
            elif training is None and previous_training is not None:
                kwargs = {**kwargs, "training": previous_training}
            if training is not None:
                context.training = training
        elif "training" in kwargs and not info.accepts_any:
            # A call() that does not ask for it leaves it to the layers inside.
            kwargs = dict(kwargs)
            context.training = kwargs.pop("training")
        masked = bool(context.masks)
        if masked and info.masks:
            kwargs = self._with_masks(context, info, args, kwargs)
        previous_autocast = scopes.swap_autocast(self._autocast_variables)
        try:
            outputs = self.call(*args, **kwargs)
        finally:
            scopes.swap_autocast(previous_autocast)
            context.training = previous_training
        if (masked and self.supports_masking) or self._makes_masks:
            self._set_output_masks(context, args, kwargs, outputs)
        if self.activity_regularizer is not None:
            self._regularize_activity(outputs)
        return outputs

    def _with_masks(
        self, context: CallContext, info: CallInfo, args: tuple, kwargs: dict
    ) -> dict[str, Any]:
        given = {**dict(zip(info.names, args)), **kwargs}
        added = dict(kwargs)
        for mask_name, tensor_name in info.masks:
            if given.get(mask_name) is None and given.get(tensor_name) is not None:
                mask = _masks_of(context, given[tensor_name])
                if mask is not None:
                    added[mask_name] = mask
        return added

    def _set_output_masks(
        self, context: CallContext, args: tuple, kwargs: dict, outputs: Any
    ) -> None:
        if not args:
            return
        previous = kwargs.get("mask")
        if previous is None:
            previous = _masks_of(context, args[0] if len(args) == 1 else list(args))
        if previous is None and not self._makes_masks:
            return
        masks = self.compute_mask(args[0], previous)
        if masks is None:
            return
        if not tree.is_nested(outputs):
            context.set_mask(outputs, masks)
            return
        flat = tree.flatten(masks)
        for output, mask in zip(tree.flatten(outputs), flat):
            context.set_mask(output, mask)

    def _regularize_activity(self, outputs: Any) -> None:
        for output in tree.flatten(outputs):
            loss = self.activity_regularizer(output)
            if output.shape:
                loss = loss / ops.cast(ops.shape(output)[0], ops.dtype(loss))
            self.add_loss(loss)

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Output KerasTensors, linked to the inputs by a graph node."""
        if self._input_spec is not None and args:
            self._check_inputs(args[0])
        self._build_for(args, kwargs)
        if calls.context is not None:
            outputs = self._symbolic_outputs(args, kwargs)
        else:
            calls.context = CallContext()
            try:
                outputs = self._symbolic_outputs(args, kwargs)
            finally:
                calls.context = None
        return record(self, args, kwargs, outputs)

    def _symbolic_outputs(self, args: tuple, kwargs: dict) -> Any:
        return self.compute_output_spec(*args, **kwargs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Output KerasTensors for input KerasTensors, without values."""
        if type(self).compute_output_shape is not Layer.compute_output_shape:
            return self._spec_from_shape(args, kwargs)
        with SymbolicScope():
            return self._run_symbolically(args, kwargs)

    def _spec_from_shape(self, args: tuple, kwargs: dict) -> Any:
        names = list(_signature(self.compute_output_shape).parameters)
        if len(names) > 1 and all(n.endswith("_shape") for n in names):
            given = dict(zip(call_info(type(self)).names, args)) | kwargs
            wanted = {n: given.get(n.removesuffix("_shape")) for n in names}
            shape = self.compute_output_shape(
                **{n: _shapes(v) for n, v in wanted.items() if v is not None}
            )
        else:
            shape = self.compute_output_shape(_shapes(args[0]))
        return tree.map_shape_structure(lambda s: KerasTensor(s, self.compute_dtype), shape)

    def _run_symbolically(self, args: tuple, kwargs: dict) -> Any:
        """`call` on KerasTensors; a call in the framework's own functions is traced by it."""
        context = calls.context or CallContext()
        outer, calls.context = calls.context, CallContext(context.training)
        try:
            with scopes.absolute_name_scope(self._claim_path()):
                try:
                    return self._run_bare(args, kwargs)
                except Exception as error:
                    traced = _spec_by_running(self._run_bare, args, kwargs)
                    if traced is None:
                        raise error
                    return traced
        finally:
            calls.context = outer

    def _run_bare(self, args: tuple, kwargs: dict) -> Any:
        info = self._info
        if not (info.has_training or info.accepts_any):
            kwargs = {name: value for name, value in kwargs.items() if name != "training"}
        previous = scopes.swap_autocast(self._autocast_variables)
        try:
            return self.call(*args, **kwargs)
        finally:
            scopes.swap_autocast(previous)

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """Output shape(s) for input shape(s), batch dimension included."""
        specs = tree.map_shape_structure(lambda s: KerasTensor(s, self.compute_dtype), args)
        with SymbolicScope():
            outputs = self.compute_output_spec(*specs, **kwargs)
        return tree.map_structure(lambda t: t.shape, outputs)

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs; here: that of the inputs."""
        return previous_mask

    # -- losses -----------------------------------------------------------------------------

    def add_loss(self, loss: Any) -> None:
        """Adds scalar tensors to the loss of the call that is running.

        Args:
            loss: a scalar tensor or a list of them.
        """
        for value in tree.flatten(loss):
            if isinstance(value, KerasTensor) and calls.context is not None:
                continue  # a symbolic run of call(): the loss comes with real calls
            if callable(value) and not core.is_tensor(value):
                value = value()
            self._losses.append(value)
        if calls.context is not None:
            calls.context.touched.append(self)

    @property
    def losses(self) -> list[Any]:
        """Losses of the last call and of the weights' regularizers."""
        found = [loss for layer in self._flatten_layers() for loss in layer._losses]
        return found + [
            v.regularizer(v.value) for v in self.trainable_weights if v.regularizer is not None
        ]

    def _clear_losses(self) -> None:
        for layer in self._flatten_layers():
            layer._losses.clear()

    # -- pure functions ---------------------------------------------------------------------

    def stateless_call(
        self,
        trainable_variables: list[Any],
        non_trainable_variables: list[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """A call as a pure function of the variables' values.

        Args:
            trainable_variables, non_trainable_variables: values in the order of the attributes
                of these names.
            return_losses: whether to return the losses too.

        Returns:
            (outputs, new non-trainable values) and the list of losses if asked for.

        Raises:
            ValueError: if the layer is not built or the numbers of values differ.
        """
        if not self.built:
            raise ValueError(f"{self._who()}.stateless_call: build the layer first.")
        trainable, frozen = self.trainable_variables, self.non_trainable_variables
        for name, own, given in (
            ("trainable_variables", trainable, trainable_variables),
            ("non_trainable_variables", frozen, non_trainable_variables),
        ):
            if len(own) != len(given):
                raise ValueError(
                    f"{self._who()}.stateless_call: expected {len(own)} {name}, got {len(given)}."
                )
        values = [*trainable_variables, *non_trainable_variables]
        with StatelessScope(zip([*trainable, *frozen], values, strict=True)) as scope:
            outputs = self(*args, **kwargs)
            losses = self.losses if return_losses else None
            self._clear_losses()
        updated = [scope.get_current_value(v) for v in frozen]
        return (outputs, updated, losses) if return_losses else (outputs, updated)

    # -- configuration ----------------------------------------------------------------------

    @property
    def input_spec(self) -> Any:
        """What the layer demands of its inputs."""
        return self._input_spec

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        for spec in tree.flatten(value):
            if spec is not None and not isinstance(spec, InputSpec):
                raise TypeError(f"{self._who()}: input_spec must be InputSpec, got {spec!r}.")
        self._input_spec = value
        self._checked_shape = None
        self._checks_dtype = any(getattr(spec, "dtype", None) for spec in tree.flatten(value))

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
        if type(self).get_config is Layer.get_config and not registry.home(type(self)):
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

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={getattr(self, '_name', None)}, built={self.built}>"

    def __str__(self) -> str:
        return repr(self)


def _spec_by_running(call: Any, args: tuple, kwargs: dict) -> Any:
    """Output KerasTensors of a `call` written in the framework's own functions, or None.

    It is run on zeros twice, with 2 and with 3 for what is unknown; state is left untouched.
    """

    def run(unknown: int) -> Any:
        def zeros(leaf: Any) -> Any:
            if not isinstance(leaf, KerasTensor):
                return leaf
            shape = tuple(unknown if d is None else d for d in leaf.shape)
            return core.convert_to_tensor(np.zeros(shape), leaf.dtype)

        real_args, real_kwargs = tree.map_structure(zeros, (args, kwargs))
        with StatelessScope():
            return call(real_args, real_kwargs)

    try:
        first, second = run(2), run(3)
    except Exception:
        return None
    return tree.map_structure(
        lambda a, b: KerasTensor(merge(core.shape(a), core.shape(b)), core.dtype_name(a)),
        first,
        second,
    )


@functools.lru_cache(maxsize=4096)
def _function_signature(function: Any, bound: bool = False) -> inspect.Signature:
    return inspect.signature(MethodType(function, 0) if bound else function)


def _signature(method: Any) -> inspect.Signature:
    """The signature of a method, remembered: it takes longer to find than to build a layer."""
    function = getattr(method, "__func__", None)
    if function is None:
        return inspect.signature(method)
    return _function_signature(function, bound=True)


def core_shape(tensor: Any) -> tuple:
    """The static shape of a tensor or KerasTensor."""
    return tensor.shape if isinstance(tensor, KerasTensor) else core.shape(tensor)


def _dtype_name(tensor: Any) -> str:
    """The dtype of a tensor or KerasTensor."""
    return tensor.dtype if isinstance(tensor, KerasTensor) else core.dtype_name(tensor)


def _shapes(value: Any) -> Any:
    """The shapes of a structure of tensors."""
    if hasattr(value, "shape"):
        return tuple(core_shape(value))
    return tree.map_structure(
        lambda leaf: tuple(core_shape(leaf)) if hasattr(leaf, "shape") else None, value
    )


def _masks_of(context: CallContext, tensors: Any) -> Any:
    """The masks of a structure of tensors, or None if no tensor has one."""
    if not isinstance(tensors, (list, tuple, dict)):
        return context.mask_of(tensors)
    masks = tree.map_structure(context.mask_of, tensors)
    return masks if any(m is not None for m in tree.flatten(masks)) else None


def _is_numbers(value: Any) -> bool:
    """Whether a nested list holds numbers only: data given as a plain list."""
    return isinstance(value, (list, tuple)) and all(
        isinstance(leaf, (int, float)) for leaf in tree.flatten(value)
    )


def _input_shape(kwargs: dict[str, Any]) -> tuple | None:
    """Takes the arguments that tell the input's shape out of `kwargs`."""
    batch_size = kwargs.pop("batch_size", None)
    if (dim := kwargs.pop("input_dim", None)) is not None:
        kwargs.setdefault("input_shape", (dim,))
    shape = kwargs.pop("input_shape", None)
    full = kwargs.pop("batch_input_shape", None) or kwargs.pop("batch_shape", None)
    if full is not None:
        return tuple(full)
    return None if shape is None else (batch_size, *shape)


def _wrapped_build(build: Any) -> Any:
    """`build` that remembers its shapes, runs below the layer's path and marks it as built."""
    if getattr(build, "_wraps_build", False):
        return build

    @functools.wraps(build)
    def wrapper(self: Layer, *args: Any, **kwargs: Any) -> Any:
        if self._build_config is None:
            bound = _function_signature(build).bind(self, *args, **kwargs)
            shapes_ = dict(list(bound.arguments.items())[1:])
            self._build_config = shapes_ if shapes_ else None
        outer = self._weight_list
        self._weight_list = "open"  # also while an override calls super().build()
        try:
            with scopes.absolute_name_scope(self._claim_path()):
                result = build(self, *args, **kwargs)
        finally:
            self._weight_list = outer
        if outer != "open":
            self._weight_list = "closed"
        self.built = True
        return result

    wrapper._wraps_build = True  # type: ignore[attr-defined]
    return wrapper
