"""What tf.keras 2's page of `Model` shows: its examples, on the selected backend.

TensorFlow's functions are replaced by `multikeras.ops`; with TensorFlow selected, the examples
that call them run with its own functions too.
"""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest

import multikeras as keras
from multikeras import layers, ops

BACKEND = keras.config.backend()
RNG = np.random.default_rng(0)
X, Y = RNG.random((2, 3)), RNG.integers(0, 2, (2, 2))


def needs(backend):
    return pytest.mark.skipif(BACKEND != backend, reason=f"needs {backend}")


def own_functions():
    """The namespaces whose functions an example may call: ours, and TensorFlow's own."""
    return [
        pytest.param("multikeras", id="multikeras"),
        pytest.param("tensorflow", id="tensorflow", marks=needs("tensorflow")),
    ]


def one_output():
    inputs = layers.Input(shape=(3,))
    return keras.models.Model(inputs=inputs, outputs=layers.Dense(2)(inputs))


def one_layer_called_twice():
    inputs = layers.Input(shape=(3,))
    dense = layers.Dense(2, name="out")
    return keras.models.Model(inputs=inputs, outputs=[dense(inputs), dense(inputs)])


# -- three ways to a model ------------------------------------------------------------------


def relu(kind):
    return importlib.import_module("tensorflow").nn.relu if kind == "tensorflow" else ops.relu


@pytest.mark.page("Model.inputs", "Model.outputs", "Model.layers")
@pytest.mark.parametrize("functions", own_functions())
def test_functional(functions):
    inputs = keras.Input(shape=(3,))
    x = layers.Dense(4, activation=relu(functions))(inputs)
    outputs = layers.Dense(5, activation="softmax")(x)
    model = keras.Model(inputs=inputs, outputs=outputs, name="small")
    assert model.name == "small" and model.output_shape == (None, 5)
    assert model.inputs == [inputs] and model.outputs == [outputs]
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Dense", "Dense"]
    assert np.allclose(model.predict(X, verbose=0).sum(axis=1), 1)


@pytest.mark.page("Model.inputs", "Model.outputs")
def test_models_from_intermediate_tensors_share_their_layers():
    inputs = keras.Input(shape=(None, None, 3))
    processed = layers.Rescaling(0.5)(inputs)
    conv = layers.Conv2D(filters=2, kernel_size=3)(processed)
    feature = layers.Dense(10)(layers.GlobalAveragePooling2D()(conv))
    full = keras.Model(inputs, feature)
    backbone = keras.Model(processed, conv)
    activations = keras.Model(conv, feature)

    image = RNG.random((2, 12, 10, 3)).astype("float32")
    seen = backbone.predict(image * 0.5, verbose=0)
    assert seen.shape == (2, 10, 8, 2)
    found = activations.predict(seen, verbose=0)
    np.testing.assert_allclose(found, full.predict(image, verbose=0), rtol=1e-5, atol=1e-6)

    kernel = backbone.weights[0].numpy().copy()
    full.compile("sgd", "mse")
    full.fit(image, np.ones((2, 10)), verbose=0)
    assert not np.array_equal(backbone.weights[0].numpy(), kernel)
    np.testing.assert_allclose(
        activations.predict(backbone.predict(image * 0.5, verbose=0), verbose=0),
        full.predict(image, verbose=0),
        rtol=1e-5,
        atol=1e-6,
    )


