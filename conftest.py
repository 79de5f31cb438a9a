"""pytest settings for the tests and for the examples in the docstrings alike.

Only the selected backend's folder is collected: importing another would need its framework. Every
test starts from the same global state and the same seed.
"""

import os
import random
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("MULTIKERAS_BACKEND", "numpy")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A config file in the user's home must not change what is tested.
os.environ["MULTIKERAS_HOME"] = str(Path(tempfile.gettempdir()) / "multikeras-tests-no-home")

import numpy as np
import pytest

# Imported before the examples are collected: pytest would run each module a second time.
import multikeras  # noqa: F401

_BACKENDS = Path(__file__).parent / "multikeras" / "backends"
SEED = 1234


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leaves out the folders of the backends that are not selected."""
    if not collection_path.is_dir() or collection_path.parent != _BACKENDS:
        return None
    return True if collection_path.name != os.environ["MULTIKERAS_BACKEND"] else None


def pytest_report_header() -> str:
    """Says on which backend the tests run."""
    return f"multikeras backend: {os.environ['MULTIKERAS_BACKEND']}"


@pytest.fixture(autouse=True)
def fresh_state():
    """Runs each test with default settings, unused names and a fixed seed."""
    random.seed(SEED)
    np.random.seed(SEED)
    if "multikeras" in sys.modules:
        _reset(sys.modules["multikeras"])


def _reset(keras) -> None:
    """Puts back the settings of `multikeras.config` and the state of `multikeras.utils`."""
    config, utils = getattr(keras, "config", None), getattr(keras, "utils", None)
    for room, name, *value in (
        (config, "set_floatx", "float32"),
        (config, "set_epsilon", 1e-7),
        (config, "set_image_data_format", "channels_last"),
        (config, "set_dtype_policy", "float32"),
        (utils, "clear_session", False),  # collecting garbage takes longer than most tests
        (utils, "set_random_seed", SEED),
    ):
        if hasattr(room, name):
            getattr(room, name)(*value)
