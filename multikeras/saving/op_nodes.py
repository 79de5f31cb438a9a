"""Calls of ops in a graph, in the form in which Keras 3 writes them, and back.

Keras has a class for every op: `sum(x, axis=1)` is a node of class `keras.src.ops.numpy.Sum`
whose config holds `axis` and `keepdims` and whose call holds the tensor. The tables here say
which op is which class and which of its arguments stand in the call. An op that Keras doesn't
have, or not with these arguments, is written under `multikeras.ops`; Keras refuses such a file.
Refused when reading: every class that is in no table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from multikeras import activations, ops, registry, tree
from multikeras.ops._declare import REGISTRY, Op, OpCall
from multikeras.serialization import (
    UnknownObjectError,
    deserialize_keras_object,
    serialize_keras_object,
)
from multikeras.symbolic import KerasTensor

OWN_MODULE = "multikeras.ops"
_ROOT = "keras.src.ops."

# The ops by the module of Keras that has their class.
_MODULES = {
    "numpy": """
        absolute add all amax amin angle any append argmax argmin argpartition argsort array
        array_split average bincount bitwise_and bitwise_not bitwise_or bitwise_xor
        broadcast_to cbrt ceil clip concatenate conjugate copy correlate cos cosh count_nonzero
        cross cumprod cumsum deg2rad diag diagflat diagonal diff digitize divide divide_no_nan
        dot dsplit dstack einsum empty_like equal exp exp2 expand_dims expm1 fabs flip fliplr
        flipud floor floor_divide fmax fmin fmod full_like gcd geomspace get_item greater
        greater_equal heaviside histogram hsplit hstack hypot imag inner isclose isfinite isinf
        isnan isneginf isposinf isreal kron lcm ldexp left_shift less less_equal linspace log
        log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor
        logspace matmul max maximum mean median meshgrid min minimum mod moveaxis multiply
        nan_to_num nanmax nanmean nanmedian nanmin nanprod nanquantile nanstd nansum nanvar
        negative nextafter nonzero not_equal ones_like outer pad percentile power prod ptp
        quantile rad2deg ravel real reciprocal repeat reshape right_shift roll rot90 round
        searchsorted select sign signbit sin sinc sinh slogdet sort split sqrt square squeeze
        stack std subtract sum swapaxes take take_along_axis tan tanh tensordot tile trace
        transpose tril triu true_divide trunc unravel_index vander var vdot view vsplit vstack
        where zeros_like arccos arccosh arcsin arcsinh arctan arctan2 arctanh
    """,
    "nn": """
        average_pool batch_normalization binary_crossentropy categorical_crossentropy celu conv
        conv_transpose ctc_decode ctc_loss depth_to_space depthwise_conv dot_product_attention
        elu fold gelu glu hard_shrink hard_sigmoid hard_silu hard_tanh layer_normalization
        leaky_relu log_sigmoid log_softmax max_pool moments multi_hot normalize one_hot polar
        psnr relu relu6 rms_normalization selu separable_conv sigmoid silu soft_shrink softmax
        softplus softsign space_to_depth sparse_categorical_crossentropy sparse_plus
        sparse_sigmoid sparsemax squareplus tanh_shrink threshold unfold
    """,
    "math": """
        erf erfc erfinv extract_sequences fft fft2 ifft2 in_top_k irfft istft logdet logsumexp
        rfft rsqrt segment_max segment_sum stft top_k view_as_complex view_as_real
    """,
    "core": """
        cast saturate_cast scatter scatter_update slice slice_update stop_gradient unstack
    """,
    "linalg": """
        cholesky cholesky_inverse det eig eigh inv lstsq lu_factor matrix_rank norm pinv qr
        solve solve_triangular svd
    """,
    "image": """
        affine_transform crop_images elastic_transform extract_patches gaussian_blur hsv_to_rgb
        map_coordinates pad_images perspective_transform resize rgb_to_grayscale rgb_to_hsv
        scale_and_translate
    """,
    "einops": "rearrange",
}
# Where the class is not the op's name in camel case.
_CLASS_NAMES = {
    "batch_normalization": "BatchNorm",
    "ctc_decode": "CTCDecode",
    "ctc_loss": "CTCLoss",
    "hsv_to_rgb": "HSVToRGB",
    "irfft": "IRFFT",
    "fft": "FFT",
    "fft2": "FFT2",
    "ifft2": "IFFT2",
    "istft": "ISTFT",
    "layer_normalization": "LayerNorm",
    "psnr": "PSNR",
    "rfft": "RFFT",
    "rgb_to_grayscale": "RGBToGrayscale",
    "rgb_to_hsv": "RGBToHSV",
    "rms_normalization": "RMSNorm",
    "searchsorted": "SearchSorted",
    "stft": "STFT",
    "svd": "SVD",
}
# What the call holds, where that is not just the op's tensors: by position, and by name.
_IN_CALL: dict[str, tuple[str, str]] = {
    "average": ("x", "weights"),
    "bincount": ("x", ""),
    "clip": ("x", ""),
    "dot_product_attention": ("query key value", "bias mask scale"),
    "get_item": ("x key", ""),
    "isclose": ("x1 x2 rtol atol", ""),
    "pad": ("x", "constant_values"),
    "rms_normalization": ("x", "scale"),
    "slice": ("inputs start_indices", ""),
    "slice_update": ("inputs start_indices updates", ""),
}
# Ops of ours that stand for one of another name, and those whose tensors the call spreads out.
_SAME_AS = {
    "abs": "absolute",
    "einsum_of": "einsum",
    "meshgrid_of": "meshgrid",
    "outer_product": "outer",
}
_SPREAD = {"einsum": "operands", "meshgrid": "xs"}


@dataclass(frozen=True)
class _Form:
    """How Keras writes an op."""

    op: str
    module: str
    class_name: str
    positional: tuple[str, ...]
    named: tuple[str, ...]
    spread: str | None

    def in_config(self, op: Op) -> list[str]:
        """The parameters that stand in the config."""
        return [p for p in op.signature.parameters if p not in (*self.positional, *self.named)]


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _make_forms() -> dict[str, _Form]:
    module_of = {name: module for module, text in _MODULES.items() for name in text.split()}
    forms = {}
    for name, op in REGISTRY.items():
        common = _SAME_AS.get(name, name)
        if common not in module_of:
            continue
        tensors = " ".join(tensor for _, tensor, _ in op.tensors)
        positional, named = _IN_CALL.get(common, (tensors, ""))
        forms[name] = _Form(
            name,
            _ROOT + module_of[common],
            _CLASS_NAMES.get(common, _camel(common)),
            tuple(positional.split()),
            tuple(named.split()),
            _SPREAD.get(common),
        )
    return forms


_FORMS = _make_forms()
# The first of two ops that are written alike is the one that is read.
_BY_CLASS: dict[tuple[str, str], _Form] = {}
for _form in sorted(_FORMS.values(), key=lambda form: form.op in ("abs", "outer_product")):
    _BY_CLASS.setdefault((_form.module, _form.class_name), _form)


def _convert_to_tensor(x: Any, dtype: Any = None, **ignored: Any) -> Any:
    return x if dtype is None else ops.cast(x, dtype)


# Classes that stand for no single op of ours.
_FUNCTIONS: dict[tuple[str, str], Callable[..., Any]] = {
    (_ROOT + "core", "ConvertToTensor"): _convert_to_tensor,
    ("keras.src.activations.activations", "ReLU"): activations.relu,
}


def is_op_node(entry: Mapping[str, Any]) -> bool:
    """Whether a node's entry in a graph's config is of an op, not of a layer."""
    module = entry.get("module")
    if not isinstance(module, str):
        return False
    known = (module, entry.get("class_name")) in _FUNCTIONS
    return known or module == OWN_MODULE or module.startswith(_ROOT)


def op_module(class_name: Any) -> str | None:
    """The module of Keras that has an op's class of that name, or None."""
    return next((module for module, name in _BY_CLASS if name == class_name), None)


