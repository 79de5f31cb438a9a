"""multikeras: one deep-learning API over NumPy, JAX, PyTorch and TensorFlow.

The backend is chosen once, at import: `MULTIKERAS_BACKEND`, else the config file, else "numpy".

Example:
    >>> import multikeras as keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    >>> model.count_params()
    10
"""

from multikeras import activations as activations
from multikeras import backend as backend
from multikeras import callbacks as callbacks
from multikeras import config as config
from multikeras import constraints as constraints
from multikeras import datasets as datasets
from multikeras import dtype_policies as dtype_policies
from multikeras import export as export
from multikeras import initializers as initializers
from multikeras import layers as layers
from multikeras import losses as losses
from multikeras import metrics as metrics
from multikeras import mixed_precision as mixed_precision
from multikeras import models as models
from multikeras import ops as ops
from multikeras import optimizers as optimizers
from multikeras import random as random
from multikeras import regularizers as regularizers
from multikeras import saving as saving
from multikeras import tree as tree
from multikeras import utils as utils
from multikeras.dtype_policies import DTypePolicy as DTypePolicy
from multikeras.dtype_policies import FloatDTypePolicy as FloatDTypePolicy
from multikeras.initializers import Initializer as Initializer
from multikeras.layers import Input as Input
from multikeras.layers import InputSpec as InputSpec
from multikeras.layers import Layer as Layer
from multikeras.losses import Loss as Loss
from multikeras.metrics import Metric as Metric
from multikeras.models import Model as Model
from multikeras.models import Sequential as Sequential
from multikeras.optimizers import Optimizer as Optimizer
from multikeras.regularizers import Regularizer as Regularizer
from multikeras.symbolic import Function as Function
from multikeras.symbolic import KerasTensor as KerasTensor
from multikeras.symbolic import Operation as Operation
from multikeras.symbolic import SymbolicScope as SymbolicScope
from multikeras.training import value_and_grad as value_and_grad
from multikeras.variables import StatelessScope as StatelessScope
from multikeras.variables import Variable as Variable
from multikeras.variables import name_scope as name_scope
from multikeras.version import __version__ as __version__
from multikeras.version import version as version

__all__ = [
    "DTypePolicy",
    "FloatDTypePolicy",
    "Function",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Operation",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "StatelessScope",
    "SymbolicScope",
    "Variable",
    "__version__",
    "activations",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "export",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "mixed_precision",
    "models",
    "name_scope",
    "ops",
    "optimizers",
    "random",
    "regularizers",
    "saving",
    "tree",
    "utils",
    "value_and_grad",
    "version",
]
