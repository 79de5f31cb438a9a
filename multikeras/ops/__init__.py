"""Functions on tensors, the same on every backend."""

from multikeras.ops.core import cast as cast
from multikeras.ops.core import convert_to_numpy as convert_to_numpy
from multikeras.ops.core import convert_to_tensor as convert_to_tensor
from multikeras.ops.elementwise import add as add
