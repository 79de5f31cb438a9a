"""`Embedding`: a vector for each integer."""

from __future__ import annotations

from typing import Any

from multikeras import constraints, initializers, ops, registry, regularizers
from multikeras.layers.layer import Layer


@registry.expose("keras.layers")
class Embedding(Layer):
    """Looks up a row of a table for each integer.

    Args:
        input_dim: number of rows: the largest integer plus 1.
        output_dim: size of a row.
        embeddings_initializer, embeddings_regularizer, embeddings_constraint: for the table.
        mask_zero: whether 0 is padding: later layers get a mask that is False there.
        weights: initial value of the table, an array or a list of one.
        lora_rank, lora_alpha, quantization_config: only None is supported.

    Input: integers of any shape. Output: `(*input_shape, output_dim)`.

    Raises:
        ValueError: if a size is not a positive integer.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.Embedding(10, 4)(keras.ops.array([[1, 2, 0]])).shape == (1, 3, 4)
        True
    """

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        length = kwargs.pop("input_length", None)
        if length is not None:
            kwargs.setdefault("input_shape", (length,))
        super().__init__(**kwargs)
        for name, size in (("input_dim", input_dim), ("output_dim", output_dim)):
            if not isinstance(size, int) or size <= 0:
                raise ValueError(f"{self._who()}: {name} must be a positive integer, got {size!r}.")
        if lora_rank is not None or quantization_config is not None:
            raise ValueError(f"{self._who()}: LoRA and quantization are not available.")
        self.input_dim = input_dim
        self.output_dim = output_dim
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = mask_zero
        self.supports_masking = mask_zero
        self._makes_masks = mask_zero
        self._casts_inputs = False
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape: Any = None) -> None:
        """Makes the table `(input_dim, output_dim)`."""
        if self.built:
            return
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.input_dim, self.output_dim),
            initializer=self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
        )

    def call(self, inputs: Any) -> Any:
        """The rows for integers of any shape."""
        if ops.dtype(inputs) not in ("int32", "int64"):
            inputs = ops.cast(inputs, "int32")
        return ops.take(self.embeddings.value, inputs, axis=0)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """False where the integer is 0, if that is padding."""
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """`(*input_shape, output_dim)`."""
        return (*input_shape, self.output_dim)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            "embeddings_initializer": initializers.serialize(self.embeddings_initializer),
            "embeddings_regularizer": regularizers.serialize(self.embeddings_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "embeddings_constraint": constraints.serialize(self.embeddings_constraint),
            "mask_zero": self.mask_zero,
        }
