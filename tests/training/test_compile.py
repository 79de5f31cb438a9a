"""What `compile` understands and refuses, and under which names results are shown."""

from __future__ import annotations

import numpy as np
import pytest

import multikeras as keras

X = np.arange(24, dtype="float32").reshape(8, 3) / 24
Y = np.stack([X.sum(1), X.mean(1)], axis=1)
TWO = ("loss", "a_loss", "b_loss")


def one_output():
    x = keras.Input((3,))
    return keras.Model(x, keras.layers.Dense(2, name="a")(x))


def two_outputs(wrap=list):
    x = keras.Input((3,))
    a, b = (keras.layers.Dense(2, name=name)(x) for name in "ab")
    return keras.Model(x, {"a": a, "b": b} if wrap is dict else [a, b])


def nested_outputs():
    x = keras.Input((3,))
    a, b, c = (keras.layers.Dense(2, name=name)(x) for name in "abc")
    return keras.Model(x, {"first": a, "rest": [b, c]})


def targets(model):
    return keras.tree.map_structure(lambda _: Y, model.output)


@pytest.mark.page("Model.compile", "Model.metrics_names", "Model.metrics")
@pytest.mark.parametrize(
    ("build", "arguments", "names"),
    [
        (one_output, {"loss": "mse"}, ("loss",)),
        (one_output, {"loss": ["mse"], "metrics": "mae"}, ("loss", "mae")),
        (one_output, {"loss": "mse", "metrics": ["mae", "mse"]}, ("loss", "mae", "mse")),
        (one_output, {"loss": "mse", "metrics": [["mae", "mse"]]}, ("loss", "mae", "mse")),
        (one_output, {"loss": "mse", "metrics": ["mae", "mae"]}, ("loss", "mae", "mae_1")),
        (one_output, {"loss": "mse", "metrics": ["acc"]}, ("loss", "acc")),
        (
            one_output,
            {"loss": "mse", "metrics": ["mae"], "weighted_metrics": ["mae"]},
            ("loss", "mae", "weighted_mae"),
        ),
        (
            two_outputs,
            {"loss": "mse", "metrics": ["mae", "mse"]},
            (*TWO, "a_mae", "a_mse", "b_mae", "b_mse"),
        ),
        (two_outputs, {"loss": ["mse", "mae"], "metrics": ["mae"]}, (*TWO, "a_mae", "b_mae")),
        (two_outputs, {"loss": {"b": "mse"}}, ("loss", "b_loss")),
        (
            two_outputs,
            {"loss": "mse", "metrics": ["mae", ["mae", "mse"]]},
            (*TWO, "a_mae", "b_mae", "b_mse"),
        ),
        (two_outputs, {"loss": "mse", "metrics": [None, "mae"]}, (*TWO, "b_mae")),
        (
            two_outputs,
            {"loss": "mse", "metrics": {"b": "mae"}, "weighted_metrics": {"a": ["mse"]}},
            (*TWO, "a_mse", "b_mae"),
        ),
        (
            lambda: two_outputs(dict),
            {"loss": {"a": "mse", "b": "mae"}, "loss_weights": {"a": 2.0}},
            TWO,
        ),
        (
            nested_outputs,
            {
                "loss": {"first": "mse", "rest": ["mae", "mse"]},
                "loss_weights": {"first": 1.0, "rest": [0.5, 2.0]},
                "metrics": {"rest": [["mae"], None]},
            },
            None,
        ),
    ],
)
def test_losses_and_metrics_are_named(build, arguments, names):
    model = build()
    model.compile("sgd", **arguments)
    assert model.metrics_names == [] and model.metrics == []
    model.fit(X, targets(model), epochs=1, batch_size=4, verbose=0)
    logs = model.evaluate(X, targets(model), return_dict=True, verbose=0)
    assert model.metrics_names == list(logs) == list(model.history.history)
    if names is not None:
        assert list(logs) == list(names)
    if "weighted_metrics" not in arguments:
        assert [m.name for m in model.metrics] == list(logs)


def test_nested_losses_count_with_their_weights():
    model = nested_outputs()
    model.compile(
        "sgd",
        loss={"first": "mse", "rest": ["mae", "mse"]},
        loss_weights={"first": 1.0, "rest": [0.5, 2.0]},
    )
    logs = model.evaluate(X, targets(model), return_dict=True, verbose=0)
    a, (b, c) = (lambda out: (out["first"], out["rest"]))(model.predict(X, verbose=0))
    parts = [np.mean((a - Y) ** 2), np.mean(np.abs(b - Y)), np.mean((c - Y) ** 2)]
    np.testing.assert_allclose(
        logs["loss"], parts[0] + 0.5 * parts[1] + 2 * parts[2], rtol=1e-5
    )