class MyModel(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense1 = layers.Dense(4, activation=ops.relu)
        self.dense2 = layers.Dense(5, activation=ops.softmax)
        self.dropout = layers.Dropout(0.5)

    def call(self, inputs, training=False):
        x = self.dense1(inputs)
        if training:
            x = self.dropout(x, training=training)
        return self.dense2(x)


@pytest.mark.page("Model.call", "Model.layers")
def test_subclass_with_a_training_argument():
    model = MyModel()
    x = np.ones((64, 3), "float32")
    rows = ops.convert_to_numpy(model(x))
    assert rows.shape == (64, 5) and np.ptp(rows, axis=0).max() < 1e-6
    assert np.ptp(ops.convert_to_numpy(model(x, training=True)), axis=0).max() > 1e-3
    assert [layer.name for layer in model.layers] == ["dense", "dense_1", "dropout"]
    seen = []
    model.call = lambda inputs, training=False, call=model.call: (
        seen.append(training) or call(inputs, training=training)
    )
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(x, np.ones((64, 5)), batch_size=64, verbose=0)
    assert seen[-1] is True  # the step; what comes before it builds the model
    seen.clear()
    model.predict(x, verbose=0)
    assert set(seen) == {False}


# -- compile and the names of metrics -------------------------------------------------------


@pytest.mark.page("Model.compile")
def test_compile_with_instances():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1, activation="sigmoid")])
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=1e-3),
        loss=keras.losses.BinaryCrossentropy(),
        metrics=[keras.metrics.BinaryAccuracy(), keras.metrics.FalseNegatives()],
    )
    logs = model.fit(X, Y[:, :1], verbose=0).history
    assert list(logs) == ["loss", "binary_accuracy", "false_negatives"]


@pytest.mark.page("Model.metrics_names", "Model.metrics", "Sequential.metrics_names")
@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_metrics_have_names_once_the_model_was_trained(kind):
    model = one_output() if kind == "functional" else keras.Sequential([layers.Dense(2)])
    model.compile(optimizer="Adam", loss="mse", metrics=["mae"])
    assert model.metrics_names == []
    assert [m.name for m in model.metrics] == []
    model.fit(X, Y, verbose=0)
    assert model.metrics_names == ["loss", "mae"]
    assert [m.name for m in model.metrics] == ["loss", "mae"]


NAMES = ["loss", "out_loss", "out_1_loss", "out_mae", "out_acc", "out_1_mae", "out_1_acc"]


@pytest.mark.page("Model.metrics_names", "Model.evaluate")
def test_names_of_a_layer_with_two_outputs():
    model = one_layer_called_twice()
    model.compile(optimizer="Adam", loss="mse", metrics=["mae", "acc"])
    model.fit(X, (Y, Y), verbose=0)
    assert model.metrics_names == NAMES
    logs = model.evaluate(X, (Y, Y), verbose=0)
    assert len(logs) == len(NAMES)
    by_name = model.evaluate(X, (Y, Y), verbose=0, return_dict=True)
    assert list(by_name) == NAMES and list(by_name.values()) == pytest.approx(logs)


@pytest.mark.page("Model.metrics", "Layer.add_metric")
def test_an_added_metric_comes_last():
    inputs = layers.Input(shape=(3,))
    dense = layers.Dense(2, name="out")
    first, second = dense(inputs), dense(inputs)
    model = keras.models.Model(inputs=inputs, outputs=[first, second])
    model.add_metric(ops.sum(second), name="mean", aggregation="mean")
    model.compile(optimizer="Adam", loss="mse", metrics=["mae", "acc"])
    model.fit(X, (Y, Y), verbose=0)
    assert [m.name for m in model.metrics] == [*NAMES, "mean"]
    total = model.predict(X, verbose=0)[1].sum()
    logs = model.evaluate(X, (Y, Y), verbose=0, return_dict=True)
    assert logs["mean"] == pytest.approx(total, rel=1e-4)


@pytest.mark.page("Model.reset_metrics", "Sequential.reset_metrics", "Model.get_metrics_result")
@pytest.mark.parametrize("kind", ["functional", "sequential"])
def test_metrics_go_on_until_they_are_reset(kind):
    model = one_output() if kind == "functional" else keras.Sequential([layers.Dense(2)])
    model.compile(optimizer="Adam", loss="mse", metrics=["mae"])
    model.fit(X, Y, verbose=0)
    assert all(float(m.result()) for m in model.metrics)
    found = model.get_metrics_result()
    assert list(found) == ["loss", "mae"]
    assert float(found["mae"]) == float(model.metrics[1].result())
    model.reset_metrics()
    assert all(float(m.result()) == 0 for m in model.metrics)


