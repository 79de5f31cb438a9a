"""`ExportArchive`: a SavedModel with endpoints of one's own.

Refused with what to use instead: backends that write no SavedModels.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from multikeras import tree
from multikeras.backends import native
from multikeras.saving import formats
from multikeras.saving.saved_model import FRAMEWORK, native_signature, signature_of, whole_folder
from multikeras.variables import Variable

artifacts = native.artifacts


class ExportArchive:
    """Collects functions and variables, and writes them as a SavedModel.

    On backends that write no SavedModels, making one is refused; `Model.export` works there.

    Attributes:
        endpoints: the names of the functions added so far.
        variables, trainable_variables, non_trainable_variables: what was tracked.

    Raises:
        NotImplementedError: on a backend that writes no SavedModels.

    Example:
        >>> import multikeras as keras, tempfile
        >>> def save(model, folder):
        ...     archive = keras.export.ExportArchive()
        ...     archive.track(model)
        ...     archive.add_endpoint("serve", model.call, [keras.InputSpec(shape=(None, 3))])
        ...     archive.write_out(folder)
    """

    def __init__(self) -> None:
        if not artifacts.WRITES_SAVED_MODELS:
            raise NotImplementedError(
                f"ExportArchive needs the backend {FRAMEWORK} (MULTIKERAS_BACKEND={FRAMEWORK}). On "
                "this one, Model.export(folder) writes a SavedModel with the endpoint 'serve'."
            )
        self._resources: list[Any] = []
        self._endpoints: dict[str, tuple[Callable, Any]] = {}
        self._collections: dict[str, list[Variable]] = {}

    @property
    def endpoints(self) -> list[str]:
        """The names of the functions added so far."""
        return list(self._endpoints)

    @property
    def variables(self) -> list[Variable]:
        """The variables of everything tracked."""
        found = {id(v): v for resource in self._resources for v in resource.variables}
        for variables in self._collections.values():
            found.update((id(v), v) for v in variables)
        return list(found.values())

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training updates."""
        trainable = {id(v) for r in self._resources for v in r.trainable_variables}
        return [v for v in self.variables if id(v) in trainable]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that training leaves alone."""
        trainable = set(map(id, self.trainable_variables))
        return [v for v in self.variables if id(v) not in trainable]

    def track(self, resource: Any) -> None:
        """Takes up the variables of a model or layer.

        Raises:
            ValueError: if it is none, or not built.
        """
        if not hasattr(resource, "variables") or not hasattr(resource, "trainable_variables"):
            raise ValueError(f"ExportArchive.track: expected a model or layer, got {resource!r}.")
        if not resource.built:
            raise ValueError(
                f"ExportArchive.track: {type(resource).__name__} {resource.name!r} has not been "
                "built. Call it on data first."
            )
        self._resources.append(resource)

    def add_endpoint(
        self, name: str, fn: Callable, input_signature: Any = None, **kwargs: Any
    ) -> Any:
        """Adds a function under a name.

        Args:
            name: the attribute of the loaded artifact.
            fn: takes tensors and gives tensors; the variables that it reads must be tracked.
            input_signature: one spec for each argument, as in `Model.export`. Default: `fn` is a
                function of the framework that already knows.

        Returns:
            The function that the artifact will hold.

        Raises:
            ValueError: for a name used twice, or if the arguments are not known.
        """
        if name in self._endpoints:
            raise ValueError(f"ExportArchive: there already is an endpoint {name!r}.")
        if kwargs:
            raise TypeError(f"ExportArchive.add_endpoint: unknown arguments {sorted(kwargs)}.")
        if input_signature is None and not hasattr(fn, "get_concrete_function"):
            raise ValueError(
                f"ExportArchive: the endpoint {name!r} needs `input_signature`: a spec for each "
                "argument."
            )
        signature = None
        if input_signature is not None:
            signature = native_signature(signature_of(None, input_signature))
        self._endpoints[name] = (fn, signature)
        return fn

    def track_and_add_endpoint(
        self, name: str, resource: Any, input_signature: Any = None, **kwargs: Any
    ) -> Any:
        """Tracks a model or layer and adds its call, outside of training, under a name."""
        self.track(resource)
        if input_signature is None:
            args, _ = signature_of(resource)
            input_signature = list(args)

        def call(*args: Any) -> Any:
            return resource(*args, training=False)

        return self.add_endpoint(name, call, input_signature, **kwargs)

    def add_variable_collection(self, name: str, variables: Any) -> None:
        """Shows a list of variables as an attribute of the loaded artifact.

        Raises:
            ValueError: if something in it is no Variable.
        """
        flat = tree.flatten(variables)
        for variable in flat:
            if not isinstance(variable, Variable):
                raise ValueError(
                    f"ExportArchive.add_variable_collection: expected Variables, got {variable!r}."
                )
        self._collections[name] = flat

    def write_out(
        self, filepath: str | os.PathLike[str], options: Any = None, verbose: bool = True
    ) -> None:
        """Writes the SavedModel.

        Args:
            filepath: a folder, new or of an older SavedModel.
            options: a `tf.saved_model.SaveOptions`.
            verbose: whether to print what was written.

        Raises:
            ValueError: if there are no endpoints.
        """
        if not self._endpoints:
            raise ValueError("ExportArchive.write_out: there are no endpoints; add_endpoint first.")
        folder = formats.path_text("write_out", filepath)
        archive = artifacts.new_archive([variable.storage for variable in self.variables])
        for name, variables in self._collections.items():
            artifacts.track_variables(archive, name, [v.storage for v in variables])
        signatures: dict[str, Any] = {}
        for name, (fn, signature) in self._endpoints.items():
            specs, kwargs = signature or (None, {})
            endpoint = artifacts.add_endpoint(archive, name, fn, specs, kwargs)
            if specs is not None:
                signatures[name] = (endpoint, specs, kwargs)
        if signatures:
            signatures.setdefault("serving_default", next(iter(signatures.values())))
        with whole_folder(folder) as temporary:
            artifacts.write_saved_model(archive, temporary, signatures or None, options)
        if verbose:
            print(f"Saved the endpoints {', '.join(self._endpoints)} at {folder!r}.")
