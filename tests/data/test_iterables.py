"""Batches of generators, PyDatasets, DataLoaders and tf.data datasets."""

import threading
import time
from collections import namedtuple

import numpy as np
import pytest

from multikeras import data
from multikeras.backends import native


def host(x):
    return native.engine.to_host(x) if not isinstance(x, np.ndarray) else x


def batch(number):
    x = np.full((2, 1), number, "float32")
    return x, 2 * x


def firsts(batches):
    return [int(host(x)[0, 0]) for x, _, _ in batches]


class Numbers(data.PyDataset):
    def __init__(self, count=5, slow=(), **kwargs):
        super().__init__(**kwargs)
        self.count, self.slow = count, slow
        self.events = []
        self.threads = set()

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.threads.add(threading.current_thread().name)
        time.sleep(0.02 if index in self.slow else 0.0)
        return batch(index)

    def on_epoch_begin(self):
        self.events.append("begin")

    def on_epoch_end(self):
        self.events.append("end")


class Endless(data.PyDataset):
    def __getitem__(self, index):
        return batch(index)


class Broken(Numbers):
    def __getitem__(self, index):
        if index == 2:
            raise KeyError("this one is missing")
        return batch(index)


def test_generator_is_one_pass_shared_by_epochs():
    source = data.make_source((batch(i) for i in range(7)), steps=3)
    assert source.num_batches is None
    assert firsts(source.epoch()) == [0, 1, 2]
    assert firsts(source.epoch()) == [3, 4, 5]
    with pytest.warns(UserWarning, match="ran out"):
        assert firsts(source.epoch()) == [6]
    assert source.exhausted


def test_generator_that_is_left_early_goes_on():
    source = data.make_source(batch(i) for i in range(4))
    for x, _, _ in source.epoch():
        assert host(x)[0, 0] == 0
        break
    assert firsts(source.epoch()) == [1, 2, 3]
    with pytest.warns(UserWarning, match="ran out"):
        assert firsts(source.epoch()) == []


FORMS = {
    "x": (lambda: np.ones((2, 1)), (1, 0, 0)),
    "(x,)": (lambda: (np.ones((2, 1)),), (1, 0, 0)),
    "(x, y)": (lambda: (np.ones((2, 1)), np.ones(2)), (1, 1, 0)),
    "[x, y]": (lambda: [np.ones((2, 1)), np.ones(2)], (1, 1, 0)),
    "(x, y, w)": (lambda: (np.ones((2, 1)), np.ones(2), np.ones(2)), (1, 1, 1)),
    "(x, None, w)": (lambda: (np.ones((2, 1)), None, np.ones(2)), (1, 0, 1)),
    "({}, [])": (lambda: ({"a": np.ones((2, 1))}, [np.ones(2)]), (1, 1, 0)),
    "numbers": (lambda: ([[1.0], [2.0]], [1, 2]), (1, 1, 0)),
}


@pytest.mark.parametrize("form", FORMS)
def test_what_a_generator_may_yield(form):
    make, present = FORMS[form]
    (found,) = data.make_source(iter([make()])).epoch()
    assert tuple(int(part is not None) for part in found) == present
    x = found[0]["a"] if isinstance(found[0], dict) else found[0]
    assert x.shape == (2, 1) and str(x.dtype) == "float32"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (namedtuple("Pair", "x y")(np.ones(2), np.ones(2)), "namedtuple Pair.*plain tuple"),
        ((1, 2, 3, 4), "4 elements"),
    ],
)
def test_what_a_generator_may_not_yield(value, message):
    with pytest.raises(ValueError, match=message):
        list(data.make_source(iter([value])).epoch())


@pytest.mark.parametrize(
    ("make", "kind"), [(lambda: iter([batch(0)]), "generator"), (Numbers, "PyDataset")]
)
@pytest.mark.parametrize("name", ["y", "sample_weight", "batch_size"])
def test_contradictory_arguments(make, kind, name):
    with pytest.raises(ValueError, match=f"`{name}` can't be given when `x` is a {kind}"):
        data.make_source(make(), **{name: 2})


def test_any_iterable_starts_anew():
    class Batches:
        def __iter__(self):
            return (batch(i) for i in range(3))

    source = data.make_source(Batches())
    assert firsts(source.epoch()) == firsts(source.epoch()) == [0, 1, 2]
    assert firsts(source.epoch(start=2)) == [2]


