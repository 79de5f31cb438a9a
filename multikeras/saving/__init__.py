"""Models, weights and objects to files and configs, and back."""

from multikeras.registry import CustomObjectScope as CustomObjectScope
from multikeras.registry import custom_object_scope as custom_object_scope
from multikeras.registry import get_custom_objects as get_custom_objects
from multikeras.registry import get_registered_name as get_registered_name
from multikeras.registry import get_registered_object as get_registered_object
from multikeras.registry import register_keras_serializable as register_keras_serializable
from multikeras.saving.container import CorruptFileError as CorruptFileError
from multikeras.saving.model import load_model as load_model
from multikeras.saving.model import load_weights as load_weights
from multikeras.saving.model import model_from_json as model_from_json
from multikeras.saving.model import save_model as save_model
from multikeras.saving.model import save_weights as save_weights
from multikeras.saving.weights import WeightsMismatchError as WeightsMismatchError
from multikeras.serialization import UnknownObjectError as UnknownObjectError
from multikeras.serialization import deserialize_keras_object as deserialize_keras_object
from multikeras.serialization import serialize_keras_object as serialize_keras_object

__all__ = [
    "CorruptFileError",
    "CustomObjectScope",
    "UnknownObjectError",
    "WeightsMismatchError",
    "custom_object_scope",
    "deserialize_keras_object",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "load_model",
    "load_weights",
    "model_from_json",
    "register_keras_serializable",
    "save_model",
    "save_weights",
    "serialize_keras_object",
]
