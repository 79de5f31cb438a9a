"""The closed table of names that a saved file may mention.

A file names classes and functions as `module` + `class_name` (`"keras.layers"`, `"Dense"`).
Such a name is only ever looked up here: in what the library declares about itself with
`expose`, and in what the running program declares with `register_keras_serializable`,
`CustomObjectScope` or a `custom_objects` argument. Nothing is imported because a file says so,
and a name that stands in no table stays unknown.

This module imports nothing else of the library, so every room can declare its names here.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")

# "keras.layers.Dense" -> the object. Spellings of other Keras versions are further keys.
_BUILTIN: dict[str, Any] = {}
# object -> ("keras.layers", "Dense"): where `serialize_keras_object` says that it lives.
_HOME: dict[Any, tuple[str, str]] = {}
# "package>Name" -> the object, and back.
_CUSTOM: dict[str, Any] = {}
_CUSTOM_NAME: dict[Any, str] = {}
# Innermost scope last.
_SCOPES: ContextVar[tuple[Mapping[str, Any], ...]] = ContextVar("custom_objects", default=())

# Other places where the same public names were kept; the first match is cut off.
_PREFIXES = (
    "multikeras.",
    "keras.api._v2.keras.",
    "keras.api._v1.keras.",
    "keras.api.",
    "tensorflow.python.keras.",
    "tensorflow.keras.",
    "tf.keras.",
    "tf_keras.src.",
    "tf_keras.",
    "keras.src.",
    "keras.",
)

# Where a function that is named without its module is looked for.
_FUNCTION_MODULES = ("keras.activations", "keras.losses", "keras.metrics", "keras.ops")


def expose(
    module: str, name: str | None = None, *, aliases: Iterable[str] = ()
) -> Callable[[T], T]:
    """Declare a class or function of the library as one that a file may name.

    Args:
        module: The public module that files written by us mention, such as `"keras.layers"`.
        name: The name within it. Defaults to `obj.__name__`.
        aliases: Further dotted names under which files may mention the object, such as
            `"keras.src.ops.numpy.Add"` or a bare old name `"keras.layers.LeakyReLu"`.

    Returns:
        A decorator that gives the object back unchanged. Used twice on one object, the first
        declaration stays its home (the name that is written) and the second adds an alias.

    Raises:
        ValueError: if one of the names already belongs to another object.

    Example:
        >>> from multikeras import registry
        >>> @registry.expose("keras.layers", "DocExample")
        ... class DocExample:
        ...     pass
        >>> registry.find("keras.layers", "DocExample") is DocExample
        True
        >>> registry.home(DocExample)
        ('keras.layers', 'DocExample')
    """

    def declare(obj: T) -> T:
        own = name if name is not None else obj.__name__  # type: ignore[attr-defined]
        for key in (f"{module}.{own}", *aliases):
            holder = _BUILTIN.setdefault(_canonical(key), obj)
            if holder is not obj:
                raise ValueError(
                    f"expose: the name {key!r} already belongs to {holder!r}; got {obj!r}."
                )
        public = module.removeprefix("multi") if module.startswith("multikeras") else module
        _HOME.setdefault(obj, (public, own))
        return obj

    return declare


def _canonical(dotted: str) -> str:
    """Cut off the part of a dotted name that only says which Keras wrote it."""
    for prefix in _PREFIXES:
        if dotted.startswith(prefix):
            return "keras." + dotted[len(prefix) :]
    return dotted


def find(module: str | None, name: str) -> Any | None:
    """Look up a built-in by the module and name of a file; `None` if there is no such name.

    A private module path (`keras.src.layers.core.dense`) is looked up as it stands and then in
    the public module of its room (`keras.layers`).

    Args:
        module: The module that the file mentions, or `None` for a bare name.
        name: The class or function name.

    Example:
        >>> from multikeras import registry
        >>> registry.find("os", "system") is None
        True
    """
    if module is None:
        return None
    path = _canonical(f"{module}.")
    if path.startswith("keras.backend.") and ".optimizers." in path:
        path = "keras.optimizers."  # Keras names the update rule of the backend that wrote
    found = _BUILTIN.get(path + name)
    # keras.layers.core.dense.Dense -> keras.layers.core.Dense -> keras.layers.Dense
    while found is None and path.startswith("keras.") and path.count(".") > 2:
        path = path[: path.rindex(".", 0, -1) + 1]
        found = _BUILTIN.get(path + name)
    return found


def find_function(name: str) -> Any | None:
    """Look up a built-in function by its bare name, as `{"class_name": "function"}` needs it.

    Such an entry of a file does not say where the function lives. Asked in this order:
    activations, losses, metrics, operations.

    Example:
        >>> from multikeras import registry
        >>> registry.find_function("eval") is None
        True
    """
    for module in _FUNCTION_MODULES:
        found = _BUILTIN.get(f"{module}.{name}")
        if found is not None and not inspect.isclass(found):
            return found
    return None


def home(obj: Any) -> tuple[str, str] | None:
    """The public (module, name) of a built-in class or function, or `None` for any other.

    Example:
        >>> from multikeras import registry
        >>> registry.home(print) is None
        True
    """
    try:
        return _HOME.get(obj)
    except TypeError:  # not hashable, so nobody declared it
        return None


def names(module: str) -> tuple[str, ...]:
    """All built-in names that files may mention in `module`, sorted; for error messages.

    Example:
        >>> from multikeras import registry
        >>> "Dense" in registry.names("keras.no_such_module")
        False
    """
    prefix = _canonical(f"{module}.")
    cut = len(prefix)
    return tuple(sorted(key[cut:] for key in _BUILTIN if key.startswith(prefix)))


def suggest(name: str, known: Iterable[str], count: int = 3) -> str:
    """A sentence with the known names nearest to `name`, or an empty string.

    Example:
        >>> from multikeras import registry
        >>> registry.suggest("rleu", ["relu", "gelu", "tanh"])
        " Did you mean 'relu'?"
    """
    lowered: dict[str, str] = {}
    for candidate in known:
        lowered.setdefault(candidate.rsplit(".", 1)[-1].lower(), candidate)
    near = difflib.get_close_matches(name.lower(), lowered, n=count, cutoff=0.7)
    if not near:
        return ""
    return f" Did you mean {' or '.join(repr(lowered[key]) for key in near)}?"


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """Declare a class or function of your own as one that model files may name.

    The file then says `package>name`, and loading finds the object without `custom_objects`.

    Args:
        package: A name for your project. Defaults to `"Custom"`.
        name: The name within the package. Defaults to the object's own name.

    Returns:
        A decorator that gives the object back unchanged. A name that is declared again (a
        notebook cell run twice) belongs to the newest object.

    Raises:
        TypeError: if the decorated thing is neither a class nor a function.
        ValueError: if a class has no `get_config` method.

    Example:
        >>> import multikeras as keras
        >>> @keras.saving.register_keras_serializable("docs")
        ... def double(x):
        ...     return 2 * x
        >>> keras.saving.get_registered_name(double)
        'docs>double'
    """

    def declare(obj: T) -> T:
        if not callable(obj) or not (hasattr(obj, "__name__")):
            raise TypeError(
                "register_keras_serializable decorates a class or a function; "
                f"got {obj!r} of type {type(obj).__name__}."
            )
        if inspect.isclass(obj) and not hasattr(obj, "get_config"):
            raise ValueError(
                f"register_keras_serializable: the class {obj.__name__} has no get_config() "
                "method, so a file could not hold what it is made of. Give it one that "
                "returns the arguments of its constructor as a dict."
            )
        key = f"{package}>{name if name is not None else obj.__name__}"
        _CUSTOM[key] = obj
        _CUSTOM_NAME[obj] = key
        return obj

    return declare


def get_custom_objects() -> dict[str, Any]:
    """The program-wide table of registered objects, `{"package>name": object}`.

    The table itself is returned: what is put into it is found by loading, what is removed is
    not. `CustomObjectScope` does not show in it.

    Example:
        >>> import multikeras as keras
        >>> keras.saving.get_custom_objects()["docs_shift"] = lambda x: x + 1
        >>> keras.saving.get_registered_object("docs_shift")(1)
        2
        >>> del keras.saving.get_custom_objects()["docs_shift"]
    """
    return _CUSTOM


def get_registered_name(obj: Any) -> str:
    """The name under which files mention `obj`: `package>name`, or its own name.

    Args:
        obj: A class or function.

    Raises:
        TypeError: if `obj` has no name at all.

    Example:
        >>> import multikeras as keras
        >>> keras.saving.get_registered_name(len)
        'len'
    """
    try:
        key = _CUSTOM_NAME.get(obj)
    except TypeError:
        key = None
    if key is not None:
        return key
    own = getattr(obj, "__name__", None)
    if own is None:
        raise TypeError(
            f"get_registered_name expects a class or a function; got {obj!r} "
            f"of type {type(obj).__name__}."
        )
    return own


def get_registered_object(
    name: str,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any | None:
    """The object that `name` stands for, or `None`.

    Looked up in this order: the scopes from the innermost out, the objects registered
    program-wide, `custom_objects`, `module_objects`.

    Args:
        name: `"package>name"`, or the key used in a scope or dict.
        custom_objects: Further names, as passed to a loading function.
        module_objects: Further names, asked last.

    Example:
        >>> import multikeras as keras
        >>> keras.saving.get_registered_object("twice", custom_objects={"twice": 2})
        2
    """
    for table in (*reversed(_SCOPES.get()), _CUSTOM, custom_objects, module_objects):
        if table is not None and name in table:
            return table[name]
    return None


class CustomObjectScope:
    """A `with` block in which further names are known to loading.

    Scopes nest; the innermost is asked first. A scope belongs to the thread (and the async
    task) that opened it.

    Args:
        custom_objects: `{name: class or function}`.

    Raises:
        TypeError: if `custom_objects` is not a dict.

    Example:
        >>> import multikeras as keras
        >>> with keras.saving.CustomObjectScope({"Mine": dict}):
        ...     keras.saving.get_registered_object("Mine")
        <class 'dict'>
        >>> keras.saving.get_registered_object("Mine") is None
        True
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        if custom_objects is not None and not isinstance(custom_objects, Mapping):
            raise TypeError(
                "CustomObjectScope: `custom_objects` must be a dict of names to classes or "
                f"functions; got {custom_objects!r}."
            )
        self.custom_objects: dict[str, Any] = dict(custom_objects or {})
        self._tokens: list[Any] = []

    def __enter__(self) -> CustomObjectScope:
        self._tokens.append(_SCOPES.set((*_SCOPES.get(), self.custom_objects)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _SCOPES.reset(self._tokens.pop())


custom_object_scope = CustomObjectScope


def known_custom_names() -> tuple[str, ...]:
    """Names that the program has registered or that an open scope adds; for error messages.

    Example:
        >>> from multikeras import registry
        >>> "docs>unheard_of" in registry.known_custom_names()
        False
    """
    found = set(_CUSTOM)
    for scope in _SCOPES.get():
        found.update(scope)
    return tuple(sorted(found))
