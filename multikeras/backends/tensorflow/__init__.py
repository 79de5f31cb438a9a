"""The TensorFlow backend: layers are `tf.Module`s, steps are `tf.function`s."""

from multikeras.backends.tensorflow import activation as activation
from multikeras.backends.tensorflow import arithmetic as arithmetic
from multikeras.backends.tensorflow import artifacts as artifacts
from multikeras.backends.tensorflow import attention as attention
from multikeras.backends.tensorflow import bitwise as bitwise
from multikeras.backends.tensorflow import complex_numbers as complex_numbers
from multikeras.backends.tensorflow import control_flow as control_flow
from multikeras.backends.tensorflow import convolution as convolution
from multikeras.backends.tensorflow import core as core
from multikeras.backends.tensorflow import creation as creation
from multikeras.backends.tensorflow import elementwise as elementwise
from multikeras.backends.tensorflow import engine as engine
from multikeras.backends.tensorflow import indexing as indexing
from multikeras.backends.tensorflow import linalg as linalg
from multikeras.backends.tensorflow import neural as neural
from multikeras.backends.tensorflow import products as products
from multikeras.backends.tensorflow import recurrent as recurrent
from multikeras.backends.tensorflow import reductions as reductions
from multikeras.backends.tensorflow import representation as representation
from multikeras.backends.tensorflow import segments as segments
from multikeras.backends.tensorflow import shaping as shaping
from multikeras.backends.tensorflow import signal as signal
from multikeras.backends.tensorflow import sorting as sorting

UNSUPPORTED: dict[str, str] = {}
