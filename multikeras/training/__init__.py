"""The one trainer: `compile`, `fit`, `evaluate`, `predict` and their step functions."""

from multikeras.training.gradients import value_and_grad as value_and_grad
from multikeras.training.trainer import Trainer as Trainer

__all__ = ["Trainer", "value_and_grad"]
