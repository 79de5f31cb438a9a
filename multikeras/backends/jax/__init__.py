"""The JAX backend: state is threaded through pure functions, steps are compiled by XLA."""

from multikeras.backends.jax import activation as activation
from multikeras.backends.jax import arithmetic as arithmetic
from multikeras.backends.jax import artifacts as artifacts
from multikeras.backends.jax import attention as attention
from multikeras.backends.jax import bitwise as bitwise
from multikeras.backends.jax import complex_numbers as complex_numbers
from multikeras.backends.jax import control_flow as control_flow
from multikeras.backends.jax import convolution as convolution
from multikeras.backends.jax import core as core
from multikeras.backends.jax import creation as creation
from multikeras.backends.jax import elementwise as elementwise
from multikeras.backends.jax import engine as engine
from multikeras.backends.jax import indexing as indexing
from multikeras.backends.jax import linalg as linalg
from multikeras.backends.jax import neural as neural
from multikeras.backends.jax import products as products
from multikeras.backends.jax import recurrent as recurrent
from multikeras.backends.jax import reductions as reductions
from multikeras.backends.jax import representation as representation
from multikeras.backends.jax import segments as segments
from multikeras.backends.jax import shaping as shaping
from multikeras.backends.jax import signal as signal
from multikeras.backends.jax import sorting as sorting

UNSUPPORTED: dict[str, str] = {}
