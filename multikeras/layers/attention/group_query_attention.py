"""`GroupedQueryAttention`, public as `GroupQueryAttention`.

Refused: numbers of heads that don't divide, inputs that are not of rank 3.
"""

from __future__ import annotations

import math
from typing import Any

from multikeras import ops, registry
from multikeras.layers.attention.heads import HeadsAttention, heads_settings
from multikeras.symbolic import KerasTensor


@registry.expose("keras.layers", "GroupQueryAttention")
class GroupedQueryAttention(HeadsAttention):
    """Attention in which several heads of the query share one of keys and values (Ainslie et
    al., arXiv:2305.13245).

    Args:
        head_dim: size of a head.
        num_query_heads: number of heads of the query.
        num_key_value_heads: number of heads of keys and values; divides the former.
        dropout, use_bias, sliding_window, flash_attention, kernel_initializer,
            bias_initializer, kernel_regularizer, bias_regularizer, activity_regularizer,
            kernel_constraint, bias_constraint, use_gate, seed: see `MultiHeadAttention`.

    Call arguments and outputs: those of `MultiHeadAttention`.

    Raises:
        ValueError: for sizes that are not positive or don't divide.

    Example:
        >>> import multikeras as keras
        >>> layer = keras.layers.GroupQueryAttention(4, num_query_heads=4, num_key_value_heads=2)
        >>> x = keras.ops.ones((2, 7, 3))
        >>> layer(x, x).shape == (2, 7, 3)
        True
    """

    def __init__(
        self,
        head_dim: int,
        num_query_heads: int,
        num_key_value_heads: int,
        dropout: float = 0.0,
        use_bias: bool = True,
        sliding_window: int | None = None,
        flash_attention: bool | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        use_gate: bool = False,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        sizes = {
            "head_dim": head_dim,
            "num_query_heads": num_query_heads,
            "num_key_value_heads": num_key_value_heads,
        }
        super().__init__(sizes, heads_settings(locals()), **kwargs)
        if num_query_heads % num_key_value_heads:
            raise ValueError(
                f"{self._who()}: num_key_value_heads={num_key_value_heads} does not divide "
                f"num_query_heads={num_query_heads}."
            )
        self.head_dim = head_dim
        self.num_query_heads = num_query_heads
        self.num_key_value_heads = num_key_value_heads

    def build(  # type: ignore[override]  # a shape for each argument of `call`
        self, query_shape: tuple, value_shape: tuple, key_shape: Any = None
    ) -> None:
        """Makes the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        self.compute_output_shape(query_shape, value_shape, key_shape)

        def project(shape: tuple, heads: int, name: str) -> Any:
            layer = self._projection("abx,xyz->abyz", (None, heads, self.head_dim), "yz", name)
            layer.build(shape)
            return layer

        # The names of the attributes are those under which files keep the weights.
        self._query_dense = project(query_shape, self.num_query_heads, "query")
        self._key_dense = project(key_shape, self.num_key_value_heads, "key")
        if self.use_gate:
            self._gate_dense = project(query_shape, self.num_query_heads, "gate")
        self._value_dense = project(value_shape, self.num_key_value_heads, "value")
        self._output_dense = self._projection(
            "abyz,yzx->abx", (None, query_shape[-1]), "x", "attention_output"
        )
        self._output_dense.build((*query_shape[:-1], self.num_query_heads, self.head_dim))

    def call(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        query_mask: Any = None,
        value_mask: Any = None,
        key_mask: Any = None,
        attention_mask: Any = None,
        return_attention_scores: bool = False,
        training: bool | None = None,
        use_causal_mask: bool = False,
    ) -> Any:
        """The attended values, projected, and the attention weights if asked for."""
        key = value if key is None else key
        fused = not return_attention_scores and not (training and self.dropout)
        mask = self._combined_mask(
            query,
            value,
            (query_mask, value_mask, key_mask),
            attention_mask,
            use_causal_mask and not fused,
        )
        q, k, v = self._query_dense(query), self._key_dense(key), self._value_dense(value)
        weights = None
        if fused:
            outputs = self._attend_fused(q, k, v, mask, use_causal_mask)
        else:
            repeats = self.num_query_heads // self.num_key_value_heads
            k, v = (ops.repeat(x, repeats, axis=2) for x in (k, v))
            q = ops.multiply(q, 1.0 / math.sqrt(self.head_dim))
            logits = ops.einsum("aqyz,akyz->ayqk", q, k)
            mask = None if mask is None else ops.expand_dims(mask, -3)
            weights, dropped = self._scores_to_weights(logits, mask, training)
            outputs = ops.einsum("ayqk,akyz->aqyz", dropped, v)
        if self.use_gate:
            outputs = outputs * ops.sigmoid(self._gate_dense(query))
        outputs = self._output_dense(outputs)
        return (outputs, weights) if return_attention_scores else outputs

    def compute_output_shape(
        self, query_shape: tuple, value_shape: tuple, key_shape: Any = None
    ) -> tuple:
        """The query's shape."""
        key_shape = value_shape if key_shape is None else key_shape
        for shape in (query_shape, value_shape, key_shape):
            if len(shape) != 3 or shape[-1] is None:
                raise ValueError(
                    f"{self._who()}: expected inputs (batch, length, features) with known "
                    f"features, got query {query_shape}, value {value_shape}, key {key_shape}."
                )
        return tuple(query_shape)

    def compute_output_spec(
        self,
        query: Any,
        value: Any,
        key: Any = None,
        return_attention_scores: bool = False,
        **kwargs: Any,
    ) -> Any:
        """KerasTensors of the output, and of the attention weights if asked for."""
        key_shape = None if key is None else key.shape
        shape = self.compute_output_shape(query.shape, value.shape, key_shape)
        output = KerasTensor(shape, self.compute_dtype)
        if not return_attention_scores:
            return output
        scores = (query.shape[0], self.num_query_heads, query.shape[1], value.shape[1])
        return output, KerasTensor(scores, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "dropout": self.dropout,
            **self._shared_config(),
        }


GroupQueryAttention = GroupedQueryAttention
