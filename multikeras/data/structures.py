"""What users call x, y and sample_weight, brought to structures of arrays of one length.

Lists, tuples and dicts nest; leaves are arrays. Tables become arrays, plain lists of numbers
become one array, floating-point arrays get the dtype `floatx()`. Refused by name: leaves that
are no arrays, scalars, empty data, arrays of different lengths.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from multikeras import dtypes, tree
from multikeras.backends import native

core = native.core
_PLAIN = (bool, int, float, str, bytes)


class Rows:
    """Rows that are read from an array-like only when a batch needs them.

    For data that must not be copied as a whole: files (`h5py.Dataset`, `numpy.memmap`) and
    sparse matrices, whose rows become dense.
    """

    def __init__(self, array: Any, dtype: Any, start: int = 0, stop: int | None = None) -> None:
        self._array, self.dtype = array, dtype
        self._start = start
        self._stop = array.shape[0] if stop is None else stop
        self.shape = (self._stop - start, *array.shape[1:])

    def __getitem__(self, rows: slice) -> Any:
        first, last, _ = rows.indices(self.shape[0])
        return self._dense(self._array[self._start + first : self._start + last])

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Rows by number. They are read in ascending order, which files ask for."""
        ascending, back = np.unique(indices, return_inverse=True)
        return self._dense(self._array[ascending + self._start])[back]

    def part(self, start: int, stop: int) -> Rows:
        """The rows from `start` to `stop`, still unread."""
        return Rows(self._array, self.dtype, self._start + start, self._start + stop)

    def _dense(self, rows: Any) -> np.ndarray:
        rows = rows.toarray() if hasattr(rows, "toarray") else np.asarray(rows)
        return rows if rows.dtype == self.dtype else rows.astype(self.dtype)


def room_of(x: Any) -> str:
    """The top package that the type of `x` comes from, such as "pandas"."""
    return type(x).__module__.partition(".")[0]


def is_plain_list(x: Any) -> bool:
    """Whether `x` is a list or tuple that holds nothing but Python numbers or strings."""
    if not isinstance(x, (list, tuple)) or not x:
        return False
    first = x[0]
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    return isinstance(first, _PLAIN) and all(isinstance(v, _PLAIN) for v in tree.flatten(x))


def is_leaf(x: Any) -> bool:
    """Whether `standardize` can make an array of `x` alone."""
    return hasattr(x, "shape") and (
        core.is_tensor(x) or hasattr(x, "__array__") or hasattr(x, "toarray")
    )


def is_arrays(x: Any) -> bool:
    """Whether `x` is an array or a structure of arrays (None may stand for one)."""
    if is_plain_list(x):
        return True
    leaves = [leaf for leaf in tree.flatten(x) if leaf is not None]
    return bool(leaves) and all(is_leaf(leaf) or is_plain_list(leaf) for leaf in leaves)


def _float_target(dtype: Any) -> np.dtype:
    """The dtype that data of a NumPy dtype is used in."""
    floating = np.dtype(dtype).kind == "f" or np.dtype(dtype).name == "bfloat16"
    return dtypes.numpy_dtype(dtypes.floatx()) if floating else np.dtype(dtype)


def as_array(leaf: Any, name: str) -> Any:
    """A leaf as a tensor of the backend, a NumPy array or `Rows`.

    Raises:
        ValueError: for what is no array, a scalar, or a ragged or sparse tensor.
    """
    if core.is_tensor(leaf) and not isinstance(leaf, np.ndarray):
        dtype = core.dtype_name(leaf)
        array = core.cast(leaf, dtypes.floatx()) if dtypes.is_float_dtype(dtype) else leaf
    elif room_of(leaf) == "pandas":
        array = table_to_array(leaf, name)
    elif isinstance(leaf, np.memmap) or room_of(leaf) in ("h5py", "scipy"):
        leaf = leaf.tocsr() if hasattr(leaf, "tocsr") else leaf
        array = Rows(leaf, _float_target(leaf.dtype))
    elif is_leaf(leaf):
        array = np.asarray(on_host(leaf))
        array = array.astype(_float_target(array.dtype), copy=False)
    else:
        raise ValueError(
            f"`{name}`: expected an array or a structure of arrays, got {_short(leaf)} of type "
            f"{type(leaf).__module__}.{type(leaf).__name__}."
        )
    if len(array.shape) == 0:
        raise ValueError(f"`{name}`: expected arrays with a first axis of samples, got a scalar.")
    return array


def on_host(tensor: Any) -> Any:
    """A torch tensor as NumPy can read it; anything else as it is."""
    if not hasattr(tensor, "detach"):
        return tensor
    tensor = tensor.detach().cpu()
    return tensor.float() if str(tensor.dtype) == "torch.bfloat16" else tensor


