"""Which variables go where in a weights file, and what happens when they don't fit."""

import warnings

import h5py
import numpy as np
import pytest

from multikeras.random import SeedGenerator
from multikeras.saving import WeightsMismatchError, load_weights, save_weights
from multikeras.saving.hdf5 import open_hdf5
from multikeras.saving.walk import walk
from tests.saving.fakes import Dense, Layer, LSTMCell, Model, Optimizer, Sequential


def saved(tmp_path, model, name="m.weights.h5"):
    path = tmp_path / name
    save_weights(model, path)
    return path


def arrays(path):
    with open(path, "rb") as file, open_hdf5(file, str(path)) as reader:
        return {
            array.path: array.read()
            for group in reader.groups.values()
            for array in group.arrays.values()
        }


def model_of(*sizes, start=0.0):
    layers = [Dense(f"d{i}", *size, start=start) for i, size in enumerate(sizes)]
    return Sequential("seq", layers)


def state(model):
    return [value for _, part in walk(model) if hasattr(part, "values") for value in part.values()]


def same(first, second):
    return len(first) == len(second) and all(
        a.shape == b.shape and (a == b).all() for a, b in zip(first, second)
    )


def test_paths_of_a_subclassed_model():
    # As Keras 3.15.1 writes the same attributes.
    model = Model("sub")
    model.d1 = Dense("dense_9")
    model.blocks = [Dense("dense_10"), [Dense("dense_11"), Dense("dense_12")]]
    model.dd = {"k": Dense("dense_13"), "j": Dense("dense_14")}
    model.tt = (Dense("dense_15"),)
    model._priv = Dense("dense_16")
    model.alias = model.d1
    model.optimizer = Optimizer()
    assert [(path, part.name) for path, part in walk(model)] == [
        ("", "sub"),
        ("alias", "dense_9"),
        ("blocks/dense", "dense_10"),
        ("blocks/container/dense", "dense_11"),
        ("blocks/container/dense_1", "dense_12"),
        ("dd/dense", "dense_13"),
        ("dd/dense_1", "dense_14"),
        ("layers/dense_6", "dense_15"),
        ("layers/dense_7", "dense_16"),
        ("optimizer", "adam"),
    ]


def test_paths_of_layers_inside_a_layer():
    layer = Layer("outer")
    layer._a, layer.Z, layer.b = Dense("a"), Dense("z"), [LSTMCell("c0"), LSTMCell("c1")]
    assert [path for path, _ in walk(layer)] == ["", "Z", "b/lstm_cell", "b/lstm_cell_1", "_a"]


def test_paths_of_a_graph_model():
    inner = model_of((1, 1))
    model = Sequential("outer", [Dense("x"), inner, Dense("y")])
    model.aaa = Dense("extra")
    assert [path for path, _ in walk(model)] == [
        "",
        "layers/dense",
        "layers/sequential",
        "layers/sequential/layers/dense",
        "layers/dense_1",
        "aaa",
    ]


def test_an_object_that_holds_itself_is_walked_once():
    layer = Layer("loop")
    layer.me, layer.list = layer, [layer]
    layer.list.append(layer.list)
    assert len(list(walk(layer))) == 1


def test_the_file_is_laid_out_as_keras_does(tmp_path):
    path = saved(tmp_path, model_of((3, 2), (2, 1)))
    with h5py.File(path) as h5:
        groups = {}
        h5.visititems(lambda name, item: groups.update({name: item.attrs.get("name")}))
    assert groups == {
        "vars": "seq",
        "layers": None,
        "layers/dense": None,
        "layers/dense/vars": "d0",
        "layers/dense/vars/0": None,
        "layers/dense/vars/1": None,
        "layers/dense_1": None,
        "layers/dense_1/vars": "d1",
        "layers/dense_1/vars/0": None,
        "layers/dense_1/vars/1": None,
    }


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64", "int32", "bool"])
def test_values_come_back_in_every_dtype(tmp_path, dtype):
    first = Model("m")
    first.inner = Layer("part", (2, 3), (), dtype=dtype, start=1.0)
    path = saved(tmp_path, first)
    assert arrays(path)["inner/vars/0"].dtype.name == dtype
    second = Model("m")
    second.inner = Layer("part", (2, 3), (), dtype=dtype, start=5.0)
    load_weights(second, path)
    assert same(state(first), state(second))


