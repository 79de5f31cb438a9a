"""The variables of a model to an HDF5 file and back, in the layout of Keras 3.

Writing streams, one variable at a time. Reading is strict: first the whole file is compared
with the whole model by names and shapes, and only if every variable has its value and every
value its variable is anything assigned; otherwise one error lists both sides.

Beside what Keras stores stand, under `multikeras/`, the states of seed generators, the seed of
`fit`'s shuffle order, and the version of the random algorithm that they are meant for. With a
file of another version, a warning says so and the model keeps random state of its own: weights
and optimizer go on, dropout masks and shuffle order do not.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from multikeras import dtypes
from multikeras.backends import native
from multikeras.backends.threefry import ALGORITHM_VERSION
from multikeras.saving.hdf5 import Arrays, StoredArray, StoredGroup, write_array
from multikeras.saving.walk import is_saveable, walk
from multikeras.variables import StatelessScope, Variable

if TYPE_CHECKING:
    import h5py

# Our own additions to a file stand under this group; Keras passes over it.
OWN_GROUP = "multikeras"
SEEDS_GROUP = f"{OWN_GROUP}/seed_generators"
RANDOM_GROUP = f"{OWN_GROUP}/random"
_SHOWN = 12
_EMPTY = StoredGroup(None, {})


class WeightsMismatchError(ValueError):
    """A file of weights and a model don't fit together."""


class _Recorder(MutableMapping[str, Any]):
    """A store that remembers what it was given and reads nothing."""

    def __init__(self) -> None:
        self.items_: dict[str, Any] = {}

    def __setitem__(self, key: str, value: Any) -> None:
        self.items_[str(key)] = value

    def __getitem__(self, key: str) -> Any:
        return self.items_[str(key)]

    def __delitem__(self, key: str) -> None:
        del self.items_[str(key)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.items_)

    def __len__(self) -> int:
        return len(self.items_)


class _GroupWriter(_Recorder):
    """A store that writes each value at once."""

    def __init__(self, group: h5py.Group) -> None:
        super().__init__()
        self._group = group

    def __setitem__(self, key: str, value: Any) -> None:
        key = str(key)
        if not key or "/" in key or key in (".", ".."):
            raise ValueError(
                f"save_own_variables: {key!r} can't be the name of a value; use a name without '/'."
            )
        if key in self._group:
            del self._group[key]
        write_array(self._group, key, host_array(value))
        self.items_[key] = value


class _GroupReader(Mapping[str, Any]):
    """A store that reads a value when it is asked for it."""

    def __init__(self, group: StoredGroup) -> None:
        self._arrays = group.arrays

    def __getitem__(self, key: str) -> np.ndarray:
        return self._arrays[str(key)].read()

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._arrays, key=lambda key: (len(key), key)))

    def __len__(self) -> int:
        return len(self._arrays)


def host_array(value: Any) -> np.ndarray:
    """The values of a variable, a tensor or an array-like, in its own dtype, on the host."""
    dtype = None
    if isinstance(value, Variable):
        dtype, value = dtypes.numpy_dtype(value.dtype), value.value
    if native.core.is_tensor(value):
        if dtype is None:
            dtype = dtypes.numpy_dtype(native.core.dtype_name(value))
        value = native.core.convert_to_numpy(value)
    array = np.asarray(value)
    return array if dtype is None or array.dtype == dtype else array.astype(dtype)


def write_weights(root: Any, file: h5py.Group, with_optimizer: bool = True) -> None:
    """Write the variables of `root` and of everything in it.

    Args:
        root: A model, layer or optimizer.
        file: The HDF5 file or group to write to.
        with_optimizer: Whether the optimizer's state is written too.
    """
    write_weights_to(root, lambda path, value: file, with_optimizer)


