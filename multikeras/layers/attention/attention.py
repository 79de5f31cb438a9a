"""`Attention` and `AdditiveAttention`: attention without projections.

Refused: anything but `[query, value]` or `[query, value, key]`.
"""

from __future__ import annotations

from typing import Any

from multikeras import ops, random, registry
from multikeras.layers.layer import Layer
from multikeras.symbolic import KerasTensor


@registry.expose("keras.layers")
class Attention(Layer):
    """Dot-product attention (Luong et al., arXiv:1508.04025).

    Args:
        use_scale: whether a learned scalar multiplies the scores.
        score_mode: "dot": the product of query and key; "concat": the sum of `tanh(query +
            key)`, times a learned scalar.
        dropout: part of the attention weights that is dropped in training.
        seed: of the dropout; None: drawn from the global seed.

    Call arguments: `inputs` `[query, value]` or `[query, value, key]`, each `(batch, length,
    features)`; `mask` a list `[query_mask, value_mask]`; `training`,
    `return_attention_scores`, `use_causal_mask`. Output: `(batch, queries, features of value)`,
    followed by the weights `(batch, queries, keys)` if asked for.

    Raises:
        ValueError: for inputs of another form, an unknown `score_mode` or a dropout outside
            [0, 1].

    Example:
        >>> import multikeras as keras
        >>> query, value = keras.ops.ones((2, 5, 3)), keras.ops.ones((2, 7, 3))
        >>> keras.layers.Attention()([query, value]).shape == (2, 5, 3)
        True
    """

    def __init__(
        self,
        use_scale: bool = False,
        score_mode: str = "dot",
        dropout: float = 0.0,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if score_mode not in ("dot", "concat"):
            raise ValueError(
                f"{self._who()}: score_mode must be 'dot' or 'concat', got {score_mode!r}."
            )
        if not isinstance(dropout, (int, float)) or not 0 <= dropout <= 1:
            raise ValueError(f"{self._who()}: dropout must be in [0, 1], got {dropout!r}.")
        self.use_scale = use_scale
        self.score_mode = score_mode
        self.dropout = dropout
        self.seed = seed
        self.supports_masking = True
        self.scale: Any = None
        self.concat_score_weight: Any = None
        if dropout:
            self.seed_generator = random.SeedGenerator(seed)

    def build(self, input_shape: Any) -> None:
        """Makes the learned scalars."""
        self._check(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(name="scale", shape=(), initializer="ones")
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                name="concat_score_weight", shape=(), initializer="ones"
            )

    def _check(self, inputs: Any) -> None:
        """Raises unless there are two or three inputs (or shapes of inputs) of rank 3."""
        fits = isinstance(inputs, (list, tuple)) and len(inputs) in (2, 3)
        given = [getattr(x, "shape", x) for x in inputs] if fits else []
        shapes = [() if s is None or isinstance(s, int) else tuple(s) for s in given]
        if not fits or any(len(shape) != 3 for shape in shapes):
            got = shapes if any(shapes) else getattr(inputs, "shape", inputs)
            raise ValueError(
                f"{self._who()}: expected [query, value] or [query, value, key] of shapes (batch, "
                f"length, features), got {got}."
            )

    def _scores(self, query: Any, key: Any) -> Any:
        """How much each query wants each key, (batch, queries, keys)."""
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.transpose(key, (0, 2, 1)))
            return scores if self.scale is None else scores * self.scale.value
        both = ops.expand_dims(query, -2) + ops.expand_dims(key, -3)
        if self.scale is not None:
            both = both * self.scale.value
        return self.concat_score_weight.value * ops.sum(ops.tanh(both), axis=-1)

    def call(
        self,
        inputs: Any,
        mask: Any = None,
        training: bool | None = False,
        return_attention_scores: bool = False,
        use_causal_mask: bool = False,
    ) -> Any:
        """The attended values, and the attention weights if asked for."""
        self._check(inputs)
        query, value = inputs[:2]
        key = inputs[2] if len(inputs) > 2 else value
        query_mask, value_mask = (*(mask or ()), None, None)[:2]
        scores = self._scores(query, key)
        allowed = None if value_mask is None else ops.expand_dims(ops.cast(value_mask, "bool"), -2)
        if use_causal_mask:
            at = ops.expand_dims(ops.arange(ops.shape(query)[1], dtype="int32"), -1)
            to = ops.expand_dims(ops.arange(ops.shape(value)[1], dtype="int32"), 0)
            causal = ops.expand_dims(ops.greater_equal(at, to), 0)
            allowed = causal if allowed is None else ops.logical_and(allowed, causal)
        if allowed is not None:
            lowest = 6.5e4 if ops.dtype(scores) == "float16" else 1e9
            barred = ops.cast(ops.logical_not(allowed), ops.dtype(scores))
            scores = scores - ops.multiply(barred, lowest)
        weights = ops.softmax(scores, axis=-1)
        if training and self.dropout:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        outputs = ops.matmul(weights, value)
        if query_mask is not None:
            keep = ops.cast(ops.expand_dims(query_mask, -1), ops.dtype(outputs))
            outputs = outputs * keep
        return (outputs, weights) if return_attention_scores else outputs

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the query."""
        return mask[0] if isinstance(mask, (list, tuple)) else None

    def compute_output_shape(self, input_shape: Any) -> tuple:
        """`(batch, queries, features of value)`."""
        self._check(input_shape)
        return (*input_shape[0][:-1], input_shape[1][-1])

    def compute_output_spec(
        self, inputs: Any, *args: Any, return_attention_scores: bool = False, **kwargs: Any
    ) -> Any:
        """KerasTensors of the output, and of the attention weights if asked for."""
        self._check(inputs)
        query, value = (x.shape for x in inputs[:2])
        output = KerasTensor(self.compute_output_shape([query, value]), self.compute_dtype)
        if not return_attention_scores:
            return output
        return output, KerasTensor((*query[:2], value[1]), self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }


@registry.expose("keras.layers")
class AdditiveAttention(Attention):
    """Attention whose scores are `sum(scale * tanh(query + key))` (Bahdanau et al.,
    arXiv:1409.0473).

    Args:
        use_scale: whether a learned vector multiplies before the sum.
        dropout: part of the attention weights that is dropped in training.
        seed: of the dropout; None: drawn from the global seed.

    Call arguments and outputs: those of `Attention`.

    Raises:
        ValueError: for inputs of another form.

    Example:
        >>> import multikeras as keras
        >>> query, value = keras.ops.ones((2, 5, 3)), keras.ops.ones((2, 7, 3))
        >>> keras.layers.AdditiveAttention()([query, value]).shape == (2, 5, 3)
        True
    """

    def __init__(self, use_scale: bool = True, dropout: float = 0.0, **kwargs: Any) -> None:
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape: Any) -> None:
        """Makes the learned vector."""
        self._check(input_shape)
        if self.use_scale:
            self.scale = self.add_weight(
                name="scale", shape=(input_shape[0][-1],), initializer="glorot_uniform"
            )

    def _scores(self, query: Any, key: Any) -> Any:
        both = ops.tanh(ops.expand_dims(query, -2) + ops.expand_dims(key, -3))
        return ops.sum(both if self.scale is None else both * self.scale.value, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config()
        del config["score_mode"]
        return config
