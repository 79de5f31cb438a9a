"""Losses: dtypes, ranks, structures, ignored classes, names and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from multikeras import losses, ops, registry
from multikeras.losses.wrapper import LossFunctionWrapper

Y = np.array([[0.0, 1.0], [1.0, 1.0]], "float32")
P = np.array([[0.0, 3.0], [1.0, 0.0]], "float32")


@pytest.mark.parametrize(
    ("dtype", "expected"),
    [(None, "float32"), ("float16", "float16"), ("mixed_bfloat16", "bfloat16")],
)
def test_computed_in_its_dtype(dtype, expected):
    loss = losses.MeanSquaredError(dtype=dtype)
    assert ops.dtype(loss(Y, ops.convert_to_tensor(P, "float16"))) == expected == loss.dtype


def test_ranks_that_differ_by_a_last_dimension_of_one():
    column = P[:, :1]
    assert float(losses.MeanSquaredError()(Y[:, 0], column)) == 0.0
    assert float(losses.MeanSquaredError()(Y[..., None], P)) == float(
        losses.MeanSquaredError()(Y, P)
    )


@pytest.mark.parametrize("steps", [2, 3])
def test_a_weight_per_sample_weights_all_its_steps(steps):
    y_true, y_pred = np.zeros((2, steps, 1)), np.arange(2.0 * steps).reshape(2, steps, 1)
    weights, mask = np.array([1.0, 3.0]), np.ones((2, steps), bool)
    loss = losses.MeanAbsoluteError()
    expected = (weights[:, None] * y_pred[..., 0]).mean()
    np.testing.assert_allclose(float(loss(y_true, y_pred, weights)), expected, rtol=1e-5)
    np.testing.assert_allclose(
        float(loss.masked(y_true, y_pred, weights, mask)), expected, rtol=1e-5
    )
    mask[:, 1:] = False  # the mean is one over what is left
    got = loss.masked(y_true, y_pred, weights, mask)
    np.testing.assert_allclose(float(got), (weights * y_pred[:, 0, 0]).mean(), rtol=1e-5)


def test_structures_reach_call():
    class Both(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.abs(y_true["a"] - y_pred["a"]) + ops.abs(y_true["b"] - y_pred["b"])

    got = Both()({"a": [1.0], "b": [2.0]}, {"a": [3.0], "b": [5.0]})
    assert float(got) == 5.0


def test_ignored_class_counts_neither_loss_nor_sample():
    labels, probs = np.array([0, 1, -1]), np.full((3, 2), 0.5, "float32")
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1)
    np.testing.assert_allclose(float(loss(labels, probs)), np.log(2), rtol=1e-6)
    per_sample = losses.sparse_categorical_crossentropy(labels, probs, ignore_class=-1)
    np.testing.assert_allclose(ops.convert_to_numpy(per_sample), [np.log(2)] * 2 + [0], rtol=1e-6)


def test_mask_and_weights_and_ignored_class_together():
    labels, probs = np.array([0, 1, -1, 1]), np.full((4, 2), 0.5, "float32")
    loss = losses.SparseCategoricalCrossentropy(ignore_class=-1, reduction="none")
    got = loss.masked(labels, probs, np.array([1.0, 2.0, 3.0, 4.0]), np.array([1, 1, 1, 0], bool))
    np.testing.assert_allclose(
        ops.convert_to_numpy(got), np.log(2) * np.array([1, 2, 0, 0]), rtol=1e-6
    )


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("mse", losses.mean_squared_error),
        ("MAE", losses.mean_absolute_error),
        ("bce", losses.binary_crossentropy),
        ("KLD", losses.kl_divergence),
        ("kullback_leibler_divergence", losses.kl_divergence),
        ("huber", losses.huber),
    ],
)
def test_names(name, function):
    assert losses.get(name) is function
    assert losses.deserialize(losses.serialize(function)) is function


def test_get_takes_none_objects_callables_and_classes():
    def own(y_true, y_pred):
        return y_pred

    loss = losses.Poisson()
    assert losses.get(None) is None and losses.get(loss) is loss and losses.get(own) is own
    assert isinstance(losses.get("MeanSquaredError"), losses.MeanSquaredError)
    assert isinstance(losses.get(losses.Poisson), losses.Poisson)
    assert isinstance(losses.get({"class_name": "Poisson", "config": {}}), losses.Poisson)


def test_own_function_by_name():
    def mine(y_true, y_pred):
        return ops.mean(ops.abs(y_pred), axis=-1)

    with registry.CustomObjectScope({"mine": mine}):
        assert losses.get("mine") is mine
    assert losses.deserialize("mine", {"mine": mine}) is mine
    wrapped = LossFunctionWrapper(losses.huber, name="w", delta=2.0)
    again = LossFunctionWrapper.from_config(wrapped.get_config())
    assert again.fn is losses.huber and again.delta == 2.0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: losses.MeanSquaredError(reduction="all"), "reduction"),
        (lambda: losses.get("mean_squared"), "mean_squared_error"),
        (lambda: losses.get(3), "loss"),
        (lambda: losses.BinaryCrossentropy(label_smoothing=2.0), "label_smoothing"),
        (lambda: losses.CategoricalGeneralizedCrossEntropy(q=1.5), "`q`"),
        (lambda: losses.CategoricalCrossentropy()([0, 1], P), "sparse_categorical_crossentropy"),
    ],
)
def test_refusals(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_one_class_warns():
    with pytest.warns(SyntaxWarning, match="binary_crossentropy"):
        losses.categorical_crossentropy([[1.0]], [[0.5]])


def test_configs_hold_what_is_not_default():
    assert losses.Huber(delta=2.0).get_config()["delta"] == 2.0
    assert losses.Huber().get_config() == {
        "name": "huber_loss",
        "reduction": "sum_over_batch_size",
    }
    assert losses.Poisson(dtype="float16").get_config()["dtype"] == "float16"
