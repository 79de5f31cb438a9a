"""Objects to plain JSON-able configs and back, in the form that Keras 3 writes.

An object becomes `{"module", "class_name", "config", "registered_name"}`; functions, tensors,
arrays, slices and bytes have forms of their own. Reading back finds classes and functions in
`registry` only. Refused: a name that stands in no table, an entry that carries Python bytecode
(`__lambda__`, whatever `safe_mode` says) and objects that have no `get_config`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn

import numpy as np

from multikeras import config as settings
from multikeras import dtypes, registry
from multikeras.backends import native
from multikeras.symbolic import KerasTensor

# Modules in which a bare class name (an entry without "module") is looked up.
_CLASS_MODULES = (
    "keras.layers",
    "keras.models",
    "keras",
    "keras.optimizers",
    "keras.optimizers.schedules",
    "keras.losses",
    "keras.metrics",
    "keras.initializers",
    "keras.regularizers",
    "keras.constraints",
)
_HOW_TO_REGISTER = (
    "If it is yours, decorate it with @keras.saving.register_keras_serializable() and import "
    "the module that defines it before loading, or pass custom_objects={{{name!r}: ...}}."
)
# Written as Keras writes them, where that is not where they are found here.
_WRITTEN_AS = {
    ("keras.models", "Model"): ("keras", "Model"),
    ("keras.models", "Sequential"): ("keras", "Sequential"),
    ("keras.models", "Functional"): ("keras.src.models.functional", "Functional"),
    ("keras.layers", "Layer"): ("keras", "Layer"),
}
_safe_mode: ContextVar[bool | None] = ContextVar("safe_mode", default=None)
_sharing: ContextVar[_Sharing | None] = ContextVar("sharing", default=None)


class UnknownObjectError(ValueError):
    """A config names a class or function that nobody has declared."""


class _Sharing:
    """Which objects were met during one saving or loading."""

    def __init__(self) -> None:
        self.written: dict[int, tuple[int, Any, dict[str, Any]]] = {}
        self.read: dict[int, Any] = {}


@contextmanager
def object_sharing() -> Iterator[None]:
    """Within it, an object met twice is written with an id, and read back as one object."""
    token = _sharing.set(_Sharing())
    try:
        yield
    finally:
        _sharing.reset(token)


@contextmanager
def safe_mode_scope(safe_mode: bool) -> Iterator[None]:
    """Within it, `in_safe_mode()` gives `safe_mode`."""
    token = _safe_mode.set(bool(safe_mode))
    try:
        yield
    finally:
        _safe_mode.reset(token)


def in_safe_mode() -> bool:
    """Whether objects made from a config now must not trust that config.

    True unless the innermost loading call got `safe_mode=False` or
    `keras.config.enable_unsafe_deserialization()` was called. A layer whose config could make
    it read a file asks here first.

    Example:
        >>> from multikeras.serialization import in_safe_mode
        >>> in_safe_mode()
        True
    """
    if settings.is_unsafe_deserialization_enabled():
        return False
    scoped = _safe_mode.get()
    return True if scoped is None else scoped


def serialize_keras_object(obj: Any) -> Any:
    """Turn an object into what `json.dumps` takes.

    Args:
        obj: A layer, model, optimizer, loss, initializer, ... (anything with `get_config`), a
            function that has a name, a tensor, an array, a dtype, a plain Python value, or a
            list, tuple or dict of them. Tuples become lists.

    Returns:
        The config; `deserialize_keras_object` takes it.

    Raises:
        TypeError: if `obj`, or something in it, can't be written as data.

    Example:
        >>> import multikeras as keras
        >>> keras.saving.serialize_keras_object({"rate": 0.5, "axes": (1, 2)})
        {'rate': 0.5, 'axes': [1, 2]}
    """
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj.item() if isinstance(obj, np.generic) else obj
    if isinstance(obj, (list, tuple)):
        return [serialize_keras_object(item) for item in obj]
    if isinstance(obj, Mapping):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    special = _serialize_value(obj)
    if special is not None:
        return special
    if hasattr(obj, "get_config") and not inspect.isclass(obj):
        return _serialize_object(obj)
    if inspect.isroutine(obj):
        return _serialize_function(obj)
    try:
        return dtypes.standardize_dtype(obj)
    except (ValueError, TypeError):
        pass
    raise TypeError(
        f"serialize_keras_object: can't write {obj!r} of type {type(obj).__name__} as data. "
        "A class can be written if its instances have a get_config() method that returns "
        "the arguments of its constructor."
    )


def _serialize_value(obj: Any) -> Any | None:
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, bytes):
        return _special("__bytes__", value=obj.decode("utf-8", "surrogateescape"))
    if isinstance(obj, slice):
        parts = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return _special("__slice__", **{k: serialize_keras_object(v) for k, v in parts.items()})
    if obj is Ellipsis:
        return _special("__ellipsis__")
    if isinstance(obj, KerasTensor):
        made_by = obj.keras_history
        history = None if made_by is None else [made_by[0].name, *made_by[1:]]
        return _special(
            "__keras_tensor__", shape=list(obj.shape), dtype=obj.dtype, keras_history=history
        )
    # NumPy arrays come before tensors: on one backend they are the tensors.
    if isinstance(obj, np.ndarray):
        return _array("__numpy__", obj)
    if native.core.is_tensor(obj):
        return _array("__tensor__", native.core.convert_to_numpy(obj))
    return None


def _special(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": config}


def _array(kind: str, array: np.ndarray) -> dict[str, Any]:
    if array.dtype.kind not in "biufc" and array.dtype.name not in dtypes.ALL_DTYPES:
        raise TypeError(
            f"serialize_keras_object: an array of dtype {array.dtype} can't be written as "
            "data; only numbers and booleans can."
        )
    dtype = array.dtype.name
    wide = array.astype("float32") if array.dtype.kind not in "biufc" else array
    entry = _special(kind, value=wide.tolist(), dtype=dtype)
    if not array.size:
        entry["config"]["shape"] = list(array.shape)  # which an empty list does not tell
    return entry


def _serialize_function(function: Any) -> dict[str, Any]:
    name = registry.get_registered_name(function)
    home = registry.home(function)
    if home is not None:
        name = home[1]
    if name == "<lambda>":
        raise TypeError(
            "serialize_keras_object: a lambda has no name that a file could mention. Write it "
            "as a function with `def` and decorate that with "
            "@keras.saving.register_keras_serializable()."
        )
    return {
        "module": "builtins",
        "class_name": "function",
        "config": name,
        "registered_name": "function",
    }


def _serialize_object(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    home = registry.home(cls)
    registered: str | None
    if home is None:
        module, name, registered = None, cls.__name__, _registered_name(cls)
    else:
        module, name = _WRITTEN_AS.get(home, home)
        registered = name if module.startswith("keras.src.") else None
    entry: dict[str, Any] = {
        "module": module,
        "class_name": name,
        "config": serialize_keras_object(obj.get_config()),
        "registered_name": registered,
    }
    if hasattr(obj, "get_build_config"):
        build_config = obj.get_build_config()
        if build_config is not None:
            entry["build_config"] = serialize_keras_object(build_config)
    if hasattr(obj, "get_compile_config"):
        entry["compile_config"] = serialize_keras_object(obj.get_compile_config() or {})
    return _note_sharing(obj, entry)


def _registered_name(cls: type) -> str:
    # A model class may have been extended under its own name, to be a graph model as well.
    for base in cls.__mro__:
        name = registry.get_registered_name(base)
        if base.__name__ == cls.__name__ and name != base.__name__:
            return name
    return cls.__name__


def _note_sharing(obj: Any, entry: dict[str, Any]) -> dict[str, Any]:
    sharing = _sharing.get()
    if sharing is None or not hasattr(obj, "variables"):
        return entry  # without variables, equal objects are as good as one
    number, _, first = sharing.written.setdefault(id(obj), (len(sharing.written) + 1, obj, entry))
    if first is not entry:
        first["shared_object_id"] = entry["shared_object_id"] = number
    return entry


def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool | None = None,
    **kwargs: Any,
) -> Any:
    """Make an object from the config that `serialize_keras_object` gave.

    Args:
        config: The config. Plain values, and dicts without `"class_name"`, give themselves
            (with their contents read the same way).
        custom_objects: `{name: class or function}`, known for this call.
        safe_mode: Pass `False` to let layers trust the config (see `in_safe_mode`). Default:
            as the call within which this one runs, otherwise `True`.
        **kwargs: `module_objects`, a dict in which names are looked up last (as old versions
            had it).

    Returns:
        The object; if the config was of a built layer, a built one (its weights are new).

    Raises:
        UnknownObjectError: (a `ValueError`) if a class or function stands in no table.
        ValueError: if an entry is malformed or holds Python bytecode.
        TypeError: if a class doesn't take its config.

    Example:
        >>> import multikeras as keras
        >>> keras.saving.deserialize_keras_object(
        ...     {"class_name": "__slice__", "config": {"start": 1, "stop": 3, "step": None}}
        ... )
        slice(1, 3, None)
    """
    module_objects = kwargs.pop("module_objects", None)
    kwargs.pop("printable_module_name", None)
    if kwargs:
        raise TypeError(f"deserialize_keras_object got unknown arguments {sorted(kwargs)}.")
    if safe_mode is not None:
        with safe_mode_scope(safe_mode):
            return deserialize_keras_object(config, custom_objects, module_objects=module_objects)
    if custom_objects:
        with registry.CustomObjectScope(custom_objects):
            return _deserialize(config, module_objects)
    return _deserialize(config, module_objects)


def _deserialize(config: Any, module_objects: Mapping[str, Any] | None = None) -> Any:
    if isinstance(config, str):
        found = None if module_objects is None else module_objects.get(config)
        return config if found is None else found
    if config is None or isinstance(config, (bool, int, float)):
        return config
    if isinstance(config, (list, tuple)):
        return [_deserialize(item) for item in config]
    if not isinstance(config, Mapping):
        if inspect.isroutine(config) or inspect.isclass(config) or hasattr(config, "get_config"):
            return config  # already an object
        raise TypeError(
            "deserialize_keras_object expects a config made of dicts, lists, strings and "
            f"numbers; got {config!r} of type {type(config).__name__}."
        )
    if "class_name" not in config or "config" not in config:
        return {key: _deserialize(value) for key, value in config.items()}
    kind = config["class_name"]
    if not isinstance(kind, str):
        raise ValueError(f"deserialize_keras_object: class_name must be a string; got {kind!r}.")
    if kind in _READERS:
        inner = config["config"]
        if not isinstance(inner, Mapping):
            raise ValueError(f"deserialize_keras_object: {kind} needs a dict; got {inner!r}.")
        try:
            return _READERS[kind](inner)
        except KeyError as error:
            raise ValueError(f"deserialize_keras_object: {kind} lacks the key {error}.") from None
    if kind in ("function", "builtin_function_or_method") and isinstance(config["config"], str):
        return _find_function(config["config"], module_objects)
    return _deserialize_object(config, module_objects)


def _find_function(name: str, module_objects: Mapping[str, Any] | None) -> Any:
    found = registry.get_registered_object(name, module_objects=module_objects)
    if found is None:
        found = registry.find_function(name)
    if found is None:
        modules = ("keras.activations", "keras.losses", "keras.metrics", "keras.ops")
        known = [known for module in modules for known in registry.names(module)]
        _unknown("function", name, None, known)
    return found


def _unknown(what: str, name: str, module: str | None, known: list[str]) -> NoReturn:
    known = [*known, *registry.known_custom_names()]
    shown = f"{module}.{name}" if module else name
    raise UnknownObjectError(
        f"The config names the {what} {shown!r}, which nobody has declared."
        f"{registry.suggest(name, known)} {_HOW_TO_REGISTER.format(name=name)}"
    )


def _find_class(config: Mapping[str, Any], module_objects: Mapping[str, Any] | None) -> Any:
    name, module = config["class_name"], config.get("module")
    registered = config.get("registered_name")
    for candidate in (registered, name):
        if isinstance(candidate, str):
            found = registry.get_registered_object(candidate, module_objects=module_objects)
            if found is not None:
                return found
    if isinstance(module, str):
        found = registry.find(module, name)
        modules: tuple[str, ...] = (module,)
    else:
        modules = _CLASS_MODULES if module is None and "module" not in config else ()
        found = next(filter(None, (registry.find(m, name) for m in modules)), None)
    if found is None:
        known = [known for m in (*modules, *_CLASS_MODULES) for known in registry.names(m)]
        shown = registered if module is None and isinstance(registered, str) else name
        _unknown("class", shown, module if isinstance(module, str) else None, known)
    return found


def _deserialize_object(config: Mapping[str, Any], module_objects: Mapping[str, Any] | None) -> Any:
    cls = _find_class(config, module_objects)
    if not inspect.isclass(cls):
        return cls  # a function that is named by module and name
    sharing = _sharing.get()
    number = config.get("shared_object_id") if sharing is not None else None
    if sharing is not None and isinstance(number, int) and number in sharing.read:
        return sharing.read[number]
    inner = config["config"]
    if not isinstance(inner, Mapping):
        raise ValueError(
            f"deserialize_keras_object: the config of {config['class_name']} must be a dict; "
            f"got {inner!r}."
        )
    instance = _construct(cls, dict(inner))
    if sharing is not None and isinstance(number, int):
        sharing.read[number] = instance
    build_config = config.get("build_config")
    if build_config and hasattr(instance, "build_from_config"):
        instance.build_from_config(build_config)
    compile_config = config.get("compile_config")
    if compile_config and hasattr(instance, "compile_from_config"):
        instance.compile_from_config(compile_config)
    return instance


def _construct(cls: type, config: dict[str, Any]) -> Any:
    try:
        if hasattr(cls, "from_config"):
            return cls.from_config(config)
        return cls(**config)
    except UnknownObjectError:
        raise
    except TypeError as error:
        raise TypeError(
            f"{cls.__name__} can't be made from its config: {error}. The config has the keys "
            f"{sorted(map(str, config))}. get_config() must return what from_config() (by "
            "default the constructor) takes; objects in it are to be written with "
            "serialize_keras_object and read in from_config with deserialize_keras_object."
        ) from error


def _read_array(config: Mapping[str, Any]) -> np.ndarray:
    name = config["dtype"]
    if name not in dtypes.ALL_DTYPES or name == "string":
        raise ValueError(f"An array in the config has the unknown dtype {name!r}.")
    try:
        array = np.array(config["value"], dtype=dtypes.numpy_dtype(name))
        return array if array.size else array.reshape(config.get("shape", array.shape))
    except (TypeError, ValueError) as error:
        raise ValueError(f"An array in the config is not made of {name} numbers: {error}") from None


def _read_tensor(config: Mapping[str, Any]) -> Any:
    return native.core.convert_to_tensor(_read_array(config), dtype=config["dtype"])


def _read_keras_tensor(config: Mapping[str, Any]) -> KerasTensor:
    return KerasTensor(config["shape"], dtype=config["dtype"])


def _read_bytes(config: Mapping[str, Any]) -> bytes:
    value = config["value"]
    if not isinstance(value, str):
        raise ValueError(f"__bytes__ must hold a string; got {value!r}.")
    return value.encode("utf-8", "surrogateescape")


def _read_slice(config: Mapping[str, Any]) -> slice:
    return slice(*(_deserialize(config[part]) for part in ("start", "stop", "step")))


def _refuse_lambda(config: Mapping[str, Any]) -> NoReturn:
    raise ValueError(
        "The config holds the bytecode of a Python lambda. It is never run, with "
        "safe_mode=False neither: bytecode can do anything, and works in one Python version "
        "only. Write the function with `def`, decorate it with "
        "@keras.saving.register_keras_serializable(), use that in place of the lambda where "
        "the model is made, and save the model again."
    )


def _refuse_typespec(config: Mapping[str, Any]) -> NoReturn:
    raise ValueError("The config holds a TensorFlow TypeSpec, which has no meaning here.")


_READERS = {
    "__keras_tensor__": _read_keras_tensor,
    "__tensor__": _read_tensor,
    "__numpy__": _read_array,
    "__bytes__": _read_bytes,
    "__slice__": _read_slice,
    "__ellipsis__": lambda config: Ellipsis,
    "__lambda__": _refuse_lambda,
    "__typespec__": _refuse_typespec,
}