# -- writing -----------------------------------------------------------------------------------


def write_op(operation: OpCall, calls: list[tuple[tuple, dict]]) -> tuple[dict, list[tuple]]:
    """An op's class entry, and its calls with what they hold in Keras's form.

    Args:
        operation: The operation of a graph.
        calls: Its calls, `(args, kwargs)` as the op takes them.

    Returns:
        `{"module", "class_name", "config", "registered_name"}` and the calls `(args, kwargs)`.
    """
    op = operation.op
    bound = [_bind(op, args, kwargs) for args, kwargs in calls]
    form = _FORMS.get(op.name)
    if form is None or not _fits(form, op, bound):
        entry = _entry(OWN_MODULE, op.name, {"name": operation.name})
        return entry, [((), arguments) for arguments in bound]
    static = {name: bound[0][name] for name in form.in_config(op)} if bound else {}
    written = {name: serialize_keras_object(value) for name, value in static.items()}
    entry = _entry(form.module, form.class_name, {"name": operation.name} | written)
    return entry, [_keras_call(form, arguments) for arguments in bound]


def _bind(op: Op, args: tuple, kwargs: dict) -> dict[str, Any]:
    bound = op.signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)


def _fits(form: _Form, op: Op, calls: list[dict[str, Any]]) -> bool:
    """Whether the config can hold what is to stand in it: no tensors, the same in all calls."""
    for name in form.in_config(op):
        if any(isinstance(leaf, KerasTensor) for c in calls for leaf in tree.flatten(c[name])):
            return False
    return True


