"""Batches of arrays: order, structure, dtypes, refusals."""

import numpy as np
import pytest

from multikeras import data, tree
from multikeras.backends import native


def host(x):
    return x if isinstance(x, np.ndarray) else native.engine.to_host(x)


def rows(batches):
    """The first column of x, batch by batch."""
    return [host(x).reshape(len(x), -1)[:, 0].astype(int).tolist() for x, _, _ in batches]


X = np.arange(10, dtype="float32")[:, None]
Y = X * 2


def test_order_without_shuffling():
    source = data.make_source(X, Y, batch_size=4)
    batches = list(source.epoch((0, 0)))
    assert rows(batches) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert source.num_batches == 3 and source.batch_size == 4
    assert not source.repeats and source.positionable
    for x, y, sample_weight in batches:
        np.testing.assert_array_equal(host(y), 2 * host(x))
        assert sample_weight is None


def test_default_batch_size_is_32():
    assert data.make_source(np.zeros((65, 1))).num_batches == 3


def test_shuffled_epochs():
    source = data.make_source(X, Y, batch_size=4, shuffle=True)
    first, again, other = (list(source.epoch((7, s))) for s in (0, 0, 1))
    assert rows(first) == rows(again) != rows(other)
    assert sorted(np.concatenate(rows(first))) == list(range(10))
    assert [len(b) for b in rows(first)] == [4, 4, 2]
    for x, y, _ in first:
        np.testing.assert_array_equal(host(y), 2 * host(x))


def test_shuffled_order_is_the_generators_on_every_backend():
    source = data.make_source(np.arange(6)[:, None], batch_size=6, shuffle=True)
    assert rows(source.epoch((1, 2))) == [[0, 3, 2, 1, 4, 5]]


def test_shuffled_data_larger_than_what_is_gathered_at_once():
    x = np.arange(3000 * 200, dtype="float32").reshape(3000, 200)
    source = data.make_source(x, x[:, 0], batch_size=128, shuffle=True)
    batches = list(source.epoch((3, 0)))
    assert [len(x) for x, _, _ in batches] == [128] * 23 + [56]
    seen = np.concatenate([host(y) for _, y, _ in batches])
    np.testing.assert_array_equal(np.sort(seen), x[:, 0])
    np.testing.assert_array_equal(np.concatenate([host(x)[:, 0] for x, _, _ in batches]), seen)


def test_shuffled_by_whole_batches():
    found = rows(data.make_source(X, batch_size=3, shuffle="batch").epoch((1, 0)))
    assert sorted(found[:3]) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert found[3] == [9]


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_an_epoch_can_begin_later(shuffle):
    source = data.make_source(X, batch_size=3, shuffle=shuffle)
    assert rows(source.epoch((5, 1), start=2)) == rows(source.epoch((5, 1)))[2:]


STRUCTURES = {
    "dict": {"a": X, "b": [X, Y]},
    "list": [X, Y],
    "tuple": (X, (Y,)),
    "with None": [X, None],
}


@pytest.mark.parametrize("name", STRUCTURES)
def test_structures_are_kept(name):
    x = STRUCTURES[name]
    source = data.make_source(x, {"out": Y}, {"out": np.ones(10)}, batch_size=4)
    for batch in source.epoch():
        tree.assert_same_structure(batch, (x, {"out": 0}, {"out": 0}))
    last = [None if a is None else host(a).tolist() for a in tree.flatten(batch[0])]
    assert last == [None if a is None else a[8:].tolist() for a in tree.flatten(x)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.zeros((3, 1)), "float32"),
        (np.zeros((3, 1), "float16"), "float32"),
        (np.zeros((3, 1), "int32"), "int32"),
        (np.zeros((3, 1), "uint8"), "uint8"),
        (np.zeros((3, 1), "bool"), "bool"),
        ([1.0, 2.0], "float32"),
        ([[1, 2], [3, 4]], "int64"),
    ],
)
def test_dtypes(given, expected):
    x, _, _ = next(data.make_source(given).epoch())
    assert str(host(x).dtype) == expected


def test_native_tensors():
    x = native.core.convert_to_tensor(X)
    source = data.make_source([x, X], batch_size=4, shuffle=True)
    for (a, b), _, _ in source.epoch((2, 0)):
        np.testing.assert_array_equal(host(a), host(b))


def test_only_inputs_and_weights():
    (batch,) = data.make_source(X, sample_weight=np.ones(10)).epoch()
    assert batch[1] is None and host(batch[2]).shape == (10,)


def test_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": X[:, 0], "b": X[:, 0]})
    ((x, y, _),) = data.make_source(frame, frame["a"]).epoch()
    assert host(x).shape == (10, 2) and host(y).shape == (10, 1)


@pytest.mark.parametrize("shuffle", [False, True, "batch"])
def test_data_read_from_files(tmp_path, shuffle):
    h5py = pytest.importorskip("h5py")
    on_disk = np.memmap(tmp_path / "y.bin", "float64", "w+", shape=(10, 1))
    on_disk[:] = Y
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = X
        source = data.make_source(file["x"], on_disk, batch_size=4, shuffle=shuffle)
        batches = list(source.epoch((4, 0)))
    assert sorted(np.concatenate(rows(batches))) == list(range(10))
    for x, y, _ in batches:
        np.testing.assert_array_equal(host(y), 2 * host(x))
        assert str(host(y).dtype) == "float32"


