"""The arguments of `compile` as plain data, and back."""

from __future__ import annotations

from typing import Any

from multikeras import losses, metrics, optimizers, serialization, tree

_PLAIN = ("run_eagerly", "steps_per_execution", "jit_compile")


def serialize_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """`compile`'s arguments with every object as a config."""
    config = {}
    for name, value in arguments.items():
        if name in _PLAIN or value is None or isinstance(value, str):
            config[name] = value
        elif name == "optimizer":
            config[name] = optimizers.serialize(optimizers.get(value))
        else:
            config[name] = tree.map_structure(_serialize, value)
    return config


def _serialize(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value
    return serialization.serialize_keras_object(value)


_GET = {"loss": losses.deserialize, "metrics": metrics.deserialize}
_GET["weighted_metrics"] = _GET["metrics"]


def deserialize_arguments(config: dict[str, Any]) -> dict[str, Any]:
    """`compile`'s arguments from `serialize_arguments`'s result."""
    arguments = {}
    for name, value in config.items():
        if name == "optimizer" and isinstance(value, dict):
            arguments[name] = optimizers.deserialize(value)
        elif name in _GET:
            arguments[name] = _map_configs(_GET[name], value)
        else:
            arguments[name] = value
    return arguments


def _map_configs(read: Any, value: Any) -> Any:
    """Reads the object configs in a structure; other dicts and lists are the structure."""
    if isinstance(value, dict):
        if "class_name" in value and "config" in value:
            return read(value)
        return {key: _map_configs(read, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_map_configs(read, item) for item in value]
    return value
