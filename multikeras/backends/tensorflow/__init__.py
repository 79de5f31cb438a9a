"""The TensorFlow backend: layers are `tf.Module`s, steps are `tf.function`s."""

from multikeras.backends.tensorflow import core as core

from multikeras.backends.tensorflow import arithmetic as arithmetic
from multikeras.backends.tensorflow import elementwise as elementwise
from multikeras.backends.tensorflow import activation as activation
from multikeras.backends.tensorflow import nn as nn

from multikeras.backends.tensorflow import shaping as shaping
from multikeras.backends.tensorflow import indexing as indexing
from multikeras.backends.tensorflow import products as products
UNSUPPORTED: dict[str, str] = {}
