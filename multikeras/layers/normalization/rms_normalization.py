"""`RMSNormalization`: each sample divided by its root mean square."""

from __future__ import annotations

from typing import Any

from multikeras import ops, registry, shapes
from multikeras.layers.layer import Layer
from multikeras.layers.normalization.layer_normalization import normalized_sizes


@registry.expose("keras.layers")
class RMSNormalization(Layer):
    """Divides each sample by its root mean square over `axis` and multiplies it by a learned
    `scale` (Zhang and Sennrich, arXiv:1910.07467).

    Args:
        axis: the axis or axes of the features.
        epsilon: added to the mean square.

    Input of any rank, output of the same shape.

    Raises:
        ValueError: if a size of `axis` is not known, or the axis does not exist.

    Example:
        >>> import multikeras as keras
        >>> y = keras.layers.RMSNormalization()(keras.ops.convert_to_tensor([[3.0, -3.0]]))
        >>> keras.ops.convert_to_numpy(y).round(3).tolist()
        [[1.0, -1.0]]
    """

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else [axis]
        self.epsilon = epsilon

    def build(self, input_shape: tuple) -> None:
        """Makes the scale, of the sizes of `axis`."""
        shape, self._axes = normalized_sizes(input_shape, self.axis, self._who())
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones", autocast=False)

    def call(self, inputs: Any) -> Any:
        """The normalized inputs."""
        return ops.rms_normalization(inputs, self.scale.value, self._axes, self.epsilon)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The input's shape."""
        shapes.normalize_axes(self.axis, len(input_shape), self._who())
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {"axis": self.axis, "epsilon": self.epsilon}
