"""Activation functions, and how they are found by name.

`get` turns what a layer's `activation` argument may be into a function; `serialize` gives what a
config holds (a plain name for the functions here), `deserialize` reads it back.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multikeras import identifiers, registry, serialization
from multikeras.activations.functions import celu as celu
from multikeras.activations.functions import elu as elu
from multikeras.activations.functions import exponential as exponential
from multikeras.activations.functions import gelu as gelu
from multikeras.activations.functions import glu as glu
from multikeras.activations.functions import hard_shrink as hard_shrink
from multikeras.activations.functions import hard_sigmoid as hard_sigmoid
from multikeras.activations.functions import hard_silu as hard_silu
from multikeras.activations.functions import hard_swish as hard_swish
from multikeras.activations.functions import hard_tanh as hard_tanh
from multikeras.activations.functions import leaky_relu as leaky_relu
from multikeras.activations.functions import linear as linear
from multikeras.activations.functions import log_sigmoid as log_sigmoid
from multikeras.activations.functions import log_softmax as log_softmax
from multikeras.activations.functions import mish as mish
from multikeras.activations.functions import relu as relu
from multikeras.activations.functions import relu6 as relu6
from multikeras.activations.functions import selu as selu
from multikeras.activations.functions import sigmoid as sigmoid
from multikeras.activations.functions import silu as silu
from multikeras.activations.functions import soft_shrink as soft_shrink
from multikeras.activations.functions import softmax as softmax
from multikeras.activations.functions import softplus as softplus
from multikeras.activations.functions import softsign as softsign
from multikeras.activations.functions import sparse_plus as sparse_plus
from multikeras.activations.functions import sparse_sigmoid as sparse_sigmoid
from multikeras.activations.functions import sparsemax as sparsemax
from multikeras.activations.functions import squareplus as squareplus
from multikeras.activations.functions import swish as swish
from multikeras.activations.functions import tanh as tanh
from multikeras.activations.functions import tanh_shrink as tanh_shrink
from multikeras.activations.functions import threshold as threshold

_FUNCTIONS = (
    celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh,
    leaky_relu, linear, log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu,
    soft_shrink, softmax, softplus, softsign, sparse_plus, sparse_sigmoid, sparsemax, squareplus,
    tanh, tanh_shrink, threshold,
)  # fmt: skip
_TABLE = identifiers.table_of(*_FUNCTIONS, aliases={"swish": silu, "hard_swish": hard_silu})
_OWN = frozenset(_FUNCTIONS)

__all__ = [*_TABLE, "deserialize", "get", "serialize"]


def get(identifier: Any) -> Callable:
    """The function that a layer's `activation` argument stands for.

    Args:
        identifier: None (for `linear`), a name, a serialized dict or a callable.

    Raises:
        ValueError: for an unknown name or anything else.

    Example:
        >>> from multikeras import activations
        >>> activations.get("swish") is activations.silu
        True
    """
    if identifier is None:
        return linear
    return identifiers.get("activation", identifier, _TABLE)


def serialize(activation: Callable) -> Any:
    """What a config holds for an activation: the name of a function of this room, else a dict.

    Example:
        >>> from multikeras import activations
        >>> activations.serialize(activations.swish)
        'silu'
    """
    try:
        if activation in _OWN:
            return activation.__name__
    except TypeError:  # not hashable, so not one of ours
        pass
    return serialization.serialize_keras_object(activation)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Callable:
    """The activation of a name or of a serialized dict.

    Args:
        config: what `serialize` gave.
        custom_objects: further names, `{name: function}`.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> from multikeras import activations
        >>> activations.deserialize("relu") is activations.relu
        True
    """
    return identifiers.deserialize("activation", config, _TABLE, custom_objects)


for _alias, _function in (("swish", silu), ("hard_swish", hard_silu)):
    registry.expose("keras.activations", _alias)(_function)