def table_to_array(table: Any, name: str) -> np.ndarray:
    """A pandas table as an array of two axes; a missing number becomes NaN.

    Raises:
        ValueError: for columns that hold neither numbers nor, all of them, strings.
    """
    if not hasattr(table, "columns"):
        table = table.to_frame()
    kinds = {column: dtype.kind for column, dtype in table.dtypes.items()}
    array = table.to_numpy()
    if all(kind in "biuf" for kind in kinds.values()):
        if array.dtype == object:  # flags beside numbers, or numbers that may be missing
            array = table.to_numpy(dtypes.floatx(), na_value=np.nan)
        return array.astype(_float_target(array.dtype), copy=False)
    if not all(isinstance(value, str) for value in array.flat):
        odd = [column for column, kind in kinds.items() if kind not in "biuf"]
        raise ValueError(
            f"`{name}`: expected a table of numbers; there is something else in column(s) "
            f"{', '.join(map(repr, odd))}. Encode them, or give columns one by one in a dict."
        )
    return array


def _short(x: Any) -> str:
    text = repr(x)
    return text if len(text) <= 80 else f"{text[:77]}..."


def standardize(structure: Any, name: str) -> Any:
    """The structure with an array for every leaf; None leaves stay."""
    if structure is None:
        return None
    if is_plain_list(structure):
        structure = np.asarray(structure)
    if is_leaf(structure):
        return as_array(structure, name)
    if any(is_plain_list(part) for part in _parts(structure)):
        structure = _with_arrays(structure)
    return tree.map_structure(lambda a: None if a is None else as_array(a, name), structure)


def _parts(structure: Any) -> list[Any]:
    if isinstance(structure, Mapping):
        return list(structure.values())
    return list(structure) if isinstance(structure, (list, tuple)) else []


def _with_arrays(structure: Any) -> Any:
    def convert(part: Any) -> Any:
        return np.asarray(part) if is_plain_list(part) else None

    return tree.traverse(convert, structure)


def check_lengths(named: dict[str, Any]) -> int:
    """The number of rows that all arrays of all structures share.

    Raises:
        ValueError: if there are no rows, or not the same number everywhere.
    """
    lengths = {
        name: [int(a.shape[0]) for a in tree.flatten(structure) if a is not None]
        for name, structure in named.items()
        if structure is not None
    }
    different = {n for counts in lengths.values() for n in counts}
    if not different:
        raise ValueError(f"No data: there is no array in {' or '.join(f'`{n}`' for n in named)}.")
    if len(different) > 1:
        told = ", ".join(
            f"`{name}` has {' and '.join(map(str, dict.fromkeys(counts)))}"
            for name, counts in lengths.items()
        )
        raise ValueError(f"All arrays must have the same number of rows (samples), but {told}.")
    rows = different.pop()
    if rows == 0:
        raise ValueError(f"The data is empty: `{next(iter(lengths))}` has no rows.")
    return rows


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Splits what a dataset yields into inputs, targets and sample weights.

    Args:
        data: `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`; a list counts as a tuple.

    Returns:
        `(x, y, sample_weight)`, None where there is none.

    Raises:
        ValueError: for a tuple of another length, and for a namedtuple, which could be meant
            as a tuple or as one structured input.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if not isinstance(data, (tuple, list)):
        return data, None, None
    if hasattr(data, "_fields"):
        raise ValueError(
            f"Got the namedtuple {type(data).__name__} where `(x, y, sample_weight)` was expected; "
            "what its fields mean is ambiguous. Give a plain tuple of up to three elements; wrap "
            "the namedtuple if it is the input: `(namedtuple,)`."
        )
    count = len(data)
    if count == 3:
        return data[0], data[1], data[2]
    if count == 2:
        return data[0], data[1], None
    if count == 1:
        return data[0], None, None
    raise ValueError(
        "Data must have the form `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`; got "
        f"{count} elements."
    )


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The opposite of `unpack_x_y_sample_weight`.

    Args:
        x: inputs.
        y: targets, or None.
        sample_weight: sample weights, or None.

    Returns:
        `x` (in a tuple where it is a structure), `(x, y)` or `(x, y, sample_weight)`.

    Example:
        >>> pack_x_y_sample_weight(1, 2)
        (1, 2)
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (list, tuple)) else x


