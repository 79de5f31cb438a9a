"""Settings and the choice of the backend.

The backend is `MULTIKERAS_BACKEND`, else the `backend` of `$MULTIKERAS_HOME/multikeras.json`
(default folder: `~/.multikeras`), else "numpy"; it is read once, at import. A misspelt name is
refused with the list of the valid ones. The file may also hold `floatx`, `epsilon` and
`image_data_format`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from multikeras import dtype_policies
from multikeras.dtype_policies import DTypePolicy
from multikeras.dtypes import floatx as floatx
from multikeras.dtypes import set_floatx as set_floatx

BACKENDS = ("numpy", "jax", "torch", "tensorflow")
_DATA_FORMATS = ("channels_last", "channels_first")


def home() -> Path:
    """The folder of the config file."""
    return Path(os.environ.get("MULTIKERAS_HOME") or Path("~/.multikeras").expanduser())


def read_file() -> dict:
    """The settings of the config file; none where there is no file.

    Raises:
        ValueError: for a file that is no JSON object.
    """
    path = home() / "multikeras.json"
    try:
        text = path.read_text()
    except OSError:
        return {}
    try:
        settings = json.loads(text)
    except ValueError as error:
        raise ValueError(f"The config file {path} is not valid JSON: {error}.") from None
    if not isinstance(settings, dict):
        raise ValueError(f"The config file {path} must hold a JSON object, got {settings!r}.")
    return settings


def choose_backend(settings: dict) -> tuple[str, str]:
    """The backend's name and why it was chosen.

    Raises:
        ValueError: for a name that is not a backend.
    """
    candidates = (
        (os.environ.get("MULTIKERAS_BACKEND"), "the environment variable MULTIKERAS_BACKEND"),
        (settings.get("backend"), f"the config file {home() / 'multikeras.json'}"),
        ("numpy", "the default"),
    )
    name, reason = next((name, reason) for name, reason in candidates if name)
    if name not in BACKENDS:
        raise ValueError(
            f"Unknown backend {name!r} from {reason}; expected one of {', '.join(BACKENDS)}."
        )
    return name, reason


_settings = read_file()
_backend, backend_reason = choose_backend(_settings)
_epsilon = 1e-7
_image_data_format = "channels_last"
_interactive_logging = True
_traceback_filtering = True
_flash_attention: bool | None = None
_unsafe_deserialization = False
_max_epochs: int | None = None
_max_steps_per_epoch: int | None = None


def backend() -> str:
    """The name of the backend in use.

    Example:
        >>> backend() in BACKENDS
        True
    """
    return _backend


def set_backend(backend: str) -> None:
    """Refuses to change the backend of a running process; a no-op for the one in use.

    Raises:
        ValueError: for an unknown name.
        RuntimeError: for another backend than the one in use: it is chosen at import.
    """
    if backend not in BACKENDS:
        raise ValueError(f"Unknown backend {backend!r}; expected one of {', '.join(BACKENDS)}.")
    if backend != _backend:
        raise RuntimeError(
            f"The backend is chosen at import and is {_backend!r}. Set "
            f"MULTIKERAS_BACKEND={backend} and start a new process."
        )


def epsilon() -> float:
    """The small number that keeps divisions and logarithms finite.

    Example:
        >>> epsilon()
        1e-07
    """
    return _epsilon


def set_epsilon(value: float) -> None:
    """Sets `epsilon()`.

    Example:
        >>> set_epsilon(1e-7)
    """
    global _epsilon
    _epsilon = float(value)


def image_data_format() -> str:
    """The default data format of images: "channels_last" or "channels_first".

    Example:
        >>> image_data_format()
        'channels_last'
    """
    return _image_data_format


def standardize_data_format(data_format: str | None) -> str:
    """A valid data format; None means `image_data_format()`."""
    data_format = _image_data_format if data_format is None else str(data_format).lower()
    if data_format not in _DATA_FORMATS:
        raise ValueError(f"data_format: expected one of {_DATA_FORMATS}, got {data_format!r}.")
    return data_format


def set_image_data_format(data_format: str) -> None:
    """Sets `image_data_format()`.

    Raises:
        ValueError: for anything but "channels_last" and "channels_first".

    Example:
        >>> set_image_data_format("channels_last")
    """
    global _image_data_format
    _image_data_format = standardize_data_format(data_format)


def dtype_policy() -> DTypePolicy:
    """The global dtype policy.

    Example:
        >>> dtype_policy().name
        'float32'
    """
    return dtype_policies.global_policy()


def set_dtype_policy(policy: str | DTypePolicy) -> None:
    """Sets the global dtype policy.

    Example:
        >>> set_dtype_policy("float32")
    """
    dtype_policies.set_global_policy(policy)


def enable_interactive_logging() -> None:
    """Progress goes to the terminal (the default)."""
    global _interactive_logging
    _interactive_logging = True


def disable_interactive_logging() -> None:
    """Progress goes to the `logging` module."""
    global _interactive_logging
    _interactive_logging = False


def is_interactive_logging_enabled() -> bool:
    """True if progress goes to the terminal."""
    return _interactive_logging


def enable_traceback_filtering() -> None:
    """Kept for compatibility: tracebacks are short already, so nothing is filtered."""
    global _traceback_filtering
    _traceback_filtering = True


def disable_traceback_filtering() -> None:
    """Kept for compatibility: tracebacks are short already, so nothing is filtered."""
    global _traceback_filtering
    _traceback_filtering = False


def is_traceback_filtering_enabled() -> bool:
    """What the two functions above last set."""
    return _traceback_filtering


def enable_flash_attention() -> None:
    """Lets attention use a framework's fused kernel."""
    global _flash_attention
    _flash_attention = True


def disable_flash_attention() -> None:
    """Keeps attention from using a framework's fused kernel."""
    global _flash_attention
    _flash_attention = False


def is_flash_attention_enabled() -> bool | None:
    """True or False as set; None: the backend decides."""
    return _flash_attention


def enable_unsafe_deserialization() -> None:
    """Makes `safe_mode=False` the default of loading, for this process."""
    global _unsafe_deserialization
    _unsafe_deserialization = True


def is_unsafe_deserialization_enabled() -> bool:
    """True if `safe_mode=False` is the default of loading."""
    return _unsafe_deserialization


def is_nnx_enabled() -> bool:
    """False: layers are never Flax NNX modules."""
    return False


def max_epochs() -> int | None:
    """The limit on epochs of any `fit`, or None."""
    return _max_epochs


def set_max_epochs(max_epochs: int | None) -> None:
    """Limits the epochs of any `fit` (a quick trial of a long script); None: no limit."""
    global _max_epochs
    _max_epochs = max_epochs


def max_steps_per_epoch() -> int | None:
    """The limit on steps of any epoch, or None."""
    return _max_steps_per_epoch


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Limits the steps of any epoch; None: no limit."""
    global _max_steps_per_epoch
    _max_steps_per_epoch = max_steps_per_epoch


for _key, _set in (
    ("floatx", set_floatx),
    ("epsilon", set_epsilon),
    ("image_data_format", set_image_data_format),
):
    if _key in _settings:
        _set(_settings[_key])
