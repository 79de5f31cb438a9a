"""A new source over the same data goes on where another one stood."""

import itertools
import json

import numpy as np
import pytest

from multikeras import data
from multikeras.backends import native

ROWS = 22
X = np.arange(ROWS, dtype="float32")[:, None]


def host(x):
    return x if isinstance(x, np.ndarray) else native.engine.to_host(x)


def values(batches):
    return [host(x).reshape(len(x), -1)[:, 0].astype(int).tolist() for x, _, _ in batches]


class Numbers(data.PyDataset):
    """Batches whose content depends on how often an epoch began and ended."""

    def __init__(self, count=7, **kwargs):
        super().__init__(**kwargs)
        self.count = count
        self.begun = self.ended = 0
        self.made = []

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.made.append(index)
        return np.array([[1000 * self.begun + 100 * self.ended + index]], "float32")

    def on_epoch_begin(self):
        self.begun += 1

    def on_epoch_end(self):
        self.ended += 1


class Plain(Numbers):
    def __getitem__(self, index):
        return np.array([[index]], "float32")


class Stateful(Numbers):
    """Keeps what it depends on itself."""

    def get_state(self):
        return {"begun": self.begun, "ended": self.ended}

    def set_state(self, state):
        self.begun, self.ended = state["begun"], state["ended"]


class Again:
    """Starts anew whenever it is iterated."""

    def __iter__(self):
        return (X[i : i + 3] for i in range(0, ROWS, 3))


def loader():
    torch = pytest.importorskip("torch")
    return torch.utils.data.DataLoader(
        torch.arange(float(ROWS))[:, None],
        batch_size=4,
        shuffle=True,
        generator=torch.Generator().manual_seed(3),
    )


def tf_dataset():
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices(X).shuffle(ROWS, seed=1).batch(4)


SOURCES = {
    "arrays": lambda **k: data.make_source(X, batch_size=4, **k),
    "arrays shuffled": lambda **k: data.make_source(X, batch_size=4, shuffle=True, **k),
    "arrays by batches": lambda **k: data.make_source(X, batch_size=4, shuffle="batch", **k),
    "PyDataset": lambda **k: data.make_source(Numbers(), **k),
    "PyDataset shuffled": lambda **k: data.make_source(Numbers(), shuffle=True, **k),
    # What workers have made before an epoch ends doesn't know of its end.
    "PyDataset with workers": lambda **k: data.make_source(Plain(workers=2), shuffle=True, **k),
    "PyDataset with a state": lambda **k: data.make_source(Stateful(), shuffle=True, **k),
    "iterable": lambda **k: data.make_source(Again(), **k),
    "DataLoader with a generator": lambda **k: data.make_source(loader(), **k),
    "tf.data.Dataset": lambda **k: data.make_source(tf_dataset(), **k),
}
STEPS = {
    "all": {},
    "fewer": {"steps": 4, "resume": True},
    "as many as there are": {"steps": 6, "resume": True},
    "from the beginning": {"steps": 4},
}
EPOCHS = 4


def epochs(source, first=0):
    """Trains as `fit` does: yields (epoch, batch) and tells the source that epochs end."""
    for epoch in range(first, EPOCHS):
        for batch in source.epoch((5, epoch)):
            yield epoch, values([batch])[0]
        source.on_epoch_end()


@pytest.mark.filterwarnings("ignore:The data ran out")
@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("kind", SOURCES)
def test_another_source_goes_on_at_any_batch(kind, steps):
    make = SOURCES[kind]
    whole = list(epochs(make(**STEPS[steps])))
    for taken in range(0, len(whole) + 1, 5 if kind == "tf.data.Dataset" else 1):
        source = make(**STEPS[steps])
        first = list(itertools.islice(epochs(source), taken))
        position = json.loads(json.dumps(source.get_position()))
        source.close()
        again = make(**STEPS[steps])
        again.set_position(position)
        assert again.get_position() == position
        epoch = first[-1][0] if first else 0
        assert first + list(epochs(again, epoch)) == whole
        again.close()


@pytest.mark.filterwarnings("ignore:The data ran out")
@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("kind", SOURCES)
def test_another_source_goes_on_between_epochs(kind, steps):
    make = SOURCES[kind]
    whole = list(epochs(make(**STEPS[steps])))
    for done in range(1, EPOCHS):
        source = make(**STEPS[steps])
        for epoch in range(done):
            list(source.epoch((5, epoch)))
            source.on_epoch_end()
        again = make(**STEPS[steps])
        again.set_position(json.loads(json.dumps(source.get_position())))
        rest = [(epoch, batch) for epoch, batch in whole if epoch >= done]
        assert list(epochs(again, done)) == rest