def _entry(module: str, class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": class_name,
    }


def _keras_call(form: _Form, arguments: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
    if form.spread is not None:
        return tuple(arguments[form.spread]), {}
    args = [arguments[name] for name in form.positional]
    if form.class_name == "GetItem":
        args[1] = _standard_key(args[1])
    return tuple(args), {name: arguments[name] for name in form.named}


def _standard_key(key: Any) -> Any:
    # A tuple becomes a list in JSON, so a list that picks elements goes into a tuple.
    return (key,) if isinstance(key, list) else key


# -- reading -----------------------------------------------------------------------------------


def read_op(entry: Mapping[str, Any]) -> Callable[[list, dict], Any]:
    """A function that makes the saved calls `(args, kwargs)` of an op's entry.

    Raises:
        UnknownObjectError: if the entry's class is in no table.
        ValueError: if its config has an argument that the op here doesn't take.
    """
    module, class_name = entry.get("module"), entry.get("class_name")
    config = entry.get("config")
    if not isinstance(config, Mapping) or not isinstance(class_name, str):
        raise ValueError(f"The config of the operation {class_name!r} is malformed.")
    name = config.get("name") or entry.get("name")
    if module == OWN_MODULE and class_name in REGISTRY:
        call = OpCall(class_name, name)
        return lambda args, kwargs: call.symbolic_call(*args, **_own_arguments(call.op, kwargs))
    static = {key: deserialize_keras_object(v) for key, v in config.items() if key != "name"}
    function = _FUNCTIONS.get((str(module), class_name))
    if function is not None:
        return lambda args, kwargs: function(*args, **static, **kwargs)
    form = _BY_CLASS.get((str(module), class_name))
    if form is None:
        known = [known for _, known in _BY_CLASS]
        raise UnknownObjectError(
            f"The config names the operation '{module}.{class_name}', which is not known."
            f"{registry.suggest(class_name, known)}"
        )
    return _caller(form, OpCall(form.op, name), _static_arguments(form, static))


def _static_arguments(form: _Form, static: dict[str, Any]) -> dict[str, Any]:
    parameters = REGISTRY[form.op].signature.parameters
    unknown = {k: v for k, v in static.items() if k not in parameters and v not in (None, False)}
    if unknown:
        raise ValueError(
            f"The operation {form.class_name!r} is saved with {unknown}, which "
            f"multikeras.ops.{form.op} doesn't take; it takes {list(parameters)}."
        )
    return {key: _tuples(value) for key, value in static.items() if key in parameters}


def _caller(form: _Form, call: OpCall, static: dict[str, Any]) -> Callable[[list, dict], Any]:
    def make(args: list, kwargs: dict) -> Any:
        if form.spread is not None:
            return call.symbolic_call(**static, **{form.spread: list(args)}, **kwargs)
        given = dict(zip(form.positional, args, strict=False))
        if "key" in given:
            given["key"] = tuple(given["key"]) if isinstance(given["key"], list) else given["key"]
        return _symbolic_call(call, static | given | kwargs)

    return make


def _symbolic_call(call: OpCall, arguments: dict[str, Any]) -> Any:
    """The call with its tensors by position, as a call of the op would have recorded it."""
    names = list(call.op.signature.parameters)
    keywords = {n for n, p in call.op.signature.parameters.items() if p.kind is p.KEYWORD_ONLY}
    args = []
    while names and names[0] in arguments and names[0] not in keywords:
        args.append(arguments.pop(names.pop(0)))
    return call.symbolic_call(*args, **arguments)


def _own_arguments(op: Op, kwargs: dict[str, Any]) -> dict[str, Any]:
    tensors = {name for _, name, _ in op.tensors}
    return {key: v if key in tensors else _tuples(v) for key, v in kwargs.items()}


def _tuples(value: Any) -> Any:
    """Lists as the tuples that they were before they became JSON."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
