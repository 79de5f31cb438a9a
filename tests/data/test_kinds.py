"""Every kind of data trains, evaluates and predicts alike; what contradicts a kind is refused."""

import itertools
from collections import namedtuple

import numpy as np
import pytest

import multikeras as keras
from multikeras import data, layers
from multikeras.backends import native

ROWS, SIZE = 12, 4
X = (np.arange(ROWS * 2).reshape(ROWS, 2) / 10).astype("float32")
Y = (np.arange(ROWS) % 3).astype("float32")[:, None]
W = np.linspace(0.5, 2.0, ROWS).astype("float32")


def host(x):
    return x if isinstance(x, np.ndarray) else native.engine.to_host(x)


def slices(*arrays):
    return [tuple(a[i : i + SIZE] for a in arrays) for i in range(0, ROWS, SIZE)]


class Batches(keras.utils.Sequence):
    def __init__(self, *arrays, **kwargs):
        super().__init__(**kwargs)
        self.slices = slices(*arrays)

    def __len__(self):
        return len(self.slices)

    def __getitem__(self, index):
        return self.slices[index]


class Creator:
    """The like of tf.keras's `DatasetCreator`."""

    def __init__(self, dataset_fn):
        self.dataset_fn = dataset_fn


def from_context(context):
    assert (context.num_input_pipelines, context.input_pipeline_id) == (1, 0)
    assert context.num_replicas_in_sync == 1
    assert context.get_per_replica_batch_size(SIZE) == SIZE
    return Batches(X, Y, W)


def torch_tensors(*arrays):
    torch = pytest.importorskip("torch")
    return [torch.from_numpy(a) for a in arrays]


def tf_tensors(*arrays):
    tf = pytest.importorskip("tensorflow")
    return [tf.constant(a) for a in arrays]


def jax_arrays(*arrays):
    jnp = pytest.importorskip("jax.numpy")
    return [jnp.asarray(a) for a in arrays]


def frames():
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame({"a": X[:, 0], "b": X[:, 1]}), pandas.Series(Y[:, 0]), pandas.Series(W)


def loader():
    torch = pytest.importorskip("torch")
    rows = torch.utils.data.TensorDataset(*torch_tensors(X, Y, W))
    return torch.utils.data.DataLoader(rows, batch_size=SIZE)


def tf_dataset():
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((X, Y, W)).batch(SIZE)


def h5_datasets(tmp_path):
    h5py = pytest.importorskip("h5py")
    file = h5py.File(tmp_path / "data.h5", "w")
    for name, array in (("x", X), ("y", Y), ("w", W)):
        file[name] = array
    return file["x"], file["y"], file["w"]


ARRAYS = {
    "NumPy arrays": lambda _: (X, Y, W),
    "lists of numbers": lambda _: (X.tolist(), Y.tolist(), W.tolist()),
    "native tensors": lambda _: [native.core.convert_to_tensor(a) for a in (X, Y, W)],
    "torch tensors": lambda _: torch_tensors(X, Y, W),
    "TensorFlow tensors": lambda _: tf_tensors(X, Y, W),
    "JAX arrays": lambda _: jax_arrays(X, Y, W),
    "inputs and targets of two kinds": lambda _: (X, native.core.convert_to_tensor(Y), W.tolist()),
    "pandas tables": lambda _: frames(),
    "h5py datasets": h5_datasets,
}
# What makes batches, and whether it can be used again.
BATCHES = {
    "generator": (lambda: iter(slices(X, Y, W)), False),
    "Sequence": (lambda: Batches(X, Y, W), True),
    "Sequence with workers": (lambda: Batches(X, Y, W, workers=2), True),
    "iterable": (lambda: type("Again", (), {"__iter__": lambda _: iter(slices(X, Y, W))})(), True),
    "torch DataLoader": (loader, True),
    "tf.data.Dataset": (tf_dataset, True),
    "DatasetCreator": (lambda: Creator(from_context), True),
}


def small_model():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, kernel_initializer="ones")])
    model.compile(keras.optimizers.SGD(0.01), "mse", weighted_metrics=["mae"], run_eagerly=True)
    return model


@pytest.fixture(scope="module")
def expected():
    model = small_model()
    history = model.fit(X, Y, SIZE, 2, 0, sample_weight=W, shuffle=False).history
    evaluated = model.evaluate(X, Y, SIZE, 0, W)
    return history, evaluated, model.predict(X, SIZE, 0)


