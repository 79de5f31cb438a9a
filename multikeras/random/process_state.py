"""The random state of this process as plain data: what `set_random_seed` settles, and how far
the programs' draws have come since.

A framework's own generators are left out: nothing here draws from them, and their state means
nothing to another framework.
"""

from __future__ import annotations

import random as python_random
from collections.abc import Mapping
from typing import Any

import numpy as np

from multikeras.random import seed_generator
from multikeras.random.seed_generator import SeedGenerator

_Global = seed_generator._Global


def get_process_state() -> dict[str, Any]:
    """The state of the global seed and generator, of Python's `random` and of `numpy.random`.

    Returns:
        A dict of plain values, ready for JSON but for one NumPy array.

    Example:
        >>> import multikeras as keras
        >>> keras.utils.set_random_seed(3)
        >>> state = get_process_state()
        >>> first = python_random.random(), seed_generator.make_default_seed()
        >>> set_process_state(state)
        >>> first == (python_random.random(), seed_generator.make_default_seed())
        True
    """
    version, words, gauss = python_random.getstate()
    name, keys, position, has_gauss, cached = np.random.get_state(legacy=True)
    generator = _Global.generator
    return {
        "seed": _Global.seed,
        "drawn": _Global.drawn,
        "generator": None if generator is None else generator.state.numpy().tolist(),
        "python": [version, list(words), gauss],
        "numpy": [name, np.array(keys), position, has_gauss, cached],
    }


def set_process_state(state: Mapping[str, Any]) -> None:
    """Puts back what `get_process_state` gave.

    Args:
        state: the dict; lists in place of tuples are fine.
    """
    _Global.seed = state["seed"]
    _Global.drawn = int(state["drawn"])
    if state["generator"] is None:
        _Global.generator = None
    else:
        value = np.array(state["generator"], np.uint32)
        if _Global.generator is None:
            _Global.generator = SeedGenerator(0, name="global_seed_generator")
        _Global.generator.state.assign(value)
    version, words, gauss = state["python"]
    python_random.setstate((version, tuple(words), gauss))
    name, keys, position, has_gauss, cached = state["numpy"]
    np.random.set_state((name, np.asarray(keys, np.uint32), position, has_gauss, cached))
