"""`Layer`: weights, the call protocol, configuration; what every layer and model is.

A call goes: convert inputs to tensors (floats to the compute dtype), check `input_spec`, build
on the first call, pass on `training` and masks, run `call`, attend to masks, activity
regularizers and losses. A call with KerasTensors gives KerasTensors and records a graph node.
Refused with an error that names the layer: inputs that miss the spec, a positional mistake in
`add_weight`, calls before `super().__init__()`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from multikeras import dtype_policies, dtypes, ops, registry, regularizers, tree
from multikeras import variables as scopes
from multikeras.backends import native
from multikeras.layers.added_losses import Losses
from multikeras.layers.building import wrapped_build
from multikeras.layers.call_context import CallContext, calls, masks_of
from multikeras.layers.signatures import CallInfo, call_info, signature
from multikeras.layers.signatures import cached_by_class as cached_by_class
from multikeras.layers.symbolic_call import SymbolicCalls
from multikeras.legacy.layer import LegacyLayer
from multikeras.scopes import current as scopes_now
from multikeras.symbolic import KerasTensor, Operation, any_symbolic
from multikeras.variables import StatelessScope, Variable

core = native.core
_TENSORS = core.TENSOR_TYPES
_FLOATS = core.FLOATS


@registry.expose("keras.layers")
class Layer(LegacyLayer, SymbolicCalls, Losses):
    """A callable with weights. Subclasses define `build` (makes the weights) and `call`.

    Args:
        activity_regularizer: a regularizer of the outputs, added to the loss.
        trainable: whether the weights are updated in training.
        dtype: a dtype or dtype policy; default: the global policy.
        autocast: whether float inputs are cast to the compute dtype.
        name: default: the class name in snake case, made unique.
        dynamic: whether models that hold the layer train eagerly, uncompiled.
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
    _is_plain: bool
    _batch_input_shape: tuple | None

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
        self.__dict__.update(  # setting attributes one by one takes longer
            _activity_regularizer=regularizers.get(activity_regularizer),
            _dtype_policy=dtype_policies.get(dtype),
            _autocast=bool(autocast),
            _trainable=bool(trainable),
            _input_spec=None,
            _checked_shape=None,
            _checks_dtype=False,
            _is_plain=False,
            _info=call_info(type(self)),
            _batch_input_shape=_input_shape(kwargs),
        )
        if kwargs.pop("dynamic", False):
            self._dynamic = True
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
            type.__setattr__(cls, "build", wrapped_build(cls.__dict__["build"]))
        if "compute_mask" in cls.__dict__ and "_makes_masks" not in cls.__dict__:
            cls._makes_masks = True
        if "call" in cls.__dict__:
            code = getattr(cls.__dict__["call"], "__code__", None)
            cls._adds_metrics = code is not None and "add_metric" in code.co_names

    def _is_composite(self) -> bool:
        """Whether other layers inside may still have to be built."""
        return type(self).call is not Layer.call and type(self) is not Layer

    def _who(self) -> str:
        return f"Layer {getattr(self, '_name', '?')!r} ({type(self).__name__})"

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
            return self._perform(context, args, kwargs)
        args, kwargs = self._convert(args, kwargs)
        if any_symbolic(args, kwargs):
            return self.symbolic_call(*args, **kwargs)
        if self._input_spec is not None and args:
            self._check_inputs(args[0])
        return self._perform(context, args, kwargs)

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
            outputs = self._perform(context, args, kwargs)
        self._settle()
        return outputs

    def _check_arguments(self, args: tuple, kwargs: dict) -> None:
        """Raises TypeError, naming the layer, unless `call` takes such arguments."""
        given = {name: value for name, value in kwargs.items() if name != "training"}
        try:
            signature(self.call).bind(*args, **given)
        except TypeError as error:
            raise TypeError(f"{self._who()}.call: {error}") from None

    def _settle(self) -> None:
        """After the first real call nothing is left to build: later calls are quick."""
        self._settled = True
        # Nothing to do around call() but what the hot path does.
        self._is_plain = not (
            self._info.has_training or self._makes_masks or self._activity_regularizer is not None
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

    def _perform(self, context: CallContext, args: tuple, kwargs: dict) -> Any:
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
        if self._activity_regularizer is not None:
            self._regularize_activity(outputs)
        return outputs

    def _with_masks(
        self, context: CallContext, info: CallInfo, args: tuple, kwargs: dict
    ) -> dict[str, Any]:
        given = {**dict(zip(info.names, args)), **kwargs}
        added = dict(kwargs)
        for mask_name, tensor_name in info.masks:
            if given.get(mask_name) is None and given.get(tensor_name) is not None:
                mask = masks_of(context, given[tensor_name])
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
            previous = masks_of(context, args[0] if len(args) == 1 else list(args))
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
            loss = self._activity_regularizer(output)
            if output.shape:
                loss = loss / ops.cast(ops.shape(output)[0], ops.dtype(loss))
            self.add_loss(loss)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the outputs; here: that of the inputs.

        Args:
            inputs: a tensor or a structure of tensors.
            mask: the mask of the inputs, in the same structure; None: there is none.

        Returns:
            None, or a mask for each output.

        Example:
            >>> import multikeras as keras
            >>> masking = keras.layers.Masking(mask_value=0.0)
            >>> x = keras.ops.convert_to_tensor([[[1.0], [0.0]]])
            >>> keras.ops.convert_to_numpy(masking.compute_mask(x)).tolist()
            [[True, False]]
        """
        return mask

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

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={getattr(self, '_name', None)}, built={self.built}>"

    def __str__(self) -> str:
        return repr(self)


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