@pytest.mark.page("Model.get_metrics_result")
def test_a_metric_of_several_results_adds_them_all():
    class Ends(keras.metrics.Metric):
        def __init__(self):
            super().__init__(name="ends")
            self.low = self.add_variable((), "zeros", name="low")
            self.high = self.add_variable((), "zeros", name="high")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.low.assign(ops.minimum(self.low.value, ops.min(y_pred)))
            self.high.assign(ops.maximum(self.high.value, ops.max(y_pred)))

        def result(self):
            return {"low": self.low.value, "high": self.high.value}

    model = one_output()
    model.compile("sgd", "mse", metrics=[Ends()])
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert list(logs) == ["loss", "low", "high"]
    outputs = model.predict(X, verbose=0)
    assert logs["high"] == pytest.approx(max(0, outputs.max()), rel=1e-5)
    assert list(model.get_metrics_result()) == ["loss", "low", "high"]


# -- own losses, metrics and steps ----------------------------------------------------------


def of(functions):
    """mean, squared difference and sum, as the example calls them."""
    if functions == "tensorflow":
        tf = importlib.import_module("tensorflow")
        return tf.reduce_mean, tf.math.squared_difference, tf.add_n
    return ops.mean, lambda a, b: ops.square(a - b), sum


@pytest.mark.page("Model.compute_loss", "Model.reset_metrics", "Model.metrics", "Layer.add_loss")
@pytest.mark.parametrize("functions", own_functions())
def test_own_loss_with_its_own_tracker(functions):
    mean, squared_difference, add = of(functions)

    class MyModel(keras.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.loss_tracker = keras.metrics.Mean(name="loss")

        def compute_loss(self, x, y, y_pred, sample_weight):
            loss = mean(squared_difference(y_pred, y))
            loss += add(self.losses)
            self.loss_tracker.update_state(loss)
            return loss

        def reset_metrics(self):
            self.loss_tracker.reset_states()

        @property
        def metrics(self):
            return [self.loss_tracker]

    rng = np.random.default_rng(1)
    x, y = rng.random((10, 10)).astype("float32"), rng.random((10, 1)).astype("float32")

    def batches():
        while True:
            for row in range(10):
                yield x[row : row + 1], y[row : row + 1]

    dataset = batches()
    if functions == "tensorflow":
        tf = importlib.import_module("tensorflow")
        dataset = tf.data.Dataset.from_tensor_slices((x, y)).repeat().batch(1)
    inputs = layers.Input(shape=(10,), name="my_input")
    outputs = layers.Dense(10)(inputs)
    model = MyModel(inputs, outputs)
    model.add_loss(ops.sum(outputs))
    model.compile(keras.optimizers.SGD(), loss="mse", steps_per_execution=10)
    history = model.fit(dataset, epochs=2, steps_per_epoch=10, verbose=0).history
    tracked = float(ops.convert_to_numpy(model.loss_tracker.result()))
    assert list(history) == ["loss"] and history["loss"][1] < history["loss"][0]
    assert tracked == pytest.approx(history["loss"][-1], rel=1e-5)


@pytest.mark.page("Model.compute_metrics")
def test_own_metrics_on_a_sequential_model():
    class MyModel(keras.Sequential):
        def compute_metrics(self, x, y, y_pred, sample_weight):
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            self.custom_metric.update_state(x, y, y_pred, sample_weight)
            results["custom_metric_name"] = self.custom_metric.result()
            return results

    class Largest(keras.metrics.Metric):
        def __init__(self):
            super().__init__(name="largest")
            self.peak = self.add_variable((), "zeros", name="peak")

        def update_state(self, x, y, y_pred, sample_weight=None):
            self.peak.assign(ops.maximum(self.peak.value, ops.max(x)))

        def result(self):
            return self.peak.value

    model = MyModel([layers.Dense(2)])
    model.custom_metric = Largest()
    model.compile("sgd", "mse", metrics=["mae"])
    history = model.fit(X, Y, verbose=0).history
    assert list(history)[-1] == "custom_metric_name"
    assert history["custom_metric_name"] == [pytest.approx(X.max(), rel=1e-6)]


@pytest.mark.page("Model.train_step", "Sequential.train_step")
@pytest.mark.parametrize("base", [keras.Model, keras.Sequential])
def test_own_train_step(base):
    class OwnStep(base):
        def train_step(self, data):
            logs = super().train_step(data)
            return {**logs, "twice": 2.0 * logs["loss"]}

    model = build(OwnStep)
    history = model.fit(X, Y, verbose=0).history
    assert history["twice"][0] == pytest.approx(2 * history["loss"][0], rel=1e-6)


@pytest.mark.page("Model.train_step", "Model.test_step", "Model.predict_step")
def test_steps_get_what_the_data_held():
    seen = {}

    class Looks(keras.Model):
        def train_step(self, data):
            seen["train"] = len(data) if isinstance(data, tuple) else data.shape
            return super().train_step(data)

        def test_step(self, data):
            seen["test"] = len(data) if isinstance(data, tuple) else data.shape
            return super().test_step(data)

        def predict_step(self, data):
            seen["predict"] = len(data) if isinstance(data, tuple) else data.shape
            return super().predict_step(data)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return ops.mean(y_pred)

    model = build(Looks)
    x, y = X.astype("float32"), np.ones((2, 2), "float32")
    for arrays, held in (((x,), (2, 3)), ((x, y), 2), ((x, y, np.ones(2, "float32")), 3)):
        given = dict(zip(("x", "y", "sample_weight"), arrays))
        model.fit(**given, verbose=0)
        model.evaluate(**given, verbose=0)
        assert (seen["train"], seen["test"]) == (held, held)
    model.predict(x, verbose=0)
    assert seen["predict"] == (2, 3)


def build(cls):
    """A compiled model of a class: functional, or a stack."""
    if issubclass(cls, keras.Sequential):
        model = cls([keras.Input((3,)), layers.Dense(2)])
    else:
        inputs = keras.Input((3,))
        model = cls(inputs, layers.Dense(2)(inputs))
    model.compile("sgd", "mse")
    return model


@pytest.mark.page("Model.train_step", "Model.compute_metrics")
def test_a_step_by_compiled_loss_and_compiled_metrics():
    class OwnStep(keras.Model):
        def train_step(self, data):
            x, y = data

            def loss_fn():
                y_pred = self(x, training=True)
                loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
                return loss, y_pred

            variables = self.trainable_variables
            (_, y_pred), gradients = keras.value_and_grad(loss_fn, variables, has_aux=True)()
            self.optimizer.apply_gradients(zip(gradients, variables))
            self.compiled_metrics.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    histories = []
    for cls in (keras.Model, OwnStep):
        keras.utils.set_random_seed(3)
        inputs = keras.Input((3,))
        model = cls(inputs, layers.Dense(2, kernel_regularizer="l2")(inputs))
        model.compile("adam", "mse", metrics=["mae"])
        rows = np.tile(X, (4, 1)).astype("float32"), np.tile(Y, (4, 1)).astype("float32")
        histories.append(model.fit(*rows, batch_size=3, epochs=2, verbose=0).history)
    assert list(histories[0]) == list(histories[1]) == ["loss", "mae"]
    for name in histories[0]:
        np.testing.assert_allclose(histories[0][name], histories[1][name], rtol=1e-5)


@pytest.mark.page("Model.test_step", "Sequential.test_step")
@pytest.mark.parametrize("base", [keras.Model, keras.Sequential])
def test_own_test_step(base):
    class OwnStep(base):
        def test_step(self, data):
            x, y = data[:2]
            return {"worst": ops.max(ops.abs(self(x) - ops.cast(y, "float32")))}

    model = build(OwnStep)
    worst = np.abs(model.predict(X, verbose=0) - Y).max()
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(worst, rel=1e-5)
    logs = model.fit(X, Y, validation_data=(X, Y), verbose=0).history
    assert "val_worst" in logs


@pytest.mark.page("Model.predict_step", "Sequential.predict_step")
@pytest.mark.parametrize("base", [keras.Model, keras.Sequential])
def test_own_predict_step(base):
    class OwnStep(base):
        def predict_step(self, data):
            return ops.argmax(super().predict_step(data), axis=-1)

    model = build(OwnStep)
    found = model.predict(X, verbose=0)
    assert found.tolist() == ops.convert_to_numpy(model(X)).argmax(axis=-1).tolist()
    assert model.predict_on_batch(X).tolist() == found.tolist()


# -- names and configurations ---------------------------------------------------------------


class Subclass(keras.Model):
    def __init__(self, name=None):
        super().__init__(name=name)
        self.d1 = layers.Dense(10)
        self.d2 = layers.Dense(20)

    def call(self, inputs):
        return self.d2(self.d1(inputs))


@pytest.mark.page("Model.get_weight_paths")
def test_paths_of_weights():
    model = Subclass()
    assert model.get_weight_paths() == {}
    model(ops.zeros((10, 10)))
    assert model.get_weight_paths() == {
        "d1.kernel": model.d1.kernel,
        "d1.bias": model.d1.bias,
        "d2.kernel": model.d2.kernel,
        "d2.bias": model.d2.bias,
    }
    inputs = keras.Input((10,), batch_size=10)
    x = layers.Dense(20, name="d1")(inputs)
    model = keras.Model(inputs, layers.Dense(30, name="d2")(x))
    d1, d2 = model.layers[1:]
    assert model.get_weight_paths() == {
        "d1.kernel": d1.kernel,
        "d1.bias": d1.bias,
        "d2.kernel": d2.kernel,
        "d2.bias": d2.bias,
    }


@pytest.mark.page("Model.to_json", "Sequential.to_json")
@pytest.mark.parametrize("base", [keras.Model, keras.Sequential])
def test_json_holds_the_architecture(base):
    model = build(base)
    text = model.to_json(indent=1)
    assert text.startswith("{\n ") and json.loads(text)["class_name"]
    again = keras.models.model_from_json(text)
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert again.output_shape == (None, 2)


@pytest.mark.page("Model.get_config", "Model.from_config")
def test_a_configuration_makes_the_model_again():
    model = build(keras.Model)
    again = keras.Model.from_config(model.get_config())
    assert again.get_config() == model.get_config()
    again.set_weights(model.get_weights())
    assert np.array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))