def train_validation_split(
    arrays: tuple[Any, Any, Any], validation_split: float
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Sets the last rows apart, before any shuffling.

    Args:
        arrays: structures of arrays, or None; usually `(x, y, sample_weight)`.
        validation_split: the fraction of the rows to set apart, between 0 and 1.

    Returns:
        Two tuples like `arrays`: the rows to train on, the rows to validate on.

    Raises:
        ValueError: if the data is no arrays, or one of the two parts would be empty.

    Example:
        >>> (x, _), (held_out, _) = train_validation_split((np.arange(10), None), 0.2)
        >>> len(x), held_out.tolist()
        (8, [8, 9])
    """
    for value in arrays:
        if value is not None and not is_arrays(value):
            raise ValueError(
                "`validation_split` needs arrays, whose last rows can be set apart; got "
                f"{type(value).__name__}. Use `validation_data` with other kinds of data."
            )
    names = ("x", "y", "sample_weight")
    named = {n: standardize(v, n) for n, v in zip(names, arrays, strict=False)}
    rows = check_lengths(named)
    split = int(rows * (1.0 - validation_split))
    if not 0 < split < rows:
        raise ValueError(
            f"validation_split={validation_split} of {rows} rows leaves {split} to train on and "
            f"{rows - split} to validate on; both must be at least 1."
        )

    def part(start: int, stop: int) -> tuple[Any, ...]:
        def cut(a: Any) -> Any:
            if a is None:
                return None
            return a.part(start, stop) if isinstance(a, Rows) else a[start:stop]

        return tuple(tree.map_structure(cut, s) for s in named.values())

    return part(0, split), part(split, rows)


def class_weight_to_sample_weights(
    y: Any, class_weight: Mapping[int, float], sample_weight: Any = None
) -> np.ndarray:
    """A weight for every sample (or time step), from the weight of its class.

    Args:
        y: one array of targets: class numbers of shape `(n,)` or, where there are more axes,
            with a last axis of 1; or one-hot rows along the last axis, smoothed ones too.
        class_weight: weights by class number; a class that is not there weighs 1.
        sample_weight: weights that these are multiplied with: an array of shape `(n,)` or, for
            temporal targets, `(n, steps)`; or None.

    Returns:
        An array of dtype `floatx()`. Its shape is that of `y` without the last axis, `(n,)` for
        targets of one axis; a `sample_weight` of more axes gives it these.

    Raises:
        ValueError: if there are no targets, several arrays of them, targets of two or more axes
            that are neither, or if `class_weight` is no dict from class numbers to weights.

    Example:
        >>> class_weight_to_sample_weights(np.array([0, 1, 2]), {1: 3.0}).tolist()
        [1.0, 3.0, 1.0]
        >>> class_weight_to_sample_weights(np.eye(2), {1: 3.0}, np.array([2.0, 2.0])).tolist()
        [2.0, 6.0]
    """
    if y is None:
        raise ValueError("`class_weight` needs targets, but there are none.")
    if tree.is_nested(y) or tree.is_nested(sample_weight):
        raise ValueError(
            "`class_weight` needs a model with one output; the targets or sample weights are a "
            "structure of arrays. Use `sample_weight` alone instead."
        )
    numbers, factors = _class_weights(class_weight)
    labels = _class_numbers(y if isinstance(y, np.ndarray) else native.engine.to_host(y))
    places = np.minimum(np.searchsorted(numbers, labels), len(numbers) - 1)
    weights = np.where(numbers[places] == labels, factors[places], 1.0)
    if sample_weight is not None:
        if not isinstance(sample_weight, np.ndarray):
            sample_weight = native.engine.to_host(sample_weight)
        weights = _times(weights, sample_weight)
    return weights.astype(dtypes.numpy_dtype(dtypes.floatx()))


def _class_weights(class_weight: Any) -> tuple[np.ndarray, np.ndarray]:
    """The class numbers in ascending order, and their weights."""
    problem = None
    if not isinstance(class_weight, Mapping) or not class_weight:
        problem = f"got {_short(class_weight)}"
    elif any(isinstance(weight, (Mapping, list, tuple)) for weight in class_weight.values()):
        problem = "weights by output are not supported: only a model with one output has them"
    elif any(isinstance(k, str) or int(k) != k for k in class_weight):
        problem = f"got the classes {_short(list(class_weight))}"
    if problem is not None:
        raise ValueError(
            f"`class_weight`: expected a dict from class numbers to weights; {problem}."
        )
    numbers = np.array([int(k) for k in class_weight], np.int64)
    order = np.argsort(numbers)
    return numbers[order], np.array(list(class_weight.values()), np.float64)[order]


def _class_numbers(y: np.ndarray) -> np.ndarray:
    """Class numbers from targets in any of the forms that tell them."""
    if y.ndim > 1 and y.shape[-1] == 1:
        y = y[..., 0]
    elif y.ndim > 1:
        y = y.astype(np.float64)
        if y.min(initial=0.0) < -1e-6 or (np.abs(y.sum(axis=-1) - 1.0) > 1e-3).any():
            raise ValueError(
                "`class_weight`: targets of two or more axes must be one-hot along the last one, "
                f"or have class numbers and a last axis of 1; got other targets of shape {y.shape}."
            )
        return y.argmax(axis=-1)
    return np.round(y.astype(np.float64)).astype(np.int64)


def _times(weights: np.ndarray, sample_weight: np.ndarray) -> np.ndarray:
    """The product of weights by sample with others by time step, or the other way round."""
    axes = max(weights.ndim, sample_weight.ndim)
    first, second = (a[(...,) + (None,) * (axes - a.ndim)] for a in (weights, sample_weight))
    try:
        return first * second
    except ValueError:
        raise ValueError(
            f"`sample_weight` of shape {sample_weight.shape} can't be multiplied with weights by "
            f"class of shape {weights.shape}."
        ) from None