def check(model, history, evaluated, predicted, expected):
    for name, values in expected[0].items():
        np.testing.assert_allclose(history[name], values, 1e-5)
    np.testing.assert_allclose(evaluated, expected[1], 1e-5)
    np.testing.assert_allclose(predicted, expected[2], 1e-5)


@pytest.mark.page("Model.fit", "Model.evaluate", "Model.predict")
@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays(kind, tmp_path, expected):
    x, y, w = ARRAYS[kind](tmp_path)
    model = small_model()
    history = model.fit(x, y, SIZE, 2, 0, sample_weight=w, shuffle=False).history
    evaluated = model.evaluate(x, y, SIZE, 0, w)
    check(model, history, evaluated, model.predict(x, SIZE, 0), expected)


@pytest.mark.page("Model.fit", "Model.evaluate", "Model.predict")
@pytest.mark.parametrize("kind", BATCHES)
def test_what_makes_batches(kind, expected):
    make, again = BATCHES[kind]
    model = small_model()
    if again:
        history = model.fit(make(), epochs=2, verbose=0, shuffle=False).history
    else:
        both = itertools.chain(make(), make())
        history = model.fit(both, epochs=2, steps_per_epoch=3, verbose=0).history
    evaluated = model.evaluate(make(), verbose=0)
    check(model, history, evaluated, model.predict(make(), verbose=0), expected)


@pytest.mark.page("Model.fit")
@pytest.mark.parametrize("form", ["dict", "list", "tuple"])
@pytest.mark.parametrize("batches", [False, True])
def test_structures(form, batches):
    inputs = {"a": keras.Input((2,), name="a"), "b": keras.Input((2,), name="b")}
    outputs = layers.Dense(1)(inputs["a"] + inputs["b"])
    given = {"a": X, "b": 2 * X}
    if form != "dict":
        inputs, given = list(inputs.values()), list(given.values())
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse", run_eagerly=True)
    x = tuple(given) if form == "tuple" else given
    if batches:
        model.fit(iter([(x, Y), (x, Y, W)]), verbose=0, steps_per_epoch=2)
    else:
        model.fit(x, Y, verbose=0)
    assert model.predict(x, verbose=0).shape == (ROWS, 1)


@pytest.mark.page("Model.fit")
@pytest.mark.parametrize("kind", BATCHES)
@pytest.mark.parametrize(
    "arguments",
    [{"y": Y}, {"sample_weight": W}, {"batch_size": 4}, {"validation_split": 0.5}],
    ids=lambda arguments: next(iter(arguments)),
)
def test_arguments_that_contradict_what_makes_batches(kind, arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        small_model().fit(BATCHES[kind][0](), verbose=0, **arguments)


Pair = namedtuple("Pair", "x y")


@pytest.mark.page("Model.fit")
@pytest.mark.parametrize(
    ("item", "message"),
    [
        (Pair(X, Y), r"namedtuple Pair.*plain tuple.*`\(namedtuple,\)`"),
        ((X, Y, W, W), "got 4 elements"),
        ((), "got 0 elements"),
    ],
)
@pytest.mark.parametrize("kind", ["generator", "Sequence"])
def test_items_that_are_ambiguous(kind, item, message):
    given = iter([item])
    if kind == "Sequence":
        given = Batches()
        given.slices = [item]
    with pytest.raises(ValueError, match=message):
        small_model().fit(given, verbose=0)


def test_tf_datasets_of_namedtuples_are_refused():
    tf = pytest.importorskip("tensorflow")
    dataset = tf.data.Dataset.from_tensor_slices(Pair(X, Y)).batch(SIZE)
    with pytest.raises(ValueError, match="namedtuple"):
        small_model().fit(dataset, verbose=0)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize(
    "empty", [lambda: X[:0], list, lambda: iter([]), lambda: type("E", (Batches,), {})()]
)
def test_empty_data(method, empty):
    x = empty()
    y = {"y": Y[:0]} if isinstance(x, np.ndarray) and method != "predict" else {}
    with pytest.raises(ValueError):
        getattr(small_model(), method)(x, verbose=0, **y)


class Spy:
    """Notes which rows are read from an `h5py.Dataset`."""

    __module__ = "h5py.spy"

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.read = []

    def __array__(self, *args, **kwargs):
        raise AssertionError("read as a whole")

    def __getitem__(self, rows):
        self.read.append(rows)
        return self.array[rows]


def test_files_are_read_by_slices_or_in_ascending_order():
    spy = Spy(X)
    values = [host(x) for x, _, _ in data.make_source(spy, batch_size=5, shuffle="batch").epoch()]
    assert sorted((r.start, r.stop) for r in spy.read) == [(0, 5), (5, 10), (10, 12)]
    assert sorted(len(v) for v in values) == [2, 5, 5]
    spy = Spy(X)
    values = [host(x) for x, _, _ in data.make_source(spy, batch_size=5, shuffle=True).epoch()]
    assert all((np.diff(rows) > 0).all() for rows in spy.read)
    assert sorted(np.concatenate(values)[:, 0].tolist()) == X[:, 0].tolist()


def test_tables_of_several_dtypes():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, 2.0], "b": [True, False], "c": [3, 4]})
    ((x, _, _),) = data.make_source(frame).epoch()
    assert host(x).tolist() == [[1.0, 1.0, 3.0], [2.0, 0.0, 4.0]]
    assert str(host(x).dtype) == "float32"
    with pytest.raises(ValueError, match=r"`x`.*column.*'d'"):
        data.make_source(pandas.DataFrame({"a": [1.0], "d": [object()]}))


