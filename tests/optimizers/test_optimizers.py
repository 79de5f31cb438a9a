"""Optimizers: arguments, names, learning rates, own rules, and gradients from the framework."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, ops, optimizers
from multikeras.variables import Variable


def test_names_in_any_case() -> None:
    for name in ("adam", "Adam", "ADAM", "rmsprop", "sgd", "AdamW"):
        assert type(optimizers.get(name)).__name__.lower() == name.lower()
    assert isinstance(optimizers.get(optimizers.Lion), optimizers.Lion)
    optimizer = optimizers.SGD()
    assert optimizers.get(optimizer) is optimizer
    with pytest.raises(ValueError, match="Unknown optimizer 'adan'"):
        optimizers.get("adan")
    with pytest.raises(ValueError, match=r"Expected an optimizer.*got 3"):
        optimizers.get(3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clipnorm": 1.0, "clipvalue": 1.0}, "only one of `clipnorm`"),
        ({"use_ema": True, "ema_momentum": 2.0}, "`ema_momentum` must lie between 0 and 1"),
        ({"ema_overwrite_frequency": 0}, "`ema_overwrite_frequency` must be an integer of at"),
        ({"gradient_accumulation_steps": 1}, "must be an integer of at least 2 or None; got 1"),
        ({"learning_rate": "fast"}, "SGD: `learning_rate` must be a number.*'fast'"),
        ({"momentum": 1.5}, "SGD: `momentum` must lie between 0 and 1; got 1.5"),
        ({"momentun": 0.5}, r"SGD got unknown arguments: \['momentun'\]"),
    ],
)
def test_bad_arguments(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        optimizers.SGD(**settings)


def test_bad_arguments_of_one_kind() -> None:
    with pytest.raises(ValueError, match="AdamW: `weight_decay` must be a number"):
        optimizers.AdamW(weight_decay=None)
    with pytest.raises(ValueError, match="Lion: `beta_1` must be greater than 0"):
        optimizers.Lion(beta_1=0.0)
    with pytest.raises(ValueError, match="`l1_regularization_strength` must not be negative"):
        optimizers.Ftrl(l1_regularization_strength=-1.0)
    with pytest.raises(ValueError, match="`inner_optimizer` must be an Optimizer; got 'adam'"):
        optimizers.LossScaleOptimizer("adam")


def test_arguments_of_tf_keras_2() -> None:
    with pytest.warns(UserWarning, match="`lr` is called `learning_rate` now"):
        assert float(optimizers.SGD(lr=0.5).lr.numpy()) == 0.5
    with pytest.warns(UserWarning, match="`decay` is ignored"):
        optimizers.Adam(decay=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        optimizers.Adam(decay=0.0, jit_compile=True, is_legacy_optimizer=False)


def test_names_of_the_state() -> None:
    optimizer = optimizers.Adam(name="adam")
    with keras.name_scope("block"):
        variable = Variable(np.zeros((2, 3)), name="kernel")
    optimizer.build([variable])
    assert [v.path for v in optimizer.variables] == [
        "adam/iteration",
        "adam/learning_rate",
        "adam/block_kernel_momentum",
        "adam/block_kernel_velocity",
    ]
    assert [v.shape for v in optimizer.variables] == [(), (), (2, 3), (2, 3)]


def test_state_of_wrong_length() -> None:
    optimizer = optimizers.SGD(name="sgd")
    with pytest.raises(ValueError, match="`set_weights` needs a built optimizer"):
        optimizer.set_weights([])
    optimizer.build([Variable(1.0)])
    with pytest.raises(ValueError, match="sgd: expected 2 arrays; got 1"):
        optimizer.set_weights([0])
    with pytest.raises(ValueError, match="the file holds 1 variables of the optimizer, expected 2"):
        optimizer.load_own_variables({"0": 1})
    with pytest.raises(ValueError, match="`optimizer_variables` must hold 2 values; got 1"):
        optimizer.stateless_apply([0], [1.0], [1.0])


def test_store_and_load() -> None:
    store: dict[str, Any] = {}
    variables = [Variable([1.0, 2.0])]
    first, second = optimizers.Adam(0.5), optimizers.Adam()
    first.apply([ops.convert_to_tensor([1.0, 2.0])], variables)
    first.save_own_variables(store)
    second.build(variables)
    second.load_own_variables(store)
    for a, b in zip(first.variables, second.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())


def test_an_own_rule() -> None:
    class Heavy(optimizers.Optimizer):
        def build(self, variables: Any) -> None:
            super().build(variables)
            self.moves = self.add_optimizer_variables(variables, "move")

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            move = self.slot(self.moves, variable)
            self.assign(move, move.value * 0.5 + gradient)
            self.assign_sub(variable, learning_rate * move.value)

    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, use_bias=False)])
    model.compile(Heavy(0.1), "mse")
    x = np.array([[1.0, 0.0], [0.0, 1.0]], "float32")
    before = model.get_weights()[0]
    model.fit(x, np.zeros((2, 1)), epochs=2, verbose=0, shuffle=False)
    # The gradient of the mean of w ** 2 is w; moves: w, then 0.5 * w + 0.9 * w.
    np.testing.assert_allclose(model.get_weights()[0], before * (0.9 - 0.14), rtol=1e-5)


def _loss(layer: Any, x: Any) -> Any:
    return ops.sum(ops.square(layer(x)))


def _torch_gradients(layer: Any, x: Any) -> list[Any]:
    _loss(layer, x).backward()
    return [v.storage.grad for v in layer.trainable_variables]


def _tensorflow_gradients(layer: Any, x: Any) -> list[Any]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = _loss(layer, x)
    return tape.gradient(loss, [v.storage for v in layer.trainable_variables])


def _jax_gradients(layer: Any, x: Any) -> list[Any]:
    import jax

    def loss(values: list[Any]) -> Any:
        return ops.sum(ops.square(layer.stateless_call(values, [], x)[0]))

    return jax.grad(loss)([v.value for v in layer.trainable_variables])


def _portable_gradients(layer: Any, x: Any) -> list[Any]:
    return keras.value_and_grad(lambda: _loss(layer, x), layer.trainable_variables)()[1]


OWN_WAYS = {
    "torch": _torch_gradients,
    "tensorflow": _tensorflow_gradients,
    "jax": _jax_gradients,
}


@pytest.mark.parametrize(
    "settings", [{}, {"global_clipnorm": 1.0}, {"clipnorm": 1.0}, {"clipvalue": 0.3}]
)
@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adagrad", "Lamb"])
def test_gradients_by_the_means_of_the_framework(name: str, settings: dict[str, Any]) -> None:
    """Those of an embedding are sparse in TensorFlow; unused rows stay as they were."""
    start = np.arange(15.0).reshape(5, 3) / 10 - 0.55
    own = OWN_WAYS.get(keras.backend.backend(), _portable_gradients)
    results = []
    for gradients in (_portable_gradients, own):
        layer = layers.Embedding(5, 3)
        layer.build()
        layer.set_weights([start])
        optimizer = getattr(optimizers, name)(0.1, **settings)
        variables = layer.trainable_variables
        for _ in range(2):
            grads = gradients(layer, np.array([[1, 3], [3, 4]]))
            optimizer.apply_gradients(zip(grads, variables))
            for variable in variables:  # torch adds up what is not cleared
                if hasattr(variable.storage, "grad"):
                    variable.storage.grad = None
        results.append(layer.get_weights()[0])
    np.testing.assert_allclose(results[0], results[1], rtol=1e-5)
    np.testing.assert_allclose(results[0][[0, 2]], start[[0, 2]], rtol=1e-5)
    assert np.all(abs(results[0] - start)[[1, 3, 4]] > 1e-4)


def test_gradients_that_are_not_tensors_yet() -> None:
    variable = Variable([1.0, 2.0])
    optimizers.SGD(0.5).apply([np.array([2.0, 4.0])], [variable])
    assert variable.numpy().tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="expected a value of shape"):
        optimizers.SGD(0.5).apply([np.zeros((3, 2))], [variable])


@pytest.mark.parametrize("rule", [keras.optimizers.Adam, keras.optimizers.AdamW])
def test_adam_without_memory_goes_by_signs(rule):
    v = keras.Variable([1.0, 1.0])
    optimizer = rule(0.1, beta_1=0.0, beta_2=0.0, weight_decay=0.0)
    for _ in range(2):
        optimizer.apply([ops.convert_to_tensor([2.0, -3.0])], [v])
    np.testing.assert_allclose(v.numpy(), [0.8, 1.2], rtol=1e-5)
