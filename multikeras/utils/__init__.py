"""Utilities around models: seeds, datasets, labels, sequences, progress, registration."""

from multikeras.callbacks.progbar import Progbar as Progbar
from multikeras.config import disable_interactive_logging as disable_interactive_logging
from multikeras.config import enable_interactive_logging as enable_interactive_logging
from multikeras.config import is_interactive_logging_enabled as is_interactive_logging_enabled
from multikeras.data.py_dataset import PyDataset as PyDataset
from multikeras.data.py_dataset import PyDataset as Sequence
from multikeras.data.structures import pack_x_y_sample_weight as pack_x_y_sample_weight
from multikeras.data.structures import unpack_x_y_sample_weight as unpack_x_y_sample_weight
from multikeras.dtypes import standardize_dtype as standardize_dtype
from multikeras.random.seed_generator import set_random_seed as set_random_seed
from multikeras.registry import CustomObjectScope as CustomObjectScope
from multikeras.registry import custom_object_scope as custom_object_scope
from multikeras.registry import get_custom_objects as get_custom_objects
from multikeras.registry import get_registered_name as get_registered_name
from multikeras.registry import get_registered_object as get_registered_object
from multikeras.registry import register_keras_serializable as register_keras_serializable
from multikeras.serialization import deserialize_keras_object as deserialize_keras_object
from multikeras.serialization import serialize_keras_object as serialize_keras_object
from multikeras.utils.config import Config as Config
from multikeras.utils.graph import get_source_inputs as get_source_inputs
from multikeras.utils.graph import is_keras_tensor as is_keras_tensor
from multikeras.utils.numerical import normalize as normalize
from multikeras.utils.numerical import to_categorical as to_categorical
from multikeras.utils.sequences import pad_sequences as pad_sequences
from multikeras.utils.state import clear_session as clear_session

__all__ = [
    "Config",
    "CustomObjectScope",
    "Progbar",
    "PyDataset",
    "Sequence",
    "clear_session",
    "custom_object_scope",
    "deserialize_keras_object",
    "disable_interactive_logging",
    "enable_interactive_logging",
    "get_custom_objects",
    "get_registered_name",
    "get_registered_object",
    "get_source_inputs",
    "is_interactive_logging_enabled",
    "is_keras_tensor",
    "normalize",
    "pack_x_y_sample_weight",
    "pad_sequences",
    "register_keras_serializable",
    "serialize_keras_object",
    "set_random_seed",
    "standardize_dtype",
    "to_categorical",
    "unpack_x_y_sample_weight",
]
