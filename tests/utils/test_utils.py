"""Labels, sequences, configs, names, graph questions."""

import numpy as np
import pytest

from multikeras import config, ops, utils
from multikeras.symbolic import KerasTensor, Operation
from multikeras.variables import auto_name


@pytest.mark.parametrize(
    ("x", "classes", "shape"),
    [([0, 2, 1], None, (3, 3)), ([[0], [1]], 3, (2, 3)), (np.zeros((2, 3)), 2, (2, 3, 2))],
)
def test_to_categorical(x, classes, shape):
    rows = utils.to_categorical(x, classes)
    assert rows.shape == shape
    np.testing.assert_array_equal(rows.argmax(-1).reshape(-1), np.reshape(x, -1))
    np.testing.assert_array_equal(rows.sum(-1), 1.0)


@pytest.mark.parametrize("x", [[0, 5], [-1, 0]])
def test_to_categorical_refuses_numbers_out_of_range(x):
    with pytest.raises(IndexError, match=r"\[0, 3\)"):
        utils.to_categorical(x, 3)


def test_to_categorical_of_a_tensor_is_a_tensor():
    rows = utils.to_categorical(ops.convert_to_tensor(np.array([1, 0], "int32")), 2)
    np.testing.assert_array_equal(ops.convert_to_numpy(rows), [[0, 1], [1, 0]])


@pytest.mark.parametrize("order", [1, 2, 3, np.inf])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("tensor", [False, True])
def test_normalize(order, axis, tensor):
    x = np.array([[3.0, 4.0, 0.0], [0.0, -1.0, 0.0]], "float32")
    found = utils.normalize(ops.convert_to_tensor(x) if tensor else x, axis, order)
    norm = np.linalg.norm(x, order, axis, keepdims=True)
    expected = x / np.where(norm == 0, 1, norm)
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-6)
    assert ops.dtype(found) == "float32"


def test_normalize_integers_and_lists():
    assert (
        utils.normalize(np.array([3, 4])).tolist() == utils.normalize([3, 4]).tolist() == [0.6, 0.8]
    )
    with pytest.raises(ValueError, match="order"):
        utils.normalize([1.0], order=0)


@pytest.mark.parametrize(
    ("sequences", "options", "expected"),
    [
        ([[1], [1, 2, 3]], {}, [[0, 0, 1], [1, 2, 3]]),
        ([[1], [1, 2, 3]], {"maxlen": 2}, [[0, 1], [2, 3]]),
        (
            [[1], [1, 2, 3]],
            {"maxlen": 2, "padding": "post", "truncating": "post", "value": 9},
            [[1, 9], [1, 2]],
        ),
        ([[], [1]], {}, [[0], [1]]),
        ([[[1, 2]], [[1, 2], [3, 4]]], {}, [[[0, 0], [1, 2]], [[1, 2], [3, 4]]]),
        ([["a"], []], {"dtype": object, "value": "p"}, [["a"], ["p"]]),
        ([], {"maxlen": 3}, []),
    ],
)
def test_pad_sequences(sequences, options, expected):
    assert utils.pad_sequences(sequences, **options).tolist() == expected


@pytest.mark.parametrize(
    ("sequences", "options", "message"),
    [
        ([1, 2], {}, "sequence 0 is no sequence: 1"),
        (3, {}, "must be a list"),
        ([[1]], {"padding": "x"}, "`padding` must be 'pre' or 'post', got 'x'"),
        ([[1]], {"truncating": "x"}, "`truncating`"),
        ([[1]], {"value": "x"}, "does not fit"),
        ([[[1, 2]], [[1, 2, 3]]], {}, r"shape \(3,\), those before \(2,\)"),
    ],
)
def test_pad_sequences_refusals(sequences, options, message):
    with pytest.raises(ValueError, match=message):
        utils.pad_sequences(sequences, **options)


def test_config():
    values = utils.Config(a=1, b=2)
    values.c = 3
    values["d"] = 4
    assert dict(values.items()) == values.as_dict() == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert values.pop("a") == 1 and "a" not in values and len(values) == 3
    del values.b
    assert values.to_json() == '{"c": 3, "d": 4}' and values.get("b", 7) == 7
    with pytest.raises(AttributeError, match="'b'"):
        values.b  # noqa: B018
    values.freeze()
    for change in (
        lambda: values.update(c=1),
        lambda: values.pop("c"),
        lambda: setattr(values, "c", 1),
        lambda: values.__setitem__("c", 1),
        lambda: delattr(values, "c"),
    ):
        with pytest.raises(ValueError, match="frozen"):
            change()
    values.unfreeze()
    values.c = 5
    assert values.frozen is False and values.c == 5


def test_clear_session_starts_names_again_and_resets_the_policy():
    auto_name("thing")
    config.set_dtype_policy("mixed_bfloat16")
    utils.clear_session()
    assert auto_name("thing") == "thing"
    assert config.dtype_policy().name == "float32"


def test_get_source_inputs():
    class Add(Operation):
        def compute_output_spec(self, a, b):
            return KerasTensor(a.shape)

    a, b, c = (KerasTensor((None, 2)) for _ in range(3))
    out = Add()(Add()(a, b), Add()(b, c))
    assert utils.get_source_inputs(out) == [a, b, c]
    assert utils.is_keras_tensor(out) and not utils.is_keras_tensor(np.ones(2))


def test_every_public_name_is_there():
    for name in utils.__all__:
        assert getattr(utils, name) is not None
    assert utils.Sequence is utils.PyDataset