@pytest.mark.parametrize("make", [lambda: iter([batch(1)]), lambda: Numbers(1)])
def test_class_weight_by_batch(make):
    ((_, _, weights),) = data.make_source(make(), class_weight={0: 3.0, 2: 4.0}).epoch()
    assert host(weights).tolist() == ([4.0, 4.0] if host(weights)[0] == 4 else [3.0, 3.0])


def test_class_weight_multiplies_weights_of_the_data():
    source = data.make_source(iter([(*batch(1), np.array([1.0, 2.0]))]), class_weight={2: 3.0})
    ((_, _, weights),) = source.epoch()
    assert host(weights).tolist() == [3.0, 6.0]


@pytest.mark.parametrize("workers", [1, 3])
def test_py_dataset_in_order(workers):
    dataset = Numbers(8, slow=(0, 3), workers=workers, max_queue_size=4)
    source = data.make_source(dataset)
    assert source.num_batches == 8 and source.positionable
    assert firsts(source.epoch()) == list(range(8))
    assert firsts(source.epoch(start=6)) == [6, 7]
    source.on_epoch_end()
    assert dataset.events == ["begin", "begin", "end"]
    assert ("MainThread" in dataset.threads) == (workers == 1)


def test_py_dataset_shuffled_by_batches():
    source = data.make_source(Numbers(20, workers=2), shuffle=True)
    first = firsts(source.epoch((1, 0)))
    assert sorted(first) == list(range(20)) and first != list(range(20))
    assert firsts(source.epoch((1, 0))) == first != firsts(source.epoch((1, 1)))


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_worker_surfaces_where_its_batch_was_due(workers):
    batches = data.make_source(Broken(workers=workers)).epoch()
    assert firsts([next(batches), next(batches)]) == [0, 1]
    with pytest.raises(KeyError, match="this one is missing") as error:
        next(batches)
    assert error.traceback[-1].name == "__getitem__"


def test_workers_stop_when_an_epoch_is_left_early():
    before = threading.active_count()
    batches = data.make_source(Numbers(100, workers=3)).epoch()
    next(batches)
    batches.close()
    assert threading.active_count() == before


@pytest.mark.slow
def test_worker_processes():
    dataset = data.py_dataset.PyDataset  # a class that a fresh process can import
    source = data.make_source(Spawned(workers=2, use_multiprocessing=True))
    assert isinstance(Spawned(), dataset)
    assert firsts(source.epoch()) == [0, 1, 2]


class Spawned(Numbers):
    def __init__(self, **kwargs):
        super().__init__(3, **kwargs)


@pytest.mark.parametrize("workers", [1, 2])
def test_endless_py_dataset(workers):
    source = data.make_source(Endless(workers=workers), steps=2, resume=True)
    assert source.repeats and source.num_batches is None
    assert [firsts(source.epoch()) for _ in range(2)] == [[0, 1], [2, 3]]


def test_py_dataset_without_super_init():
    class Careless(Numbers):
        def __init__(self):
            self.count, self.slow, self.events, self.threads = 2, (), [], set()

    assert firsts(data.make_source(Careless()).epoch()) == [0, 1]


def test_py_dataset_needs_getitem():
    with pytest.raises(NotImplementedError, match="__getitem__"):
        data.PyDataset()[0]


def test_torch_data_loader():
    torch = pytest.importorskip("torch")
    x = torch.arange(10.0)[:, None]
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, 2 * x), batch_size=4)
    source = data.make_source(loader)
    assert source.num_batches == 3 and source.batch_size == 4
    for _ in range(2):
        assert firsts(source.epoch()) == [0, 4, 8]
    with pytest.raises(ValueError, match="torch DataLoader"):
        data.make_source(loader, x)


def test_tf_dataset():
    tf = pytest.importorskip("tensorflow")
    x = np.arange(10.0, dtype="float32")[:, None]
    dataset = tf.data.Dataset.from_tensor_slices(({"a": x}, 2 * x)).batch(5)
    source = data.make_source(dataset)
    assert (source.num_batches, source.repeats) == (2, False)
    assert [int(host(b["a"])[0, 0]) for b, _, _ in source.epoch()] == [0, 5]
    endless = data.make_source(dataset.repeat(), steps=3, resume=True)
    assert (endless.num_batches, endless.repeats) == (None, True)
    assert [int(host(b["a"])[0, 0]) for b, _, _ in endless.epoch()] == [0, 5, 0]
    assert [int(host(b["a"])[0, 0]) for b, _, _ in endless.epoch()] == [5, 0, 5]
    with pytest.raises(ValueError, match=r"tf.data.Dataset"):
        data.make_source(dataset, batch_size=2)