@pytest.mark.page("Model.summary", "Sequential.summary")
@pytest.mark.parametrize("base", [keras.Model, keras.Sequential])
def test_summary_goes_to_a_function(base):
    lines = []
    build(base).summary(line_length=70, print_fn=lambda line, **_: lines.append(line))
    text = "\n".join(lines)
    assert "dense (Dense)" in text and "Trainable params: 8" in text


@pytest.mark.page("Model.save", "Model.save_weights", "Model.load_weights")
def test_a_file_gives_the_same_predictions(tmp_path):
    model = keras.Sequential([layers.Dense(5, input_shape=(3,)), layers.Softmax()])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    x = keras.random.uniform((10, 3))
    assert np.allclose(model.predict(x, verbose=0), loaded.predict(x, verbose=0))


@pytest.mark.page("Model.save", "Sequential.save")
def test_an_hdf5_file_gives_the_compiled_model(tmp_path):
    model = build(keras.Sequential)
    model.fit(X, Y, verbose=0)
    model.save(tmp_path / "my_model.h5")
    again = keras.models.load_model(tmp_path / "my_model.h5")
    assert np.allclose(model.predict(X, verbose=0), again.predict(X, verbose=0))
    model.fit(X, Y, verbose=0)
    again.fit(X, Y, verbose=0)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.page("Model.save_spec", backends=("tensorflow",), why="a function of TensorFlow")
@needs("tensorflow")
def test_a_serving_function_made_from_the_spec(tmp_path):
    tf = importlib.import_module("tensorflow")
    model = build(keras.Model)

    @tf.function
    def serve(*args, **kwargs):
        return {"doubled": 2 * model(*args, **kwargs)}

    arg_specs, kwarg_specs = model.save_spec()
    assert arg_specs[0].shape.as_list() == [None, 3] and kwarg_specs == {}
    concrete = serve.get_concrete_function(*arg_specs, **kwarg_specs)
    model.save(str(tmp_path / "served"), save_format="tf", signatures={"serving_default": concrete})
    loaded = tf.saved_model.load(str(tmp_path / "served"))
    found = loaded.signatures["serving_default"](tf.constant(X, tf.float32))["doubled"]
    np.testing.assert_allclose(found.numpy(), 2 * model.predict(X, verbose=0), rtol=1e-5)
