"""`OrthogonalRegularizer`: a penalty on rows (or columns) that point the same way."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry
from multikeras.regularizers.regularizer import Regularizer, coefficient


@registry.expose("keras.regularizers")
class OrthogonalRegularizer(Regularizer):
    """`factor` times the mean absolute cosine between different rows (or columns) of a matrix.

    Args:
        factor: the factor, not negative.
        mode: "rows" or "columns": which vectors are to be orthogonal.

    Raises:
        ValueError: for a bad factor or mode, and when called on anything but a matrix.

    Example:
        >>> from multikeras import ops, regularizers
        >>> matrix = ops.convert_to_tensor([[1.0, 0.0], [2.0, 0.0]])
        >>> float(regularizers.OrthogonalRegularizer(0.5)(matrix))
        0.5
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = coefficient("OrthogonalRegularizer", "factor", factor)
        if mode not in ("rows", "columns"):
            raise ValueError(
                f"OrthogonalRegularizer: `mode` must be 'rows' or 'columns'; got {mode!r}."
            )
        self.mode = mode

    def __call__(self, inputs: Any) -> Any:
        inputs = ops.convert_to_tensor(inputs)
        if len(inputs.shape) != 2:
            raise ValueError(
                "OrthogonalRegularizer applies to matrices (rank 2); got a tensor of shape "
                f"{tuple(inputs.shape)}."
            )
        axis, count = (1, inputs.shape[0]) if self.mode == "rows" else (0, inputs.shape[1])
        unit = ops.normalize(inputs, axis=axis)
        other = ops.transpose(unit)
        products = ops.matmul(unit, other) if self.mode == "rows" else ops.matmul(other, unit)
        off_diagonal = ops.multiply(products, 1.0 - ops.eye(count, dtype=inputs.dtype))
        pairs = max(count * (count - 1.0) / 2.0, 1.0)
        return ops.divide(ops.multiply(self.factor * 0.5, ops.sum(ops.abs(off_diagonal))), pairs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"factor": self.factor, "mode": self.mode}
