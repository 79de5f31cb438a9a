"""Configs of tf.keras 2 made into those of Keras 3, before any object is made of them.

What differs: the shape of an `InputLayer`, dtype policies, the calls of a functional model's
layers (lists of `[layer, call, tensor, kwargs]`), arguments that went away, the settings of
training. Layers that name functions of TensorFlow become ops. A config that already is Keras 3's
comes out as it was. Refused: an argument that went away where it had a meaning, and functions of
TensorFlow that stand in no table.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

from multikeras import registry
from multikeras.saving.op_nodes import OWN_MODULE, op_module

_MODELS = ("Sequential", "Functional", "Model")
# Arguments that Keras 3 has no more: name -> the values that mean nothing. Empty: any value.
_GONE: dict[str, tuple] = {
    "time_major": (False,),
    "implementation": (),
    "ragged": (False, None),
    "input_length": (),
    "fused": (),
    "virtual_batch_size": (None,),
    "experimental_run_tf_function": (),
    "is_legacy_optimizer": (),
    "jit_compile": (),
}
# The same for arguments of one layer.
_GONE_OF: dict[str, dict[str, tuple]] = {
    "DepthwiseConv2D": {"groups": (1,)},
    "DepthwiseConv1D": {"groups": (1,)},
    "SeparableConv2D": {"groups": (1,)},
    "SeparableConv1D": {"groups": (1,)},
    "Conv1DTranspose": {"groups": (1,)},
    "Conv2DTranspose": {"groups": (1,)},
    "Conv3DTranspose": {"groups": (1,)},
    "MultiHeadAttention": {
        "query_shape": (), "key_shape": (), "value_shape": (), "softmax_robust_masking": (),
    },
}  # fmt: skip
_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM2D")
_RENAMED = {("LeakyReLU", "alpha"): "negative_slope"}
# Functions of TensorFlow that are ops here: name -> (op, its arguments after the first by the
# names that they have there).
_TWO = {"y": "x2", "b": "x2"}
_AXES = {"axis": "axis", "keepdims": "keepdims"}
_OPS: dict[str, tuple[str, dict[str, str]]] = {
    "__operators__.add": ("add", _TWO),
    "cast": ("cast", {"dtype": "dtype"}),
    "clip_by_value": ("clip", {"clip_value_min": "x_min", "clip_value_max": "x_max"}),
    "concat": ("concatenate", {"axis": "axis"}),
    "expand_dims": ("expand_dims", {"axis": "axis"}),
    "linalg.matmul": ("matmul", _TWO),
    "math.abs": ("absolute", {}),
    "math.add": ("add", _TWO),
    "math.divide": ("divide", _TWO),
    "math.exp": ("exp", {}),
    "math.log": ("log", {}),
    "math.maximum": ("maximum", _TWO),
    "math.minimum": ("minimum", _TWO),
    "math.multiply": ("multiply", _TWO),
    "math.negative": ("negative", {}),
    "math.pow": ("power", _TWO),
    "math.reduce_max": ("max", _AXES),
    "math.reduce_mean": ("mean", _AXES),
    "math.reduce_min": ("min", _AXES),
    "math.reduce_sum": ("sum", _AXES),
    "math.sigmoid": ("sigmoid", {}),
    "math.sqrt": ("sqrt", {}),
    "math.square": ("square", {}),
    "math.subtract": ("subtract", _TWO),
    "math.tanh": ("tanh", {}),
    "math.truediv": ("divide", _TWO),
    "nn.relu": ("relu", {}),
    "nn.softmax": ("softmax", {"axis": "axis"}),
    "reshape": ("reshape", {"shape": "newshape"}),
    "squeeze": ("squeeze", {"axis": "axis"}),
    "stack": ("stack", {"axis": "axis"}),
    "transpose": ("transpose", {"perm": "axes"}),
}
# Layers that stand for single functions of TensorFlow.
_FUNCTION_LAYERS = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer", "ClassMethod")


def modern_model_config(config: Any) -> Any:
    """The config of a model (or layer) in the form of Keras 3.

    Args:
        config: `{"class_name", "config"}` of any age.

    Raises:
        ValueError: for what this format had and the library has not.

    Example:
        >>> from multikeras.saving.legacy_config import modern_model_config
        >>> old = {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 3]}}
        >>> modern_model_config(old)
        {'class_name': 'InputLayer', 'config': {'batch_shape': [None, 3]}}
    """
    if isinstance(config, list):
        return [modern_model_config(item) for item in config]
    if not isinstance(config, dict):
        return config
    if not isinstance(config.get("class_name"), str) or "config" not in config:
        return {key: modern_model_config(value) for key, value in config.items()}
    name, inner = config["class_name"], config["config"]
    if name in _FUNCTION_LAYERS:
        function = inner.get("function") if isinstance(inner, dict) else None
        raise ValueError(
            f"The layer {config.get('name')!r} calls the TensorFlow function {function!r} "
            f"({name}), which a file can't bring along. Build the model in code and use "
            "load_weights()."
        )
    if name == "Policy" and isinstance(inner, dict):  # a dtype policy
        return inner.get("name")
    if name == "Sequential" and isinstance(inner, list):
        inner = {"layers": inner}
    config = config | {"class_name": _class_name(name)}
    for extra in ("build_config", "compile_config"):
        if isinstance(config.get(extra), dict):
            config[extra] = modern_model_config(config[extra])
    if isinstance(inner, dict):
        # A class of one's own may have an argument of any name.
        own = registry.get_registered_object(str(config.get("registered_name") or name))
        inner = dict(inner) if own is not None else _modern_arguments(name, inner)
        if name in _MODELS and "input_layers" in inner:
            inner = _modern_graph(inner)
            config["class_name"] = "Functional" if name == "Model" else name
        module = config.get("module")
        if name in _MODELS and isinstance(module, str) and registry.find(module, name) is None:
            config["module"] = "keras.models"  # wherever it was kept
        config["config"] = {key: modern_model_config(value) for key, value in inner.items()}
    return config


def _class_name(name: str) -> str:
    """A built-in that was registered under its own name says "Custom>Adam"."""
    if name.startswith("Custom>") and registry.get_registered_object(name) is None:
        return name.removeprefix("Custom>")
    return name


def _modern_arguments(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    modern: dict[str, Any] = {}
    gone = _GONE | _GONE_OF.get(name, {})
    for key, value in config.items():
        if key in gone and not (key == "ragged" and name == "InputLayer"):
            meaningless = gone[key]
            if meaningless and value not in meaningless:
                raise ValueError(
                    f"{name} {config.get('name', '')!r} was saved with {key}={value!r}, which "
                    "no layer takes any more."
                )
            continue
        if key.endswith("_initializer") and isinstance(value, dict):
            inner = value.get("config")
            if isinstance(inner, dict) and "module" not in value:
                value = value | {"config": {k: v for k, v in inner.items() if k != "dtype"}}
        modern[_RENAMED.get((name, key), key)] = value
    if registry.find("keras.losses", name) is not None and name != "LossFunctionWrapper":
        modern = _loss_arguments(modern)
    if name == "InputLayer" and "batch_input_shape" in modern:
        modern["batch_shape"] = modern.pop("batch_input_shape")
    if name == "BatchNormalization" and isinstance(axis := modern.get("axis"), list):
        if len(axis) != 1:
            raise ValueError(f"BatchNormalization was saved with the axes {axis}; one is expected.")
        modern["axis"] = axis[0]
    return modern


# -- graphs --------------------------------------------------------------------------------------


def _modern_graph(config: Mapping[str, Any]) -> dict[str, Any]:
    layers = [entry for entry in config["layers"] if isinstance(entry, dict)]
    if not all(map(_is_old, layers)):
        return dict(config) | {"layers": [_with_module(entry) for entry in config["layers"]]}
    references = list(_references(config))
    offsets: dict[Any, int] = {}
    for entry in layers:
        indices = [index for layer, index in references if layer == entry.get("name")]
        # The graph of a model inside was its call number 0.
        own_graph = entry.get("class_name") in _MODELS and 0 not in indices
        offsets[entry.get("name")] = 1 if own_graph else 0
    kinds = {entry.get("name"): entry.get("class_name") for entry in layers}

    def output(reference: Any) -> Any:
        if not _is_reference(reference, offsets):
            return reference
        layer, call, place = reference[:3]
        # Outputs of functional models inside are still counted from 1.
        return [layer, call - (offsets[layer] if kinds[layer] == "Sequential" else 0), place]

    modern = dict(config)
    modern["layers"] = [_modern_entry(entry, offsets) for entry in config["layers"]]
    for key, convert in (("input_layers", lambda r: r), ("output_layers", output)):
        ends = config[key]
        if isinstance(ends, list) and ends and all(_is_reference(e, offsets) for e in ends):
            ends = [convert(end) for end in ends]
            modern[key] = ends[0] if len(ends) == 1 else ends
    return modern


def _is_old(entry: Mapping[str, Any]) -> bool:
    nodes = entry.get("inbound_nodes", [])
    return not any(isinstance(node, dict) and "args" in node for node in nodes)


def _is_reference(value: Any, names: Mapping[Any, Any]) -> bool:
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and value[0] in names
        and all(isinstance(number, int) for number in value[1:3])
    )


def _references(config: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """(layer, number of the call) of every tensor that is mentioned."""
    names = {e.get("name"): None for e in config["layers"] if isinstance(e, dict)}
    pending: list[Any] = [config.get("output_layers"), config.get("input_layers")]
    pending += [e.get("inbound_nodes") for e in config["layers"] if isinstance(e, dict)]
    while pending:
        value = pending.pop()
        if _is_reference(value, names):
            yield value[0], value[1]
            pending += value[3:]
        elif isinstance(value, dict):
            pending += value.values()
        elif isinstance(value, list):
            pending += value


def _is_op(entry: Mapping[str, Any]) -> bool:
    """Whether an entry without a module is an op's: its config has nothing that layers have."""
    config = entry.get("config")
    return (
        "module" not in entry
        and isinstance(config, dict)
        and not {"trainable", "dtype", "layers"} & set(config)
        and op_module(entry.get("class_name")) is not None
    )


