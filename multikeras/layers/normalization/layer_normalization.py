"""`LayerNormalization`: each sample with mean 0 and variance 1.

Refused: `rms_scaling=True` of old configurations (`RMSNormalization` is that layer).
"""

from __future__ import annotations

from typing import Any

from multikeras import constraints, initializers, ops, registry, regularizers, shapes
from multikeras.layers.layer import Layer
from multikeras.variables import Variable


@registry.expose("keras.layers")
class LayerNormalization(Layer):
    """Normalizes each sample over `axis` (Ba et al., arXiv:1607.06450).

    Args:
        axis: the axis or axes of the features.
        epsilon: added to the variance.
        center: whether to add `beta`.
        scale: whether to multiply by `gamma`.
        beta_initializer, gamma_initializer: for these weights.
        beta_regularizer, gamma_regularizer: penalties.
        beta_constraint, gamma_constraint: applied after each update.

    Input of any rank, output of the same shape.

    Raises:
        ValueError: if a size of `axis` is not known, or the axis does not exist.

    Example:
        >>> import multikeras as keras
        >>> layer = keras.layers.LayerNormalization(epsilon=1e-9)
        >>> y = layer(keras.ops.convert_to_tensor([[1.0, 3.0]]))
        >>> keras.ops.convert_to_numpy(y).round(3).tolist()
        [[-1.0, 1.0]]
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rms_scaling = kwargs.pop("rms_scaling", False)
        super().__init__(**kwargs)
        if rms_scaling:
            raise ValueError(
                f"{self._who()}: rms_scaling=True is not available; use RMSNormalization."
            )
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else [axis]
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True
        self.gamma: Variable | None = None
        self.beta: Variable | None = None

    def build(self, input_shape: tuple) -> None:
        """Makes gamma and beta, of the sizes of `axis`."""
        shape, self._axes = normalized_sizes(input_shape, self.axis, self._who())
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

    def call(self, inputs: Any) -> Any:
        """The normalized inputs."""
        gamma = None if self.gamma is None else self.gamma.value
        beta = None if self.beta is None else self.beta.value
        return ops.layer_normalization(inputs, gamma, beta, self._axes, self.epsilon)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The input's shape."""
        shapes.normalize_axes(self.axis, len(input_shape), self._who())
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "rms_scaling": False,
            "beta_initializer": initializers.serialize(self.beta_initializer),
            "gamma_initializer": initializers.serialize(self.gamma_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": constraints.serialize(self.beta_constraint),
            "gamma_constraint": constraints.serialize(self.gamma_constraint),
        }


def normalized_sizes(input_shape: tuple, axis: list[int], who: str) -> tuple[tuple, tuple]:
    """The sizes of the axes of one sample, in the order of the sorted list, and these axes.

    Raises:
        ValueError: for an axis that does not exist or has no known size.
    """
    axes = shapes.normalize_axes(sorted(axis), len(input_shape), who)
    sizes = tuple(input_shape[i] for i in axes)
    if None in sizes:
        raise ValueError(f"{who}: the sizes of axis {axis} must be known, got {input_shape}.")
    return sizes, axes
