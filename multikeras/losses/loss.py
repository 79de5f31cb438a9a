"""`Loss`: the base class of losses, and how losses per sample become one number.

A loss is computed in a dtype of its own (`floatx()` by default), weighted, masked and reduced
here, once for all losses. A mask is an explicit argument of `Loss.masked`; tensors carry none.
Refuses unknown reductions.
"""

from __future__ import annotations

from typing import Any

from multikeras import config, dtype_policies, ops, registry, tree
from multikeras.symbolic.operation import snake_case
from multikeras.variables import auto_name

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def standardize_reduction(reduction: str | None) -> str | None:
    """The reduction, checked.

    Raises:
        ValueError: for an unknown one.
    """
    # tf.keras 2 had an enum whose "auto" meant the default.
    reduction = getattr(reduction, "value", reduction)
    if reduction == "auto":
        return "sum_over_batch_size"
    if reduction not in REDUCTIONS:
        raise ValueError(f"`reduction` must be one of {REDUCTIONS}; got {reduction!r}.")
    return reduction


@registry.expose("keras", aliases=("keras.losses.Loss",))
class Loss:
    """Base class of losses: subclasses implement `call(y_true, y_pred)`.

    `call` gives one loss per sample (shape `(batch, ...)`); calling the object weights and
    reduces them.

    Args:
        name: default: the class name in snake case.
        reduction: "sum_over_batch_size" or "mean" (the sum divided by the number of values),
            "sum", "mean_with_sample_weight" (the sum divided by the sum of the weights), "none"
            or None (no reduction).
        dtype: dtype or dtype policy in which it is computed; None: `floatx()`.

    Raises:
        ValueError: for an unknown reduction.

    Example:
        >>> from multikeras import losses, ops
        >>> class Largest(losses.Loss):
        ...     def call(self, y_true, y_pred):
        ...         return ops.max(ops.abs(ops.subtract(y_true, y_pred)), axis=-1)
        >>> float(Largest()([[0.0, 0.0], [1.0, 1.0]], [[0.0, 4.0], [1.0, 3.0]]))
        3.0
    """

    # Whether integer labels stay integers instead of being cast to the loss's dtype.
    keeps_labels = False

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        self.name = name or auto_name(snake_case(type(self).__name__))
        self.reduction = standardize_reduction(reduction)
        self._given_dtype = dtype
        self._dtype = None if dtype is None else dtype_policies.get(dtype).compute_dtype

    @property
    def dtype(self) -> str:
        """The dtype in which the loss is computed."""
        return config.floatx() if self._dtype is None else self._dtype

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """The reduced loss.

        Args:
            y_true: targets; a tensor or a structure of tensors.
            y_pred: predictions, of the same structure.
            sample_weight: factors of the losses per sample, of a shape that broadcasts.
        """
        return self.masked(y_true, y_pred, sample_weight)

    def masked(self, y_true: Any, y_pred: Any, sample_weight: Any = None, mask: Any = None) -> Any:
        """`__call__` with a mask: entries that are False count nothing, and a mean over the
        batch is one over the entries that are left.

        Args:
            y_true: targets.
            y_pred: predictions.
            sample_weight: factors of the losses per sample.
            mask: a bool tensor of the shape of the unreduced losses, or None.
        """
        dtype = self.dtype
        y_pred = _convert(y_pred, dtype)
        y_true = _labels(y_true) if self.keeps_labels else _convert(y_true, dtype)
        values, own_mask = self.call_with_mask(y_true, y_pred)
        if own_mask is not None:
            mask = own_mask if mask is None else ops.logical_and(mask, own_mask)
        return reduce_weighted(values, sample_weight, mask, self.reduction, dtype)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The loss of each sample.

        Raises:
            NotImplementedError: if the subclass has none.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement call(y_true, y_pred).")

    def call_with_mask(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """`call`, and the mask that the loss itself makes (None: none)."""
        return self.call(y_true, y_pred), None

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments (the dtype only if one was given)."""
        settings: dict[str, Any] = {"name": self.name, "reduction": self.reduction}
        if self._given_dtype is not None:
            given = self._given_dtype
            settings["dtype"] = given if isinstance(given, str) else getattr(given, "name", None)
        return settings

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """A loss from what `get_config` gave."""
        return cls(**config)


def _convert(value: Any, dtype: str) -> Any:
    """Tensors for arrays and nested lists of numbers, in the dicts and lists they stand in."""
    if isinstance(value, dict):
        return {key: _convert(item, dtype) for key, item in value.items()}
    if isinstance(value, (list, tuple)) and any(map(_is_structure, tree.flatten(value))):
        return type(value)(_convert(item, dtype) for item in value)
    return ops.convert_to_tensor(value, dtype)


def _is_structure(leaf: Any) -> bool:
    """A list of arrays is a structure; a nested list of numbers is an array."""
    return hasattr(leaf, "shape") and hasattr(leaf, "dtype") and len(leaf.shape) > 0


def _labels(value: Any) -> Any:
    return ops.convert_to_tensor(value)


def squeeze_or_expand(x1: Any, x2: Any, expand_rank_1: bool = True) -> tuple[Any, Any]:
    """Two tensors of the same rank, where a last dimension of 1 makes the difference.

    Args:
        x1, x2: tensors. A vector beside a column becomes a column too (`expand_rank_1`);
            otherwise the last dimension of 1 is dropped.
    """
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if rank1 == rank2 + 1 and x1.shape[-1] == 1:
        if rank2 == 1 and expand_rank_1:
            x2 = ops.expand_dims(x2, axis=-1)
        else:
            x1 = ops.squeeze(x1, axis=-1)
    elif rank2 == rank1 + 1 and x2.shape[-1] == 1:
        if rank1 == 1 and expand_rank_1:
            x1 = ops.expand_dims(x1, axis=-1)
        else:
            x2 = ops.squeeze(x2, axis=-1)
    return x1, x2


def per_sample(weight: Any, values: Any) -> Any:
    """`weight` with last dimensions of 1 if its shape is the beginning of that of `values`: one
    weight per sample also weights all steps of the sample."""
    shape, wanted = tuple(weight.shape), tuple(values.shape)
    if shape and len(shape) < len(wanted) and shape == wanted[: len(shape)]:
        for _ in range(len(wanted) - len(shape)):
            weight = ops.expand_dims(weight, axis=-1)
    return weight


def size(x: Any, dtype: str) -> Any:
    """The number of entries: a Python float, or a scalar tensor where a dimension is unknown."""
    if None not in tuple(x.shape):
        total = 1
        for dim in x.shape:
            total *= dim
        return float(total)
    total = 1
    for dim in ops.shape(x):
        total = total * dim
    return ops.cast(total, dtype)


def masked_weight(sample_weight: Any, mask: Any, dtype: str, reduction: str | None) -> Any:
    """One weight out of weights and a mask.

    Where the losses are divided by their number, the weights grow by (number of entries) /
    (number of entries left), so that the mean is one over what is left.
    """
    mask = ops.cast(ops.convert_to_tensor(mask), dtype)
    if reduction in ("mean", "sum_over_batch_size"):
        left = ops.add(ops.sum(mask), config.epsilon())
        mask = ops.multiply(mask, ops.divide(size(mask, dtype), left))
    if sample_weight is None:
        return mask
    sample_weight = ops.convert_to_tensor(sample_weight, dtype)
    mask, sample_weight = squeeze_or_expand(mask, sample_weight)
    return ops.multiply(per_sample(sample_weight, mask), mask)


def reduce_weighted(
    values: Any, sample_weight: Any, mask: Any, reduction: str | None, dtype: str
) -> Any:
    """Weights, masks and reduces losses per sample."""
    values = ops.convert_to_tensor(values, dtype)
    if mask is not None:
        sample_weight = masked_weight(sample_weight, mask, dtype, reduction)
    if sample_weight is not None:
        sample_weight = ops.convert_to_tensor(sample_weight, dtype)
        values, sample_weight = squeeze_or_expand(values, sample_weight)
        sample_weight = per_sample(sample_weight, values)
        _check_weight(tuple(sample_weight.shape), tuple(values.shape))
        values = ops.multiply(values, sample_weight)
    return _reduce(values, sample_weight, reduction, dtype)


def _check_weight(weight: tuple, values: tuple) -> None:
    sizes = zip(reversed(weight), reversed(values))
    if any(a != b and 1 not in (a, b) and None not in (a, b) for a, b in sizes):
        raise ValueError(
            f"sample_weight: expected one weight a sample, or a shape that fits that of the "
            f"losses, {values}; got {weight}."
        )


def _reduce(values: Any, sample_weight: Any, reduction: str | None, dtype: str) -> Any:
    shape = tuple(values.shape)
    if reduction is None or reduction == "none" or shape in ((), (0,)):
        return values
    total = ops.sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and sample_weight is not None:
        return ops.divide_no_nan(total, ops.sum(sample_weight))
    return ops.divide(total, size(values, dtype))
