"""One process of the comparison of ops with Keras 3: one backend, both libraries side by side.

    python -m tests.portability.ops_oracle_worker BACKEND FILE

runs every case of the tables of tests/conformance whose op is public, and variants of it in other
dtypes, with Python numbers and with symbolic tensors, and writes into FILE (JSON) for each how
the libraries differ ("" where they agree) and what multikeras gave. One that both refuse is an
agreement.
"""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

BACKEND, OUTPUT = sys.argv[1:]
os.environ |= {"KERAS_BACKEND": BACKEND, "MULTIKERAS_BACKEND": BACKEND}

import keras  # noqa: E402

import multikeras  # noqa: E402
from tests.conformance.op_cases import Case, all_cases, is_float  # noqa: E402

LIBRARIES = (multikeras, keras)
# Other dtypes in which the first cases of each op are run, and how floats become these.
MADE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "int32": lambda x: np.round(2 * x),
    "uint8": lambda x: np.abs(np.round(2 * x)),
    "bool": lambda x: x > 0,
    "float16": lambda x: x,
    "bfloat16": lambda x: x,
}
TOLERANCES = {"float16": 4e-3, "bfloat16": 4e-2}
NUMBERS = (2, 1.5, True)


def public(library: Any, name: str) -> Callable | None:
    """The function of that name in `ops`, or in one of its rooms."""
    for room in (library.ops, library.ops.image, library.ops.linalg, library.ops.nn):
        if callable(getattr(room, name, None)):
            return getattr(room, name)
    return None


def leaves(result: Any) -> list[Any]:
    """The tensors of a result, without its structure."""
    if isinstance(result, dict):
        return [leaf for value in result.values() for leaf in leaves(value)]
    if isinstance(result, (list, tuple)):
        return [leaf for value in result for leaf in leaves(value)]
    return [] if result is None else [result]


def dtype_of(library: Any, x: Any) -> str:
    if not hasattr(x, "dtype"):
        return type(x).__name__
    name = str(x.dtype).removeprefix("torch.")
    return name if name == "complex32" else str(library.backend.standardize_dtype(x.dtype))


def attempt(fn: Callable[[Any], Any], library: Any) -> tuple[Any, str | None]:
    """A result, or the text of the error in its place."""
    try:
        return leaves(fn(library)), None
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"[:300]


def outcome(fn: Callable[[Any], Any], compare: Callable[[Any, Any], str]) -> tuple[str, list[Any]]:
    """How the two libraries' results of `fn(library)` differ, and what multikeras gives."""
    ours, our_error = attempt(fn, multikeras)
    theirs, their_error = attempt(fn, keras)
    given = [stored(x) for x in ours or []] if not our_error else ["refused"]
    if their_error:
        return "" if our_error else f"Keras refuses: {their_error}", given
    if our_error:
        return f"multikeras refuses: {our_error}", given
    if len(ours) != len(theirs):
        return f"{len(ours)} results, not {len(theirs)}", given
    return "; ".join(filter(None, map(compare, ours, theirs))), given


def stored(x: Any) -> list[Any]:
    """Dtype, shape and values of a result of multikeras, for JSON."""
    if isinstance(x, multikeras.KerasTensor):
        return [x.dtype, list(x.shape), []]
    values = host(multikeras, x)
    flat = values.ravel()
    if values.dtype.kind == "c":
        flat = np.stack([flat.real, flat.imag], -1).ravel()
    return [dtype_of(multikeras, x), list(values.shape), flat.tolist()]


def host(library: Any, x: Any) -> np.ndarray:
    wider = {"bfloat16": "float32", "complex32": "complex64"}.get(dtype_of(library, x))
    if wider:
        x = library.ops.cast(x, wider)
    return np.asarray(library.ops.convert_to_numpy(x))


def compare_values(tol: float, values: bool) -> Callable[[Any, Any], str]:
    def compare(ours: Any, theirs: Any) -> str:
        dtypes = dtype_of(multikeras, ours), dtype_of(keras, theirs)
        actual, wanted = host(multikeras, ours), host(keras, theirs)
        if actual.shape != wanted.shape:
            return f"shape {actual.shape}, not {wanted.shape}"
        if dtypes[0] != dtypes[1]:
            return f"{dtypes[0]}, not {dtypes[1]}"
        if not values or np.allclose(actual, wanted, rtol=tol, atol=tol, equal_nan=True):
            return ""
        return f"values {actual.ravel()[:6].tolist()}, not {wanted.ravel()[:6].tolist()}"

    return compare


def compare_specs(ours: Any, theirs: Any) -> str:
    found = [
        (tuple(spec.shape), dtype_of(library, spec))
        for library, spec in zip(LIBRARIES, (ours, theirs), strict=True)
    ]
    return "" if found[0] == found[1] else f"{found[0]}, not {found[1]}"


def run_values(case: Case, dtype: str | None = None) -> tuple[str, list[Any]]:
    def call(library: Any) -> Any:
        tensors = []
        for a in case.arrays():
            changed = dtype if dtype and is_float(a) else None
            array = MADE[changed](a) if changed else a
            tensors.append(library.ops.convert_to_tensor(array, changed or a.dtype.name))
        return case.call(tensors, public(library, case.op))

    tol = TOLERANCES.get(dtype or "", np.maximum(case.tol, 2e-5))
    return outcome(call, compare_values(tol, case.reference is not False))


def run_specs(case: Case) -> tuple[str, list[Any]]:
    def call(library: Any) -> Any:
        symbols = [
            library.KerasTensor((None, *a.shape[1:]) if unknown else a.shape, a.dtype.name)
            for a, unknown in zip(case.arrays(), case.shares_batch(), strict=True)
        ]
        return case.call(symbols, public(library, case.op))

    return outcome(call, compare_specs)


def run_number(case: Case, number: Any) -> tuple[str, list[Any]]:
    """The last tensor of a case replaced by a Python number."""

    def call(library: Any) -> Any:
        tensors = [library.ops.convert_to_tensor(a) for a in case.arrays()]
        return case.call([*tensors[:-1], number], public(library, case.op))

    return outcome(call, compare_values(2e-5, True))


def runs() -> Iterator[tuple[str, Callable[[], tuple[str, list[Any]]]]]:
    """All that is compared: (name, what runs it)."""
    seen: dict[str, int] = {}
    for case in all_cases():
        # What stands `through` a function is unique only in part.
        if case.through or not (public(multikeras, case.op) and public(keras, case.op)):
            continue
        number = seen[case.op] = seen.get(case.op, 0) + 1
        label = f"{case}#{number}"
        yield f"{label}/value", lambda case=case: run_values(case)
        if not case.arrays():
            continue
        if case.symbolic:
            yield f"{label}/spec", lambda case=case: run_specs(case)
        if number > 1:
            continue
        if any(map(is_float, case.arrays())):
            for dtype in MADE:
                yield f"{label}/{dtype}", lambda case=case, d=dtype: run_values(case, d)
        if len(case.args) == len(case.arrays()) == 2:
            for value in NUMBERS:
                yield f"{label}/{value}", lambda case=case, v=value: run_number(case, v)


def main() -> None:
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    found: dict[str, tuple[str, list[Any]]] = {}
    for name, run in runs():
        assert name not in found, name
        found[name] = run()
    with open(OUTPUT, "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main()
