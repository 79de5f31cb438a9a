"""`Input`, `InputLayer` and `InputSpec`."""

from __future__ import annotations

import pytest

import multikeras as keras
from multikeras import layers as L


@pytest.mark.parametrize(
    "arguments, shape, dtype",
    [
        ({"shape": (3,)}, (None, 3), "float32"),
        ({"shape": (None, 3), "dtype": "int32"}, (None, None, 3), "int32"),
        ({"shape": (3,), "batch_size": 4}, (4, 3), "float32"),
        ({"batch_shape": (2, None)}, (2, None), "float32"),
        ({"shape": ()}, (None,), "float32"),
    ],
)
def test_input(arguments, shape, dtype):
    x = keras.Input(**arguments)
    assert (x.shape, x.dtype) == (shape, dtype)


def test_an_input_layer_comes_back_from_its_config():
    layer = L.InputLayer((3,), dtype="int32", name="ids")
    again = L.InputLayer.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.name == "ids"


def test_input_specs():
    spec = L.InputSpec(shape=(None, 3), dtype="float32", name="x")
    assert (spec.ndim, spec.shape) == (2, (None, 3))
    assert L.InputSpec.from_config(spec.get_config()).get_config() == spec.get_config()
    layer = L.Identity()
    with pytest.raises(TypeError, match="input_spec must be InputSpec, got 3"):
        layer.input_spec = 3
