"""What ops of signals, selection, correlation and representation refuse, and what they say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from multikeras import ops
from multikeras.symbolic import KerasTensor

x = np.float32([[1, 2, 3, 4], [5, 6, 7, 8]])
z = (x + 1j).astype(np.complex64)
REFUSED: list[tuple[str, tuple, dict[str, Any], type[Exception], str]] = [
    ("fft", ((x, x[:1]),), {}, ValueError, "pair"),
    ("fft", ((x, x, x),), {}, ValueError, "got 3"),
    ("fft2", ((x[0], x[0]),), {}, ValueError, "rank 2"),
    ("ifft2", ((x[0], x[0]),), {}, ValueError, "rank 2"),
    ("rfft", (x, 0), {}, ValueError, "`fft_length` must be positive"),
    ("rfft", (x, 2.5), {}, TypeError, "integer for `fft_length`"),
    ("rfft", (np.float32(1),), {}, ValueError, "rank 1"),
    ("irfft", ((x[:, :1], x[:, :1]),), {}, ValueError, "give `fft_length`"),
    ("stft", (x, 6, 3, 4), {}, ValueError, "must not be less"),
    ("stft", (x, 2, 1, 4, "square"), {}, ValueError, "'square'"),
    ("stft", (x, 2, 1, 4, x[0]), {}, ValueError, r"\(2,\), got \(4,\)"),
    ("istft", ((x, x), 2, 0, 4), {}, ValueError, "`sequence_stride`"),
    ("extract_sequences", (x, 0, 1), {}, ValueError, "`sequence_length`"),
    ("hamming", (2.5,), {}, TypeError, "integer"),
    ("hanning", (KerasTensor((), "int32"),), {}, TypeError, "symbolic"),
    ("view_as_complex", (x,), {}, ValueError, r"\(\.\.\., 2\)"),
    ("select", ([x > 1], [x, x]), {}, ValueError, "got 1 and 2"),
    ("select", ([], []), {}, ValueError, "at least one"),
    ("unique", (z,), {}, ValueError, "real numbers"),
    ("unique", (x,), {"axis": 2}, ValueError, "axis 2"),
    ("unique", (x,), {"size": -1}, ValueError, "negative"),
    ("unique", (x,), {"size": 1.5}, TypeError, "integer for `size`"),
    ("histogram", (x, 0), {}, ValueError, "positive"),
    ("histogram", (x, [1, 2]), {}, TypeError, "integer for `bins`"),
    ("histogram", (x, 2, (5, 1)), {}, ValueError, "rise"),
    ("histogram", (x, 2, (5,)), {}, ValueError, r"\(low, high\)"),
    ("cdist", (x, x[:, :2]), {}, ValueError, "coordinates"),
    ("cdist", (x[0], x), {}, ValueError, r"\(\.\.\., n, d\)"),
    ("corrcoef", (x[None],), {}, ValueError, r"\(1, 2, 4\)"),
    ("correlate", (x, x[0]), {}, ValueError, "rank 1"),
    ("correlate", (x[0], x[0], "middle"), {}, ValueError, "'middle'"),
    ("view", (np.uint8([1, 2, 3]), "float32"), {}, ValueError, "float32 elements of 4 bytes"),
    ("view", (np.float32(1), "uint8"), {}, ValueError, "uint8"),
    ("ldexp", (x, x), {}, TypeError, "integers for `x2`"),
    ("saturate_cast", (z, "uint8"), {}, ValueError, "real numbers"),
]


@pytest.mark.parametrize(
    ("name", "args", "kwargs", "error", "says"),
    REFUSED,
    ids=[f"{number}_{case[0]}" for number, case in enumerate(REFUSED)],
)
def test_refuses(
    name: str, args: tuple, kwargs: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says) as caught:
        getattr(ops, name)(*args, **kwargs)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "args", "says"),
    [
        ("fft", ((KerasTensor((2, 4)), KerasTensor((2, 3))),), "pair"),
        ("cdist", (KerasTensor((None, 4)), KerasTensor((None, 3))), "coordinates"),
        ("view", (KerasTensor((2, 3), "uint8"), "float32"), "4 bytes"),
        ("stft", (KerasTensor((None, 20)), 6, 3, 4), "must not be less"),
        ("correlate", (KerasTensor((2, 2)), KerasTensor((3,))), "rank 1"),
    ],
)
def test_refuses_symbolic_tensors_too(name: str, args: tuple, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        getattr(ops, name)(*args)
