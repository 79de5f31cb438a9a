"""The PyTorch backend: layers are `torch.nn.Module`s, steps run eagerly unless compiled."""

from multikeras.backends.torch import activation as activation
from multikeras.backends.torch import arithmetic as arithmetic
from multikeras.backends.torch import artifacts as artifacts
from multikeras.backends.torch import attention as attention
from multikeras.backends.torch import bitwise as bitwise
from multikeras.backends.torch import complex_numbers as complex_numbers
from multikeras.backends.torch import control_flow as control_flow
from multikeras.backends.torch import convolution as convolution
from multikeras.backends.torch import core as core
from multikeras.backends.torch import creation as creation
from multikeras.backends.torch import ctc as ctc
from multikeras.backends.torch import elementwise as elementwise
from multikeras.backends.torch import engine as engine
from multikeras.backends.torch import fused as fused
from multikeras.backends.torch import image_filters as image_filters
from multikeras.backends.torch import indexing as indexing
from multikeras.backends.torch import linalg as linalg
from multikeras.backends.torch import neural as neural
from multikeras.backends.torch import products as products
from multikeras.backends.torch import recurrent as recurrent
from multikeras.backends.torch import reductions as reductions
from multikeras.backends.torch import representation as representation
from multikeras.backends.torch import segments as segments
from multikeras.backends.torch import shaping as shaping
from multikeras.backends.torch import signal as signal
from multikeras.backends.torch import sorting as sorting

UNSUPPORTED: dict[str, str] = {}
