"""What tests ask of the frameworks themselves, one function for each question."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from multikeras import config, tree
from multikeras.backends import native
from multikeras.scopes import StatelessScope

BACKEND = config.backend()

if BACKEND == "jax":
    import jax


@contextlib.contextmanager
def quick_compilation() -> Iterator[None]:
    """Inside, programs that run once are not worth optimizing."""
    if BACKEND != "jax":
        yield
        return
    before = jax.config.values["jax_disable_most_optimizations"]
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", before)


def result_dtypes(fn: Callable[..., Any], tensors: list[Any]) -> list[str]:
    """Names of the dtypes of what a function of tensors gives, without compiling it; variables
    that it writes stay as they were."""
    with StatelessScope():
        outputs = jax.eval_shape(fn, *tensors) if BACKEND == "jax" else fn(*tensors)
    return [native.core.dtype_name(leaf) for leaf in tree.flatten(outputs)]
