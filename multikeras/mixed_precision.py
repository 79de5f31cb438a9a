"""The dtype policies under the names that they have in tf.keras 2 and Keras 3."""

from multikeras.config import dtype_policy as dtype_policy
from multikeras.config import dtype_policy as global_policy
from multikeras.config import set_dtype_policy as set_dtype_policy
from multikeras.config import set_dtype_policy as set_global_policy
from multikeras.dtype_policies import DTypePolicy as DTypePolicy
from multikeras.dtype_policies import DTypePolicy as Policy
from multikeras.optimizers import LossScaleOptimizer as LossScaleOptimizer

__all__ = [
    "DTypePolicy",
    "LossScaleOptimizer",
    "Policy",
    "dtype_policy",
    "global_policy",
    "set_dtype_policy",
    "set_global_policy",
]