def test_another_dtype_is_converted(tmp_path):
    first, second = Model("m"), Model("m")
    first.inner = Layer("part", (2,), dtype="bfloat16", start=1.5)
    second.inner = Layer("part", (2,), dtype="float32")
    load_weights(second, saved(tmp_path, first))
    assert same(second.inner.values(), [np.array([1.5, 1.5])])
    assert second.inner._variables[0].dtype == "float32"


MISFITS = {
    "a layer too few": (
        [(3, 2)],
        ["no variable in the model (2)", "layers/dense_1/vars/0 (2, 1)"],
    ),
    "a layer too many": (
        [(3, 2), (2, 1), (1, 1)],
        ["no value in the file (2)", "layers/dense_2/vars/0", "d2_v0 (1, 1)"],
    ),
    "another shape": (
        [(3, 2), (2, 7)],
        ["another shape (2)", "layers/dense_1/vars/0", "d1_v0 (2, 7), in the file (2, 1)"],
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_a_misfit_lists_both_sides_and_changes_nothing(tmp_path, case):
    sizes, expected = MISFITS[case]
    path = saved(tmp_path, model_of((3, 2), (2, 1), start=1.0))
    model = model_of(*sizes, start=9.0)
    before = state(model)
    with pytest.raises(WeightsMismatchError) as caught:
        load_weights(model, path)
    for part in [*expected, "m.weights.h5", "'seq'", "Nothing was changed"]:
        assert part in str(caught.value)
    assert same(state(model), before)


def test_skip_mismatch_loads_what_fits(tmp_path):
    first = model_of((3, 2), (2, 1), start=1.0)
    path = saved(tmp_path, first)
    model = model_of((3, 2), (2, 7), start=9.0)
    before = state(model)
    with pytest.warns(UserWarning, match="layers/dense_1/vars/0"):
        load_weights(model, path, skip_mismatch=True)
    assert same(state(model)[:2], state(first)[:2])
    assert same(state(model)[2:], before[2:])


def test_a_long_list_is_cut(tmp_path):
    path = saved(tmp_path, model_of())
    with pytest.raises(WeightsMismatchError, match=r"\(60\)[\s\S]*and 48 more"):
        load_weights(model_of(*[(1, 1)] * 30), path)


def test_a_damaged_file_changes_nothing(tmp_path):
    path = saved(tmp_path, model_of((30, 20), (20, 10), start=1.0))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - 500])
    model = model_of((30, 20), (20, 10), start=9.0)
    before = state(model)
    with pytest.raises(ValueError, match="cut short"):
        load_weights(model, path)
    assert same(state(model), before)


class OwnWay(Layer):
    """Stores arrays under names of its own."""

    def save_own_variables(self, store):
        store["left"] = self._variables[0]
        store["table"] = np.arange(3)

    def load_own_variables(self, store):
        assert sorted(store.keys()) == ["left", "table"] and len(store) == 2
        self._variables[0].assign(store["left"][:])
        if store["table"].sum() != 3:
            raise ValueError("a table of another kind")


def test_an_object_may_store_its_own_way(tmp_path):
    first, second = Model("m"), Model("m")
    first.inner, second.inner = OwnWay("p", (2,), start=1.0), OwnWay("p", (2,), start=9.0)
    path = saved(tmp_path, first)
    assert sorted(arrays(path)) == ["inner/vars/left", "inner/vars/table"]
    load_weights(second, path)
    assert same(first.inner.values(), second.inner.values())


