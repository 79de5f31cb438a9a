"""The PyTorch backend: layers are `torch.nn.Module`s, steps run eagerly unless compiled."""

from multikeras.backends.torch import core as core

from multikeras.backends.torch import elementwise as elementwise

UNSUPPORTED: dict[str, str] = {}
