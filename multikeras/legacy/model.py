"""`LegacyModel`: what models of tf.keras 2 had and Keras 3 dropped.

Taken up by `Model`. The methods that do the same as a newer one call it and say so in a
`DeprecationWarning`; `to_yaml` is refused, as YAML can name code to run.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from multikeras import tree
from multikeras.backends import native
from multikeras.symbolic import KerasTensor
from multikeras.variables import Variable

artifacts = native.artifacts
_REDUCTIONS = ("auto", "first", "sum", "mean", "concat")


def warn_deprecated(old: str, new: str) -> None:
    """Warns the caller of a deprecated method that another does the same."""
    warnings.warn(f"`{old}` is deprecated: use {new}.", DeprecationWarning, stacklevel=3)


class LegacyModel:
    """The methods and attributes that tf.keras 2 scripts expect of a model."""

    _distribute_reduction_method = "auto"
    _strategy: Any = None
    # (args, kwargs) of KerasTensors that stand for the arguments of the first call.
    _call_specs: tuple[tuple, dict[str, Any]] | None = None

    if TYPE_CHECKING:  # defined by Layer and Trainer
        fit: Any
        evaluate: Any
        predict: Any
        layers: list[Any]

        def _who(self) -> str: ...
        def child_layers(self) -> dict[str, Any]: ...
        def _flatten_layers(
            self, include_self: bool = True, recursive: bool = True
        ) -> list[Any]: ...

    # -- generators -------------------------------------------------------------------------

    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: Any = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        validation_freq: Any = 1,
        class_weight: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
    ) -> Any:
        """Trains on the batches of a generator. Deprecated: `fit` takes generators.

        Args:
            generator: gives `(x, y)` or `(x, y, sample_weight)`.
            steps_per_epoch: batches of an epoch; default: all that the generator has.
            epochs, verbose, callbacks, validation_data, validation_steps, validation_freq,
                class_weight, max_queue_size, workers, use_multiprocessing, shuffle,
                initial_epoch: as in `fit`.

        Returns:
            The `History` of `fit`.

        Example:
            >>> import multikeras as keras, numpy as np, warnings
            >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
            >>> model.compile("sgd", "mse")
            >>> batches = ((np.ones((4, 3)), np.ones((4, 1))) for _ in range(6))
            >>> with warnings.catch_warnings():
            ...     warnings.simplefilter("ignore", DeprecationWarning)
            ...     history = model.fit_generator(batches, steps_per_epoch=2, epochs=3, verbose=0)
            >>> len(history.history["loss"])
            3
        """
        warn_deprecated("Model.fit_generator", "`Model.fit`, which takes generators")
        return self.fit(
            generator,
            steps_per_epoch=steps_per_epoch,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=validation_data,
            validation_steps=validation_steps,
            validation_freq=validation_freq,
            class_weight=class_weight,
            shuffle=shuffle,
            initial_epoch=initial_epoch,
            max_queue_size=max_queue_size,
            workers=workers,
            use_multiprocessing=use_multiprocessing,
        )

    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: Any = 0,
    ) -> Any:
        """Loss and metrics on the batches of a generator. Deprecated: use `evaluate`.

        Args:
            generator: gives `(x, y)` or `(x, y, sample_weight)`.
            steps: how many batches; default: all.
            callbacks, max_queue_size, workers, use_multiprocessing, verbose: as in `evaluate`.
        """
        warn_deprecated("Model.evaluate_generator", "`Model.evaluate`, which takes generators")
        return self.evaluate(
            generator,
            steps=steps,
            callbacks=callbacks,
            verbose=verbose,
            max_queue_size=max_queue_size,
            workers=workers,
            use_multiprocessing=use_multiprocessing,
        )

    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: Any = 0,
    ) -> Any:
        """Outputs for the batches of a generator. Deprecated: use `predict`.

        Args:
            generator: gives inputs, or tuples that begin with them.
            steps: how many batches; default: all.
            callbacks, max_queue_size, workers, use_multiprocessing, verbose: as in `predict`.
        """
        warn_deprecated("Model.predict_generator", "`Model.predict`, which takes generators")
        return self.predict(
            generator,
            steps=steps,
            callbacks=callbacks,
            verbose=verbose,
            max_queue_size=max_queue_size,
            workers=workers,
            use_multiprocessing=use_multiprocessing,
        )

    # -- state ------------------------------------------------------------------------------

    def reset_states(self) -> None:
        """Sets the states of all stateful recurrent layers back to zeros.

        Example:
            >>> import multikeras as keras
            >>> model = keras.Sequential(
            ...     [keras.Input(batch_shape=(2, 3, 4)), keras.layers.GRU(1, stateful=True)]
            ... )
            >>> _ = model(keras.ops.ones((2, 3, 4)))
            >>> model.reset_states()
            >>> float(keras.ops.sum(model.layers[0].states[0]))
            0.0
        """
        for layer in self._flatten_layers():
            if layer is not self and getattr(layer, "stateful", False):
                reset = getattr(layer, "reset_states", None) or getattr(layer, "reset_state", None)
                if reset is not None:
                    reset()

    def get_weight_paths(self) -> dict[str, Variable]:
        """The weights by the attributes that lead to them, such as `"encoder.kernel"`.

        The layers of a functional or Sequential model go by their names, those of a subclassed
        model by the attributes that hold them.

        Returns:
            A dict of path -> variable; empty before a subclassed model is built.

        Example:
            >>> import multikeras as keras
            >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, name="d")])
            >>> list(model.get_weight_paths())
            ['d.kernel', 'd.bias']
        """
        paths: dict[str, Variable] = {}
        seen: set[int] = set()
        for path, variable in _weight_paths(self, "", set()):
            if id(variable) not in seen:
                seen.add(id(variable))
                paths.setdefault(path, variable)
        return paths

    def checkpoint_children(self) -> dict[str, Any]:
        """The layers by the names that checkpoints have for them.

        Those of a functional or Sequential model with weights are numbered, as in tf.keras 2.
        """
        if not ("_graph_layers" in self.__dict__ or "_stack" in self.__dict__):
            return self.child_layers()
        with_weights = [layer for layer in self.layers if layer.weights]
        return {f"layer_with_weights-{i}": layer for i, layer in enumerate(with_weights)}

    @property
    def state_updates(self) -> list[Any]:
        """Empty: layers change their states within the call."""
        return []

    # -- signature --------------------------------------------------------------------------

    def save_spec(self, dynamic_batch: bool = True) -> tuple[tuple, dict[str, Any]] | None:
        """Shapes and dtypes of the arguments that the model is called with.

        Args:
            dynamic_batch: whether batch sizes that only the first call told are None. The batch
                size of an `Input` stays as it is.

        Returns:
            `(args, kwargs)` of specs with `shape`, `dtype` and `name`: the framework's own
            class where it has one, `KerasTensor`s elsewhere. None as long as the inputs are
            not known.

        Example:
            >>> import multikeras as keras
            >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
            >>> args, kwargs = model.save_spec()
            >>> tuple(args[0].shape), kwargs
            ((None, 3), {})
        """
        declared = self._declared_inputs()
        if declared is not None:
            return (tree.map_structure(artifacts.call_spec, declared),), {}
        if self._call_specs is None:
            return None

        def spec(tensor: Any) -> Any:
            if not isinstance(tensor, KerasTensor):
                return tensor
            if dynamic_batch and tensor.shape:
                tensor = KerasTensor((None, *tensor.shape[1:]), tensor.dtype, name=tensor.name)
            return artifacts.call_spec(tensor)

        args, kwargs = tree.map_structure(spec, self._call_specs)
        return tuple(args), kwargs

    def _declared_inputs(self) -> Any:
        """KerasTensors of the `Input`s in the structure of the argument, or None."""
        held = self.__dict__
        inputs = held.get("_inputs_struct", held.get("_input_tensor"))
        if inputs is None:
            return None
        return tree.map_structure(
            lambda t: KerasTensor(t.shape, t.dtype, name=t.keras_history[0].name), inputs
        )

    def _note_call(self, args: tuple, kwargs: dict[str, Any]) -> None:
        """Remembers shapes and dtypes of the arguments of a first call."""
        if self._call_specs is None:
            count = iter(range(1, 1_000_000))
            given = {
                name: value
                for name, value in kwargs.items()
                if name not in ("training", "mask") and value is not None
            }

            def spec(value: Any) -> Any:
                if isinstance(value, KerasTensor):
                    shape, dtype = value.shape, value.dtype
                elif native.core.is_tensor(value):
                    shape, dtype = native.core.shape(value), native.core.dtype_name(value)
                else:
                    return value
                return KerasTensor(shape, dtype, name=f"input_{next(count)}")

            self._call_specs = tree.map_structure(spec, (args, given))

    # -- distribution -----------------------------------------------------------------------

    @property
    def distribute_strategy(self) -> Any:
        """The `tf.distribute.Strategy` in whose scope the model was made.

        Raises:
            AttributeError: on a backend that has no such strategies.
        """
        return self._strategy if self._strategy is not None else artifacts.current_strategy()

    @property
    def distribute_reduction_method(self) -> str:
        """How values of several replicas become one: "auto", "first", "sum", "mean", "concat"."""
        return self._distribute_reduction_method

    @distribute_reduction_method.setter
    def distribute_reduction_method(self, value: str) -> None:
        if value not in _REDUCTIONS:
            raise ValueError(
                f"{self._who()}: distribute_reduction_method must be one of {_REDUCTIONS}, "
                f"got {value!r}."
            )
        self._distribute_reduction_method = value

    # -- configuration ----------------------------------------------------------------------

    def to_yaml(self, **kwargs: Any) -> str:
        """Refused: a YAML file can make its reader run code. Use `to_json`.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(
            "Model.to_yaml() is not available: reading YAML poses a security risk, as it can run "
            "code. Use Model.to_json() and models.model_from_json()."
        )


def _weight_paths(layer: Any, prefix: str, seen: set[int]) -> Iterator[tuple[str, Variable]]:
    """(path, variable) of a layer and of those below, in the order of their weights."""
    if id(layer) in seen:
        return
    seen.add(id(layer))
    held = list(layer.tracked_children())
    names = {
        id(v): path.lstrip("_") for path, v in held if isinstance(v, Variable) and "." not in path
    }
    for variable in layer._own_weights():
        yield f"{prefix}{names.get(id(variable), variable.name)}", variable
    if hasattr(layer, "_graph_layers") or hasattr(layer, "_stack"):
        below = [(child.name, child) for child in layer.layers]
    else:
        below = [(path.lstrip("_"), child) for path, child in held]
    for path, child in below:
        if hasattr(child, "_own_weights"):
            yield from _weight_paths(child, f"{prefix}{path}.", seen)
