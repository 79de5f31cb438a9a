"""The closed table of names, and objects to configs and back."""

import json

import numpy as np
import pytest

from multikeras import registry
from multikeras.registry import CustomObjectScope, register_keras_serializable
from multikeras.serialization import (
    UnknownObjectError,
    deserialize_keras_object,
    in_safe_mode,
    object_sharing,
    safe_mode_scope,
    serialize_keras_object,
)


@registry.expose("keras.layers", "TestThing", aliases=("keras.src.ops.numpy.TestOther",))
class Thing:
    def __init__(self, size=1, inner=None):
        self.size, self.inner = size, inner
        self.built_with = None

    def get_config(self):
        return {"size": self.size, "inner": serialize_keras_object(self.inner)}

    @classmethod
    def from_config(cls, config):
        return cls(config["size"], deserialize_keras_object(config["inner"]))

    def get_build_config(self):
        return self.built_with

    def build_from_config(self, config):
        self.built_with = config


class Mine(Thing):
    pass


@register_keras_serializable("test_registry")
class Registered(Thing):
    pass


@register_keras_serializable("test_registry", name="third")
def three(x):
    return 3 * x


@registry.expose("keras.activations", "test_activation")
def activation(x):
    return x


@pytest.fixture(autouse=True)
def no_leftovers():
    before = dict(registry.get_custom_objects())
    yield
    registry.get_custom_objects().clear()
    registry.get_custom_objects().update(before)


@pytest.mark.parametrize(
    "module",
    [
        "keras.layers",
        "multikeras.layers",
        "tensorflow.keras.layers",
        "tf_keras.layers",
        "keras.api.layers",
        "keras.src.layers",
        "keras.src.layers.core.thing",
    ],
)
def test_a_name_is_found_under_every_spelling_of_its_module(module):
    assert registry.find(module, "TestThing") is Thing


def test_optimizers_of_a_backend_are_the_optimizers():
    @registry.expose("keras.optimizers", "TestRule")
    class TestRule:
        pass

    module = "keras.src.backend.torch.optimizers.torch_adam"
    assert registry.find(module, "TestRule") is TestRule


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("keras.layers.os", "system"),
        ("multikeras.registry", "difflib"),
        ("keras", "layers"),
        ("", ""),
        (None, "TestThing"),
        ("keras.layers", "expose"),
    ],
)
def test_what_nobody_declared_is_not_found(module, name):
    assert registry.find(module, name) is None


def test_a_name_belongs_to_one_object():
    with pytest.raises(ValueError, match=r"'keras\.layers\.TestThing' already belongs"):
        registry.expose("keras.layers", "TestThing")(int)


def test_the_innermost_scope_wins_and_scopes_end():
    with CustomObjectScope({"a": 1, "b": 2}):
        with CustomObjectScope({"a": 3}):
            assert registry.get_registered_object("a") == 3
            assert registry.get_registered_object("b") == 2
        assert registry.get_registered_object("a") == 1
    assert registry.get_registered_object("a") is None


def test_registering_names_the_object():
    assert registry.get_registered_name(Registered) == "test_registry>Registered"
    assert registry.get_registered_name(three) == "test_registry>third"
    assert registry.get_registered_object("test_registry>third") is three


def test_registering_refuses_what_cannot_be_saved():
    with pytest.raises(ValueError, match="NoConfig has no get_config"):

        @register_keras_serializable()
        class NoConfig:
            pass

    with pytest.raises(TypeError, match="decorates a class or a function"):
        register_keras_serializable()(3)


PLAIN = [
    None,
    True,
    3,
    2.5,
    "text",
    float("inf"),
    [1, [2, None]],
    {"a": {"b": [1.5]}},
    slice(1, None, 2),
    Ellipsis,
    b"bytes \xff",
]


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_plain_values_come_back(value):
    text = json.dumps(serialize_keras_object(value))
    assert deserialize_keras_object(json.loads(text)) == value


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.array(7, "int8"),
        np.array([True, False]),
        np.zeros((0, 2), "float16"),
        np.array([1.5, 2.0], "float32"),
    ],
    ids=lambda a: f"{a.dtype}{a.shape}",
)
def test_arrays_come_back(array):
    config = json.loads(json.dumps(serialize_keras_object(array)))
    assert config["config"]["dtype"] == array.dtype.name
    back = deserialize_keras_object(config)
    np.testing.assert_array_equal(np.asarray(back), array)


def test_numpy_scalars_become_numbers():
    assert serialize_keras_object(np.float32(2.5)) == 2.5
    assert type(serialize_keras_object(np.float64(2.5))) is float
    assert type(serialize_keras_object(np.bool_(True))) is bool


def test_an_object_comes_back_built():
    thing = Thing(3, Thing(4))
    thing.built_with = {"input_shape": (None, 2)}
    config = serialize_keras_object(thing)
    assert config == {
        "module": "keras.layers",
        "class_name": "TestThing",
        "config": {
            "size": 3,
            "inner": {
                "module": "keras.layers",
                "class_name": "TestThing",
                "config": {"size": 4, "inner": None},
                "registered_name": None,
            },
        },
        "registered_name": None,
        "build_config": {"input_shape": [None, 2]},
    }
    back = deserialize_keras_object(json.loads(json.dumps(config)))
    assert (type(back), back.size, back.inner.size) == (Thing, 3, 4)
    assert back.built_with == {"input_shape": [None, 2]}
    assert back.inner.built_with is None


