"""The cases, in the order of the table; each has a `CASE` and a `prepare`.

`prepare(library, backend, tiny)` imports the library, builds what is measured, and gives a
function that runs one repetition and gives the costs. The modules themselves import no framework.
"""

from benchmarks.case import Case
from benchmarks.cases import (
    add,
    build,
    fit_cnn,
    fit_lstm,
    fit_mlp,
    fit_transformer,
    imports,
    kernels,
    mlp_call,
    ops,
    weights,
)

_MODULES = (
    imports,
    add,
    mlp_call,
    fit_mlp,
    fit_cnn,
    fit_lstm,
    fit_transformer,
    build,
    weights,
    ops,
    kernels,
)
CASES: dict[str, Case] = {module.CASE.name: module.CASE for module in _MODULES}