def _with_module(entry: Any) -> Any:
    """Keras 3 leaves the modules out in HDF5 files, those of ops too."""
    if isinstance(entry, dict) and _is_op(entry):
        return {"module": op_module(entry["class_name"])} | entry
    return entry


def _modern_entry(entry: Any, offsets: Mapping[Any, int]) -> Any:
    if not isinstance(entry, dict):
        return entry
    calls = [_modern_call(node, offsets) for node in entry.get("inbound_nodes", [])]
    calls = [call for call in calls if call is not None]
    for call in calls if entry.get("class_name") in _RECURRENT else ():
        first = call["args"][0]
        if isinstance(first, list):  # the states that it begins with came along
            call["args"], call["kwargs"] = [first[0]], call["kwargs"] | {"initial_state": first[1:]}
    if entry.get("class_name") == "TFOpLambda":
        return _op_entry(entry, calls)
    # Layers are built by these calls.
    rest = {key: value for key, value in entry.items() if key != "build_config"}
    return rest | {"inbound_nodes": calls}


def _op_entry(entry: dict[str, Any], calls: list[dict[str, Any]]) -> dict[str, Any]:
    """The entry of an op for that of a TensorFlow function; as it was if there is none."""
    config = entry.get("config")
    function = config.get("function") if isinstance(config, dict) else None
    op, arguments = _OPS.get(str(function).removeprefix("compat.v1."), ("", {}))
    for call in calls:
        for key, value in list(call["kwargs"].items()):
            # A name of the result, and switches that are off, say nothing.
            if key not in arguments and (key == "name" or value is False):
                del call["kwargs"][key]
    if not op or any(set(call["kwargs"]) - set(arguments) for call in calls):
        return entry
    name = entry.get("name")
    renamed = [
        call | {"kwargs": {arguments[key]: value for key, value in call["kwargs"].items()}}
        for call in calls
    ]
    made = {"module": OWN_MODULE, "class_name": op, "config": {"name": name}, "name": name}
    return made | {"inbound_nodes": renamed}