def test_an_unregistered_class_needs_custom_objects():
    config = serialize_keras_object(Mine(2))
    assert (config["module"], config["registered_name"]) == (None, "Mine")
    with pytest.raises(UnknownObjectError, match=r"'Mine'.*custom_objects=\{'Mine': \.\.\.\}"):
        deserialize_keras_object(config)
    assert type(deserialize_keras_object(config, custom_objects={"Mine": Mine})) is Mine
    with CustomObjectScope({"Mine": Mine}):
        assert type(deserialize_keras_object(config)) is Mine


def test_custom_objects_reach_what_is_inside():
    config = serialize_keras_object(Thing(1, Mine(2)))
    back = deserialize_keras_object(config, custom_objects={"Mine": Mine})
    assert type(back.inner) is Mine


def test_a_registered_class_needs_nothing():
    config = serialize_keras_object(Registered(2))
    assert config["registered_name"] == "test_registry>Registered"
    assert type(deserialize_keras_object(config)) is Registered


@pytest.mark.parametrize(
    ("function", "name"), [(three, "test_registry>third"), (activation, "test_activation")]
)
def test_functions_go_by_name(function, name):
    config = serialize_keras_object(function)
    assert config == {
        "module": "builtins",
        "class_name": "function",
        "config": name,
        "registered_name": "function",
    }
    assert deserialize_keras_object(config) is function


def test_a_function_may_be_named_by_module_too():
    config = {"module": "keras.activations", "class_name": "test_activation", "config": None}
    assert deserialize_keras_object(config) is activation


REFUSED = {
    "a class of another library": (
        {"module": "subprocess", "class_name": "Popen", "config": {"args": "true"}},
        UnknownObjectError,
        r"'subprocess\.Popen', which nobody has declared",
    ),
    "a builtin function": (
        {"module": "builtins", "class_name": "function", "config": "eval"},
        UnknownObjectError,
        "the function 'eval'",
    ),
    "a misspelt class": (
        {"module": "keras.layers", "class_name": "TestThin", "config": {}},
        UnknownObjectError,
        "Did you mean 'TestThing'",
    ),
    "bytecode": (
        {"class_name": "__lambda__", "config": {"code": "4wEAAAA="}},
        ValueError,
        "never run.*register_keras_serializable",
    ),
    "a class name that is no string": (
        {"class_name": ["a"], "config": {}},
        ValueError,
        "class_name must be a string",
    ),
    "a config that is no dict": (
        {"module": "keras.layers", "class_name": "TestThing", "config": [1]},
        ValueError,
        "must be a dict",
    ),
    "an array of objects": (
        {"class_name": "__numpy__", "config": {"value": [1], "dtype": "object"}},
        ValueError,
        "unknown dtype 'object'",
    ),
    "an array without values": (
        {"class_name": "__numpy__", "config": {"dtype": "float32"}},
        ValueError,
        "lacks the key 'value'",
    ),
    "a ragged array": (
        {"class_name": "__numpy__", "config": {"value": [[1], [1, 2]], "dtype": "int32"}},
        ValueError,
        "not made of int32 numbers",
    ),
    "a type spec": (
        {"class_name": "__typespec__", "config": {}},
        ValueError,
        "TypeSpec",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("safe_mode", [True, False])
def test_refused_configs(case, safe_mode):
    config, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        deserialize_keras_object(config, safe_mode=safe_mode)
    with pytest.raises(error, match=message):
        deserialize_keras_object({"deep": [{"inside": config}]}, safe_mode=safe_mode)


def test_a_config_that_misses_an_argument_names_the_class():
    with pytest.raises(TypeError, match=r"Plain can't be made from its config.*'sizes'"):

        class Plain:
            def __init__(self, size):
                self.size = size

        deserialize_keras_object(
            {"class_name": "Plain", "config": {"sizes": 1}}, custom_objects={"Plain": Plain}
        )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda x: x, "a lambda has no name"),
        ({1, 2}, "type set"),
        (Thing, "type type"),
        (np.array([object()]), "dtype object"),
        (1 + 2j, "type complex"),
    ],
    ids=["lambda", "set", "class", "objects", "complex"],
)
def test_what_cannot_be_written(value, message):
    with pytest.raises(TypeError, match=message):
        serialize_keras_object({"a": [value]})


def test_safe_mode_follows_the_innermost_call():
    seen = []

    class Asks:
        @classmethod
        def from_config(cls, config):
            seen.append(in_safe_mode())
            return cls()

    config = {"class_name": "Asks", "config": {}}
    custom = {"Asks": Asks}
    deserialize_keras_object(config, custom)
    deserialize_keras_object(config, custom, safe_mode=False)
    with safe_mode_scope(False):
        deserialize_keras_object(config, custom)
        deserialize_keras_object(config, custom, safe_mode=True)
    assert seen == [True, False, False, True]


def test_shared_objects_stay_shared():
    class Layer(Thing):
        variables = ()

    layer = Layer(1)
    with object_sharing():
        config = serialize_keras_object([layer, {"again": layer}, Layer(1)])
    config = json.loads(json.dumps(config))
    with object_sharing():
        first, second, third = deserialize_keras_object(config, {"Layer": Layer})
    assert first is second["again"] and first is not third
