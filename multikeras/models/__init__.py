"""Models: layers that can be trained and saved."""

from multikeras.models.cloning import clone_model as clone_model
from multikeras.models.functional import Functional as Functional
from multikeras.models.model import Model as Model
from multikeras.models.sequential import Sequential as Sequential
from multikeras.saving.model import load_model as load_model
from multikeras.saving.model import model_from_json as model_from_json
from multikeras.saving.model import model_from_yaml as model_from_yaml
from multikeras.saving.model import save_model as save_model

__all__ = [
    "Functional",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "model_from_json",
    "model_from_yaml",
    "save_model",
]