def test_sparse_matrices_become_dense_by_batch():
    sparse = pytest.importorskip("scipy.sparse")
    for shuffle in (False, True):
        matrix = sparse.csr_matrix(np.diag(np.arange(5.0)))
        source = data.make_source(matrix, batch_size=2, shuffle=shuffle)
        found = np.concatenate([host(x) for x, _, _ in source.epoch((1, 1))])
        assert sorted(found.sum(1)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": X, "y": Y[:5]}, "`x` has 10, `y` has 5"),
        ({"x": [X, X[:3]], "y": Y}, "`x` has 10 and 3, `y` has 10"),
        ({"x": X, "y": Y, "sample_weight": np.ones(4)}, "`sample_weight` has 4"),
        ({"x": X[:0], "y": Y[:0]}, "`x` has no rows"),
        ({"x": None}, "`x` is None"),
        ({"x": object()}, "of type builtins.object"),
        ({"x": "abc"}, "'abc' of type builtins.str"),
        ({"x": X, "y": "abc"}, "`y`: expected"),
        ({"x": np.float32(1.0)}, "scalar"),
        ({"x": X, "batch_size": 0}, "`batch_size` must be a positive integer, got 0"),
        ({"x": X, "shuffle": "rows"}, "`shuffle` must be"),
        ({"x": X, "steps": 0}, "number of steps"),
        ({"x": X, "y": {"a": Y}, "class_weight": {0: 1.0}}, "one output"),
        ({"x": X, "y": np.ones((10, 2, 2)), "class_weight": {0: 1.0}}, r"\(10, 2, 2\)"),
        ({"x": X, "class_weight": {0: 1.0}}, "needs targets"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        data.make_source(**arguments)


@pytest.mark.parametrize(
    "y", [np.array([0, 1, 2]), np.array([[0], [1], [2]]), np.eye(3), np.array([0.0, 1.0, 2.0])]
)
def test_class_weight(y):
    ((_, _, weights),) = data.make_source(X[:3], y, class_weight={0: 2, 2: 0.5}).epoch()
    assert host(weights).tolist() == [2.0, 1.0, 0.5]
    assert str(host(weights).dtype) == "float32"


@pytest.mark.parametrize("as_tensor", [False, True])
def test_validation_split(as_tensor):
    x = native.core.convert_to_tensor(X) if as_tensor else X
    (x, y, none), (x_val, y_val, _) = data.train_validation_split((x, {"a": Y}, None), 0.3)
    assert host(x)[:, 0].tolist() == list(range(7)) and host(y["a"]).shape == (7, 1)
    assert host(x_val)[:, 0].tolist() == [7, 8, 9] and host(y_val["a"]).shape == (3, 1)
    assert none is None


@pytest.mark.parametrize(
    ("x", "fraction", "message"),
    [
        (X, 1.0, "leaves 0 to train on"),
        (X, -0.1, "leaves 11 to train on and -1"),
        (X[:1], 0.5, "leaves 0 to train on"),
        (iter([X]), 0.5, "needs arrays"),
    ],
)
def test_validation_split_refusals(x, fraction, message):
    with pytest.raises(ValueError, match=message):
        data.train_validation_split((x, None, None), fraction)


def test_epochs_of_a_fixed_number_of_steps():
    source = data.make_source(X, batch_size=2, steps=2, resume=True)
    assert [rows(source.epoch()) for _ in range(2)] == [[[0, 1], [2, 3]], [[4, 5], [6, 7]]]
    with pytest.warns(UserWarning, match="ran out"):
        assert rows(source.epoch()) == [[8, 9]]
    assert rows(source.epoch()) == [[0, 1], [2, 3]]


def test_steps_that_divide_the_data_go_round_without_a_warning(recwarn):
    source = data.make_source(X, batch_size=5, steps=1, resume=True)
    assert [rows(source.epoch())[0][0] for _ in range(4)] == [0, 5, 0, 5]
    assert not recwarn.list


def test_validation_steps_begin_at_the_beginning():
    source = data.make_source(X, batch_size=2, steps=2)
    assert rows(source.epoch()) == rows(source.epoch()) == [[0, 1], [2, 3]]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, (5, None, None)),
        ((5,), (5, None, None)),
        ([1, 2], (1, 2, None)),
        ((1, 2, 3), (1, 2, 3)),
        ({"a": 1}, ({"a": 1}, None, None)),
    ],
)
def test_unpack(value, expected):
    assert data.unpack_x_y_sample_weight(value) == expected


def test_unpack_refuses_four():
    with pytest.raises(ValueError, match="4 elements"):
        data.unpack_x_y_sample_weight((1, 2, 3, 4))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [((1,), 1), (([1],), ([1],)), ((1, 2), (1, 2)), ((1, None, 2), (1, None, 2))],
)
def test_pack(arguments, expected):
    assert data.pack_x_y_sample_weight(*arguments) == expected