def _modern_call(node: Any, offsets: Mapping[Any, int]) -> Any:
    kwargs: dict[str, Any] = {}

    def tensor(reference: list[Any]) -> dict[str, Any]:
        layer, call, place = reference[:3]
        if len(reference) == 4 and isinstance(reference[3], dict):
            kwargs.update({name: argument(value) for name, value in reference[3].items()})
        history = [layer, call - offsets[layer], place]
        return {"class_name": "__keras_tensor__", "config": {"keras_history": history}}

    def argument(value: Any) -> Any:
        if isinstance(value, list) and value[:2] == ["_CONSTANT_VALUE", -1]:
            if len(value) == 4 and isinstance(value[3], dict):
                kwargs.update({name: argument(item) for name, item in value[3].items()})
            return value[2]
        if _is_reference(value, offsets):
            return tensor(value)
        if isinstance(value, list):
            return [argument(item) for item in value]
        if isinstance(value, dict):
            return {key: argument(item) for key, item in value.items()}
        return value

    if node == []:
        return None
    first = argument(node)
    if isinstance(first, list) and len(first) == 1:
        first = first[0]
    return {"args": [first], "kwargs": {k: v for k, v in kwargs.items() if v is not None}}


# -- training ------------------------------------------------------------------------------------


def compile_config_of(training: Mapping[str, Any], outputs: list[str]) -> dict[str, Any]:
    """What `compile_from_config` takes, of a file's `training_config`.

    Args:
        training: loss, metrics, `optimizer_config`, ...
        outputs: the names of the model's outputs; metrics of several outputs begin with them.
    """
    known = ("loss", "loss_weights", "steps_per_execution", "run_eagerly", "jit_compile")
    config = {key: training[key] for key in known if training.get(key) is not None}
    config["loss"] = modern_model_config(_modern_loss(training.get("loss")))
    for key in ("metrics", "weighted_metrics"):
        config[key] = _modern_metrics(training.get(key), outputs)
    optimizer = training.get("optimizer_config")
    if isinstance(optimizer, dict):
        config["optimizer"] = modern_model_config(_modern_optimizer(optimizer))
    return config


