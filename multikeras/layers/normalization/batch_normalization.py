"""`BatchNormalization`: features with mean 0 and variance 1 over the batch.

Refused: `renorm=True` (batch renormalization).
"""

from __future__ import annotations

from typing import Any

from multikeras import constraints, initializers, ops, registry, regularizers, shapes
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.layer import Layer
from multikeras.ops.neural import batch_normalization, batch_normalization_train
from multikeras.variables import Variable


@registry.expose("keras.layers")
class BatchNormalization(Layer):
    """Normalizes each feature over the batch (Ioffe and Szegedy, arXiv:1502.03167).

    In training by the mean and variance of the batch, which also move the averages that are
    kept; otherwise, and always if `trainable` is False, by these moving averages. Statistics
    are computed and kept in float32 under mixed precision. Masked steps don't count.

    Args:
        axis: the axis of the features.
        momentum: how much of the moving averages stays in each training step.
        epsilon: added to the variance.
        center: whether to add `beta`.
        scale: whether to multiply by `gamma`.
        beta_initializer, gamma_initializer: for these weights.
        moving_mean_initializer, moving_variance_initializer: for the averages.
        beta_regularizer, gamma_regularizer: penalties.
        beta_constraint, gamma_constraint: applied after each update.
        renorm: only False is supported.
        renorm_clipping, renorm_momentum: kept for the configuration.
        synchronized: kept; on one device there is nothing to synchronize.

    Call arguments: `inputs` of any rank from 2, `training`, `mask`. Output: the same shape.

    Raises:
        ValueError: for `renorm=True`, or a size of `axis` that is not known.

    Example:
        >>> import multikeras as keras
        >>> layer = keras.layers.BatchNormalization(epsilon=0.0)
        >>> y = layer(keras.ops.convert_to_tensor([[1.0], [3.0]]), training=True)
        >>> keras.ops.convert_to_numpy(y).tolist()
        [[-1.0], [1.0]]
    """

    moving_mean: Variable
    moving_variance: Variable

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, (list, tuple)) and len(axis) == 1:
            axis = axis[0]
        if not isinstance(axis, int):
            raise ValueError(f"{self._who()}: axis must be one integer, got {axis!r}.")
        if renorm:
            raise ValueError(f"{self._who()}: renorm=True is not available.")
        self.axis = axis
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.renorm = renorm
        self.renorm_clipping = renorm_clipping
        self.renorm_momentum = renorm_momentum
        self.synchronized = synchronized
        self.supports_masking = True
        self.gamma: Variable | None = None
        self.beta: Variable | None = None

    def build(self, input_shape: tuple) -> None:
        """Makes gamma, beta and the moving averages, each of the size of `axis`."""
        axis = shapes.normalize_axis(self.axis, len(input_shape), self._who())
        features = input_shape[axis]
        if features is None:
            raise ValueError(
                f"{self._who()}: the size of axis {self.axis} must be known, got {input_shape}."
            )
        shape = (features,)
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )
        for name in ("moving_mean", "moving_variance"):
            average = self.add_weight(
                name=name,
                shape=shape,
                initializer=getattr(self, f"{name}_initializer"),
                trainable=False,
                autocast=False,
            )
            setattr(self, name, average)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={axis: features})
        self._features_axis = axis
        self._reduced_axes = tuple(i for i in range(len(input_shape)) if i != axis)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The normalized inputs.

        Args:
            inputs: a tensor of the rank the layer was built with.
            training: whether to use, and learn from, the statistics of the batch.
            mask: None, or bool of the leading dimensions: False where steps don't count.
        """
        own = ops.dtype(inputs)
        wide = inputs if own == self.variable_dtype else ops.cast(inputs, self.variable_dtype)
        beta = None if self.beta is None else self.beta.value
        gamma = None if self.gamma is None else self.gamma.value
        if training and self._trainable:
            if mask is None:
                outputs, mean, variance = batch_normalization_train(
                    wide, beta, gamma, self._reduced_axes, self.epsilon
                )
            else:
                mean, variance = self._masked_moments(wide, mask)
                outputs = self._normalize(wide, mean, variance, beta, gamma)
                mean, variance = ops.stop_gradient(mean), ops.stop_gradient(variance)
            self._follow(self.moving_mean, mean)
            self._follow(self.moving_variance, variance)
        else:
            outputs = self._normalize(
                wide, self.moving_mean.value, self.moving_variance.value, beta, gamma
            )
        return outputs if own == self.variable_dtype else ops.cast(outputs, self.compute_dtype)

    def _normalize(self, x: Any, mean: Any, variance: Any, beta: Any, gamma: Any) -> Any:
        return batch_normalization(
            x, mean, variance, self._features_axis, beta, gamma, self.epsilon
        )

    def _follow(self, average: Any, value: Any) -> None:
        """Moves an average towards the batch's value."""
        average.assign(average.value * self.momentum + value * (1.0 - self.momentum))

    def _masked_moments(self, x: Any, mask: Any) -> tuple[Any, Any]:
        """Mean and variance over the positions where the mask is True."""
        weights = ops.cast(mask, ops.dtype(x))
        while len(weights.shape) < len(x.shape):
            weights = ops.expand_dims(weights, -1)
        weights = ops.broadcast_to(weights, ops.shape(x))
        total = ops.sum(weights, self._reduced_axes, keepdims=True) + 1e-7
        mean = ops.sum(weights * x, self._reduced_axes, keepdims=True) / total
        spread = ops.square(x - mean)
        variance = ops.sum(weights * spread, self._reduced_axes, keepdims=True) / total
        return ops.squeeze(mean, self._reduced_axes), ops.squeeze(variance, self._reduced_axes)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The input's shape."""
        shapes.normalize_axis(self.axis, len(input_shape), self._who())
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config = super().get_config() | {
            name: getattr(self, name) for name in ("axis", "momentum", "epsilon", "center", "scale")
        }
        for name in ("beta", "gamma", "moving_mean", "moving_variance"):
            config[f"{name}_initializer"] = initializers.serialize(
                getattr(self, f"{name}_initializer")
            )
        return config | {
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
            "synchronized": self.synchronized,
            "renorm": self.renorm,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
        }