def test_half_precision_of_another_framework():
    torch = pytest.importorskip("torch")
    x = torch.tensor([[1.0], [2.5]], dtype=torch.bfloat16)
    ((found, _, _),) = data.make_source(x).epoch()
    assert host(found).tolist() == [[1.0], [2.5]]
    ((found, _, _),) = data.make_source(iter([x])).epoch()
    assert np.asarray(host(native.engine.place(found))).astype("float32").tolist() == [[1.0], [2.5]]


# -- steps ---------------------------------------------------------------------------------


class Endless(data.PyDataset):
    def __getitem__(self, index):
        return X, Y


class StopAt(keras.callbacks.Callback):
    def __init__(self, last):
        super().__init__()
        self.last = last

    def on_train_batch_end(self, batch, logs=None):
        self.model.stop_training = batch == self.last


def endless_tf_dataset():
    return tf_dataset().repeat()


@pytest.mark.page("Model.fit")
@pytest.mark.parametrize("make", [Endless, endless_tf_dataset])
def test_data_that_never_ends_needs_steps(make):
    model = small_model()
    for method, name in (("fit", "steps_per_epoch"), ("evaluate", "steps"), ("predict", "steps")):
        with pytest.raises(ValueError, match=f"never ends.*`{name}`"):
            getattr(model, method)(make(), verbose=0)
    with pytest.raises(ValueError, match=r"never ends.*`validation_steps`"):
        model.fit(X, Y, validation_data=make(), verbose=0)
    assert model.evaluate(make(), steps=2, verbose=0)


@pytest.mark.page("Model.fit")
@pytest.mark.parametrize("make", [Endless, endless_tf_dataset])
def test_minus_one_is_one_epoch_without_end(make):
    model = small_model()
    history = model.fit(make(), steps_per_epoch=-1, epochs=3, verbose=0, callbacks=[StopAt(25)])
    assert history.epoch == [0]
    assert int(model.optimizer.iterations) == 26


