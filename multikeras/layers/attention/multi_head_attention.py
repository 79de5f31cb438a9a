"""`MultiHeadAttention`. Refused: keys and values of different lengths, inputs of rank 2."""

from __future__ import annotations

import math
from typing import Any

from multikeras import ops, registry
from multikeras.layers.attention.heads import HeadsAttention, heads_settings
from multikeras.symbolic import KerasTensor

_LETTERS = "abcdefghijklmnopqrstuvw"


@registry.expose("keras.layers")
class MultiHeadAttention(HeadsAttention):
    """Attention in several heads (Vaswani et al., arXiv:1706.03762).

    Args:
        num_heads: number of heads.
        key_dim: size of a head's queries and keys.
        value_dim: size of a head's values; default: `key_dim`.
        dropout: part of the attention weights that is dropped in training.
        use_bias: whether the projections have biases.
        output_shape: shape of the output's features; default: as many as the query's.
        attention_axes: the axes attended over, without batch and features; default: all.
        sliding_window: attend to positions less than this far away; None: to all.
        flash_attention: accepted; the framework chooses its kernel.
        kernel_initializer, bias_initializer: for the projections.
        kernel_regularizer, bias_regularizer: penalties on the weights.
        activity_regularizer: penalty on the outputs.
        kernel_constraint, bias_constraint: applied after each update.
        use_gate: whether a sigmoid gate, computed from the query, multiplies what the heads
            give.
        seed: of the dropout; None: drawn from the global seed.

    Call arguments: `query` `(batch, queries, features)`, `value` `(batch, keys, features)`,
    `key` (default: `value`), `query_mask`, `value_mask`, `key_mask` (bool `(batch, length)`),
    `attention_mask` (bool `(batch, queries, keys)`), `return_attention_scores`, `training`,
    `use_causal_mask`. Output: `(batch, queries, output features)`, followed by the attention
    weights `(batch, heads, queries, keys)` if asked for.

    Raises:
        ValueError: for sizes that are not positive, or inputs that don't fit each other.

    Example:
        >>> import multikeras as keras
        >>> layer = keras.layers.MultiHeadAttention(num_heads=2, key_dim=4)
        >>> x = keras.ops.ones((2, 7, 3))
        >>> layer(x, x, use_causal_mask=True).shape == (2, 7, 3)
        True
    """

    def __init__(
        self,
        num_heads: int,
        key_dim: int,
        value_dim: int | None = None,
        dropout: float = 0.0,
        use_bias: bool = True,
        output_shape: Any = None,
        attention_axes: Any = None,
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
        value_dim = value_dim if value_dim else key_dim
        sizes = {"num_heads": num_heads, "key_dim": key_dim, "value_dim": value_dim}
        super().__init__(sizes, heads_settings(locals()), **kwargs)
        self.num_heads = num_heads
        self.key_dim = key_dim
        self.value_dim = value_dim
        self._output_shape = _tuple(output_shape)
        self.attention_axes: Any = _tuple(attention_axes)  # None until built: all between

    def build(  # type: ignore[override]  # a shape for each argument of `call`
        self, query_shape: tuple, value_shape: tuple, key_shape: Any = None
    ) -> None:
        """Makes the projections."""
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(query_shape, value_shape, key_shape)
        rank = len(query_shape)
        if self.attention_axes is None:
            self.attention_axes = tuple(range(1, rank - 1))
        else:
            self.attention_axes = tuple(axis % rank for axis in self.attention_axes)
        heads = self.num_heads

        def project(shape: tuple, size: int, name: str) -> Any:
            free = _LETTERS[: len(shape) - 1]
            layer = self._projection(
                f"{free}x,xyz->{free}yz", (*[None] * (len(shape) - 2), heads, size), "yz", name
            )
            layer.build(shape)
            return layer

        self.query_dense = project(query_shape, self.key_dim, "query")
        self.key_dense = project(key_shape, self.key_dim, "key")
        if self.use_gate:
            self._gate_dense = project(query_shape, self.value_dim, "gate")
        self.value_dense = project(value_shape, self.value_dim, "value")
        free = _LETTERS[: rank - 1]
        features = self._output_shape or (query_shape[-1],)
        given = "".join(chr(ord("A") + i) for i in range(len(features)))
        self.output_dense = self._projection(
            f"{free}yz,yz{given}->{free}{given}",
            (*[None] * (rank - 2), *features),
            given,
            "attention_output",
        )
        self.output_dense.build((*query_shape[:-1], heads, self.value_dim))

    def _check_shapes(self, query: tuple, value: tuple, key: tuple) -> None:
        if min(len(query), len(value), len(key)) < 3:
            raise ValueError(
                f"{self._who()}: expected inputs (batch, length, features), got query {query}, "
                f"value {value}, key {key}."
            )
        if tuple(value[:-1]) != tuple(key[:-1]):
            raise ValueError(
                f"{self._who()}: value and key must agree in all but the last dimension, got "
                f"{value} and {key}."
            )
        if query[-1] is None or value[-1] is None or key[-1] is None:
            raise ValueError(
                f"{self._who()}: the last dimensions must be known, got query {query}, value "
                f"{value}, key {key}."
            )

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
        fused = (
            len(self.attention_axes) == 1
            and len(query.shape) == 3
            and not return_attention_scores
            and not (training and self.dropout)
        )
        masks = (None, value_mask, key_mask)  # masked queries attend too: nobody reads them
        mask = self._combined_mask(
            query, value, masks, attention_mask, use_causal_mask and not fused
        )
        heads = self.query_dense(query), self.key_dense(key), self.value_dense(value)
        weights = None
        if fused:
            outputs = self._attend_fused(*heads, mask, use_causal_mask)
        else:
            outputs, weights = self._attend(*heads, mask, training)
        if self.use_gate:
            outputs = outputs * ops.sigmoid(self._gate_dense(query))
        outputs = self.output_dense(outputs)
        return (outputs, weights) if return_attention_scores else outputs

    def _attend(self, query: Any, key: Any, value: Any, mask: Any, training: Any) -> Any:
        """Attention over any axes, with its weights (batch, ..., heads, queries, keys)."""
        q, k, scores = _attention_letters(len(query.shape) - 2, self.attention_axes)
        query = ops.multiply(query, 1.0 / math.sqrt(self.key_dim))
        logits = ops.einsum(f"{q}yz,{k}yz->{scores}", query, key)
        count = len(self.attention_axes)
        shape = ops.shape(logits)
        if mask is not None:
            mask = ops.expand_dims(mask, -2 * count - 1)
        if count > 1:  # the keys as one axis for the softmax
            flat = (*shape[: len(shape) - count], -1)
            logits = ops.reshape(logits, flat)
            if mask is not None:
                full = (*mask.shape[:-count], *shape[len(shape) - count :])
                mask = ops.broadcast_to(mask, full)
                mask = ops.reshape(mask, (*mask.shape[:-count], -1))
        weights, dropped = self._scores_to_weights(logits, mask, training)
        if count > 1:
            weights, dropped = ops.reshape(weights, shape), ops.reshape(dropped, shape)
        return ops.einsum(f"{scores},{k}yz->{q}yz", dropped, value), weights

    def compute_output_shape(
        self, query_shape: tuple, value_shape: tuple, key_shape: Any = None
    ) -> tuple:
        """The query's shape with the output's features."""
        key_shape = value_shape if key_shape is None else key_shape
        self._check_shapes(tuple(query_shape), tuple(value_shape), tuple(key_shape))
        return (*query_shape[:-1], *(self._output_shape or (query_shape[-1],)))

    def compute_output_spec(
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
        """KerasTensors of the output, and of the attention weights if asked for."""
        key_shape = None if key is None else key.shape
        shape = self.compute_output_shape(query.shape, value.shape, key_shape)
        output = KerasTensor(shape, self.compute_dtype)
        if not return_attention_scores:
            return output
        rank = len(query.shape)
        axes = self.attention_axes or tuple(range(1, rank - 1))
        axes = tuple(axis % rank for axis in axes)
        kept = [query.shape[i] for i in range(rank - 1) if i not in axes]
        ends = [query.shape[i] for i in axes] + [value.shape[i] for i in axes]
        return output, KerasTensor((*kept, self.num_heads, *ends), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "dropout": self.dropout,
            "use_bias": self.use_bias,
            "use_gate": self.use_gate,
            "output_shape": self._output_shape,
            "attention_axes": self.attention_axes,
            "sliding_window": self.sliding_window,
            **self._shared_config(),
        }


def _tuple(value: Any) -> tuple | None:
    if value is None or isinstance(value, int):
        return None if value is None else (value,)
    return tuple(value)


def _attention_letters(free: int, axes: tuple[int, ...]) -> tuple[str, str, str]:
    """Letters of the query's and the key's axes before the heads, and those of the scores.

    Axes that are not attended over are shared; y stands for the heads.
    """
    query = _LETTERS[:free]
    key = "".join(c.upper() if i in axes else c for i, c in enumerate(query))
    kept = "".join(c for i, c in enumerate(query) if i not in axes)
    attended = "".join(query[i] for i in axes) + "".join(key[i] for i in axes)
    return query, key, f"{kept}y{attended}"
