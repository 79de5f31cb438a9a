"""Fourier transforms, frames of signals, and the windows they are weighted with.

Complex signals go in and come out as pairs `(real, imag)` of real tensors. 16-bit floats and
integers are computed in (at least) 32-bit floats. The transforms named `fourier...` work on
complex tensors; they and `overlap_sequences` are what the public ones are made with, and are not
exported.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from multikeras import dtypes
from multikeras.ops import arithmetic, core, creation, indexing, rules, shaping
from multikeras.ops._compose import composed
from multikeras.ops._declare import op
from multikeras.ops.complex_numbers import imag, join_complex, real, to_part
from multikeras.symbolic import KerasTensor


def _as_complex(dtype: str) -> str:
    return "complex128" if dtype in ("float64", "complex128") else "complex64"


def _positive(who: str, name: str, value: Any) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{who}: expected an integer for `{name}`, got {value!r}.") from None
    if number < 1:
        raise ValueError(f"{who}: `{name}` must be positive, got {number}.")
    return number


def _rank(who: str, x: Any, least: int) -> None:
    if len(x.shape) < least:
        raise ValueError(
            f"{who}: expected a tensor of rank {least} or more, got shape {tuple(x.shape)}."
        )


def _pair(who: str, x: Any, least: int = 1) -> Any:
    """The complex tensor of a pair of real and imaginary parts."""
    shapes = [tuple(part.shape) for part in x]
    fits = len(x) == 2 and len(shapes[0]) == len(shapes[1])
    if not fits or any(None not in (a, b) and a != b for a, b in zip(*shapes, strict=True)):
        raise ValueError(
            f"{who}: expected `x` to be a pair (real, imag) of tensors of one shape, "
            f"got {len(x)} of shapes {shapes}."
        )
    _rank(who, x[0], least)
    return join_complex(x[0], x[1])


# -------------------------------------------------------------- transforms of complex tensors


@op(rules.unary())
def fourier(x: Any) -> Any:
    """Discrete Fourier transform of a complex tensor along its last axis.

    Args:
        x: complex (..., n).

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.signal import fourier
        >>> ops.convert_to_numpy(ops.real(fourier([1 + 0j, 2 + 0j]))).tolist()
        [3.0, -1.0]
    """


@op(rules.unary())
def fourier2(x: Any) -> Any:
    """Two-dimensional discrete Fourier transform of a complex tensor over its last two axes.

    Args:
        x: complex (..., m, n).

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.signal import fourier2
        >>> ops.convert_to_numpy(ops.real(fourier2([[1 + 0j, 2 + 0j]]))).tolist()
        [[3.0, -1.0]]
    """


@op(rules.unary())
def inverse_fourier2(x: Any) -> Any:
    """What `fourier2` undoes.

    Args:
        x: complex (..., m, n).

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.signal import inverse_fourier2
        >>> ops.convert_to_numpy(ops.real(inverse_fourier2([[3 + 0j, -1 + 0j]]))).tolist()
        [[1.0, 2.0]]
    """


def _half_size(x: KerasTensor, length: int | None = None) -> tuple:
    size = x.shape[-1] if length is None else length
    return (*x.shape[:-1], None if size is None else size // 2 + 1)


def _full_size(x: KerasTensor, length: int | None = None) -> tuple:
    size = x.shape[-1]
    size = length if length is not None else None if size is None else 2 * (size - 1)
    return (*x.shape[:-1], size)


@op(rules.like(_half_size, to_part, _as_complex, ("x",)))
def fourier_real(x: Any, length: int | None = None) -> Any:
    """The first `length // 2 + 1` terms of the Fourier transform of a real tensor.

    Args:
        x: real (..., n).
        length: to which the last axis is cut, or filled up with zeros; default: n.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.signal import fourier_real
        >>> ops.convert_to_numpy(ops.real(fourier_real([1.0, 2.0]))).tolist()
        [3.0, -1.0]
    """


@op(rules.like(_full_size, None, rules.real_dtype, ("x",)))
def inverse_fourier_real(x: Any, length: int | None = None) -> Any:
    """What `fourier_real` undoes.

    Args:
        x: complex (..., k).
        length: of the result's last axis; default: 2 (k - 1).

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.signal import inverse_fourier_real
        >>> ops.convert_to_numpy(inverse_fourier_real([3 + 0j, -1 + 0j])).tolist()
        [1.0, 2.0]
    """


# -------------------------------------------------------------------------- public transforms


@composed("*x", promote=to_part)
def fft(x: Any) -> Any:
    """Discrete Fourier transform along the last axis.

    Args:
        x: a pair `(real, imag)` of tensors (..., n).

    Returns:
        A pair `(real, imag)` of the same shape.

    Raises:
        ValueError: if `x` is not a pair of tensors of one shape.

    Example:
        >>> from multikeras import ops
        >>> real, imag = ops.fft(([1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0]))
        >>> ops.convert_to_numpy(real).tolist(), ops.convert_to_numpy(imag).tolist()
        ([10.0, -2.0, -2.0, -2.0], [0.0, 2.0, 0.0, -2.0])
    """
    spectrum = fourier(_pair("fft", x))
    return real(spectrum), imag(spectrum)


@composed("*x", promote=to_part)
def fft2(x: Any) -> Any:
    """Two-dimensional discrete Fourier transform over the last two axes.

    Args:
        x: a pair `(real, imag)` of tensors (..., m, n).

    Returns:
        A pair `(real, imag)` of the same shape.

    Raises:
        ValueError: if `x` is not a pair of tensors of one shape and of rank 2 or more.

    Example:
        >>> from multikeras import ops
        >>> real, imag = ops.fft2(([[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]))
        >>> ops.convert_to_numpy(real).tolist()
        [[10.0, -2.0], [-4.0, 0.0]]
    """
    spectrum = fourier2(_pair("fft2", x, 2))
    return real(spectrum), imag(spectrum)


@composed("*x", promote=to_part)
def ifft2(x: Any) -> Any:
    """The inverse of `fft2`.

    Args:
        x: a pair `(real, imag)` of tensors (..., m, n).

    Returns:
        A pair `(real, imag)` of the same shape.

    Raises:
        ValueError: if `x` is not a pair of tensors of one shape and of rank 2 or more.

    Example:
        >>> from multikeras import ops
        >>> real, imag = ops.ifft2(([[10.0, -2.0], [-4.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]))
        >>> ops.convert_to_numpy(real).tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """
    signal = inverse_fourier2(_pair("ifft2", x, 2))
    return real(signal), imag(signal)


@composed("x", promote=to_part)
def rfft(x: Any, fft_length: int | None = None) -> Any:
    """The Fourier transform of a real signal along its last axis, without what is redundant.

    Args:
        x: real (..., n).
        fft_length: to which the last axis is cut, or filled up with zeros; default: n.

    Returns:
        A pair `(real, imag)` of tensors (..., fft_length // 2 + 1).

    Raises:
        ValueError: if `fft_length` is not positive.

    Example:
        >>> from multikeras import ops
        >>> real, imag = ops.rfft([1.0, 2.0, 3.0, 4.0])
        >>> ops.convert_to_numpy(real).tolist(), ops.convert_to_numpy(imag).tolist()
        ([10.0, -2.0, -2.0], [0.0, 2.0, 0.0])
    """
    _rank("rfft", x, 1)
    if fft_length is not None:
        fft_length = _positive("rfft", "fft_length", fft_length)
    spectrum = fourier_real(x, fft_length)
    return real(spectrum), imag(spectrum)


@composed("*x", promote=to_part)
def irfft(x: Any, fft_length: int | None = None) -> Any:
    """The inverse of `rfft`.

    Args:
        x: a pair `(real, imag)` of tensors (..., k).
        fft_length: the length of the signal; default: 2 (k - 1). `k` is cut, or filled up with
            zeros, to `fft_length // 2 + 1`.

    Returns:
        Floats (..., fft_length).

    Raises:
        ValueError: if `x` is not a pair of tensors of one shape or `fft_length` is not positive.

    Example:
        >>> from multikeras import ops
        >>> signal = ops.irfft(([10.0, -2.0, -2.0], [0.0, 2.0, 0.0]))
        >>> ops.convert_to_numpy(signal).tolist()
        [1.0, 2.0, 3.0, 4.0]
    """
    spectrum = _pair("irfft", x)
    if fft_length is not None:
        fft_length = _positive("irfft", "fft_length", fft_length)
    elif spectrum.shape[-1] == 1:
        raise ValueError("irfft: give `fft_length` for a spectrum of one term.")
    return inverse_fourier_real(spectrum, fft_length)


# ------------------------------------------------------------------------------------- frames


def _frames_shape(x: KerasTensor, length: int, stride: int) -> tuple:
    size = x.shape[-1]
    count = None if size is None else max((size - length) // stride + 1, 0)
    return (*x.shape[:-1], count, length)


@op(rules.like(_frames_shape, tensors=("x",)))
def frames(x: Any, length: int, stride: int) -> Any:
    """What `extract_sequences` gives, for sizes that are known to be right.

    Args:
        x: (..., n), of any dtype.
        length: the length of a frame.
        stride: from the begin of a frame to that of the next.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.signal import frames
        >>> ops.convert_to_numpy(frames([1, 2, 3, 4], 2, 1)).tolist()
        [[1, 2], [2, 3], [3, 4]]
    """
    places = np.arange(_frames_shape(x, length, stride)[-2])[:, None] * stride + np.arange(length)
    return indexing.take(x, places.astype(np.int32), axis=-1)


@composed("x")
def extract_sequences(x: Any, sequence_length: int, sequence_stride: int) -> Any:
    """Frames of the last axis, each `sequence_stride` after the one before.

    Args:
        x: (..., n), of any dtype.
        sequence_length: the length of a frame.
        sequence_stride: from the begin of a frame to that of the next.

    Returns:
        (..., frames, sequence_length); what is left over at the end is dropped.

    Raises:
        ValueError: if the length or the stride is not positive, or `x` is a scalar.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.extract_sequences([1, 2, 3, 4, 5], 3, 2)).tolist()
        [[1, 2, 3], [3, 4, 5]]
    """
    _rank("extract_sequences", x, 1)
    length = _positive("extract_sequences", "sequence_length", sequence_length)
    return frames(x, length, _positive("extract_sequences", "sequence_stride", sequence_stride))


def _overlapped_shape(x: KerasTensor, sequence_stride: int) -> tuple:
    *batch, count, length = x.shape
    if count is None or length is None:
        return (*batch, None)
    return (*batch, (count - 1) * sequence_stride + length)


@op(rules.like(_overlapped_shape, tensors=("x",)), compiled=True)
def overlap_sequences(x: Any, sequence_stride: int) -> Any:
    """Adds up frames where they overlap: what `extract_sequences` takes apart.

    Args:
        x: (..., frames, length), at least one frame.
        sequence_stride: from the begin of a frame to that of the next.

    Example:
        >>> from multikeras import ops
        >>> from multikeras.ops.signal import overlap_sequences
        >>> ops.convert_to_numpy(overlap_sequences([[1, 2, 3], [3, 4, 5]], 2)).tolist()
        [1, 2, 6, 4, 5]
    """
    rank, length = len(x.shape), x.shape[-1]
    pieces = -(-length // sequence_stride)
    surplus = pieces * sequence_stride - length
    x = shaping.pad(x, ((0, 0),) * (rank - 1) + ((0, surplus),))
    total: Any = None
    # The p-th pieces of all frames lie p steps later, one after the other.
    for p in range(pieces):
        piece = indexing.get_item(x, (..., slice(p * sequence_stride, (p + 1) * sequence_stride)))
        piece = shaping.pad(piece, ((0, 0),) * (rank - 2) + ((p, pieces - 1 - p), (0, 0)))
        total = piece if total is None else arithmetic.add(total, piece)
    *batch, steps, stride = core.shape(total)
    flat = shaping.reshape(total, (*batch, steps * stride))
    return indexing.get_item(flat, (..., slice(None, -surplus))) if surplus else flat


_PERIODIC = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46)}


def _frame_window(who: str, window: Any, length: int, fft_length: int, dtype: str) -> Any:
    """The weights of a frame, in the middle of `fft_length`; None: all ones."""
    if window is None:
        return core.convert_to_tensor(np.ones(fft_length), dtype)
    left = (fft_length - length) // 2
    sides = (left, fft_length - length - left)
    if isinstance(window, str):
        if window not in _PERIODIC:
            raise ValueError(
                f'{who}: expected `window` to be "hann", "hamming", None or a tensor, '
                f"got {window!r}."
            )
        mean, swing = _PERIODIC[window]
        weights = [mean - swing * math.cos(2 * math.pi * k / length) for k in range(length)]
        padded = [0.0] * sides[0] + weights + [0.0] * sides[1]
        return core.convert_to_tensor(np.array(padded), dtype)
    window = core.convert_to_tensor(window, dtype)
    if tuple(window.shape) != (length,):
        raise ValueError(
            f"{who}: expected a `window` of shape (sequence_length,) = ({length},), "
            f"got {tuple(window.shape)}."
        )
    return shaping.pad(window, (sides,))


def _sizes(who: str, sequence_length: Any, sequence_stride: Any, fft_length: Any) -> tuple:
    length = _positive(who, "sequence_length", sequence_length)
    stride = _positive(who, "sequence_stride", sequence_stride)
    size = _positive(who, "fft_length", fft_length)
    if size < length:
        raise ValueError(
            f"{who}: `fft_length` ({size}) must not be less than `sequence_length` ({length})."
        )
    return length, stride, size


@composed("x", promote=to_part, compiled=True)
def stft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """Short-time Fourier transform along the last axis.

    Args:
        x: real (..., n).
        sequence_length: the length of the window.
        sequence_stride: from the begin of a frame to that of the next.
        fft_length: the length of a frame; the window lies in its middle.
        window: "hann", "hamming", a tensor (sequence_length,), or None for ones all over the
            frame. The named ones are periodic.
        center: whether the signal is continued by reflection so that the t-th frame has its
            middle at `t * sequence_stride`.

    Returns:
        A pair `(real, imag)` of tensors (..., frames, fft_length // 2 + 1).

    Raises:
        ValueError: if a size is not positive, `fft_length` is less than `sequence_length`, or
            `window` is none of those above.

    Example:
        >>> from multikeras import ops
        >>> real, imag = ops.stft([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 4, 2, 4, center=False)
        >>> ops.convert_to_numpy(real).tolist()
        [[6.0, -3.0, 0.0], [10.0, -5.0, 0.0]]
    """
    length, stride, size = _sizes("stft", sequence_length, sequence_stride, fft_length)
    _rank("stft", x, 1)
    weights = _frame_window("stft", window, length, size, core.dtype(x))
    if center:
        sides = ((0, 0),) * (len(x.shape) - 1) + ((size // 2,) * 2,)
        x = shaping.pad(x, sides, "reflect")
    return rfft(arithmetic.multiply(frames(x, size, stride), weights), size)


@composed("*x", promote=to_part, compiled=True)
def istft(
    x: Any,
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Any:
    """The inverse of `stft`: the signal whose transform is nearest to `x` in squares.

    Griffin and Lim, "Signal estimation from modified short-time Fourier transform" (1984).

    Args:
        x: a pair `(real, imag)` of tensors (..., frames, fft_length // 2 + 1).
        sequence_length, sequence_stride, fft_length, window, center: as `stft` had them.
        length: of the signal, which is cut or filled up with zeros; default: what the frames
            cover, without the continuation by reflection if `center`.

    Returns:
        Floats (..., length).

    Raises:
        ValueError: as `stft`; or if `x` is not a pair of tensors of one shape.

    Example:
        >>> from multikeras import ops
        >>> x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        >>> ops.convert_to_numpy(ops.istft(ops.stft(x, 4, 2, 4), 4, 2, 4)).tolist()
        [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    """
    span, stride, size = _sizes("istft", sequence_length, sequence_stride, fft_length)
    _pair("istft", x, 2)
    dtype = core.dtype(x[0])
    weights = _frame_window("istft", window, span, size, dtype)
    parts = irfft(x, size)
    count = parts.shape[-2]
    ones = (
        creation.ones_like(indexing.get_item(parts, (..., slice(0, 1))))
        if count is None
        else core.convert_to_tensor(np.ones((count, 1)), dtype)
    )
    norm = overlap_sequences(
        arithmetic.multiply(ones, arithmetic.multiply(weights, weights)), stride
    )
    signal = overlap_sequences(arithmetic.multiply(parts, weights), stride)
    signal = arithmetic.divide(signal, arithmetic.where(arithmetic.greater(norm, 1e-10), norm, 1.0))
    start = size // 2 if center else 0
    if length is None:
        stop = -start if start else None
        return indexing.get_item(signal, (..., slice(start, stop)))
    stop = start + _positive("istft", "length", length)
    have = signal.shape[-1]
    missing = stop if have is None else max(stop - have, 0)
    if missing:
        signal = shaping.pad(signal, ((0, 0),) * (len(signal.shape) - 1) + ((0, missing),))
    return indexing.get_item(signal, (..., slice(start, stop)))


# ------------------------------------------------------------------------------------ windows


def _window(who: str, x: Any, formula: Callable[[np.ndarray], np.ndarray]) -> Any:
    """`formula` of the places 0..1 of a window of `x` points; 1 for a single point."""
    if isinstance(x, KerasTensor):
        raise TypeError(f"{who}: the length must be known, got the symbolic tensor {x}.")
    value = core.convert_to_numpy(x)
    if value.ndim or value.dtype.kind not in "iu":
        raise TypeError(f"{who}: expected an integer for the window's length, got {x!r}.")
    count = max(int(value), 0)
    points = formula(np.arange(count) / (count - 1)) if count > 1 else np.ones(count)
    return core.convert_to_tensor(points, dtypes.floatx())


def bartlett(x: Any) -> Any:
    """The triangular window that ends in zeros.

    Args:
        x: the number of points, an integer.

    Returns:
        Floats (x,), of dtype `floatx()`.

    Raises:
        TypeError: if `x` is not an integer.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.bartlett(5)).tolist()
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return _window("bartlett", x, lambda t: 1 - np.abs(2 * t - 1))


def blackman(x: Any) -> Any:
    """The Blackman window, a sum of three cosines.

    Args:
        x: the number of points, an integer.

    Returns:
        Floats (x,), of dtype `floatx()`.

    Raises:
        TypeError: if `x` is not an integer.

    Example:
        >>> from multikeras import ops
        >>> [round(float(v), 2) for v in ops.convert_to_numpy(ops.blackman(4))[1:3]]
        [0.63, 0.63]
    """

    def formula(t: np.ndarray) -> np.ndarray:
        return 0.42 - 0.5 * np.cos(2 * math.pi * t) + 0.08 * np.cos(4 * math.pi * t)

    return _window("blackman", x, formula)


def hamming(x: Any) -> Any:
    """The symmetric Hamming window.

    Args:
        x: the number of points, an integer.

    Returns:
        Floats (x,), of dtype `floatx()`.

    Raises:
        TypeError: if `x` is not an integer.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.hamming(3)).tolist()
        [0.08, 1.0, 0.08]
    """
    return _window("hamming", x, lambda t: 0.54 - 0.46 * np.cos(2 * math.pi * t))


def hanning(x: Any) -> Any:
    """The symmetric Hann window.

    Args:
        x: the number of points, an integer.

    Returns:
        Floats (x,), of dtype `floatx()`.

    Raises:
        TypeError: if `x` is not an integer.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.hanning(4)).tolist()
        [0.0, 0.75, 0.75, 0.0]
    """
    return _window("hanning", x, lambda t: 0.5 - 0.5 * np.cos(2 * math.pi * t))


def kaiser(x: Any, beta: Any) -> Any:
    """The Kaiser window, `i0(beta * sqrt(1 - t**2)) / i0(beta)` for t from -1 to 1.

    Args:
        x: the number of points, an integer.
        beta: a number: the larger, the narrower.

    Returns:
        Floats (x,), of dtype `floatx()`.

    Raises:
        TypeError: if `x` is not an integer.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.kaiser(3, 0.0)).tolist()
        [1.0, 1.0, 1.0]
    """
    shape = float(core.convert_to_numpy(beta))

    def formula(t: np.ndarray) -> np.ndarray:
        return np.i0(shape * np.sqrt(4 * t * (1 - t))) / np.i0(shape)

    return _window("kaiser", x, formula)


@op(rules.unary(rules.to_float))
def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind of order 0, element by element.

    Args:
        x: a tensor of any shape; integers become floats.

    Example:
        >>> from multikeras import ops
        >>> ops.convert_to_numpy(ops.i0([0.0, 1.0])).tolist()
        [1.0, 1.2661]
    """
