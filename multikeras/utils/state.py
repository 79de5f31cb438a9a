"""`clear_session`: forgets what multikeras keeps between models."""

from __future__ import annotations

import gc

from multikeras import dtype_policies, variables


def clear_session(free_memory: bool = True) -> None:
    """Forgets the state kept between models.

    Automatic names start again (`dense`, `dense_1`, ...) and the global dtype policy is the
    default again. Models, and what `set_random_seed` set, stay as they are. Programs that make
    many models in a loop get names that don't depend on how many were made before.

    Args:
        free_memory: whether Python's garbage collector runs at once. Defaults to True.

    Example:
        >>> from multikeras.variables import auto_name
        >>> clear_session()
        >>> auto_name("dense"), auto_name("dense")
        ('dense', 'dense_1')
    """
    variables.reset_names()
    dtype_policies.set_global_policy(None)
    if free_memory:
        gc.collect()
