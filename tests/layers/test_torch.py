"""A layer is a `torch.nn.Module`, and PyTorch's own ways work on it."""

from __future__ import annotations

import numpy as np
import torch

import multikeras as keras
from multikeras import layers as L


def net():
    model = keras.Sequential([keras.Input((3,)), L.Dense(4, activation="tanh"), L.Dense(1)])
    return model


def test_a_layer_is_a_module(x):
    layer = L.Dense(2)
    assert isinstance(layer, torch.nn.Module)
    out = layer(x)
    assert isinstance(out, torch.Tensor) and out.requires_grad
    names = dict(layer.named_parameters())
    assert sorted(names) == ["bias", "kernel"]
    assert names["kernel"] is layer.kernel.storage


def test_layers_in_modules_and_modules_in_layers(x):
    class Module(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.ours, self.theirs = net(), torch.nn.Linear(1, 2)

        def forward(self, x):
            return self.theirs(self.ours(x))

    module = Module()
    assert module(x).shape == (2, 2)
    assert len(list(module.parameters())) == 6

    class Layer(L.Layer):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(3, 2)

        def call(self, x):
            return torch.relu(self.linear(x))

    layer = Layer()
    assert layer(x).shape == (2, 2)
    assert len(list(layer.parameters())) == 2
    assert layer(keras.Input((3,))).shape == (None, 2)


def test_state_dicts(x):
    first, second = net(), net()
    before = first(x)
    state = first.state_dict()
    assert len(state) == 4
    second.load_state_dict(state)
    torch.testing.assert_close(second(x), before)
    np.testing.assert_array_equal(second.weights[0].numpy(), first.weights[0].numpy())


def test_buffers_are_in_the_state_dict(x):
    layer = L.BatchNormalization()
    layer(x, training=True)
    assert len(list(layer.parameters())) == 2
    assert len(layer.state_dict()) == 4


def test_to_changes_the_dtype(x):
    model = net()
    model(x)
    model.to(torch.float64)
    assert all(p.dtype == torch.float64 for p in model.parameters())
    assert all(w.storage.dtype == torch.float64 for w in model.weights)


def test_own_training_loop(x):
    model = net()
    model(x)
    target = torch.tensor([[1.0], [-1.0]])
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = ((model(x, training=True) - target) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]
    assert all(w.storage.grad is not None for w in model.trainable_weights)


def test_freezing_is_pytorchs_own(x):
    model = net()
    model(x)
    model.trainable = False
    assert not any(p.requires_grad for p in model.parameters())
    model.trainable = True
    assert all(p.requires_grad for p in model.parameters())


def test_lists_of_layers_are_parameters_too(x):
    class Listed(L.Layer):
        def __init__(self):
            super().__init__()
            self.parts = [L.Dense(3), L.Dense(2)]

        def call(self, x):
            return self.parts[1](self.parts[0](x))

    layer = Listed()
    layer(x)
    assert len(list(layer.parameters())) == 4


def test_losses_looked_at_have_gradients():
    layer = L.Dense(2, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(0.5))
    layer.build((None, 3))
    layer.add_loss(lambda: torch.sum(layer.kernel.value))
    sum(layer.losses).backward()
    assert (layer.kernel.storage.grad == 2.0).all()


def test_modules_among_the_submodules():
    class Outer(L.Layer):
        def __init__(self):
            super().__init__()
            self.inner = L.Dense(2)
            self.modules_ = [torch.nn.Sequential(torch.nn.ReLU())]

    outer = Outer()
    assert outer.submodules == (outer.inner, outer.modules_[0], outer.modules_[0][0])