def test_both_orders_of_metrics_and_loss_weights():
    model = two_outputs()
    for arguments in (
        (["mse", "mse"], ["mae"], [1.0, 2.0]),  # tf.keras
        (["mse", "mse"], [1.0, 2.0], ["mae"]),  # Keras 3
    ):
        model.compile("sgd", *arguments)
        assert model.loss_weights == [1.0, 2.0]
        logs = model.evaluate(X, targets(model), return_dict=True, verbose=0)
        assert list(logs) == [*TWO, "a_mae", "b_mae"]
        np.testing.assert_allclose(logs["loss"], logs["a_loss"] + 2 * logs["b_loss"], rtol=1e-5)


@pytest.mark.page("Model.compile", "Sequential.compile")
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"optimizer": "no_such"}, ValueError, "no_such"),
        ({"optimizer": 3}, ValueError, "3"),
        ({"loss": "no_such"}, ValueError, "no_such"),
        ({"loss": 3}, ValueError, "`loss`: expected a name, a function or a Loss object, got 3"),
        ({"loss": keras.losses.MeanSquaredError}, ValueError, "expected a name, a function"),
        ({"metrics": ["no_such"]}, ValueError, "no_such"),
        ({"metrics": [[object()]]}, ValueError, "`metrics`: expected a name, a function"),
        ({"loss_weights": ["mae"], "metrics": ["mae"]}, ValueError, "must be numbers"),
        ({"run_eagerly": True, "jit_compile": True}, ValueError, "contradicts jit_compile"),
        ({"steps_per_execution": 0}, ValueError, "positive integer, got 0"),
        (
            {"steps_per_execution": 2, "experimental_steps_per_execution": 3},
            ValueError,
            "contradicts experimental_steps_per_execution=3",
        ),
        ({"sample_weight_mode": "spatial"}, ValueError, "None or 'temporal'"),
        ({"pss_evaluation_shards": 2}, ValueError, "parameter servers"),
        ({"optimiser": "sgd"}, TypeError, "unknown argument.* 'optimiser'"),
    ],
)
def test_refused(arguments, error, message):
    model = one_output()
    with pytest.raises(error, match=message):
        model.compile(**{"loss": "mse"} | arguments)
    assert not model.compiled


@pytest.mark.page("Model.run_eagerly", "Model.jit_compile", "Sequential.run_eagerly")
def test_attributes_that_say_how_steps_run():
    model = one_output()
    model.compile("sgd", "mse", experimental_steps_per_execution=2, sample_weight_mode="temporal")
    assert model.steps_per_execution == 2 and model.run_eagerly is False
    model.run_eagerly = True
    assert model.run_eagerly and not model.jit_compile
    with pytest.raises(ValueError, match="contradicts"):
        model.jit_compile = True
    model.run_eagerly, model.jit_compile = False, True
    assert model.jit_compile is True
    with pytest.raises(ValueError, match="contradicts"):
        model.run_eagerly = True


def test_a_failed_compile_leaves_the_model_as_it_was():
    model = one_output()
    model.compile("sgd", "mse")
    optimizer, config = model.optimizer, model.get_compile_config()
    for arguments in (("adam", "no_such"), ("no_such", "mae")):
        with pytest.raises(ValueError, match="no_such"):
            model.compile(*arguments)
        assert model.optimizer is optimizer and model.loss == "mse"
        assert model.get_compile_config() == config


@pytest.mark.page("Model.get_compile_config", "Model.compile_from_config")
def test_compile_config_goes_round():
    model = two_outputs()
    model.compile(
        keras.optimizers.SGD(0.25),
        loss={"a": keras.losses.Huber(delta=2.0), "b": "mae"},
        loss_weights={"a": 0.5},
        metrics=[["mae"], [keras.metrics.MeanSquaredError()]],
        steps_per_execution=3,
    )
    config = model.get_compile_config()
    other = two_outputs()
    other.set_weights(model.get_weights())
    other.compile_from_config(config)
    assert other.get_compile_config() == config
    assert float(other.optimizer.learning_rate) == 0.25 and other.steps_per_execution == 3
    results = [m.evaluate(X, targets(m), return_dict=True, verbose=0) for m in (model, other)]
    assert results[0] == pytest.approx(results[1], rel=1e-6)


@pytest.mark.parametrize("trained_before", [False, True])
def test_targets_and_weights_that_do_not_fit_are_told(trained_before):
    model = one_output()
    model.compile("sgd", "mse")
    if trained_before:
        model.fit(X, Y, verbose=0)
    with pytest.raises(ValueError, match=r"'a' has a loss, but there are no targets"):
        model.fit(X, verbose=0)
    with pytest.raises(ValueError, match=r"sample_weight: expected one weight a sample.*\(8, 5\)"):
        model.fit(X, Y, sample_weight=np.ones((8, 5)), verbose=0)
