"""`HeadsAttention`: what attention layers with projected heads share: settings, projections,
masks, and attention itself, in one operation unless the scores are asked for or dropped.
"""

from __future__ import annotations

import math
from typing import Any

from multikeras import activations, constraints, initializers, ops, random, regularizers
from multikeras.layers.core.einsum_dense import EinsumDense
from multikeras.layers.layer import Layer

_KINDS = (("initializer", initializers), ("regularizer", regularizers), ("constraint", constraints))


class HeadsAttention(Layer):
    """Queries attend to values through keys, in several heads.

    Raises:
        ValueError: for sizes that are not positive, or a dropout outside [0, 1).
    """

    dropout: float
    use_bias: bool
    use_gate: bool
    sliding_window: int | None
    seed: Any
    kernel_initializer: Any
    bias_initializer: Any
    kernel_regularizer: Any
    bias_regularizer: Any
    kernel_constraint: Any
    bias_constraint: Any

    def __init__(self, sizes: dict[str, Any], settings: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(activity_regularizer=settings["activity_regularizer"], **kwargs)
        for name, size in sizes.items():
            if not isinstance(size, int) or size <= 0:
                raise ValueError(f"{self._who()}: {name} must be a positive integer, got {size!r}.")
        dropout = settings["dropout"]
        if not isinstance(dropout, (int, float)) or not 0 <= dropout < 1:
            raise ValueError(f"{self._who()}: dropout must be in [0, 1), got {dropout!r}.")
        for name in ("dropout", "use_bias", "use_gate", "sliding_window", "seed"):
            setattr(self, name, settings[name])
        self._flash_attention = settings["flash_attention"]
        for kind, module in _KINDS:
            for part in ("kernel", "bias"):
                setattr(self, f"{part}_{kind}", module.get(settings[f"{part}_{kind}"]))
        self.supports_masking = True
        if dropout:
            self.seed_generator = random.SeedGenerator(self.seed)

    def _projection(self, equation: str, shape: tuple, bias_axes: str, name: str) -> EinsumDense:
        """A projection with the layer's settings; each draws its weights anew."""
        return EinsumDense(
            equation,
            shape,
            bias_axes=bias_axes if self.use_bias else None,
            kernel_initializer=_again(self.kernel_initializer),
            bias_initializer=_again(self.bias_initializer),
            kernel_regularizer=self.kernel_regularizer,
            bias_regularizer=self.bias_regularizer,
            kernel_constraint=self.kernel_constraint,
            bias_constraint=self.bias_constraint,
            activation=activations.linear,
            name=name,
            dtype=self.dtype_policy,
        )

    # -- masks ------------------------------------------------------------------------------

    def _combined_mask(
        self, query: Any, value: Any, masks: tuple[Any, Any, Any], attention_mask: Any, causal: bool
    ) -> Any:
        """Where queries may attend, (batch, queries, keys), or None: everywhere."""
        query_mask, value_mask, key_mask = (
            None if mask is None else ops.cast(mask, "bool") for mask in masks
        )
        parts = [] if attention_mask is None else [ops.cast(attention_mask, "bool")]
        if query_mask is not None:
            parts.append(ops.expand_dims(query_mask, -1))
        parts += [ops.expand_dims(m, -2) for m in (value_mask, key_mask) if m is not None]
        if causal or self.sliding_window is not None:
            at = ops.expand_dims(ops.arange(ops.shape(query)[1], dtype="int32"), -1)
            to = ops.expand_dims(ops.arange(ops.shape(value)[1], dtype="int32"), 0)
            if causal:
                parts.append(ops.expand_dims(ops.greater_equal(at, to), 0))
            if self.sliding_window is not None:
                near = ops.less(ops.abs(ops.subtract(at, to)), self.sliding_window)
                parts.append(ops.expand_dims(near, 0))
        if not parts:
            return None
        mask = parts[0]
        for part in parts[1:]:
            mask = ops.logical_and(mask, part)
        return mask

    def compute_mask(self, query: Any, mask: Any = None) -> Any:
        """The mask of the query."""
        return mask[0] if isinstance(mask, (list, tuple)) else mask

    # -- attention --------------------------------------------------------------------------

    def _scores_to_weights(self, scores: Any, mask: Any, training: bool | None) -> tuple[Any, Any]:
        """Softmax over the keys, and the same with parts dropped in training."""
        if mask is not None:
            lowest = -3e4 if ops.dtype(scores) == "float16" else -1e9
            scores = ops.where(mask, scores, ops.cast(lowest, ops.dtype(scores)))
        weights = ops.softmax(scores, axis=-1)
        if training and self.dropout:
            return weights, random.dropout(weights, self.dropout, seed=self.seed_generator)
        return weights, weights

    def _attend_fused(self, query: Any, key: Any, value: Any, mask: Any, causal: bool) -> Any:
        """Attention over axis 1 without telling the scores."""
        if mask is not None:
            mask = ops.expand_dims(mask, -3)
        return ops.dot_product_attention(
            query,
            key,
            value,
            mask=mask,
            scale=1.0 / math.sqrt(query.shape[-1]),
            is_causal=causal,
            flash_attention=self._flash_attention,
        )

    def _shared_config(self) -> dict[str, Any]:
        config: dict[str, Any] = {}
        for kind, module in _KINDS:
            for part in ("kernel", "bias"):
                config[f"{part}_{kind}"] = module.serialize(getattr(self, f"{part}_{kind}"))
            if kind == "regularizer":
                config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config | {"seed": self.seed}


def heads_settings(given: dict[str, Any]) -> dict[str, Any]:
    """From the `locals()` of a constructor: the settings that these layers share."""
    names = [f"{part}_{kind}" for part in ("kernel", "bias") for kind, _ in _KINDS]
    names += ["activity_regularizer", "dropout", "use_bias", "use_gate", "sliding_window"]
    return {name: given[name] for name in (*names, "flash_attention", "seed")}


def _again(initializer: Any) -> Any:
    """A copy that draws other values, where the initializer has no seed of its own."""
    clone = getattr(initializer, "clone", None)
    return initializer if clone is None else clone()
