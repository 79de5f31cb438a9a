"""Cases of conversion and casting."""

from tests.conformance.op_cases import Case, f, i

CASES = [
    Case("cast", (f(2, 3), "float64"), reference=lambda x, dtype: x),
    Case("cast", (f(2, 3), "int32"), reference=lambda x, dtype: x.astype("int32"), name="to_int"),
    Case("cast", (i(2, 3), "bool"), reference=lambda x, dtype: x.astype(bool), name="to_bool"),
    # The reference is constant, as the result is to differentiation.
    Case("stop_gradient", (f(2, 3),), reference=lambda x: f(2, 3)),
]