def _modern_optimizer(entry: dict[str, Any]) -> dict[str, Any]:
    config = dict(entry.get("config") or {})
    decay = config.pop("decay", None)
    if decay:
        config["learning_rate"] = {
            "module": "keras.optimizers.schedules",
            "class_name": "InverseTimeDecay",
            "config": {
                "initial_learning_rate": config.get("learning_rate", config.pop("lr", 0.01)),
                "decay_steps": 1,
                "decay_rate": decay,
            },
        }
    return {"module": "keras.optimizers"} | entry | {"config": config}


def _modern_loss(loss: Any) -> Any:
    if isinstance(loss, list):
        return [_modern_loss(item) for item in loss]
    if not isinstance(loss, dict):
        return loss
    if "class_name" not in loss:
        return {key: _modern_loss(value) for key, value in loss.items()}
    config = loss.get("config")
    if isinstance(config, dict) and "module" not in loss:
        return loss | {"module": "keras.losses", "config": _loss_arguments(config)}
    return loss


def _loss_arguments(config: Mapping[str, Any]) -> dict[str, Any]:
    modern = {key: value for key, value in config.items() if key != "fn"}
    if modern.get("reduction") == "auto":
        modern["reduction"] = "sum_over_batch_size"
    return modern


def _modern_metrics(metrics: Any, outputs: list[str]) -> Any:
    """Metrics as they were given to `compile`: by output, if the model has several."""
    if isinstance(metrics, dict):
        return {
            name: _of_output(value, name if len(outputs) > 1 else None)
            for name, value in metrics.items()
        }
    if not isinstance(metrics, list):
        return metrics
    if all(isinstance(group, list) or group is None for group in metrics):
        if len(metrics) == 1 and len(outputs) <= 1:
            return _of_output(metrics[0], None)
        return [_of_output(g, name) for g, name in zip(metrics, outputs, strict=False)]
    return _of_output(metrics, None)


def _of_output(metrics: Any, output: str | None) -> Any:
    if isinstance(metrics, list):
        return [_of_output(metric, output) for metric in metrics]
    if not isinstance(metrics, dict) or "class_name" not in metrics or "module" in metrics:
        return metrics
    config = dict(metrics.get("config") or {})
    name = config.get("name")
    if output is not None and isinstance(name, str):
        name = name.removeprefix(f"{output}_")
    function = config.get("fn")
    if metrics["class_name"] in ("MeanMetricWrapper", "SumOverBatchSizeMetricWrapper"):
        # The name is what the user gave, if it names a metric; else the function does.
        known = registry.find("keras.metrics", str(name)) or registry.find_function(str(name))
        return name if known is not None or name in ("accuracy", "acc") else function
    return metrics | {
        "module": "keras.metrics",
        "config": {k: v for k, v in (config | {"name": name}).items() if k != "fn"},
    }


def warn_of_changed_functions(config: Any, path: str, stacklevel: int) -> None:
    """Warns if a model of tf.keras 2 uses a function that means something else today."""
    pending = [config]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if "hard_sigmoid" in (value.get("activation"), value.get("recurrent_activation")):
                warnings.warn(
                    f"{path!r} was written by tf.keras 2, whose hard_sigmoid is "
                    "clip(0.2 * x + 0.5, 0, 1); here it is relu6(x + 3) / 6. The layer "
                    f"{value.get('name')!r} gives other values.",
                    stacklevel=stacklevel,
                )
            pending += value.values()
        elif isinstance(value, list):
            pending += value
