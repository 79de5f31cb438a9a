"""The attributes and methods of tf.keras 2's `Model`, `Sequential` and `Layer` that docs/api.md
lists, with their documented parameters: what a script written for them may use.

Attributes have `None`. A parameter's default stands as Python source; `...` ends a signature
whose further parameters are free.
"""

from __future__ import annotations

MODEL: dict[str, str | None] = {
    # attributes
    "distribute_reduction_method": None,
    "distribute_strategy": None,
    "inputs": None,
    "jit_compile": None,
    "layers": None,
    "metrics": None,
    "metrics_names": None,
    "outputs": None,
    "run_eagerly": None,
    "stop_training": None,
    # methods
    "build": "input_shape",
    "call": "inputs, training=None, mask=None",
    "compile": "optimizer='rmsprop', loss=None, metrics=None, loss_weights=None, "
    "weighted_metrics=None, run_eagerly=None, steps_per_execution=None, jit_compile=None, "
    "pss_evaluation_shards=0, **kwargs",
    "compile_from_config": "config",
    "compute_loss": "x=None, y=None, y_pred=None, sample_weight=None",
    "compute_metrics": "x, y, y_pred, sample_weight",
    "evaluate": "x=None, y=None, batch_size=None, verbose='auto', sample_weight=None, "
    "steps=None, callbacks=None, max_queue_size=10, workers=1, use_multiprocessing=False, "
    "return_dict=False, **kwargs",
    "export": "filepath",
    "fit": "x=None, y=None, batch_size=None, epochs=1, verbose='auto', callbacks=None, "
    "validation_split=0.0, validation_data=None, shuffle=True, class_weight=None, "
    "sample_weight=None, initial_epoch=0, steps_per_epoch=None, validation_steps=None, "
    "validation_batch_size=None, validation_freq=1, max_queue_size=10, workers=1, "
    "use_multiprocessing=False",
    "from_config": "config, custom_objects=None",
    "get_compile_config": "",
    "get_config": "",
    "get_layer": "name=None, index=None",
    "get_metrics_result": "",
    "get_weight_paths": "",
    "load_weights": "filepath, skip_mismatch=False, by_name=False, options=None",
    "make_predict_function": "force=False",
    "make_test_function": "force=False",
    "make_train_function": "force=False",
    "predict": "x, batch_size=None, verbose='auto', steps=None, callbacks=None, "
    "max_queue_size=10, workers=1, use_multiprocessing=False",
    "predict_on_batch": "x",
    "predict_step": "data",
    "reset_metrics": "",
    "reset_states": "",
    "save": "filepath, overwrite=True, save_format=None, **kwargs",
    "save_spec": "dynamic_batch=True",
    "save_weights": "filepath, overwrite=True, save_format=None, options=None",
    "summary": "line_length=None, positions=None, print_fn=None, expand_nested=False, "
    "show_trainable=False, layer_range=None",
    "test_on_batch": "x, y=None, sample_weight=None, reset_metrics=True, return_dict=False",
    "test_step": "data",
    "to_json": "**kwargs",
    "to_yaml": "**kwargs",
    "train_on_batch": "x, y=None, sample_weight=None, class_weight=None, reset_metrics=True, "
    "return_dict=False",
    "train_step": "data",
}

SEQUENTIAL: dict[str, str | None] = {
    # attributes
    "distribute_strategy": None,
    "layers": None,
    "metrics_names": None,
    "run_eagerly": None,
    # methods
    "add": "layer",
    "build": "input_shape",
    "evaluate_generator": "generator, steps=None, callbacks=None, max_queue_size=10, workers=1, "
    "use_multiprocessing=False, verbose=0",
    "fit_generator": "generator, steps_per_epoch=None, epochs=1, verbose=1, callbacks=None, "
    "validation_data=None, validation_steps=None, validation_freq=1, class_weight=None, "
    "max_queue_size=10, workers=1, use_multiprocessing=False, shuffle=True, initial_epoch=0",
    "pop": "",
    "predict_classes": "x, batch_size=32, verbose=0",
    "predict_generator": "generator, steps=None, callbacks=None, max_queue_size=10, workers=1, "
    "use_multiprocessing=False, verbose=0",
    "predict_proba": "x, batch_size=32, verbose=0",
    **{
        name: MODEL[name]
        for name in (
            "compile", "evaluate", "fit", "get_layer", "load_weights", "make_predict_function",
            "make_test_function", "make_train_function", "predict", "predict_on_batch",
            "predict_step", "reset_metrics", "reset_states", "save", "save_weights", "summary",
            "test_on_batch", "test_step", "to_json", "to_yaml", "train_on_batch", "train_step",
        )
    },
}  # fmt: skip

LAYER: dict[str, str | None] = {
    # attributes
    "activity_regularizer": None,
    "compute_dtype": None,
    "dtype": None,
    "dtype_policy": None,
    "dynamic": None,
    "input": None,
    "input_spec": None,
    "losses": None,
    "metrics": None,
    "name": None,
    "name_scope": None,
    "non_trainable_weights": None,
    "output": None,
    "submodules": None,
    "supports_masking": None,
    "trainable": None,
    "trainable_weights": None,
    "updates": None,
    "variable_dtype": None,
    "weights": None,
    # methods
    "__call__": "*args, **kwargs",
    "add_loss": "losses, **kwargs",
    "add_metric": "value, name=None, **kwargs",
    "build": "input_shape",
    "compute_mask": "inputs, mask=None",
    "compute_output_shape": "input_shape",
    "count_params": "",
    "from_config": "config",
    "get_config": "",
    "get_weights": "",
    "set_weights": "weights",
    "with_name_scope": "method",
}

NAMES: dict[str, str | None] = {
    f"{owner}.{name}": signature
    for owner, table in (("Model", MODEL), ("Sequential", SEQUENTIAL), ("Layer", LAYER))
    for name, signature in sorted(table.items(), key=lambda item: (item[1] is not None, item[0]))
}

# What names an object of TensorFlow by definition, and what happens where another is selected.
_STRATEGY = "A TensorFlow object: elsewhere an AttributeError says so."
_SAVED_MODEL = (
    "A SavedModel is written and read by TensorFlow, which must be installed; the error says what "
    "to use where it isn't."
)
_CHECKPOINT = (
    '`save_format="tf"` and `options` are TensorFlow\'s checkpoints: elsewhere an error names '
    "`.weights.h5`."
)
LIMITS: dict[str, str] = {
    f"{owner}.{name}": remark
    for owner in ("Model", "Sequential")
    for name, remark in {
        "distribute_strategy": _STRATEGY,
        "export": _SAVED_MODEL,
        "save": _SAVED_MODEL,
        "save_weights": _CHECKPOINT,
        "load_weights": _CHECKPOINT,
    }.items()
    if f"{owner}.{name}" in NAMES
}
