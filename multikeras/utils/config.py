"""`Config`: a set of named values that can be frozen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


class Config:
    """Named values, as attributes and as items.

    Args:
        **kwargs: the values.

    Raises:
        AttributeError: when a name is read that is not there.
        ValueError: when a value of a frozen config is set.

    Example:
        >>> config = Config(units=4)
        >>> config.rate = 0.1
        >>> config["units"], config.rate
        (4, 0.1)
        >>> config.freeze()
        >>> config.rate = 0.2
        Traceback (most recent call last):
        ...
        ValueError: Config: it is frozen, so 'rate' can't be changed.
    """

    def __init__(self, **kwargs: Any) -> None:
        object.__setattr__(self, "_config", dict(kwargs))
        object.__setattr__(self, "_frozen", False)

    def _check(self, name: str) -> None:
        if self._frozen:
            raise ValueError(f"Config: it is frozen, so {name!r} can't be changed.")

    @property
    def frozen(self) -> bool:
        """Whether values can't be changed."""
        return self._frozen

    def freeze(self) -> None:
        """Lets values not be changed any more."""
        object.__setattr__(self, "_frozen", True)

    def unfreeze(self) -> None:
        """Lets values be changed again."""
        object.__setattr__(self, "_frozen", False)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_config"][name]
        except KeyError:
            raise AttributeError(f"Config: there is no {name!r}.") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        self._check(name)
        if name not in self._config:
            raise AttributeError(f"Config: there is no {name!r}.")
        del self._config[name]

    def __getitem__(self, name: str) -> Any:
        return self._config[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._check(name)
        self._config[name] = value

    def __delitem__(self, name: str) -> None:
        self._check(name)
        del self._config[name]

    def __contains__(self, name: object) -> bool:
        return name in self._config

    def __iter__(self) -> Iterator[str]:
        return iter(self._config)

    def __len__(self) -> int:
        return len(self._config)

    def __repr__(self) -> str:
        return f"<Config {self._config}>"

    def keys(self) -> Any:
        """The names."""
        return self._config.keys()

    def values(self) -> Any:
        """The values."""
        return self._config.values()

    def items(self) -> Any:
        """Pairs of name and value."""
        return self._config.items()

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a name, or `default`."""
        return self._config.get(key, default)

    def pop(self, *args: Any) -> Any:
        """Removes a name and returns its value; a second argument is the default."""
        self._check(str(args[0]) if args else "")
        return self._config.pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Sets several values, as `dict.update`."""
        self._check("update")
        self._config.update(*args, **kwargs)

    def as_dict(self) -> dict[str, Any]:
        """The values as a new dict."""
        return dict(self._config)

    def to_json(self) -> str:
        """The values as JSON."""
        return json.dumps(self._config)