def test_an_object_that_refuses_stops_everything(tmp_path):
    first, second = Model("m"), Model("m")
    for model, start in ((first, 1.0), (second, 9.0)):
        model.a = Dense("a", 2, 2, start=start)
        model.inner = OwnWay("p", (2,), start=start)
        model.z = Dense("z", 2, 2, start=start)
    path = saved(tmp_path, first)
    with h5py.File(path, "a") as h5:
        h5["inner/vars/table"][:] = 7
    before = state(second)
    with pytest.raises(
        WeightsMismatchError, match="inner/vars: OwnWay 'p': a table of"
    ):
        load_weights(second, path)
    assert same(state(second), before)


def trained(start):
    model = model_of((2, 1), start=start)
    model.optimizer = Optimizer()
    model.optimizer.build(model.trainable_variables)
    model.optimizer._variables[0].assign(start)
    return model


def test_the_optimizer_comes_along(tmp_path):
    first, second = trained(5.0), trained(6.0)
    path = saved(tmp_path, first)
    load_weights(second, path)
    assert same(state(first), state(second))


def test_room_is_made_in_a_fresh_optimizer(tmp_path):
    path = saved(tmp_path, trained(5.0))
    model = model_of((2, 1))
    model.optimizer = Optimizer()
    load_weights(model, path)
    assert model.optimizer.built and model.optimizer.values()[0] == 5.0


def test_without_an_optimizer_its_state_is_passed_over(tmp_path):
    path = saved(tmp_path, trained(5.0))
    model = model_of((2, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_weights(model, path)
    assert same(state(model), state(trained(5.0))[:2])


@pytest.mark.parametrize("has_scalars", [True, False])
def test_a_file_without_steps_leaves_the_optimizer(tmp_path, has_scalars):
    fresh = model_of((2, 1), start=5.0)
    if has_scalars:
        fresh.optimizer = Optimizer()
    path = saved(tmp_path, fresh)
    model = trained(6.0)
    with pytest.warns(UserWarning, match="optimizer 'adam' stays as it is"):
        load_weights(model, path)
    assert model.layers[0].values()[0][0] == 5.0 and model.optimizer.values()[0] == 6.0


def test_the_state_of_another_optimizer_is_refused(tmp_path):
    first = trained(5.0)
    first.optimizer.build([first.layers[0]._variables[0]])  # a further slot
    path = saved(tmp_path, first)
    with pytest.raises(WeightsMismatchError, match="optimizer/vars/4"):
        load_weights(trained(6.0), path)


def test_seed_generators_go_on_where_they_were(tmp_path):
    first, second = Model("m"), Model("m")
    for model in (first, second):
        model.inner = Layer("p", (1,))
        model.inner.seeds = SeedGenerator(7)
    first.inner.seeds.next()
    first.inner.seeds.next()
    path = saved(tmp_path, first)
    # Apart from what Keras reads.
    assert "multikeras/seed_generators/inner/seeds/state" in arrays(path)
    load_weights(second, path)
    states = [np.asarray(m.inner.seeds.state.numpy()).tolist() for m in (first, second)]
    assert states[0] == states[1]


def test_a_file_without_seeds_leaves_them(tmp_path):
    first, second = Model("m"), Model("m")
    first.inner, second.inner = Layer("p", (1,)), Layer("p", (1,), start=3.0)
    second.inner.seeds = SeedGenerator(7)
    load_weights(second, saved(tmp_path, first))
    assert same(first.inner.values(), second.inner.values())


@pytest.mark.parametrize("name", ["a/b", "", "."])
def test_names_of_values_are_checked(tmp_path, name):
    class Odd(Layer):
        def save_own_variables(self, store):
            store[name] = np.zeros(1)

    with pytest.raises(ValueError, match="can't be the name of a value"):
        save_weights(Odd("odd"), tmp_path / "x.weights.h5")
    assert list(tmp_path.iterdir()) == []
