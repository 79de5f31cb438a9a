"""SavedModels, checkpoints and strategies: this backend has none of them."""

from multikeras.backends.no_artifacts import WRITES_SAVED_MODELS as WRITES_SAVED_MODELS
from multikeras.backends.no_artifacts import active_strategy as active_strategy
from multikeras.backends.no_artifacts import call_spec as call_spec
from multikeras.backends.no_artifacts import current_strategy as current_strategy
from multikeras.backends.no_artifacts import read_checkpoint as read_checkpoint
from multikeras.backends.no_artifacts import write_checkpoint as write_checkpoint
