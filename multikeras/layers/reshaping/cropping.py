"""`Cropping1D`, `Cropping2D` and `Cropping3D`."""

from __future__ import annotations

from typing import Any

from multikeras import config, registry
from multikeras.layers.input_spec import InputSpec
from multikeras.layers.layer import Layer
from multikeras.layers.windows import join_channels, split_channels, standardize_pairs


class _Cropping(Layer):
    """Cuts off the borders of the spatial dimensions."""

    rank = 0

    def __init__(self, cropping: Any = 1, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pairs = standardize_pairs(cropping, self.rank, "cropping", self._who())
        self.cropping = self._pairs[0] if self.rank == 1 else self._pairs
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        """The inputs without their borders."""
        self.compute_output_shape(tuple(inputs.shape))
        inner = tuple(slice(before, -after or None) for before, after in self._pairs)
        return inputs[join_channels(slice(None), inner, slice(None), self.data_format)]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The input's shape without the borders.

        Raises:
            ValueError: if nothing would be left.
        """
        spatial, channels = split_channels(input_shape, self.data_format)
        sizes = tuple(
            None if size is None else size - sum(pair)
            for size, pair in zip(spatial, self._pairs, strict=True)
        )
        if any(size is not None and size <= 0 for size in sizes):
            raise ValueError(
                f"{self._who()}: cropping {self.cropping} leaves nothing of the input "
                f"{tuple(input_shape)}."
            )
        return join_channels(input_shape[0], sizes, channels, self.data_format)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "cropping": self.cropping,
            "data_format": self.data_format,
        }


@registry.expose("keras.layers")
class Cropping1D(_Cropping):
    """Cuts steps off at both ends of time.

    Args:
        cropping: how many: an integer or (before, after).

    Input: `(batch, steps, channels)`. Output: the same, smaller.

    Raises:
        ValueError: for a cropping of another form, or one that leaves nothing.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.Cropping1D(1)(keras.ops.ones((2, 5, 3))).shape == (2, 3, 3)
        True
    """

    rank = 1

    def __init__(self, cropping: Any = (1, 1), **kwargs: Any) -> None:
        super().__init__(cropping, "channels_last", **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        config_ = super().get_config()
        del config_["data_format"]
        return config_


@registry.expose("keras.layers")
class Cropping2D(_Cropping):
    """Cuts steps off at both ends of height and width.

    Args:
        cropping: how many: an integer, (rows, columns), or ((top, bottom), (left, right)).
        data_format: "channels_last" or "channels_first"; default: the global one.

    Input: `(batch, height, width, channels)`. Output: the same, smaller.

    Raises:
        ValueError: for a cropping of another form, or one that leaves nothing.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.Cropping2D(1)(keras.ops.ones((2, 5, 5, 3))).shape == (2, 3, 3, 3)
        True
    """

    rank = 2

    def __init__(
        self,
        cropping: Any = ((0, 0), (0, 0)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)


@registry.expose("keras.layers")
class Cropping3D(_Cropping):
    """Cuts steps off at both ends of depth, height and width.

    Args:
        cropping: how many: an integer, one for each dimension, or (before, after) for each.
        data_format: "channels_last" or "channels_first"; default: the global one.

    Input: `(batch, depth, height, width, channels)`. Output: the same, smaller.

    Raises:
        ValueError: for a cropping of another form, or one that leaves nothing.

    Example:
        >>> import multikeras as keras
        >>> keras.layers.Cropping3D(1)(keras.ops.ones((2, 5, 5, 5, 3))).shape == (2, 3, 3, 3, 3)
        True
    """

    rank = 3

    def __init__(
        self,
        cropping: Any = ((1, 1), (1, 1), (1, 1)),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(cropping, data_format, **kwargs)
