"""`Model`: a layer with a training loop, a graph or a `call` of its own, and files.

`Model(inputs, outputs)` gives a functional model; a subclass with `call` is a model too; a
subclass may pass `inputs` and `outputs` to `super().__init__`.
"""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Callable
from typing import Any

from multikeras import registry, saving, tree
from multikeras.backends import native
from multikeras.layers.layer import Layer, cached_by_class
from multikeras.legacy.model import LegacyModel
from multikeras.models.summary import print_summary
from multikeras.saving.model import write_keras
from multikeras.saving.saved_model import export_model
from multikeras.symbolic import KerasTensor, SymbolicScope
from multikeras.training.trainer import Trainer
from multikeras.variables import Variable


@registry.expose("keras.models", aliases=("keras.Model", "keras.src.models.model.Model"))
class Model(Trainer, LegacyModel, Layer):
    """Layers grouped into one that can be trained and saved.

    Args:
        inputs: KerasTensor(s) from `Input`, or any KerasTensors of a graph.
        outputs: KerasTensor(s) computed from them.
        name: default: a unique one.

    Example:
        >>> import multikeras as keras
        >>> x = keras.Input((4,))
        >>> model = keras.Model(x, keras.layers.Dense(2)(x))
        >>> model.output_shape
        (None, 2)
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and _is_functional(args, kwargs):
            from_graph: Any = registry.find("keras.models", "Functional")
            return super().__new__(from_graph, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        functional = _is_functional(args, kwargs) and registry.find("keras.models", "Functional")
        if functional and not isinstance(self, functional):
            # A subclass of Model that hands over a graph becomes a functional model too.
            self.__class__ = type(type(self).__name__, (type(self), functional), {})
            self.__class__.__module__ = type(self).__bases__[0].__module__
            functional.__init__(self, *args, **kwargs)
            return
        Trainer.__init__(self)
        Layer.__init__(self, *args, **kwargs)
        self._strategy = native.artifacts.active_strategy()

    def _build_for(self, args: tuple, kwargs: dict[str, Any]) -> None:
        self._note_call(args, kwargs)
        super()._build_for(args, kwargs)

    # -- structure --------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers directly in this model."""
        return self._direct_layers()

    @layers.setter
    def layers(self, _: Any) -> None:
        raise AttributeError("`Model.layers` is read-only; layers are found by themselves.")

    def _direct_layers(self) -> list[Any]:
        return self._layers

    @property
    def input_shape(self) -> Any:
        """The shape(s) of the input(s)."""
        return tree.map_structure(lambda t: t.shape, self.input)

    @property
    def output_shape(self) -> Any:
        """The shape(s) of the output(s)."""
        return tree.map_structure(lambda t: t.shape, self.output)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or by its place.

        Args:
            name: the layer's name.
            index: its place among `layers`; it counts where both are given.

        Raises:
            ValueError: if there is none such, or neither argument is given.
        """
        if name is None and index is None:
            raise ValueError("get_layer: give `name` or `index`.")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(
                    f"get_layer: index {index} is out of range; {self.name!r} has "
                    f"{len(self.layers)} layers."
                )
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = ", ".join(layer.name for layer in self.layers)
        raise ValueError(f"get_layer: no layer {name!r} in {self.name!r}; there are: {names}.")

    def summary(
        self,
        line_length: int | None = None,
        positions: list[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: list[str] | None = None,
    ) -> None:
        """Prints a table of the layers.

        Args:
            line_length: characters a line; default: what the terminal has.
            positions: where columns end, as fractions of the line or in characters.
            print_fn: called with each line of the text; default: they are printed.
            expand_nested: whether the layers of nested models are listed too.
            show_trainable: whether a column tells what is trainable.
            layer_range: [first, last] names (or regular expressions) of the layers to list.

        Raises:
            ValueError: if the model is not built, or no layer matches `layer_range`.
        """
        print_summary(
            self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range
        )

    # -- state ------------------------------------------------------------------------------

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """All state as nested dicts keyed by the parts of the variables' paths.

        Args:
            value_format: "backend_tensor" or "numpy_array".
        """
        if value_format not in ("backend_tensor", "numpy_array"):
            raise ValueError(
                "get_state_tree: value_format must be 'backend_tensor' or 'numpy_array', "
                f"got {value_format!r}."
            )
        return {
            group: _nest(variables, value_format)
            for group, variables in self._state_groups().items()
        }

    def set_state_tree(self, state_tree: dict[str, Any]) -> None:
        """Sets state from what `get_state_tree` gave.

        Raises:
            ValueError: for a path that no variable has.
        """
        for group, values in state_tree.items():
            own = {v.path: v for v in self._state_groups()[group]}
            for path, value in _unnest(values).items():
                if path not in own:
                    raise ValueError(f"set_state_tree: {group} has no variable {path!r}.")
                own[path].assign(value)

    def _state_groups(self) -> dict[str, list[Variable]]:
        optimizer = getattr(self, "optimizer", None)
        return {
            "trainable_variables": self.trainable_variables,
            "non_trainable_variables": self.non_trainable_variables,
            "optimizer_variables": list(optimizer.variables) if optimizer else [],
            "metrics_variables": self.metrics_variables,
        }

    # -- files ------------------------------------------------------------------------------

    def save(
        self,
        filepath: Any,
        overwrite: bool = True,
        save_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Writes the model, its weights and its training state; `models.load_model` reads them.

        Args:
            filepath: ends in ".keras" (every backend reads it, and Keras 3), in ".h5" (the format
                of tf.keras 2), or is a folder for a SavedModel.
            overwrite: whether an existing file is replaced; if not, a question is asked at the
                terminal, and FileExistsError raised where there is none.
            save_format: "keras", "h5" or "tf"; default: what `filepath` says.
            **kwargs: `include_optimizer`; for "tf" also `signatures`, `options`, `save_traces`.

        Raises:
            ValueError: for an unknown format, or one that can't be written here.

        Example:
            >>> import multikeras as keras, tempfile, os
            >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     model.save(os.path.join(folder, "model.keras"))
            ...     os.listdir(folder)
            ['model.keras']
        """
        saving.save_model(self, filepath, overwrite, save_format, **kwargs)

    def save_weights(
        self,
        filepath: Any,
        overwrite: bool = True,
        save_format: str | None = None,
        options: Any = None,
        max_shard_size: float | None = None,
    ) -> None:
        """Writes the weights.

        Args:
            filepath: ends in ".weights.h5", or in ".h5" for the layout of tf.keras 2; any other
                is the prefix of a TensorFlow checkpoint.
            overwrite: as in `save`.
            save_format: "keras", "h5" or "tf"; default: what `filepath` says.
            options: a `tf.train.CheckpointOptions`, for "tf".
            max_shard_size: GB a file; default: one file.

        Raises:
            ImportError: if h5py is not there.
            ValueError: for an unknown format, or one that can't be written here.

        Example:
            >>> import multikeras as keras, tempfile, os
            >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     model.save_weights(os.path.join(folder, "old.h5"))
            ...     model.load_weights(os.path.join(folder, "old.h5"), by_name=True)
        """
        saving.save_weights(
            self,
            filepath,
            overwrite,
            save_format=save_format,
            options=options,
            max_shard_size=max_shard_size,
        )

    def load_weights(
        self,
        filepath: Any,
        skip_mismatch: bool = False,
        by_name: bool = False,
        options: Any = None,
    ) -> Any:
        """Reads the weights from a file that `save_weights` or `save` wrote.

        Args:
            filepath: the file, the folder of a SavedModel, or the prefix of a checkpoint.
            skip_mismatch: whether layers whose weights don't fit are left as they are.
            by_name: whether layers are found by their names; only in ".h5" files of the layout
                of tf.keras 2. Otherwise they are taken in order.
            options: a `tf.train.CheckpointOptions`, for a checkpoint.

        Returns:
            None; of a checkpoint TensorFlow's status object.

        Raises:
            ImportError: if h5py is not there.
            ValueError: if the weights don't fit, or the format has no names.
        """
        return saving.load_weights(self, filepath, skip_mismatch, by_name, options)

    def export(
        self,
        filepath: Any,
        format: str = "tf_saved_model",
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Writes the forward pass as an artifact that is served without this library.

        `tf.saved_model.load(filepath).serve(x)` gives what `model(x, training=False)` does. On
        backends other than TensorFlow's, a second process writes it, if TensorFlow is installed
        and the model has no classes of one's own.

        Args:
            filepath: a folder, new or of an older SavedModel.
            format: only "tf_saved_model".
            verbose: whether to print what was written.
            input_signature: a list with one spec (or structure of them) for each argument of the
                call; default: that of the `Input`s, or of the first call.
            **kwargs: `options`, a `tf.saved_model.SaveOptions`.

        Raises:
            ValueError: for another format, or a model that is not built.
            ImportError: if TensorFlow is needed and not installed.

        Example:
            >>> import multikeras as keras
            >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
            >>> model.export("model", format="onnx")
            Traceback (most recent call last):
            ...
            ValueError: export: the format 'onnx' is not available; available: tf_saved_model.
        """
        export_model(
            self, filepath, format, verbose, input_signature, write_inner=write_keras, **kwargs
        )

    def to_json(self, **kwargs: Any) -> str:
        """The model's configuration as JSON, for `models.model_from_json`."""
        return json.dumps(saving.serialize_keras_object(self), **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments, recorded if they are plain data and this is inherited.

        Raises:
            NotImplementedError: if the constructor of a subclass took something else.
        """
        config = Layer.get_config(self)
        cls = type(self)
        if cls.get_config is Model.get_config and not registry.home(cls):
            config.update(self._recorded_arguments())
        return config

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds with `get_build_config`'s result, the layers below included.

        A `build()` of one's own may leave them to the first call: then `call` is run on
        KerasTensors. If that can't be, they stay unbuilt, and loading weights tells which.
        """
        Layer.build_from_config(self, config)
        if self._build_config and not all(layer.built for layer in self._flatten_layers()):
            shape = next(iter(self._build_config.values()))
            specs = tree.map_shape_structure(lambda s: KerasTensor(s, self.compute_dtype), shape)
            with SymbolicScope(), contextlib.suppress(Exception):
                self._run_symbolically((specs,), {})

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> Any:
        """A new model from `get_config`'s result."""
        with registry.CustomObjectScope(custom_objects or {}):
            graph = {"layers", "input_layers", "output_layers"} <= set(config)
            if graph and takes_a_graph(cls):
                functional: Any = registry.find("keras.models", "Functional")
                return functional.from_graph_config(config, cls)
            return cls(**config)


@cached_by_class
def takes_a_graph(cls: Any) -> bool:
    """Whether a class can be made as `cls(inputs=..., outputs=..., name=...)`."""
    if cls.__init__ is Model.__init__:
        return True
    parameters = inspect.signature(cls.__init__).parameters.values()
    named = {p.name for p in parameters}
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters)
    return {"inputs", "outputs"} <= named and ("name" in named or open_ended)


def _is_functional(args: tuple, kwargs: dict) -> bool:
    return len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs) or (
        "inputs" in kwargs and "outputs" in kwargs
    )


def _nest(variables: list[Variable], value_format: str) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for variable in variables:
        *groups, last = variable.path.split("/")
        level = nested
        for group in groups:
            level = level.setdefault(group, {})
        if last in level:
            raise ValueError(f"get_state_tree: two variables have the path {variable.path!r}.")
        level[last] = variable.numpy() if value_format == "numpy_array" else variable.value
    return nested


def _unnest(nested: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        path = f"{prefix}{key}"
        flat.update(_unnest(value, path + "/") if isinstance(value, dict) else {path: value})
    return flat
