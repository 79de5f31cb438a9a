"""Peak memory of NumPy convolutions: at most three times input and answer, forward and backward.

What the caller holds counts: the input, the answer, its gradient and that of the input are twice
input and answer by themselves. NumPy reports its arrays to `tracemalloc`.
"""

import tracemalloc

import numpy as np
import pytest
from autograd import make_vjp

from multikeras.backends.numpy import convolution

# (function, input, kernel, stride, padding, dtype)
CASES = {
    "resnet": ("conv_nd", (32, 28, 28, 64), (3, 3, 64, 64), 1, "same", "float32"),
    "strided": ("conv_nd", (32, 28, 28, 128), (3, 3, 128, 128), 2, "same", "float32"),
    "stem": ("conv_nd", (8, 112, 112, 3), (7, 7, 3, 64), 2, "same", "float32"),
    "one_large": ("conv_nd", (1, 256, 256, 16), (5, 5, 16, 16), 1, "same", "float32"),
    "pointwise": ("conv_nd", (32, 28, 28, 64), (1, 1, 64, 128), 1, "valid", "float32"),
    "double": ("conv_nd", (16, 28, 28, 64), (3, 3, 64, 64), 1, "same", "float64"),
    "line": ("conv_nd", (32, 4000, 32), (9, 32, 32), 1, "causal", "float32"),
    "depthwise": ("depthwise_conv_nd", (32, 28, 28, 96), (3, 3, 96, 1), 1, "same", "float32"),
    "multiplied": ("depthwise_conv_nd", (32, 28, 28, 48), (3, 3, 48, 2), 2, "same", "float32"),
}


def peak_of(call):
    """Bytes at most held at one time while `call` runs, above what was held before."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        result = call()
        return tracemalloc.get_traced_memory()[1] - before, result
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", CASES)
def test_convolutions_stay_within_three_times_input_and_answer(name):
    function, shape, kernel_shape, stride, padding, dtype = CASES[name]
    rank = len(shape) - 2
    rest = ((stride,) * rank, padding, "channels_last", (1,) * rank)
    x, kernel = np.ones(shape, dtype), np.ones(kernel_shape, dtype)
    conv = getattr(convolution, function)
    forward, y = peak_of(lambda: conv(x, kernel, *rest))
    limit = 3 * (x.nbytes + y.nbytes)
    assert x.nbytes + forward <= limit
    g = np.ones_like(y)

    def both():
        backward, value = make_vjp(conv, (0, 1))(x, kernel, *rest)
        return value, backward(g)

    peak, _ = peak_of(both)
    assert x.nbytes + g.nbytes + peak <= limit
