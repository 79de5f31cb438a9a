"""`ZeroPadding1D`, `ZeroPadding2D` and `ZeroPadding3D`."""

from __future__ import annotations

from typing import Any

from multikeras import config, ops, registry
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.layer import Layer
from multikeras.layers.windows import join_channels, split_channels, standardize_pairs


class _ZeroPadding(Layer):
    """Puts zeros around the spatial dimensions."""

    rank = 0

    def __init__(self, padding: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pairs = standardize_pairs(padding, self.rank, "padding", self._who())
        self.padding = self._pairs[0] if self.rank == 1 else self._pairs
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """The inputs with zeros around them."""
        return ops.pad(
            inputs, join_channels((0, 0), self._pairs, (0, 0), self.data_format)
        )

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The input's shape with the zeros added."""
        spatial, channels = split_channels(input_shape, self.data_format)
        sizes = tuple(
            None if size is None else size + sum(pair)
            for size, pair in zip(spatial, self._pairs, strict=True)
        )
        return join_channels(input_shape[0], sizes, channels, self.data_format)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "padding": self.padding,
            "data_format": self.data_format,
        }


@registry.expose("keras.layers")
class ZeroPadding1D(_ZeroPadding):
    """Puts zeros before and after time.

    Args:
        padding: how many: an integer or (before, after).
        data_format: "channels_last" or "channels_first"; default: the global one.

    Input: `(batch, steps, channels)`. Output: the same, larger.

    Raises:
        ValueError: for a padding of another form.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.ZeroPadding1D(1)(keras.ops.ones((2, 5, 3))).shape == (2, 7, 3)
        True
    """

    rank = 1

    def __init__(
        self, padding: Any = 1, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)


@registry.expose("keras.layers")
class ZeroPadding2D(_ZeroPadding):
    """Puts zeros before and after height and width.

    Args:
        padding: how many: an integer, (rows, columns), or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; default: the global one.

    Input: `(batch, height, width, channels)`. Output: the same, larger.

    Raises:
        ValueError: for a padding of another form.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.ZeroPadding2D(1)(keras.ops.ones((2, 5, 5, 3))).shape == (2, 7, 7, 3)
        True
    """

    rank = 2

    def __init__(
        self, padding: Any = (1, 1), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)


@registry.expose("keras.layers")
class ZeroPadding3D(_ZeroPadding):
    """Puts zeros before and after depth, height and width.

    Args:
        padding: how many: an integer, one for each dimension, or (before, after) for each.
        data_format: "channels_last" or "channels_first"; default: the global one.

    Input: `(batch, depth, height, width, channels)`. Output: the same, larger.

    Raises:
        ValueError: for a padding of another form.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.ZeroPadding3D(1)(keras.ops.ones((2, 5, 5, 5, 3))).shape == (2, 7, 7, 7, 3)
        True
    """

    rank = 3

    def __init__(
        self, padding: Any = ((1, 1), (1, 1), (1, 1)), data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(padding, data_format, **kwargs)
