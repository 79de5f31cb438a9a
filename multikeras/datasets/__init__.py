"""Small data sets that come inside the package.

Each submodule has `load_data()` and returns NumPy arrays. Nothing here opens a network
connection or needs a framework.
"""

from multikeras.datasets import digits as digits

__all__ = ["digits"]