def write_weights_to(
    root: Any, choose: Callable[[str, Any], h5py.Group], with_optimizer: bool = True
) -> None:
    """Write variables to the files that `choose(group, object)` gives, one for each object."""
    random = False
    for path, value in walk(root):
        if _is_optimizer_path(path) and not with_optimizer:
            continue
        file = choose(_group_path(path), value)
        if is_saveable(value):
            group = file.create_group(_group_path(path))
            group.attrs["name"] = str(getattr(value, "name", ""))
            value.save_own_variables(_GroupWriter(group))
        else:
            random = True
            group = file.require_group(f"{SEEDS_GROUP}/{path}")
            write_array(group, "state", host_array(value.state))
    shuffle_seed = getattr(root, "_shuffle_seed", None) if with_optimizer else None
    if random or shuffle_seed is not None:
        group = choose("", None).require_group(RANDOM_GROUP)
        write_array(group, "algorithm_version", np.asarray(ALGORITHM_VERSION, np.int64))
        if shuffle_seed is not None:
            write_array(group, "shuffle_seed", np.asarray(shuffle_seed, np.int64))


def _group_path(path: str) -> str:
    return f"{path}/vars" if path else "vars"


def _is_optimizer_path(path: str) -> bool:
    return path == "optimizer" or path.startswith("optimizer/")


