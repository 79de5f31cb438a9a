"""Checkpoints in the format of Orbax: written by `OrbaxCheckpoint`, read back into a model.

A checkpoint is a folder named by its step, with the item `pytree` (the model's state as nested
dicts by the variables' paths) and, unless only weights are kept, `model_config`. Keras 3 writes
and reads the same. Orbax is an optional package, and needs JAX.
Refused: a folder without a checkpoint, and a state that doesn't fit the model.
"""

from __future__ import annotations

import os
import re
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from multikeras.saving.weights import WeightsMismatchError

_SHOWN = 12
_NUMBER = re.compile(r"_(\d+)(?=[_/]|$)")


def load_orbax() -> Any:
    """The package, imported when it is needed.

    Raises:
        ImportError: if it is not installed.
    """
    try:
        import orbax.checkpoint.experimental.v1 as package
    except ImportError as error:
        raise ImportError(
            "Orbax checkpoints need the package `orbax-checkpoint` (and JAX): install "
            "`multikeras[orbax]`. Without it, BackupAndRestore and ModelCheckpoint save a run "
            f"on every backend. ({error})"
        ) from error
    return package


def checkpoint_items(model: Any, weights_only: bool = False) -> dict[str, Any]:
    """What a checkpoint of a model holds, by the names of its items.

    Args:
        model: the model, built.
        weights_only: whether to leave out configuration, optimizer and metrics.
    """
    # Copies: a backend may go on with the memory while another thread writes.
    state = _copied(model.get_state_tree("numpy_array"))
    if weights_only:
        return {"pytree": {name: state[name] for name in state if "trainable" in name}}
    return {"pytree": state, "model_config": {"config": model.to_json()}}


def is_orbax_folder(path: str | os.PathLike[str]) -> bool:
    """Whether a folder is a checkpoint, or holds some by their steps."""
    folder = Path(path)
    return _is_checkpoint(folder) or bool(_steps(folder))


def load_orbax_weights(
    model: Any, directory: str | os.PathLike[str], step: int | None = None
) -> None:
    """Gives a model the state of a checkpoint; what the checkpoint leaves out stays.

    A model whose layers were named automatically, with other numbers, fits too.

    Args:
        model: the model, built.
        directory: the folder of `OrbaxCheckpoint`, or that of one step.
        step: which one; default: the last.

    Raises:
        ImportError: if Orbax is not installed.
        FileNotFoundError: if there is no such checkpoint.
        WeightsMismatchError: (a `ValueError`) if the state doesn't fit; nothing is changed then.
    """
    _put_state(model, _load(directory, step)["pytree"], os.fspath(directory))


def read_orbax_config(directory: str | os.PathLike[str], step: int | None = None) -> str:
    """The configuration (as JSON) of the model that a checkpoint was written from.

    Args:
        directory, step: as in `load_orbax_weights`.

    Raises:
        ValueError: if only weights were kept.
    """
    items = _load(directory, step)
    config = items.get("model_config")
    if not isinstance(config, dict) or not isinstance(config.get("config"), str):
        raise ValueError(
            f"{os.fspath(directory)!r} holds weights only: make the model, then load them into it."
        )
    return config["config"]


def _is_checkpoint(folder: Path) -> bool:
    return (folder / "pytree").is_dir()


def _steps(folder: Path) -> list[int]:
    if not folder.is_dir():
        return []
    return sorted(int(p.name) for p in folder.iterdir() if p.name.isdecimal() and _is_checkpoint(p))


def _load(directory: str | os.PathLike[str], step: int | None) -> dict[str, Any]:
    package = load_orbax()
    folder = Path(directory).absolute()
    if step is not None or not _is_checkpoint(folder):
        there = _steps(folder)
        if not there or (step is not None and step not in there):
            wanted = "" if step is None else f" of step {step}"
            raise FileNotFoundError(
                f"There is no Orbax checkpoint{wanted} in {os.fspath(directory)!r}; steps that "
                f"are there: {there}."
            )
        folder = folder / str(there[-1] if step is None else step)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells where arrays are placed; here: on the host
        return package.load_checkpointables(folder)


def _copied(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: _copied(value) for name, value in tree.items()}
    return np.array(tree)


def _flat(tree: Any, path: str = "") -> dict[str, np.ndarray]:
    if not isinstance(tree, dict):
        return {path: np.asarray(tree)}
    found: dict[str, np.ndarray] = {}
    for name, value in tree.items():
        found.update(_flat(value, f"{path}/{name}" if path else name))
    return found


def _by_form(path: str, root: str) -> tuple[str, tuple[int, ...]]:
    """A path without the model's name and the numbers of automatic names, and the numbers."""
    path = re.sub(rf"(^|/){re.escape(_NUMBER.sub('', root))}(_\d+)?[/_]", r"\1", path)
    return _NUMBER.sub("", path), tuple(int(n) for n in _NUMBER.findall(path))


def _put_state(model: Any, state: dict[str, Any], where: str) -> None:
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and state.get("optimizer_variables") and not optimizer.built:
        optimizer.build(model.trainable_variables)
    groups = model._state_groups()
    pairs, problems = [], []
    for name, tree in state.items():
        if name == "metrics_variables" or (name == "optimizer_variables" and optimizer is None):
            continue  # metrics begin anew with each epoch
        values = _flat(tree)
        own = {variable.path: variable for variable in groups[name]}
        if own.keys() != values.keys():
            form = partial(_by_form, root=model.name)
            theirs, ours = sorted(values, key=form), sorted(own, key=form)
            if [form(p)[0] for p in theirs] != [form(p)[0] for p in ours]:
                problems += [f"not in the checkpoint: {p}" for p in ours if p not in values]
                problems += [f"not in the model: {p}" for p in theirs if p not in own]
                continue
            own = {path: own[mine] for path, mine in zip(theirs, ours, strict=True)}
        for path, value in values.items():
            pairs.append((own[path], value))
            if tuple(own[path].shape) != value.shape:
                problems.append(f"{path}: {tuple(own[path].shape)}, there {value.shape}")
    if problems:
        more = f"\n  ... and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise WeightsMismatchError(
            f"The checkpoint in {where!r} does not fit {type(model).__name__} {model.name!r}; "
            "nothing was changed.\n  " + "\n  ".join(problems[:_SHOWN]) + more
        )
    for variable, value in pairs:
        variable.assign(value)
