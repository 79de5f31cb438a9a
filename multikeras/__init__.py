"""multikeras: one deep-learning API over NumPy, JAX, PyTorch and TensorFlow."""

from multikeras import ops as ops