@pytest.mark.page("Model.fit")
def test_minus_one_ends_with_data_that_ends():
    model = small_model()
    model.fit(Batches(X, Y), steps_per_epoch=-1, epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 6


@pytest.mark.page("Model.fit")
def test_steps_with_arrays_go_on_and_keep_shuffling():
    source = data.make_source(X, batch_size=3, shuffle=True, steps=2, resume=True)
    rows = [host(x)[:, 0].tolist() for n in range(4) for x, _, _ in source.epoch((1, n))]
    first, second = (list(itertools.chain(*part)) for part in (rows[:4], rows[4:]))
    assert sorted(first) == sorted(second) == X[:, 0].tolist() != first != second


@pytest.mark.page("Model.fit")
def test_validation_begins_at_the_beginning():
    dataset = Batches(X, Y)
    asked = []
    dataset.__class__ = type(
        "Noting", (Batches,), {"__getitem__": lambda s, i: asked.append(i) or s.slices[i]}
    )
    small_model().fit(
        X, Y, batch_size=12, epochs=3, validation_data=dataset, validation_steps=2, verbose=0
    )
    assert asked == [0, 1] * 3


# -- class weights -------------------------------------------------------------------------

CLASSES = np.array([0, 1, 2, 1])
ONE_HOT = np.eye(3, dtype="float32")[CLASSES]
TEMPORAL = np.array([[0, 1], [2, 2], [1, 0], [0, 0]])
FORMS = {
    "rank 1": (CLASSES, [1, 5, 2, 5]),
    "rank 1, floats": (CLASSES.astype("float32"), [1, 5, 2, 5]),
    "rank 2 ending in 1": (CLASSES[:, None], [1, 5, 2, 5]),
    "one-hot": (ONE_HOT, [1, 5, 2, 5]),
    "smoothed": (ONE_HOT * 0.9 + 0.1 / 3, [1, 5, 2, 5]),
    "rank 3, one-hot": (np.eye(3)[TEMPORAL], [[1, 5], [2, 2], [5, 1], [1, 1]]),
    "rank 3 ending in 1": (TEMPORAL[..., None], [[1, 5], [2, 2], [5, 1], [1, 1]]),
}


@pytest.mark.page("Model.fit")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("as_tensor", [False, True])
def test_class_weights_by_rank(form, as_tensor):
    y, expected = FORMS[form]
    y = native.core.convert_to_tensor(y) if as_tensor else y
    found = data.class_weight_to_sample_weights(y, {1: 5.0, 2: 2.0, 9: 7.0})
    assert found.tolist() == expected


@pytest.mark.page("Model.fit")
@pytest.mark.parametrize(
    ("y", "class_weight", "message"),
    [
        (TEMPORAL, {0: 1.0}, r"one-hot along the last.*shape \(4, 2\)"),
        (np.ones((2, 3)), {0: 1.0}, "one-hot"),
        (CLASSES, [1.0, 2.0, 3.0], "expected a dict from class numbers to weights"),
        (CLASSES, {"a": 1.0}, "class numbers"),
        (CLASSES, {0.5: 1.0}, "class numbers"),
        (CLASSES, {"out": {0: 1.0}}, "only a model with one output"),
        ([CLASSES, CLASSES], {0: 1.0}, "one output"),
        ({"out": CLASSES}, {0: 1.0}, "one output"),
        (None, {0: 1.0}, "there are none"),
    ],
)
def test_class_weights_that_are_refused(y, class_weight, message):
    with pytest.raises(ValueError, match=message):
        data.class_weight_to_sample_weights(y, class_weight)


@pytest.mark.page("Model.fit")
@pytest.mark.parametrize(
    ("y", "sample_weight", "expected"),
    [
        (CLASSES, [1, 2, 3, 4], [1, 10, 6, 20]),
        (CLASSES, [[1], [2], [3], [4]], [[1], [10], [6], [20]]),
        (CLASSES, [[1, 2]] * 4, [[1, 2], [5, 10], [2, 4], [5, 10]]),
        (TEMPORAL[..., None], [1, 2, 3, 4], [[1, 5], [4, 4], [15, 3], [4, 4]]),
        (TEMPORAL[..., None], [[1, 2]] * 4, [[1, 10], [2, 4], [5, 2], [1, 2]]),
    ],
)
def test_class_weights_multiply_sample_weights(y, sample_weight, expected):
    weights = np.array(sample_weight, "float32")
    ((_, _, found),) = data.make_source(
        X[:4], y, weights, class_weight={1: 5.0, 2: 2.0}, batch_size=4
    ).epoch()
    assert host(found).tolist() == expected
    with pytest.raises(ValueError, match=r"shape \(4, 3\) can't be multiplied"):
        data.class_weight_to_sample_weights(TEMPORAL[..., None], {0: 1.0}, np.ones((4, 3)))


@pytest.mark.page("Model.fit")
def test_class_weight_counts_in_training_only():
    model = small_model()
    model.fit(X, Y, class_weight={0: 0.0, 1: 0.0, 2: 0.0}, verbose=0)
    np.testing.assert_array_equal(np.ravel(model.get_weights()[0]), [1.0, 1.0])
    assert model.evaluate(X, Y, verbose=0)[0] > 0


@pytest.mark.page("Model.fit")
def test_weights_by_time_step():
    inputs = keras.Input((3, 2))
    model = keras.Model(inputs, layers.Dense(1, kernel_initializer="ones")(inputs))
    model.compile(keras.optimizers.SGD(0.0), "mse")
    x, y = np.ones((4, 3, 2), "float32"), np.zeros((4, 3, 1), "float32")
    weights = np.zeros((4, 3), "float32")
    weights[:, 0] = 3.0
    history = model.fit(x, y, sample_weight=weights, verbose=0).history
    np.testing.assert_allclose(history["loss"], [4.0], 1e-6)
