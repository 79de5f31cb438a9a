"""Every public op gives the values, dtypes and symbolic results of Keras 3.15.1.

Keras is a black box here: a process for each backend runs the cases of tests/conformance, and
variants of them in other dtypes and with Python numbers, in both libraries (`ops_oracle_worker`).
Keras's own backends differ from each other in hundreds of these runs, so two things are held:
multikeras gives the same on every backend, and it agrees with Keras on one backend at least, or
Keras refuses on all. All else stands in the tables below. JAX is left out for its time (minutes, as
each eager operation is compiled): tests/conformance holds it to the same references, and
MULTIKERAS_TEST_OPS_ORACLE=numpy,torch,tensorflow,jax takes it in.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from multikeras import ops
from tests.conformance.op_cases import all_cases

ROOT = Path(__file__).resolve().parents[2]
BACKENDS = os.environ.get("MULTIKERAS_TEST_OPS_ORACLE", "numpy,torch,tensorflow").split(",")
Runs = dict[str, dict[str, Any]]  # by backend, then by name: [difference, what multikeras gave]

# Ops that run functions or make and inspect tensors, and where they are tested.
ELSEWHERE = {
    **dict.fromkeys(
        ("associative_scan", "cond", "custom_gradient", "fori_loop", "map", "scan", "switch",
         "vectorize", "vectorized_map", "while_loop"),
        "tests/conformance/test_control_flow.py and test_functional.py",
    ),
    "jvp": "tests/conformance/test_functional.py",
    **dict.fromkeys(
        ("convert_to_numpy", "convert_to_tensor"), "every run of this comparison makes use of it"
    ),
    **dict.fromkeys(("dtype", "is_tensor", "ndim", "shape"), "the doctests: no tensor comes out"),
    **dict.fromkeys(("einsum", "rearrange"), "the cases of einsum_of and _rearranged"),
    **dict.fromkeys(("array", "conj", "hard_swish", "swish"), "the same function under a name"),
}  # fmt: skip

# Differences of a kind, in all ops: the text of a difference, and why.
KINDS = {
    # Fractions of integers are floatx(); in Keras they keep what the framework or NumPy makes.
    r"((; )?float32, not (bool|uint8|int32|int64|float16|float64))+": "fractions are floatx()",
    r"((; )?\((\([^()]*\)), 'float32'\), not \(\3, '(bool|uint8|int32)'\))+": "the same, symbolic",
    r"((; )?int32, not int64)+": "indices and counts are int32",
    r"((; )?b?float16, not float(32|64))+": "16-bit floats stay",
    r"((; )?complex64, not (float64|complex128))+": "complex numbers of 32-bit floats",
    "float32, not bfloat16; float32, not bfloat16": "parts of complex numbers have 32 bits",
}
REAL = "the symbolic result is the real one (Keras's own is not what it computes)"
# Differences of single runs. Each entry must differ: one that agrees is an error.
DIFFERENCES = {
    "sparsemax-*": "rows add up to 1; those of Keras do not",
    "dot_product_attention-wider_value#*/spec": REAL,
    # Complex numbers: Keras's symbolic results know few of them.
    **dict.fromkeys(
        ("real-complex*/spec", "imag-complex*/spec", "angle-complex*/spec", "polar-*/spec",
         "view_as_real-double#*/spec", "abs-complex#*/spec", "reciprocal-complex#*/spec",
         "norm-*/spec", "eig-*/spec"),
        REAL,
    ),
    "var-complex#*/*": "the variance of complex numbers is real",
    "std-complex#*/spec": "so is their deviation",
    "correlate-complex*/*": "Keras drops the imaginary parts",
    # Shapes and dtypes that Keras declares otherwise than it computes them.
    **dict.fromkeys(
        ("corrcoef-*/spec", "multi_hot-*-dtype=bool#*/spec", "slogdet-*/spec", "lu_factor-*/spec",
         "kron-*/spec", "categorical_crossentropy-*axis=1#*/spec", "adaptive_average_pool-*/spec",
         "adaptive_max_pool-*/spec", "select-*/spec", "vstack-*/spec", "rot90-*/spec"),
        REAL,
    ),
    "subtract-bool#*/spec": "True - True is 0, of int32; Keras declares bool and refuses it",
    "sparse_plus-*/uint8": "no integer turns around below 0",
    "sparse_sigmoid-*/uint8": "no integer turns around below 0",
    "conv-1d_causal*/value": "`causal` pads in ops, too; in Keras's only layers do",
    "depthwise_conv-1d_causal*/value": "likewise",
    "round-*/bool": "bool stays",
    "round-bool#*/value": "bool stays",
    "gaussian_blur-*/*": "kernels that are not square are not mixed up; integers are rounded",
    "psnr-*/*": "the mean of integers is not cut off",
    "affine_transform-bilinear_wrap#*/value": "wrapped images repeat after their own size",
    "segment_min-*": "empty segments of integers have the largest number",
    "argpartition-*": "the order of what lies on either side is free",
    "unique-*": "indices beyond the number of values are that of the first",
    "in_top_k-*float16": "targets among equals at the border are out, as for float32",
    "map_coordinates-5_1x10*fill_value=-9.0#*/uint8": "a fill value that uint8 can't hold is 0",
    "elastic_transform-*": "random displacements: the generator is our own",
    "nextafter-*/2": "a Python number takes the tensor's dtype, not that of 64 bits",
    "saturate_cast-*": "limits that the floats can't hold exactly; NaN is 0",
    "istft-*window=None_center=False#*/value": "overlapping frames are divided by their number",
    "istft-*length=40#*/value": "`length` is obeyed beyond the end of the signal",
}  # fmt: skip

# Where multikeras itself differs between backends, or one refuses. Each entry must differ.
NO_KERNEL = "not every framework has a kernel for these dtypes"
OWN_DIFFERENCES = {
    **dict.fromkeys(
        ("relu-*/bool", "relu6-*/bool", "hard_tanh-*/bool", "hard_tanh-*/uint8", "threshold-*/bool",
         "threshold-*/uint8", "dot_product_attention-*/int32", "dot_product_attention-*/uint8",
         "dot_product_attention-*/bool", "*conv*/int32", "*conv*/uint8", "*conv*/bool",
         "max_pool-*/bool", "segment_prod-*/bool", "in_top_k-*/int32",
         "in_top_k-*/uint8", "in_top_k-*/bool", "searchsorted-*/bool", "digitize-*/bool",
         "cholesky-*/bool"),
        NO_KERNEL,
    ),
    "svd-*": "singular vectors are unique but for their signs",
    "eigh-*": "so are eigenvectors",
    "eig-*": "so are eigenvectors",
    "lu_factor-*/uint8": "NumPy goes on with a singular matrix",
    "binary_crossentropy-*/int32": "PyTorch refuses targets beyond [0, 1]",
    "binary_crossentropy-*/uint8": "PyTorch refuses targets beyond [0, 1]",
    "separable_conv-*/bfloat16": "rounded twice",
    "signbit-*/bfloat16": "the sign of NaN is lost where it is converted",
    "vdot-complex#1/*": "PyTorch wants two vectors",
    "take_along_axis-*/[2T1]*": "NumPy takes a number for indices",
    "nanquantile-*/2": "PyTorch refuses fractions beyond [0, 1]",
    "nanquantile-*/1.5": "PyTorch refuses fractions beyond [0, 1]",
}  # fmt: skip


def _run(backend: str, path: Path) -> dict[str, Any]:
    settings = {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.portability.ops_oracle_worker", backend, str(path)],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("ops_oracle")
    found = {backend: _run(backend, folder / f"{backend}.json") for backend in BACKENDS}
    assert len({tuple(run) for run in found.values()}) == 1
    return found


def _is_of_a_kind(text: str) -> bool:
    return any(re.fullmatch(kind, text) for kind in KINDS)


def _entry(name: str, table: dict[str, str]) -> str | None:
    return next((pattern for pattern in table if fnmatchcase(name, pattern)), None)


def _check(problems: dict[str, str], table: dict[str, str]) -> None:
    """Each problem has its entry and each entry its problem."""
    entries = {name: _entry(name, table) for name in problems}
    unknown = {name: text for name, text in problems.items() if entries[name] is None}
    assert not unknown, "\n".join(f"{name}: {text[:300]}" for name, text in unknown.items())
    idle = set(table) - set(entries.values())
    assert not idle, f"meant to differ, but equal: {sorted(idle)}"


def test_ops_agree_with_keras(runs: Runs) -> None:
    problems = {}
    for name in runs[BACKENDS[0]]:
        texts = [runs[backend][name][0] for backend in BACKENDS]
        answers = [text for text in texts if not text.startswith("Keras refuses")]
        if all(texts) and not all(map(_is_of_a_kind, answers)):
            problems[name] = " | ".join(texts)
    _check(problems, DIFFERENCES)


def test_every_kind_of_difference_occurs(runs: Runs) -> None:
    texts = {text for run in runs.values() for text, _ in run.values()}
    idle = [kind for kind in KINDS if not any(re.fullmatch(kind, t) for t in texts)]
    assert not idle


def _unlike(one: list[Any], other: list[Any]) -> str:
    """How two backends' results of multikeras differ."""
    if len(one) != len(other):
        return f"{len(one)} results, not {len(other)}"
    for first, second in zip(one, other, strict=True):
        if "refused" in (first, second):
            if first != second:
                return "refused by one"
        elif first[:2] != second[:2]:
            return f"{first[:2]}, not {second[:2]}"
        else:
            tol = {"bfloat16": 4e-2, "float16": 5e-3}.get(first[0], 2e-4)
            if not np.allclose(first[2], second[2], rtol=tol, atol=tol, equal_nan=True):
                return f"{first[2][:6]}, not {second[2][:6]}"
    return ""


def test_backends_agree_with_each_other(runs: Runs) -> None:
    first, *others = BACKENDS
    problems = {}
    for name, (_, given) in runs[first].items():
        texts = [f"{b}: {text}" for b in others if (text := _unlike(runs[b][name][1], given))]
        if texts:
            problems[name] = " | ".join(texts)
    _check(problems, OWN_DIFFERENCES)


def test_every_op_is_compared_or_tested_elsewhere(runs: Runs) -> None:
    compared = {case.op for case in all_cases()}
    public = {name for name in dir(ops) if name[0] != "_" and callable(getattr(ops, name))}
    assert public - compared == set(ELSEWHERE)
    run = {re.split("[-#]", name)[0] for name in runs[BACKENDS[0]]}
    unknown_to_keras = (public & compared) - run
    assert not unknown_to_keras, f"not in Keras: {sorted(unknown_to_keras)}"
