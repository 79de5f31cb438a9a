"""Small stand-ins for layers and models, so that files are tested apart from them."""

import numpy as np

from multikeras import registry
from multikeras.variables import Variable


@registry.expose("tests.fakes")
class Layer:
    """Keeps variables; `made` are (shape, trainable) of its own."""

    built = True

    def __init__(self, name, *made, dtype="float32", start=0.0):
        self.name = name
        self._variables = [
            Variable(np.full(shape, start + index, "float32"), dtype=dtype, name=f"{name}_v{index}")
            for index, shape in enumerate(made)
        ]

    def _own_weights(self):
        return self._variables

    def save_own_variables(self, store):
        for index, variable in enumerate(self._variables):
            store[str(index)] = variable

    def load_own_variables(self, store):
        if len(store) != len(self._variables):
            raise ValueError("another number of values")
        for index, variable in enumerate(self._variables):
            variable.assign(store[str(index)])

    def values(self):
        return [np.asarray(v.numpy()).astype("float64").copy() for v in self._variables]


# The library's own, as far as loading is concerned.
Layer.__module__ = "multikeras.fakes"


class Dense(Layer):
    def __init__(self, name, n=1, units=1, **kwargs):
        super().__init__(name, (n, units), (units,), **kwargs)


class LSTMCell(Dense):
    pass


@registry.expose("tests.fakes")
class Optimizer(Layer):
    """Two scalars, and a slot for each variable once built."""

    built = False

    def __init__(self, name="adam"):
        super().__init__(name, (), ())

    def build(self, variables):
        self.built = True
        self._variables += [
            Variable(np.zeros(v.shape, "float32"), name=f"slot_{i}")
            for i, v in enumerate(variables)
        ]


@registry.expose("tests.fakes")
class Model(Layer):
    optimizer = None

    @property
    def layers(self):
        found = []

        def visit(value):
            if isinstance(value, Layer) and not isinstance(value, Optimizer):
                found.append(value)
            elif isinstance(value, (list, tuple)):
                for item in value:
                    visit(item)
            elif isinstance(value, dict):
                visit(list(value.values()))

        for value in list(self.__dict__.values()):
            visit(value)
        return found

    @property
    def trainable_variables(self):
        return [v for layer in self.layers for v in layer._own_weights()]

    def get_config(self):
        return {"name": self.name}


@registry.expose("tests.fakes")
class Sequential(Model):
    def __init__(self, name, layers):
        super().__init__(name)
        self._stack = layers

    @property
    def layers(self):
        return self._stack

    def get_config(self):
        return {"name": self.name, "sizes": [layer.values()[0].shape for layer in self._stack]}

    @classmethod
    def from_config(cls, config):
        sizes = config["sizes"]
        return cls(config["name"], [Dense(f"d{i}", *size) for i, size in enumerate(sizes)])


for cls in (Dense, LSTMCell, Optimizer, Model, Sequential):
    cls.__module__ = "multikeras.fakes"
