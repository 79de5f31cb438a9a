"""The NumPy backend: the default and the reference. Gradients come from `autograd`.

Functions run on plain arrays unless a gradient is being taken; then they see autograd's boxes.
"""

from multikeras.backends.numpy import activation as activation
from multikeras.backends.numpy import arithmetic as arithmetic
from multikeras.backends.numpy import artifacts as artifacts
from multikeras.backends.numpy import attention as attention
from multikeras.backends.numpy import bitwise as bitwise
from multikeras.backends.numpy import complex_numbers as complex_numbers
from multikeras.backends.numpy import control_flow as control_flow
from multikeras.backends.numpy import convolution as convolution
from multikeras.backends.numpy import core as core
from multikeras.backends.numpy import creation as creation
from multikeras.backends.numpy import elementwise as elementwise
from multikeras.backends.numpy import engine as engine
from multikeras.backends.numpy import fused as fused
from multikeras.backends.numpy import image_filters as image_filters
from multikeras.backends.numpy import indexing as indexing
from multikeras.backends.numpy import linalg as linalg
from multikeras.backends.numpy import neural as neural
from multikeras.backends.numpy import products as products
from multikeras.backends.numpy import recurrent as recurrent
from multikeras.backends.numpy import reductions as reductions
from multikeras.backends.numpy import representation as representation
from multikeras.backends.numpy import segments as segments
from multikeras.backends.numpy import shaping as shaping
from multikeras.backends.numpy import signal as signal
from multikeras.backends.numpy import sorting as sorting

UNSUPPORTED: dict[str, str] = {}