@pytest.mark.parametrize("kind", ["PyDataset", "PyDataset shuffled"])
def test_batches_before_the_position_are_not_made(kind):
    source = SOURCES[kind]()
    list(itertools.islice(source.epoch((5, 0)), 5))
    again = SOURCES[kind]()
    again.set_position(source.get_position())
    list(again.epoch((5, 0)))
    assert len(again._dataset.made) == 2


def generator(count=12):
    return (np.full((1, 1), i, "float32") for i in range(count))


def test_a_generator_is_refused_or_fast_forwarded():
    source = data.make_source(generator(), steps=4)
    list(source.epoch())
    source.on_epoch_end()
    list(itertools.islice(source.epoch(), 2))
    position = source.get_position()
    again = data.make_source(generator(), steps=4)
    with pytest.raises(
        ValueError, match=r"6 batches of it were used.*PyDataset.*fast_forward=True"
    ):
        again.set_position(position)
    again.set_position(position, fast_forward=True)
    assert values(again.epoch()) == [[6], [7]]
    again.on_epoch_end()
    assert values(again.epoch()) == [[8], [9], [10], [11]]


@pytest.mark.parametrize("arguments", [{}, {"workers": 2}])
def test_a_generator_of_one_epoch_is_fast_forwarded(arguments):
    source = data.make_source(generator(), **arguments)
    list(itertools.islice(source.epoch(), 3))
    position = source.get_position()
    again = data.make_source(generator(), **arguments)
    again.set_position(position, fast_forward=True)
    assert values(again.epoch()) == [[i] for i in range(3, 12)]
    too_short = data.make_source(generator(2), **arguments)
    too_short.set_position(position, fast_forward=True)
    with pytest.raises(ValueError, match=r"ended after 2 batches.*behind batch 3"):
        next(too_short.epoch())


def test_an_unused_generator_has_a_position():
    again = data.make_source(generator())
    again.set_position(data.make_source(generator()).get_position())
    assert len(values(again.epoch())) == 12


def test_a_data_loader_in_random_order_needs_a_generator():
    torch = pytest.importorskip("torch")
    rows = torch.arange(6.0)[:, None]
    unseeded = data.make_source(torch.utils.data.DataLoader(rows, batch_size=2, shuffle=True))
    next(unseeded.epoch())
    position = unseeded.get_position()
    with pytest.raises(ValueError, match=r"global generator.*manual_seed.*fast_forward=True"):
        unseeded.set_position(position)
    unseeded.set_position(position, fast_forward=True)
    assert len(values(unseeded.epoch())) == 2
    in_order = data.make_source(torch.utils.data.DataLoader(rows, batch_size=2))
    next(in_order.epoch())
    in_order.set_position(in_order.get_position())
    assert values(in_order.epoch()) == [[2, 3], [4, 5]]


def test_a_tf_dataset_that_shuffles_needs_a_seed():
    tf = pytest.importorskip("tensorflow")
    tf.random.set_seed(None)  # each test begins with a seed
    dataset = tf.data.Dataset.from_tensor_slices(X).shuffle(ROWS).batch(4).prefetch(1)
    source = data.make_source(dataset)
    next(source.epoch())
    with pytest.raises(ValueError, match=r"without a seed.*seed=1.*fast_forward=True"):
        source.set_position(source.get_position())
    source.set_position(source.get_position(), fast_forward=True)
    assert len(values(source.epoch())) == 5


OTHERS = {
    "another kind": (Again(), {}, "its kind was 'arrays', now it is 'dataset'"),
    "other rows": (X[:10], {"batch_size": 4}, "'rows': 22.*'rows': 10"),
    "another batch size": (X, {"batch_size": 5}, "'batch_size': 4.*'batch_size': 5"),
    "another order": (X, {"batch_size": 4, "shuffle": True}, "'shuffle': False"),
    "other steps": (X, {"batch_size": 4, "steps": 3}, r"steps \(None: all .*epoch has 3"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_data_is_refused(name):
    source = data.make_source(X, batch_size=4)
    next(source.epoch())
    other, arguments, message = OTHERS[name]
    with pytest.raises(ValueError, match=message):
        data.make_source(other, **arguments).set_position(source.get_position())


def test_a_dataset_of_another_length_is_refused():
    source = data.make_source(Numbers(5))
    next(source.epoch())
    with pytest.raises(ValueError, match="it had 5 batches, now it has 6"):
        data.make_source(Numbers(6)).set_position(source.get_position())
