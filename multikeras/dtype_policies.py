"""Dtype policies: in which dtype a layer computes and in which it keeps its variables.

Quantized policies are not here yet: their names are refused with the list of the known ones.
"""

from __future__ import annotations

from typing import Any

from multikeras import dtypes, registry

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


@registry.expose("keras")
class DTypePolicy:
    """The compute and variable dtype of a layer.

    Args:
        name: a float dtype ("float32": compute and keep in it), "mixed_float16" or
            "mixed_bfloat16" (compute in 16 bits, keep variables in float32), an integer dtype
            or "bool". Default: the global policy's name, else `floatx()`.

    Raises:
        ValueError: for another name.

    Example:
        >>> policy = DTypePolicy("mixed_bfloat16")
        >>> policy.compute_dtype, policy.variable_dtype
        ('bfloat16', 'float32')
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = global_policy().name
        self._name = str(name)
        if self._name in _MIXED:
            self._compute_dtype, self._variable_dtype = _MIXED[self._name], "float32"
            return
        try:
            self._compute_dtype = self._variable_dtype = dtypes.standardize_dtype(name)
        except ValueError:
            raise ValueError(
                f"Unknown dtype policy {name!r}; expected a dtype name, "
                f"{' or '.join(map(repr, _MIXED))}."
            ) from None
        self._name = self._compute_dtype

    @property
    def name(self) -> str:
        """The policy's name."""
        return self._name

    @property
    def compute_dtype(self) -> str:
        """Dtype of inputs, computation and outputs."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """Dtype of the variables."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> None:
        """None: this policy does not quantize."""
        return None

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal policy."""
        return {"name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        """A policy from `get_config`'s result."""
        return cls(**config)

    def __eq__(self, other: Any) -> bool:
        return type(self) is type(other) and self.name == other.name

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


FloatDTypePolicy = DTypePolicy
_global: DTypePolicy | None = None


def global_policy() -> DTypePolicy:
    """The policy of layers that are given none: `floatx()` unless set."""
    return _global if _global is not None else DTypePolicy(dtypes.floatx())


def set_global_policy(policy: str | DTypePolicy | None) -> None:
    """Sets the policy of layers that are given none; None restores the default."""
    global _global
    _global = None if policy is None else get(policy)


def get(identifier: Any) -> DTypePolicy:
    """A policy from a policy, a name, a dtype, a serialized policy or None (the global one).

    Example:
        >>> get("mixed_float16").compute_dtype
        'float16'
    """
    if identifier is None:
        return global_policy()
    if isinstance(identifier, DTypePolicy):
        return identifier
    if isinstance(identifier, dict):
        return deserialize(identifier)
    return DTypePolicy(
        identifier if isinstance(identifier, str) else dtypes.standardize_dtype(identifier)
    )


def serialize(dtype_policy: DTypePolicy) -> dict[str, Any]:
    """A policy as the dictionary that stands in saved files."""
    return {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": dtype_policy.get_config(),
        "registered_name": None,
    }


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> DTypePolicy:
    """A policy from what `serialize` gave.

    Raises:
        ValueError: for a class that is not a known policy.
    """
    if isinstance(config, str):
        return DTypePolicy(config)
    if config.get("class_name") in ("DTypePolicy", "FloatDTypePolicy"):
        return DTypePolicy.from_config(config["config"])
    raise ValueError(f"Unknown dtype policy class {config.get('class_name')!r}.")
