"""Training by a framework's own means: custom steps inside `fit`, and loops without it.

Every way has to end where the default step of `fit` ends. A test of one framework's means is
skipped on the others.
"""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, ops

BACKEND = keras.config.backend()
RNG = np.random.default_rng(3)
X = RNG.normal(size=(48, 5)).astype(np.float32)
Y = X @ RNG.normal(size=(5, 2)).astype(np.float32)
EPOCHS, BATCH = 3, 16


def needs(framework):
    return pytest.mark.skipif(BACKEND != framework, reason=f"needs {framework}")


def framework():
    """The framework's module; only tests of their own framework ask for it."""
    return importlib.import_module(BACKEND)


class Plain(keras.Model):
    """Trained by the default step."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.hidden = layers.Dense(
            8, activation="tanh", kernel_regularizer=keras.regularizers.L2(0.01)
        )
        self.normalize = layers.BatchNormalization()
        self.drop = layers.Dropout(0.25, seed=3)
        self.head = layers.Dense(2)

    def call(self, x, training=False):
        x = self.normalize(self.hidden(x), training=training)
        return self.head(self.drop(x, training=training))


def fitted(cls, **arguments):
    keras.utils.set_random_seed(4)
    model = cls()
    model.compile(keras.optimizers.Adam(0.01), "mse", metrics=["mae"], **arguments)
    history = model.fit(X, Y, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0).history
    return model, history


@pytest.fixture(scope="module")
def default_run():
    return fitted(Plain)


def assert_same_weights(model, other):
    for a, b in zip(model.weights, other.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-3, atol=1e-5, err_msg=b.path)


def assert_same_run(found, expected):
    (model, history), (other, other_history) = found, expected
    assert list(history) == list(other_history) == ["loss", "mae"]
    for name in history:
        np.testing.assert_allclose(history[name], other_history[name], rtol=1e-4, err_msg=name)
    assert_same_weights(model, other)


# -- steps inside fit -----------------------------------------------------------------------


class TapeStep(Plain):
    def train_step(self, data):
        tf = framework()
        x, y = data[:2]
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables))
        self._loss_tracker.update_state(loss, sample_weight=tf.shape(x)[0])
        return self.compute_metrics(x, y, y_pred)


class BackwardStep(Plain):
    def train_step(self, data):
        torch = framework()
        x, y = data[:2]
        self.zero_grad()
        y_pred = self(x, training=True)
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        loss.backward()
        variables = self.trainable_weights
        gradients = [v.value.grad for v in variables]
        with torch.no_grad():
            self.optimizer.apply(gradients, variables)
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=len(x))
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


class StatelessStep(Plain):
    def compute_loss_and_updates(self, trainable, non_trainable, metrics, x, y):
        y_pred, non_trainable = self.stateless_call(trainable, non_trainable, x, training=True)
        loss, (trainable, non_trainable, metrics) = self.stateless_compute_loss(
            trainable, non_trainable, metrics, x=x, y=y, y_pred=y_pred
        )
        return loss, (y_pred, non_trainable, metrics)

    def train_step(self, state, data):
        trainable, non_trainable, optimizer, metrics = state
        x, y = data[:2]
        compute = framework().value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (loss, (y_pred, non_trainable, metrics)), gradients = compute(
            trainable, non_trainable, metrics, x, y
        )
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
        with keras.StatelessScope(zip(self.metrics_variables, metrics)) as scope:
            self._loss_tracker.update_state(loss, sample_weight=x.shape[0])
            logs = self.compute_metrics(x, y, y_pred)
        metrics = [scope.get_current_value(v) for v in self.metrics_variables]
        return logs, (trainable, non_trainable, optimizer, metrics)


STEPS = [
    pytest.param(TapeStep, marks=needs("tensorflow"), id="tensorflow GradientTape"),
    pytest.param(BackwardStep, marks=needs("torch"), id="torch backward"),
    pytest.param(StatelessStep, marks=needs("jax"), id="jax value_and_grad"),
]


@pytest.mark.parametrize("cls", STEPS)
@pytest.mark.parametrize("arguments", [{}, {"run_eagerly": True}], ids=["as compiled", "eager"])
def test_a_native_step_does_what_the_default_one_does(default_run, cls, arguments):
    assert_same_run(fitted(cls, **arguments), default_run)


@needs("tensorflow")
def test_a_native_test_step():
    class Tested(Plain):
        def test_step(self, data):
            tf = framework()
            x, y = data[:2]
            return {"worst": tf.reduce_max(tf.abs(self(x, training=False) - y))}

    model, _ = fitted(Tested)
    found = model.evaluate(X, Y, batch_size=48, verbose=0, return_dict=True)
    expected = np.abs(model.predict(X, verbose=0) - Y).max()
    assert list(found) == ["worst"]
    np.testing.assert_allclose(found["worst"], expected, rtol=1e-5)


# -- loops without fit ----------------------------------------------------------------------


def small_model():
    keras.utils.set_random_seed(6)
    return keras.Sequential(
        [keras.Input((5,)), layers.Dense(8, activation="relu"), layers.Dense(2)]
    )


def batches():
    for _ in range(EPOCHS):
        for start in range(0, len(X), BATCH):
            yield X[start : start + BATCH], Y[start : start + BATCH]


@pytest.fixture(scope="module")
def sgd_run():
    """`fit` with SGD: what every loop below computes by hand."""
    model = small_model()
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    model.fit(X, Y, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0)
    return model


def test_a_loop_with_value_and_grad(sgd_run):
    model = small_model()
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    optimizer.build(model.trainable_variables)
    compute = keras.value_and_grad(
        lambda x, y: ops.mean(ops.square(ops.subtract(model(x, training=True), y))),
        model.trainable_variables,
    )
    for x, y in batches():
        _, gradients = compute(x, y)
        optimizer.apply(gradients, model.trainable_variables)
    assert_same_weights(model, sgd_run)


@needs("numpy")
def test_a_loop_with_plain_arrays(sgd_run):
    model = small_model()
    variables = model.trainable_variables
    velocities = [np.zeros(v.shape, np.float32) for v in variables]
    compute = keras.value_and_grad(
        lambda x, y: ops.mean(ops.square(ops.subtract(model(x, training=True), y))), variables
    )
    for x, y in batches():
        loss, gradients = compute(x, y)
        assert type(loss) in (np.ndarray, np.float32)
        for i, (variable, gradient) in enumerate(zip(variables, gradients, strict=True)):
            assert type(gradient) is np.ndarray and gradient.dtype == np.float32
            velocities[i] = 0.9 * velocities[i] - np.float32(0.1) * gradient
            variable.assign_add(velocities[i])
    assert_same_weights(model, sgd_run)


@needs("torch")
@pytest.mark.parametrize("owner", ["model", "module around it"])
def test_a_torch_loop_with_torch_optim(sgd_run, owner):
    torch = framework()
    model = small_model()
    module = model

    if owner != "model":

        class Around(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = model

            def forward(self, x):
                return self.inner(x)

        module = Around()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9)
    module.train()
    for x, y in batches():
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(module(torch.from_numpy(x)), torch.from_numpy(y))
        loss.backward()
        optimizer.step()
    assert_same_weights(model, sgd_run)


@needs("torch")
def test_torch_sees_layers_in_lists_and_dicts_before_any_call():
    torch = framework()

    class Nested(keras.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [layers.Dense(3), {"inner": layers.Dense(2)}]
            self.foreign = torch.nn.Linear(2, 1)
            self.gone = layers.Dense(1)

        def call(self, x):
            return self.foreign(self.blocks[1]["inner"](self.blocks[0](x)))

    model = Nested()
    assert [name for name, _ in model.named_children()] == [
        "foreign", "blocks_0", "blocks_1_inner", "gone",
    ]  # fmt: skip
    del model.gone
    model.blocks[0].build((None, 5))
    model.blocks.append(layers.Dense(4))
    assert [name for name, _ in model.named_children()] == [
        "foreign",
        "blocks_0",
        "blocks_1_inner",
        "blocks_2",
    ]
    model.blocks.pop()
    assert list(model.state_dict()) == [
        "foreign.weight", "foreign.bias", "blocks_0.kernel", "blocks_0.bias",
    ]  # fmt: skip
    model(torch.zeros(1, 5)).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.double().train().requires_grad_(False)
    assert model.blocks[0].kernel.value.dtype is torch.float64
    assert not any(p.requires_grad for p in model.parameters())


@needs("torch")
def test_a_torch_state_dict_carries_the_weights(sgd_run):
    torch = framework()
    model = small_model()
    model.load_state_dict(sgd_run.state_dict())
    assert len(list(model.parameters())) == 4
    assert_same_weights(model, sgd_run)
    assert all(isinstance(p, torch.nn.Parameter) for p in model.parameters())


@needs("tensorflow")
@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "tf.function"])
def test_a_tensorflow_loop_with_a_tape(sgd_run, compiled):
    tf = framework()
    model = small_model()
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    optimizer.build(model.trainable_variables)

    def step(x, y):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x, training=True) - y))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    step = tf.function(step) if compiled else step
    losses = [
        float(step(x, y))
        for x, y in tf.data.Dataset.from_tensor_slices((X, Y)).batch(BATCH).repeat(EPOCHS)
    ]
    assert losses[-1] < losses[0]
    assert_same_weights(model, sgd_run)


@needs("tensorflow")
def test_a_tensorflow_checkpoint_carries_the_weights(sgd_run, tmp_path):
    tf = framework()
    path = tf.train.Checkpoint(model=sgd_run).write(str(tmp_path / "checkpoint"))
    model = small_model()
    tf.train.Checkpoint(model=model).read(path).assert_existing_objects_matched()
    assert_same_weights(model, sgd_run)


@needs("jax")
def test_a_jax_loop_with_grad(sgd_run):
    jax = framework()
    model = small_model()
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    optimizer.build(model.trainable_variables)

    def loss_fn(trainable, non_trainable, x, y):
        y_pred, non_trainable = model.stateless_call(trainable, non_trainable, x, training=True)
        return jax.numpy.mean((y_pred - y) ** 2), non_trainable

    @jax.jit
    def step(state, x, y):
        trainable, non_trainable, slots = state
        gradients, non_trainable = jax.grad(loss_fn, has_aux=True)(trainable, non_trainable, x, y)
        trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
        return trainable, non_trainable, slots

    groups = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
    state = tuple([v.value for v in group] for group in groups)
    before = model.get_weights()
    for x, y in batches():
        state = step(state, x, y)
    for variable, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)  # untouched until assigned
    for group, values in zip(groups, state, strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)
    assert_same_weights(model, sgd_run)
    assert int(optimizer.iterations.numpy()) == EPOCHS * 3