@dataclass
class _Plan:
    """What reading would do, found out before anything is assigned."""

    loads: list[tuple[Any, StoredGroup]] = field(default_factory=list)
    seeds: list[tuple[Any, StoredArray]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    misshapen: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    shuffle_seed: StoredArray | None = None

    @property
    def fits(self) -> bool:
        return not (self.missing or self.unexpected or self.misshapen or self.refused)


def read_weights(
    root: Any, reader: Arrays, skip_mismatch: bool = False, with_optimizer: bool = True
) -> None:
    """Give the variables of `root` the values of a file.

    Args:
        root: A model, layer or optimizer, built.
        reader: The file.
        skip_mismatch: Load the objects that fit and warn about the others, instead of
            raising.
        with_optimizer: Whether the optimizer's state is read too.

    Raises:
        WeightsMismatchError: (a `ValueError`) if a variable has no value, a value has no
            variable, or their shapes differ. Nothing has been changed then.
        CorruptFileError: if the file is damaged.
    """
    plan = _make_plan(root, reader, with_optimizer)
    if not plan.fits:
        message = _describe(root, reader.path, plan)
        if not skip_mismatch:
            raise WeightsMismatchError(
                f"{message}\nNothing was changed. With skip_mismatch=True, what fits is loaded."
            )
        warnings.warn(f"{message}\nThese were skipped.", stacklevel=3)
    for note in plan.notes:
        warnings.warn(note, stacklevel=3)
    for value, group in plan.loads:
        value.load_own_variables(_GroupReader(group))
    for generator, array in plan.seeds:
        generator.state.assign(array.read())
    if plan.shuffle_seed is not None:
        root._shuffle_seed = int(plan.shuffle_seed.read())


def _make_plan(root: Any, reader: Arrays, with_optimizer: bool) -> _Plan:
    plan = _Plan()
    used: set[str] = set()
    has_optimizer = False
    for path, value in walk(root):
        if not is_saveable(value):
            _plan_seed(plan, path, value, reader)
            continue
        if _is_optimizer_path(path):
            has_optimizer = True
            if not with_optimizer:
                continue
        group_path = _group_path(path)
        used.add(group_path)
        group = reader.groups.get(group_path, _EMPTY)
        if path == "optimizer" and not _optimizer_state_fits(plan, root, value, group):
            with_optimizer = False
            continue
        _plan_object(plan, group_path, value, group)
    skips_optimizer = not (has_optimizer and with_optimizer)
    _plan_random(plan, root, reader, with_shuffle=not skips_optimizer)
    for path, group in reader.groups.items():
        if path in used or path == OWN_GROUP or path.startswith(f"{OWN_GROUP}/"):
            continue
        if skips_optimizer and _is_optimizer_path(path):
            continue
        for array in group.arrays.values():
            plan.unexpected.append(f"{array.path} {array.shape}")
    return plan


def _plan_seed(plan: _Plan, path: str, generator: Any, reader: Arrays) -> None:
    group = reader.groups.get(f"{SEEDS_GROUP}/{path}", _EMPTY)
    array = group.arrays.get("state")  # Keras doesn't store it
    if array is not None and array.shape == tuple(generator.state.shape):
        plan.seeds.append((generator, array))


def _plan_random(plan: _Plan, root: Any, reader: Arrays, with_shuffle: bool) -> None:
    """Takes up the shuffle seed; drops all random state that another algorithm wrote."""
    arrays = reader.groups.get(RANDOM_GROUP, _EMPTY).arrays
    scalars = {name: a for name, a in arrays.items() if a.shape == () and "int" in a.dtype}
    version = scalars.get("algorithm_version")
    if version is not None and (written := int(version.read())) != ALGORITHM_VERSION:
        plan.seeds.clear()
        plan.notes.append(
            f"{reader.path!r} holds the random state of version {written} of the random "
            f"algorithm; this one has version {ALGORITHM_VERSION}. The state is passed over: "
            "dropout masks and the shuffle order won't go on where that run stopped."
        )
        return
    seed = scalars.get("shuffle_seed")
    # It belongs to a run, so to the optimizer's state; a plain layer has no order of data.
    if with_shuffle and seed is not None and hasattr(root, "_shuffle_seed"):
        plan.shuffle_seed = seed


def _optimizer_state_fits(plan: _Plan, root: Any, optimizer: Any, group: StoredGroup) -> bool:
    """Whether the file has the state of an optimizer that has taken steps; makes room for it."""
    name = getattr(optimizer, "name", "optimizer")
    scalars_only = all(array.shape == () for array in group.arrays.values())
    own = own_variables(optimizer)
    if scalars_only and len(group.arrays) != len(own):
        plan.notes.append(
            f"The file has no state of an optimizer that has taken steps, so the optimizer "
            f"{name!r} stays as it is."
        )
        return False
    if len(group.arrays) > len(own) and not getattr(optimizer, "built", True):
        optimizer.build(root.trainable_variables)
    return True


def own_variables(value: Any) -> dict[str, Any]:
    """What the object would store, by name, without reading it where that can be avoided."""
    if _of_library(value, "save_own_variables") and hasattr(value, "_own_weights"):
        return {str(i): variable for i, variable in enumerate(value._own_weights())}
    recorder = _Recorder()
    value.save_own_variables(recorder)
    return recorder.items_


def _plan_object(plan: _Plan, group_path: str, value: Any, group: StoredGroup) -> None:
    if not _of_library(value, "load_own_variables"):
        # Only the object knows what it reads; let it try where assignments don't last.
        try:
            with StatelessScope():
                value.load_own_variables(_GroupReader(group))
        except Exception as error:
            plan.refused.append(f"{group_path}: {type(value).__name__} {value.name!r}: {error}")
        else:
            plan.loads.append((value, group))
        return
    own = own_variables(value)
    missing = [key for key in own if key not in group.arrays]
    unexpected = [key for key in group.arrays if key not in own]
    misshapen = [
        (key, tuple(own[key].shape), group.arrays[key].shape)
        for key in own
        if key in group.arrays and tuple(own[key].shape) != group.arrays[key].shape
    ]
    plan.missing += [f"{group_path}/{key} {_label(own[key])}" for key in missing]
    plan.unexpected += [f"{group_path}/{key} {group.arrays[key].shape}" for key in unexpected]
    plan.misshapen += [
        f"{group_path}/{key} {_label(own[key])}, in the file {there}" for key, _, there in misshapen
    ]
    if not (missing or unexpected or misshapen) and own:
        plan.loads.append((value, group))


def _of_library(value: Any, method: str) -> bool:
    """Whether a method is the library's, not a user's own."""
    for cls in type(value).__mro__:
        if method in vars(cls):
            return cls.__module__.startswith("multikeras.")
    return False


def _label(variable: Any) -> str:
    path = getattr(variable, "path", "")
    return f"{path} {tuple(variable.shape)}".strip()


def _describe(root: Any, path: str, plan: _Plan) -> str:
    lines = [f"{path!r} does not fit {type(root).__name__} {getattr(root, 'name', '')!r}."]
    if plan.missing and not getattr(root, "built", True):
        lines.append(
            "The model has not been built yet: call it on data, or build(input_shape), first."
        )
    parts = (
        ("Variables of the model that have no value in the file", plan.missing),
        ("Values of the file that have no variable in the model", plan.unexpected),
        ("Variables whose value has another shape", plan.misshapen),
        ("Objects that did not take their values", plan.refused),
    )
    for title, entries in parts:
        if entries:
            lines.append(f"{title} ({len(entries)}):")
            lines += [f"  {entry}" for entry in entries[:_SHOWN]]
            if len(entries) > _SHOWN:
                lines.append(f"  ... and {len(entries) - _SHOWN} more")
    return "\n".join(lines)
