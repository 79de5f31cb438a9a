"""`EinsumDense`: a dense layer whose product is any Einstein sum.

Refused: equations without two operands and an output, shapes that don't fit them, LoRA and
quantization.
"""

from __future__ import annotations

import re
from typing import Any

from multikeras import activations, constraints, initializers, ops, registry, regularizers
from multikeras.layers.layer import Layer

_EQUATION = re.compile(
    r"^(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?$"
)


@registry.expose("keras.layers")
class EinsumDense(Layer):
    """`activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: such as "abc,cd->abd"; an ellipsis at one end stands for further dimensions.
        output_shape: shape of the output without the batch (and without the dimensions of an
            ellipsis on the left); None for what the inputs tell.
        activation: a name or a function; None: linear.
        bias_axes: the letters of the output along which the bias varies; None: no bias.
        kernel_initializer, bias_initializer: for the weights.
        kernel_regularizer, bias_regularizer: penalties on the weights.
        kernel_constraint, bias_constraint: applied after each update.
        lora_rank, lora_alpha, gptq_unpacked_column_size, quantization_config: only None is
            supported.

    Raises:
        ValueError: for an equation of another form, or shapes that don't fit it.

    Example:
        >>> import multikeras as keras
        >>> layer = keras.layers.EinsumDense("abc,cde->abde", (None, 2, 4), bias_axes="de")
        >>> layer(keras.ops.ones((2, 7, 3))).shape == (2, 7, 2, 4)
        True
    """

    def __init__(
        self,
        equation: str,
        output_shape: Any,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if lora_rank is not None or quantization_config is not None:
            raise ValueError(f"{self._who()}: LoRA and quantization are not available.")
        self.equation = equation
        match = _EQUATION.match(equation.replace(" ", "")) if isinstance(equation, str) else None
        # An ellipsis on a side stands on that side of the result, and on one side only.
        if match is None or match[1] != match[5] or match[3] != match[7] or (match[1] and match[3]):
            raise ValueError(
                f"{self._who()}: expected an equation like 'ab,bc->ac', '...ab,bc->...ac' or "
                f"'ab...,bc->ac...', got {equation!r}."
            )
        self._letters = match[2], match[4], match[6]
        self._ellipsis = "left" if match[1] else "right" if match[3] else None
        if isinstance(output_shape, int):
            output_shape = (output_shape,)
        self.partial_output_shape = tuple(output_shape)
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        unknown = [axis for axis in bias_axes or "" if axis not in match[6]]
        if unknown:
            raise ValueError(f"{self._who()}: bias axes {unknown} are not in the output.")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.bias_constraint = constraints.get(bias_constraint)

    def _sizes(self, input_shape: tuple) -> tuple[dict[str, Any], list[str]]:
        """The size of each letter (of further dimensions by number), and the output's letters."""
        inputs, kernel, outputs = self._letters
        extra = len(input_shape) - len(inputs)
        if extra < 0 or (extra and self._ellipsis is None):
            raise ValueError(
                f"{self._who()}: the equation {self.equation!r} doesn't fit the input "
                f"{tuple(input_shape)}."
            )
        more = [str(i) for i in range(extra)]
        left = self._ellipsis == "left"
        of_input = [*more, *inputs] if left else [*inputs, *more]
        of_output = [*more, *outputs] if left else [*outputs, *more]
        sizes = dict(zip(of_input, input_shape, strict=True))
        given = self.partial_output_shape
        tail = list(outputs) if left else of_output[1:]
        for letter, size in zip(tail[-len(given) :] if left else tail, given):
            if size is not None and sizes.get(letter) not in (None, size):
                raise ValueError(
                    f"{self._who()}: output_shape {given} has {size} for {letter!r} of "
                    f"{self.equation!r}, the input {tuple(input_shape)} has {sizes[letter]}."
                )
            if size is not None or letter not in sizes:
                sizes[letter] = size
        missing = [x for x in kernel if sizes.get(x) is None] + [
            x for x in outputs if x not in sizes
        ]
        if missing:
            raise ValueError(
                f"{self._who()}: the sizes of {missing} in {self.equation!r} can't be told from "
                f"the input {tuple(input_shape)} and output_shape {given}."
            )
        return sizes, of_output

    def build(self, input_shape: tuple) -> None:
        """Makes the kernel and the bias."""
        sizes, of_output = self._sizes(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=tuple(sizes[letter] for letter in self._letters[1]),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.bias_axes:
            first = min(of_output.index(axis) for axis in self.bias_axes)
            shape = tuple(sizes[x] if x in self.bias_axes else 1 for x in of_output[first:])
            self.bias = self.add_weight(
                name="bias",
                shape=shape,
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """The outputs."""
        outputs = ops.einsum(self.equation, inputs, self.kernel.value)
        if self.bias is not None:
            outputs = ops.add(outputs, self.bias.value)
        return outputs if self.activation is activations.linear else self.activation(outputs)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape that the equation gives."""
        sizes, of_output = self._sizes(input_shape)
        return tuple(sizes[letter] for letter in of_output)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return super().get_config() | {
            "output_shape": self.partial_output_shape,
            "equation": self.equation,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
            "quantization_config": None,
        }
