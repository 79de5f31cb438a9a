"""The NumPy backend: the default and the reference. Gradients come from `autograd`.

Functions run on plain arrays unless a gradient is being taken; then they see autograd's boxes.
"""

from multikeras.backends.numpy import core as core

from multikeras.backends.numpy import elementwise as elementwise

UNSUPPORTED: dict[str, str] = {}
